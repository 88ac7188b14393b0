"""The win/loss review as one self-contained HTML page."""
