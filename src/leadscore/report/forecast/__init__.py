"""The forecast as one self-contained HTML page, and its words."""
