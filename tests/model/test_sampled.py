"""Which rows learn at each split of a long history."""

import numpy as np
import pandas as pd
import pytest

from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.model import sampled, tuning
from leadscore.model.sampled import describe_sampled, sample_sides
from leadscore.model.scorers import tune
from leadscore.results import Sampled
from model.trained import fit, open_sales

MOST = 60
ROWS_OF_LEAD = 3


def make_side(rows):
    """Rows of leads with three snapshots each, of which the first has no label yet."""
    at = np.arange(rows)
    label = np.where(at % ROWS_OF_LEAD == 0, np.nan, at % 2)
    frame = pd.DataFrame(
        {
            "lead_id": [f"{lead:04d}" for lead in at // ROWS_OF_LEAD],
            "as_of_us": at,
            "label": label,
            "weight": 1.0,
        }
    )
    return Side("earlier", frame, known_us=rows, watched=1.0, capped_share=0.0, target=None)


def sample(*rows):
    sides = [make_side(n) for n in rows]
    longest = max(sides, key=lambda side: len(side.rows))
    matrix = Matrix(longest.rows[["lead_id", "as_of_us"]], {})
    return sides, sample_sides(matrix, sides)


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    monkeypatch.setattr(sampled, "MOST_ROWS", MOST)


@pytest.mark.parametrize("rows", [(), (900,), (30, 90), (90, 90, 90), (30, 60, 900)])
def test_splits_when_none_before_the_last_is_long_then_learn_from_all_their_rows(rows):
    if not rows:
        assert sample_sides(Matrix(pd.DataFrame(), {}), []) == []
        return
    sides, learned = sample(*rows)
    for side, of_side in zip(sides, learned, strict=True):
        assert of_side is side.rows
    assert describe_sampled(learned, sides, trials=()) is None


@pytest.mark.parametrize(
    ("rows", "learned"),
    [
        pytest.param((93, 93), (32, 62), id="one more than may be: every other lead"),
        pytest.param((90, 180, 900), (60, 60, 600), id="as many as may be, twice as many"),
        pytest.param((900, 30, 90), (60, 20, 60), id="a long one first"),
    ],
)
def test_splits_when_long_then_learn_from_whole_leads_and_the_last_from_all(rows, learned):
    sides, samples = sample(*rows)
    assert tuple(rows["label"].count() for rows in samples) == learned
    assert samples[-1] is sides[-1].rows
    for side, of_side in zip(sides[:-1], samples[:-1], strict=True):
        labelled = side.rows[side.observed]
        left_out = labelled.drop(of_side.index, errors="ignore")
        assert set(left_out["lead_id"]).isdisjoint(of_side["lead_id"])
    assert describe_sampled(samples, sides, trials=(5,)) == Sampled(
        splits=list(learned[:-1]), trials=[5]
    )


def test_samples_when_rows_come_in_another_order_then_are_the_same():
    side = make_side(900)
    matrix = Matrix(side.rows[["lead_id", "as_of_us"]], {})
    shuffled = Side(**vars(side) | {"rows": side.rows.sample(frac=1, random_state=0)})
    one, _ = sample_sides(matrix, [side, side])
    other, _ = sample_sides(matrix, [shuffled, shuffled])
    pd.testing.assert_frame_equal(other.sort_index(), one)


def test_training_when_splits_are_long_then_states_how_many_snapshots_learned(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(tune, "MOST_ROWS", MOST)
    monkeypatch.setattr(tuning, "MOST_ROWS", MOST)
    history = open_sales(tmp_path, leads=320, days=120, model={"trials": 2})
    result = fit(history)
    stated = result.evaluation.scorer.sampled
    earlier = result.training.earlier
    assert len(stated.splits) == len(earlier) - 1
    assert 0 < max(stated.splits) < 1.1 * MOST
    assert 0 < max(stated.trials) < 1.1 * MOST
    assert len(stated.trials) == tuning.LEAST_SPLITS
    assert {trial.splits for trial in result.evaluation.scorer.trials} == {tuning.LEAST_SPLITS}
    assert min(side.observed.sum() for side in earlier) > MOST
    assert result.evaluation.to_dict()["scorer"]["sampled"] == stated.to_dict()
