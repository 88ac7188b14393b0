"""Scores as files for others to read: immutable publications, the current one named by one rename."""
