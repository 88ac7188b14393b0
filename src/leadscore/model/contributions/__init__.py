"""What every feature contributes to the log-odds, and the win rates of similar leads."""
