"""Projects whose models are in one database."""

import pytest

import histories
from registry.registered import projects


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where all projects of these tests share one database."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture
def settings(folder):
    """A new project."""
    return histories.sales_settings(
        folder, project=f"project-{next(projects)}", models_folder=folder / "models"
    )
