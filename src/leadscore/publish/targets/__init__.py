"""Published lists as CRMs and databases load them: each target whole by itself."""
