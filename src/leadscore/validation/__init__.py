"""Whether a model may be trusted and used: baselines, back-tests and promotion."""
