"""Outside data becomes the store's tables: every row is stored, ignored by name, or rejected with a reason."""
