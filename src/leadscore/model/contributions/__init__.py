"""What each feature contributes to the log-odds, and what became of leads like this one."""
