"""The laws where nothing is dated: what stands later in the order changes nothing before, and row order nothing at all.

As for dated histories, the law of the order is also shown a planted leak, which it must catch.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import histories
from histories import open_undated, score_table, undated_leads, undated_settings
from leadscore import project as jobs
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.files import read_model
from leadscore.model.train import fit_model
from leadscore.progress import silent

LEADS = 30
CUTS = st.integers(0, LEADS - 1)
SEEDS = st.integers(0, 2**32 - 1)


def earlier(history: History, known_us: int, *, leak: bool = False) -> str:
    """The earlier side at a place, its labels and its features, as text; with a `leak` one lead too many."""
    side = history.earlier_side(known_us + 1 if leak else known_us)
    matrix = build_matrix(history.snapshot(side.rows), build_features(history.settings)).take(
        side.rows
    )
    return side.rows.to_csv() + pd.DataFrame(dict(matrix.columns)).to_csv()


def changed_from(rows: pd.DataFrame, cut: int, rng: np.random.Generator) -> pd.DataFrame:
    """The same rows up to the cut; those from it on with other values, outcomes and places, some gone, some new."""
    later = rows.iloc[cut:].copy()
    n = len(later)
    later["level"] = rng.choice(["low", "mid", "high", "else"], n)
    later["color"] = rng.choice(["red", "pink"], n)
    later["size"] = rng.integers(0, 10**6, n)
    later["end"] = rng.choice(["won", "lost", ""], n)
    later["place"] = int(rows["place"].iloc[cut]) + rng.integers(0, 10**6, n)
    later = later[rng.random(n) < 0.8]
    new = later.assign(id=[f"new {i}" for i in range(len(later))])
    return pd.concat([later, rows.iloc[:cut], new], ignore_index=True)


def histories_at(cut: int, seed: int, *, leads: int = LEADS) -> tuple[History, History, int]:
    """A history in an order, one changed from a lead on, and that lead's place."""
    rows = undated_leads(leads=leads, seed=seed % 1000, is_open=3)
    rng = np.random.default_rng(seed)
    changed = changed_from(rows, cut, rng)
    return *(open_undated(each, time="ordered") for each in (rows, changed)), int(
        rows["place"].iloc[cut]
    )


@settings(max_examples=25, deadline=None)
@given(cut=CUTS.filter(bool), seed=SEEDS)
def test_earlier_side_when_any_lead_at_or_after_its_place_changes_then_stays(cut, seed):
    one, other, place = histories_at(cut, seed)
    assert earlier(one, place) == earlier(other, place)


def test_earlier_side_when_a_leak_is_planted_then_the_law_catches_it():
    found = 0
    for seed in range(10):
        one, other, place = histories_at(15, seed)
        found += earlier(one, place, leak=True) != earlier(other, place, leak=True)
    assert found >= 8


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_model_when_any_lead_at_or_after_its_place_changes_then_stays(seed):
    one, other, place = histories_at(150, seed, leads=200)
    models = [fit_model(each, known_us=place, progress=silent) for each in (one, other)]
    assert models[0].model.document == models[1].model.document
    assert models[0].model.booster_text == models[1].model.booster_text
    assert models[0].evaluation == models[1].evaluation


def learned(
    folder: Path, rows: pd.DataFrame, *, time: str, scorer: str
) -> tuple[WinModel, dict[str, object], pa.Table]:
    """What training on an export of rows keeps and tells, and how its model scores the open leads."""
    settings = undated_settings(time, folder, model={"scorer": scorer})
    folder.mkdir()
    rows.to_csv(folder / "leads.csv", index=False)
    jobs.ingest(settings)
    trained = jobs.train(settings)
    model, _ = read_model(Path(trained.folder))
    history = histories.open_stored(settings)
    until = history.version.known_until_us
    scores = score_table(history, model, model_version="the model", known_us=until, as_of_us=until)
    return model, trained.evaluation, scores


@pytest.mark.slow
@pytest.mark.parametrize(
    ("time", "scorer"),
    [
        ("none", "boosted"),
        pytest.param("ordered", "auto", marks=pytest.mark.slow),
        pytest.param("none", "auto", marks=pytest.mark.slow),
    ],
)
def test_model_and_scores_when_rows_with_ids_come_in_another_order_then_are_the_same(
    tmp_path, time, scorer
):
    rows = undated_leads(leads=200, seed=11, is_open=10)
    one, evaluation, scores = learned(tmp_path / "one", rows, time=time, scorer=scorer)
    other, again, others = learned(
        tmp_path / "other", rows.sample(frac=1, random_state=5), time=time, scorer=scorer
    )
    assert (one.document, one.booster_text) == (other.document, other.booster_text)
    assert evaluation == again
    assert scores.num_rows == 10
    assert scores == others
