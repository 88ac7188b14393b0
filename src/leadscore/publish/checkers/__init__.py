"""Strict checks of machine files, one per contract; they share no code with what writes the files."""
