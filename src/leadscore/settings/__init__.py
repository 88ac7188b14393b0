"""What a project can set, one file a section: frozen, described, and strict about unknown keys."""
