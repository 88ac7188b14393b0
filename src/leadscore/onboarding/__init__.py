"""First settings for files that nobody has described: what each column is, with evidence and doubts."""
