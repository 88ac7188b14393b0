"""The arithmetic of the sales pipeline: stages, speed, forecast."""
