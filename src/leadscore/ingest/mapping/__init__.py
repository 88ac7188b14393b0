"""Mapping: what the columns of a file mean, and their text as numbers, amounts and times."""
