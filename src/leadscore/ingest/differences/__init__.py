"""Differences between exports: when facts and closes were first known."""
