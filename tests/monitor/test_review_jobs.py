"""From settled lists to what follows: a training that is due, a champion that gives way, a challenger in shadow."""

import json
from pathlib import Path

import pandas as pd
import pytest

import histories
from builders import day
from commands import run
from leadscore import project as jobs
from leadscore.project.trail import read_trail
from leadscore.registry.registry import Registry

pytestmark = pytest.mark.slow

DAYS = 200
LISTS = (115, 125, 135, 145, 155, 165)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A champion with points that are far off, whose lists are settled, after one that had learned."""
    folder = tmp_path_factory.mktemp("reviewed")
    strict = {"scorer": "logistic", "trials": 1, "max_calibration_error": 0.0, "max_bias": 0.0}
    learned = histories.sales_settings(folder, model=strict)
    facts = histories.sales_facts(learned, leads=900, days=DAYS, seed=4, signal=1.5)
    histories.write_store(facts, known_until=DAYS)
    points = learned.model_copy(
        update={
            "model": learned.model.model_copy(update={"scorer": "scorecard"}),
            "scorecard": learned.scorecard.model_copy(update={"base_rate": 0.9}),
            "retraining": learned.retraining.model_copy(update={"shadow": True}),
        }
    )
    for settings, at in ((learned, 110), (points, 20)):  # the points are from before any close
        trained = jobs.train(settings, as_of_us=day(at))
        histories.register(settings, trained, promote=True)
    for date in LISTS:
        histories.score_and_publish(points, as_of_us=day(date))
    return points


def test_training_when_the_last_one_is_old_then_is_due_and_as_of_then_it_is_not(settings):
    now = jobs.find_due(settings)
    assert now.due
    then = jobs.find_due(settings, as_of_us=day(112))
    assert not then.due
    assert then.why.startswith("2.0 days of data")
    assert not jobs.find_due(settings, as_of_us=day(110)).due


def test_command_when_training_is_not_due_then_says_so_and_trains_nothing(settings, monkeypatch):
    monkeypatch.setattr("leadscore.project.project.read_settings", lambda *_, **__: settings)
    versions = len(Registry(settings).versions())
    ended = run("train", "--if-due", "--as-of", "2024-04-22")
    assert ended.code == 0
    assert "Training is not due: 2.0 days of data" in ended.out
    assert len(Registry(settings).versions()) == versions


def test_challenger_when_there_is_none_then_no_list_is_in_shadow(settings):
    assert jobs.score(settings, as_of_us=day(170)).shadow is None


def test_challenger_when_shadow_lists_are_asked_for_then_both_are_written_and_one_is_published(
    settings, tmp_path
):
    folder = settings.project_folder()
    challenger = jobs.train(settings, as_of_us=day(15))
    histories.register(settings, challenger)
    assert not challenger.promotion.promoted  # it knows less than the champion
    before = (folder / "scores" / "current.json").read_bytes()
    scored = jobs.score(settings, as_of_us=day(180))
    manifest = json.loads((Path(scored.shadow) / "manifest.json").read_text())
    assert Path(scored.shadow).parent == folder / "shadow"
    assert manifest["model_version"] != scored.model_version
    ours = pd.read_parquet(Path(scored.folder) / "scores.parquet")
    theirs = pd.read_parquet(Path(scored.shadow) / "scores.parquet")
    assert set(ours["lead_id"]) == set(theirs["lead_id"])
    assert (folder / "scores" / "current.json").read_bytes() == before


def test_champion_when_it_fails_and_the_one_before_is_better_then_it_is_back_with_the_reason(
    settings,
):
    registry = Registry(settings)
    assert registry.champion().number == 2
    reviewed = jobs.review(settings, who=histories.WHO)
    assert reviewed.rollback.rolled_back, reviewed.rollback.why
    assert registry.champion().number == 1
    last = [entry for entry in read_trail(settings) if entry.what == "rolled back"][-1]
    assert (last.by, last.why) == (histories.WHO.by, reviewed.rollback.why)
    assert registry.moves()[0]["why"] == reviewed.rollback.why
    again = jobs.review(settings, who=histories.WHO)  # its own lists are none yet
    assert not again.rollback.rolled_back
    assert registry.champion().number == 1
