"""MLflow: every training is a run, every model a version, and an alias says which one scores."""
