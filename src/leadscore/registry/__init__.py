"""MLflow, which keeps trainings as runs and models as versions."""
