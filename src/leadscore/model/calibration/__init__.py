"""From log-odds to probabilities, and how far a probability may be off."""
