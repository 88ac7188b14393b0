"""MLflow's server is down: what is scored can be published, and what cannot be scored leaves the list that stands."""

import shutil

import pytest

import histories
from builders import day
from leadscore import Project
from leadscore import project as jobs
from leadscore.errors import UnavailableError

NOBODY = "http://127.0.0.1:1"  # nothing listens there


def next_day():
    return day(histories.trained().days + 1)


@pytest.fixture
def settings(tmp_path):
    """A project with a published list; its models are left where they are."""
    world = histories.trained()
    shutil.copytree(world.settings.data_folder, tmp_path / "data")
    settings = world.settings.model_copy(update={"data_folder": tmp_path / "data"})
    histories.score_and_publish(settings)
    return settings


@pytest.fixture
def cut_off(settings, monkeypatch):
    """The same project without its server."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registry = settings.registry.model_copy(update={"tracking_uri": NOBODY})
    return settings.model_copy(update={"registry": registry})


def test_list_when_mlflow_is_down_after_scoring_then_is_published_all_the_same(settings, cut_off):
    scored = jobs.score(settings, as_of_us=next_day())
    assert jobs.publish(cut_off, scored.publication_id).published
    current = settings.project_folder() / "scores" / "current.json"
    assert scored.publication_id in current.read_text()


def test_list_when_mlflow_is_down_before_scoring_then_the_old_one_stands_and_words_say_why(
    settings, cut_off
):
    current = settings.project_folder() / "scores" / "current.json"
    standing = current.read_bytes()
    with pytest.raises(UnavailableError, match="MLflow"):
        jobs.score(cut_off, as_of_us=next_day())
    with pytest.raises(UnavailableError, match="MLflow"):
        Project(cut_off).status()
    assert current.read_bytes() == standing
    assert jobs.score(settings, as_of_us=next_day()).publication_id  # once it is back
