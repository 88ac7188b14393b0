"""Lists as files for others to read: immutable publications, of which one is current."""
