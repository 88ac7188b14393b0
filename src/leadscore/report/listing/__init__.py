"""The report of a list: one self-contained HTML file, and five lines of Markdown."""
