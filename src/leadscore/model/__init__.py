"""The win probability: encode, fit, calibrate out of time, evaluate, keep as text."""
