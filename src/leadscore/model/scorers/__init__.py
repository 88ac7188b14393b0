"""Scorers: the scorecard, logistic regression and boosted trees, each giving log-odds."""
