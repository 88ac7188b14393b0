"""The funnel as one self-contained HTML page, and its sentences."""
