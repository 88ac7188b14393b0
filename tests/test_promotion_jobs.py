"""What becomes of a project's champion when it is trained again, from `jobs.train` to the aliases."""

import json
from pathlib import Path

import pytest

import histories
from histories import WHO, undated_leads, undated_settings
from leadscore import project as jobs
from leadscore import results
from leadscore.audit.confirm import still_to_confirm
from leadscore.errors import DamagedFileError, UserError
from leadscore.registry.registry import Registry
from leadscore.results import Confirmation

pytestmark = pytest.mark.slow

CARD, LOGISTIC = "scorecard", "logistic"  # only the latter can learn what the color says
LEADS = undated_leads(leads=2800, seed=1)


def scorers_in(folder):
    """Settings of a project in a folder, by scorer."""

    def with_scorer(scorer, **limits):
        loose = {"max_calibration_error": 1.0, "max_bias": 1.0}
        return undated_settings(
            "ordered", folder, model={"scorer": scorer, "trials": 1} | loose | limits
        )

    return with_scorer


@pytest.fixture
def project(tmp_path):
    """Settings of a project of its own, with a scorer."""
    return scorers_in(tmp_path)


def fit(settings, *, leads, rows=LEADS):
    """What `jobs.train` tells of an export of the first leads."""
    seen = rows.iloc[:leads].copy()
    seen.iloc[-20:, seen.columns.get_loc("end")] = ""  # they are open still
    seen.to_csv(settings.input_folder / "leads.csv", index=False)
    jobs.ingest(settings)
    return jobs.train(settings)


def train(settings, *, leads, **how):
    """What `leadscore train` tells of it."""
    told = fit(settings, leads=leads)
    registered = histories.register(settings, told, **how)
    return told.to_dict() | registered.to_dict()


def said_of(settings, alias):
    """Why an alias was moved last."""
    return next(move["why"] for move in Registry(settings).moves() if move["alias"] == alias)


def aliases(settings):
    return {version.number: version.aliases for version in Registry(settings).versions()}


@pytest.fixture(scope="module")
def improved(tmp_path_factory):
    """A project whose scorecard was replaced by a better model, and what both trainings told."""
    project = scorers_in(tmp_path_factory.mktemp("improved"))
    first = train(project(CARD), leads=2400)
    settings = project(LOGISTIC)
    return settings, first, train(settings, leads=2800)


def test_training_when_it_is_better_then_it_scores_and_the_numbers_are_kept_with_it(improved):
    settings, first, told = improved
    assert first["promotion"] == {
        "promoted": True, "why": "the first champion; it predicts better than the base rate", "evidence": None, "against": None,
    }  # fmt: skip
    assert aliases(settings) == {2: ("champion",), 1: ("previous",)}
    decided = told["promotion"]
    assert decided["why"].startswith("better: log loss lower by")
    assert decided["against"] == first["registered"]["version"]
    assert decided["evidence"]["scorers"] == {"champion": "scorecard", "challenger": "logistic"}
    assert decided["evidence"]["gain"]["low"] > 0
    assert 0 <= decided["evidence"]["overlap"]["stay"] <= decided["evidence"]["overlap"]["of"]
    assert json.loads((Path(told["card"]).parent / "promotion.json").read_text()) == json.loads(
        json.dumps(decided)
    )
    assert said_of(settings, "champion") == decided["why"]
    registry = Registry(settings)
    run = registry.connection.client.get_run(told["registered"]["run_id"])
    assert run.data.tags["leadscore.promoted"] == "yes"
    assert run.data.tags["leadscore.why"] == decided["why"]
    assert run.data.metrics["promotion.log_loss_gain_low"] == decided["evidence"]["gain"]["low"]


def test_training_when_it_is_worse_then_the_champion_goes_on_scoring_unless_somebody_says_otherwise(
    project,
):
    train(project(LOGISTIC), leads=2400)
    settings = project(CARD)
    told = train(settings, leads=2800)
    assert told["promotion"]["why"].startswith("worse: log loss lower by -")
    assert aliases(settings) == {1: ("champion",), 2: ("challenger",)}
    assert said_of(settings, "challenger") == told["promotion"]["why"]
    histories.register(settings, results.Trained.from_dict(told), promote=True)
    assert aliases(settings) == {2: ("champion",), 1: ("previous",)}
    assert said_of(settings, "champion") == WHO.why


def test_training_when_the_recipe_is_the_same_then_newer_data_take_over_once_and_older_do_not(
    project,
):
    settings = project(LOGISTIC)
    first = train(settings, leads=2400)
    newer = train(settings, leads=2800)
    assert newer["promotion"]["why"].startswith(
        ("the identical recipe", "the same recipe on newer data")
    )
    assert aliases(settings) == {2: ("champion",), 1: ("previous",)}
    older = train(settings, leads=2600)
    assert "less history than the champion" in older["promotion"]["why"]
    assert aliases(settings) == {3: ("challenger",), 2: ("champion",), 1: ("previous",)}
    jobs.rollback(settings, who=WHO)
    again = train(settings, leads=2800)
    assert again["promotion"] == json.loads(json.dumps(newer["promotion"]))
    assert again["promotion"]["against"] == first["registered"]["version"]
    assert aliases(settings) == {3: ("challenger",), 2: ("previous",), 1: ("champion",)}


def test_training_when_calibration_breaks_the_limits_then_the_first_model_does_not_score_either(
    project,
):
    worse_times = LEADS.assign(
        end=LEADS["end"].mask((LEADS.index >= 1920) & (LEADS.index % 3 == 0), "lost")
    )
    settings = project(LOGISTIC, max_bias=0.05)
    told = fit(settings, leads=2400, rows=worse_times)
    assert told.evaluation.limits_broken
    histories.register(settings, told)
    assert aliases(settings) == {1: ("challenger",)}
    assert told.promotion.why.startswith("its calibration breaks the limits of the settings: ")
    with pytest.raises(UserError, match="last recorded reason: its calibration breaks the limits"):
        jobs.score(settings)


def test_training_when_another_has_become_champion_since_then_its_decision_does_not_count(project):
    settings = project(CARD)
    train(settings, leads=2400)
    better = fit(project(LOGISTIC), leads=2800)
    between = train(settings, leads=2600)
    assert between["champion"]["number"] == 2
    histories.register(settings, better)
    assert aliases(settings) == {3: ("challenger",), 2: ("champion",), 1: ("previous",)}
    assert "another champion scores" in said_of(settings, "challenger")


def test_champion_when_it_is_damaged_then_training_goes_on_and_rollback_works(project):
    settings = project(LOGISTIC)
    train(settings, leads=2400)
    train(settings, leads=2800)
    damaged = Registry(settings).champion().version
    for path in settings.models_folder.rglob(f"artifacts/**/{damaged}/model.json"):
        path.write_text("{}")
    told = train(settings, leads=2600)
    assert "files of the champion were changed or damaged" in told["promotion"]["why"]
    assert aliases(settings) == {3: ("challenger",), 2: ("champion",), 1: ("previous",)}
    assert jobs.rollback(settings, who=WHO).changes == {}
    assert aliases(settings)[1] == ("champion",)


def test_rollback_when_done_then_it_says_what_changed_and_comparing_says_what_would_be_decided(
    improved,
):
    settings, _, told = improved
    compared = jobs.compare(settings, "1", "2").promotion
    assert compared.evidence.gain.to_dict() == told["promotion"]["evidence"]["gain"]
    assert compared.promoted
    assert not jobs.compare(settings, "2", "1").promotion.promoted
    back = jobs.rollback(settings, who=WHO)
    assert (back.number, back.was.number) == (1, 2)
    assert back.changes["scorer"] == ["logistic", "scorecard"]
    assert back.changes["known_until"][1] < back.changes["known_until"][0]
    forth = jobs.rollback(settings, who=WHO)
    assert (forth.number, forth.changes["scorer"]) == (2, ["scorecard", "logistic"])
    assert aliases(settings) == {2: ("champion",), 1: ("previous",)}


def test_decision_when_its_file_is_damaged_then_words_say_so_and_training_again_writes_it_anew(
    project,
):
    settings = project(CARD)
    told = fit(settings, leads=2400)
    path = Path(told.card).parent / "promotion.json"
    whole = path.read_bytes()
    for left in (b"", b'{"promoted": "yes"}'):
        path.write_bytes(left)
        with pytest.raises(DamagedFileError, match="run `leadscore train` again"):
            histories.register(settings, told)
    again = jobs.train(settings)
    assert path.read_bytes() == whole
    (path.parent / ".writing-litter.json").write_bytes(b"half")  # of a process that was killed
    (path.parent / "figures" / "mine.png").write_bytes(b"\xff")
    histories.register(settings, again)
    path.write_bytes(b"")
    assert jobs.train(settings).model_version == again.model_version
    registry = Registry(settings)
    logged = registry.connection.client.list_artifacts(registry.champion().run_id)
    assert not [each.path for each in logged if "writing" in each.path]


@pytest.mark.parametrize("time", ["ordered", "none"])
def test_training_when_nobody_is_marked_lost_then_does_not_say_that_it_is_better_than_the_base_rate(
    tmp_path, time
):
    rows = LEADS.assign(end=LEADS["end"].where(LEADS["end"] == "won", ""))
    settings = undated_settings(time, tmp_path)
    told = fit(settings, leads=300, rows=rows)
    assert told.promotion.why == (
        "no champion yet; the scorecard of the settings scores until there are closed leads to evaluate it on"
    )
    assert "no lead is marked lost" in told.evaluation.scorer.why
    assert told.evaluation.scorer.missing_leads == {}


def test_scorecard_when_few_were_won_then_expects_as_many_and_without_points_scores_nobody(
    tmp_path,
):
    rows = LEADS.assign(end="lost")
    rows.loc[rows.index < 15, "end"] = "won"
    settings = undated_settings("none", tmp_path)
    told = fit(settings, leads=1500, rows=rows)
    assert told.promotion.promoted
    assert told.evaluation.calibrator.why == (
        "1,480 leads with a known outcome are too few to calibrate; "
        "it expects 1.1% of the leads to be won"
    )
    unasked = fit(settings.model_copy(update={"bant": {}}), leads=1500, rows=rows)
    assert not unasked.promotion.promoted
    assert "gives all leads the same points" in unasked.promotion.why


WAS_ASKED = {
    "why": "nothing says when",
    "questions": [{"field": "tag", "why": "strong"}],
    "lines": "",
}
CONFIRMED = {"tag": "creation"}
ASKED_BEFORE = {
    "nothing was asked": (None, {}, None),
    "it is still open": (WAS_ASKED, {}, "nothing says when"),
    "it is confirmed by now": (WAS_ASKED, CONFIRMED, None),
    "nothing can confirm it": (WAS_ASKED | {"questions": []}, CONFIRMED, "nothing says when"),
}


@pytest.mark.parametrize("case", ASKED_BEFORE)
def test_versions_when_compared_then_what_a_training_asked_still_counts(tmp_path, case):
    asked, known_from, why = ASKED_BEFORE[case]
    fields = {"tag": {"known_from": known_from["tag"]} if known_from else {}}
    settings = undated_settings("none", tmp_path, fields=fields, bant={}, mapping=[
        {"source": "leads", "table": "leads", "columns": {"lead_id": "id", "tag": "tag"}},
        {"source": "leads", "table": "outcomes", "columns": {"lead_id": "id", "outcome": "end"}},
    ])  # fmt: skip
    confirmation = Confirmation.from_dict(asked) if asked else None
    assert still_to_confirm(confirmation, settings) == why
