"""Alarms: what is wrong with an export as a whole, beside the one before."""
