"""Readers: files of any kind as batches of text columns."""
