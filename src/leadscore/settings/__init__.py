"""What a project may set, one file a section: frozen, described, and refused where it is mistyped."""
