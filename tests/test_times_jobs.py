"""A running intercept from the export to the served model: one shift, added last, and kept with the list."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import histories
from histories import undated_leads, undated_settings
from leadscore import project as jobs
from leadscore.evaluation.reference import compute_score
from leadscore.features.matrix import build_features, build_matrix
from leadscore.model.apply import WinModel, add_shift
from leadscore.model.intercept.running import recall
from leadscore.model.intercept.shift import fit_shift
from leadscore.registry.registry import Registry
from leadscore.scoring.change import Previous
from leadscore.scoring.score import score_open_leads
from leadscore.scoring.steps import compute_steps, log_odds_of
from leadscore.settings.environment import unchanged_environment
from leadscore.times import DAY_US

OPEN = 20


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Settings of an export whose win rate leaps, and the list that its model published."""
    folder = tmp_path_factory.mktemp("times")
    rows = undated_leads(leads=2500, seed=5, is_open=OPEN)
    rng = np.random.default_rng(6)
    level = rows["level"].map({"low": -2.0, "mid": 0.0, "high": 2.0})
    wave = np.where((np.arange(2500) + 250) // 500 % 2, 1.5, -1.5)
    won = rng.random(2500) < 1 / (1 + np.exp(-(level + wave)))
    rows["end"] = np.where(rows["end"] == "", "", np.where(won, "won", "lost"))
    rows.to_csv(folder / "leads.csv", index=False)
    settings = undated_settings(
        "ordered", folder, model={"scorer": "logistic", "outcome_delay": OPEN}
    )
    jobs.ingest(settings)
    trained = jobs.train(settings)
    assert trained.no_signal is None
    histories.register(settings, trained, promote=True)
    return settings, histories.score_and_publish(settings)


@pytest.fixture(scope="module")
def table(world):
    return pq.read_table(Path(world[1].folder) / "scores.parquet").to_pandas().set_index("lead_id")


@pytest.fixture(scope="module")
def model(world):
    return Registry(world[0]).load_champion()[0]


@pytest.fixture(scope="module")
def columns(world, table):
    """The features of the listed leads, in the order of the list."""
    history = histories.open_stored(world[0])
    rows = history.open_list(history.version.known_until_us)
    matrix = build_matrix(history.snapshot(rows), build_features(world[0]))
    place = matrix.keys["lead_id"].to_numpy()
    return histories.take_columns(
        matrix.columns, [int(np.flatnonzero(place == each)[0]) for each in table.index]
    )


def test_list_when_the_model_has_times_then_only_the_probability_is_moved(
    world, table, model, columns
):
    shift = world[1].times["shift"]
    raw = model.log_odds(columns)
    plain = model.probability(raw)
    assert abs(shift) > 0.2
    assert table["win_probability"].tolist() == model.probability(raw, shift).tolist()
    assert log_odds_of(table["win_probability"].to_numpy()) == pytest.approx(
        log_odds_of(plain) + shift, abs=1e-9
    )
    assert table["score"].tolist() == compute_score(plain, model.document["reference"]).tolist()
    assert (np.diff(plain) <= 0).all()
    assert (table["probability_low"] <= table["win_probability"]).all()
    assert (table["win_probability"] <= table["probability_high"]).all()


def test_tiers_when_the_model_has_times_then_are_those_without(world, table, model):
    history = histories.open_stored(world[0])
    document = {name: value for name, value in model.document.items() if name != "times"}
    until = history.version.known_until_us
    scored = histories.score_table(
        history,
        WinModel(document, model.booster_text),
        model_version="x",
        known_us=until,
        as_of_us=until,
    ).to_pandas()
    assert scored["lead_id"].tolist() == table.index.tolist()
    assert scored["tier"].tolist() == table["tier"].tolist()
    assert scored["win_probability"].tolist() != table["win_probability"].tolist()


def test_reasons_when_the_times_are_strong_then_name_them(world, table):
    said = f"recent win rate: {world[1].times['shift']:+.1f}"
    reasons = table.filter(like="reason_").to_numpy()
    assert (reasons == said).any(axis=1).sum() > OPEN / 2
    assert not (
        (reasons != said) & np.char.startswith(reasons.astype(str), "recent win rate")
    ).any()


def test_list_when_replayed_and_explained_then_has_the_same_bytes_and_shift(world, table):
    settings, told = world
    manifest = json.loads((Path(told.folder) / "manifest.json").read_text())
    lead_id = table.index[0]
    again = jobs.replay(settings, told.publication_id, lead_id)
    assert manifest["times"] == told.times
    assert again.same, again.differs
    assert again.shift == told.times["shift"]
    assert again.win_probability == table["win_probability"].iloc[0]
    assert f"the running intercept, {told.times['shift']:+.2f}" in again.page


@pytest.mark.parametrize(
    "stated", [True, False], ids=["the shift of the publication", "that of the training"]
)
def test_served_when_it_is_given_the_shift_then_says_bit_for_bit_what_the_list_says(
    world, table, columns, stated
):
    import mlflow

    settings, told = world
    params = {"shift": told.times["shift"]} if stated else None
    with unchanged_environment():
        mlflow.set_tracking_uri(settings.tracking_uri())
        served = mlflow.pyfunc.load_model(f"models:/leadscore-{settings.project}@champion")
        answers = served.predict(pd.DataFrame(columns), params=params)
    assert [each["win_probability"] for each in answers] == table["win_probability"].tolist()


def test_change_when_the_times_moved_then_they_are_a_step_and_the_steps_add_up():
    scorer = {"kind": "logistic", "terms": [], "base": 0.0}
    old, new = (
        WinModel({"features": [], "encoder": [], "scorer": scorer,
                  "calibrator": {"kind": "sigmoid", "slope": slope, "intercept": 0.1, "low": 1e-6, "high": 1 - 1e-6}})
        for slope in (0.9, 1.2)
    )  # fmt: skip
    raws = [np.array([-1.0, 0.5]), np.array([-0.8, 0.4]), np.array([-0.7, 0.9])]
    raw, shifts = np.array([-0.5, 1.0]), (0.3, -0.4)
    before = old.probability(raws[0], shifts[0])
    steps = compute_steps(old, new, before, raws, raw, shifts=shifts)
    whole = log_odds_of(new.probability(raw, shifts[1])) - log_odds_of(before)
    assert steps["times"].tolist() == pytest.approx([-0.7, -0.7])
    assert sum(steps.values()) == pytest.approx(whole)
    assert steps["facts"] == pytest.approx(
        log_odds_of(old.probability(raws[2])) - log_odds_of(old.probability(raws[1]))
    )


# --- Dated ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dated():
    """A history, and its model as if it had been trained long before its end, and had kept no predictions."""
    world = histories.trained()
    until = world.history.version.known_until_us
    then = until - 120 * DAY_US
    times = {"half_life": 120, "unit": "days", "shift": 0.0, "from_us": then, "log_odds": {}}
    return (
        world.history,
        WinModel(world.model.document | {"times": times}, world.model.booster_text),
        then,
    )


def score_dated(history, model, *, known_us, as_of_us, previous=None):
    return score_open_leads(
        history, model, model_version="x", known_us=known_us, as_of_us=as_of_us, previous=previous
    )


def test_dated_list_when_facts_after_it_are_unknown_then_its_shift_rests_on_what_was_known(dated):
    history, model, then = dated
    until = history.version.known_until_us
    scored = score_dated(history, model, known_us=then, as_of_us=until)
    recalled = recall(history, model, known_us=then, as_of_us=until)
    known = recalled.past.known(until, half_life=120)
    assert scored.facts["times"]["shift"] == fit_shift(
        recalled.log_odds[known.positions], known.label, known.weight
    )
    assert scored.facts["times"]["shift"] != 0
    assert recalled.past.rows["as_of_us"].between(then, until).all()
    early = score_dated(history, model, known_us=then, as_of_us=until - 40 * DAY_US)
    assert early.facts["times"]["shift"] != scored.facts["times"]["shift"]
    assert score_dated(history, model, known_us=then, as_of_us=then).facts["times"]["shift"] == 0


def test_dated_change_when_the_list_before_had_another_shift_then_names_the_times(dated):
    history, model, then = dated
    until = history.version.known_until_us
    before_us = until - DAY_US
    plain = WinModel({n: v for n, v in model.document.items() if n != "times"}, model.booster_text)
    before = score_dated(history, plain, known_us=then, as_of_us=before_us).scores
    low = add_shift(before["win_probability"].to_numpy(), -1.0)
    receipts = before.set_column(
        before.schema.get_field_index("win_probability"), "win_probability", pa.array(low)
    )
    previous = Previous("before", before_us, receipts, plain, shift=-1.0)
    scored = score_dated(
        history, model, known_us=then, as_of_us=until, previous=previous
    ).scores.to_pandas()
    compared = scored[scored["change_points"].notna()]
    said = compared["change"].str.contains("recent win rate +", regex=False)
    assert said.sum() > len(compared) / 2
    assert (compared["change_points"][said] > 0).mean() > 0.9
