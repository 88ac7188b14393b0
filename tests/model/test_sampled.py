"""Which rows learn at each split of a long history."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.history.side import Side
from leadscore.model import sampled, tuning
from leadscore.model.sampled import describe_sampled, sample_leads, sample_sides
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
    return sides, sample_sides(sides, seed=1)


def make_rows(counts, *, label=None):
    """Rows of leads that have so many each, all labelled 1 or as a function of the leads' numbers."""
    lead = np.repeat(np.arange(len(counts)), counts)
    return pd.DataFrame(
        {
            "lead_id": [f"{number:05d}" for number in lead],
            "as_of_us": np.arange(len(lead)),
            "label": 1.0 if label is None else label(lead),
        }
    )


def count_of_leads(rows):
    return rows["lead_id"].value_counts()


@pytest.fixture(autouse=True)
def few_rows(monkeypatch):
    monkeypatch.setattr(sampled, "MOST_ROWS", MOST)


@pytest.mark.parametrize("rows", [(), (900,), (30, 90), (90, 90, 90), (30, 60, 900)])
def test_splits_when_none_before_the_last_is_long_then_learn_from_all_their_rows(rows):
    if not rows:
        assert sample_sides([], seed=1) == []
        return
    sides, learned = sample(*rows)
    for side, of_side in zip(sides, learned, strict=True):
        assert of_side is side.rows
    assert describe_sampled(learned, sides, trials=()) is None


@pytest.mark.parametrize(
    ("rows", "learned"),
    [
        pytest.param((93, 93), (60, 62), id="one lead more than may be"),
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


COUNTS = st.lists(st.integers(1, 9), min_size=1, max_size=40)


@given(COUNTS, st.integers(1, 100), st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_sample_whatever_the_leads_is_full_of_whole_leads_but_one_in_any_order(
    counts, most, seed, random
):
    rows = make_rows(counts)
    drawn = sample_leads(rows, most=most, seed=seed)
    assert len(drawn) == min(most, len(rows))
    there = count_of_leads(rows)[drawn["lead_id"].unique()]
    is_partial = count_of_leads(drawn)[there.index] < there
    assert is_partial.sum() <= 1

    order = list(range(len(rows)))
    random.shuffle(order)
    other = sample_leads(rows.iloc[order], most=most, seed=seed)
    pd.testing.assert_frame_equal(other.sort_index(), drawn)


@given(COUNTS, st.integers(1, 100), st.integers(0, 2**32))
def test_lead_that_fits_in_part_then_learns_from_its_earliest_rows(counts, most, seed):
    rows = make_rows(counts)
    drawn = sample_leads(rows, most=most, seed=seed)
    for lead, of_lead in drawn.groupby("lead_id"):
        earliest = rows[rows["lead_id"] == lead].head(len(of_lead))
        pd.testing.assert_frame_equal(of_lead, earliest)


@pytest.mark.parametrize("counts", [(1, 99), (90, *[1] * 10), (100,), (10,) * 10, (1,) * 100])
@given(seed=st.integers(0, 2**32))
def test_sample_when_leads_are_huge_or_tiny_then_has_exactly_as_many_rows_as_may_be(counts, seed):
    assert len(sample_leads(make_rows(counts), most=10, seed=seed)) == 10


@pytest.mark.parametrize("period", [2, 3, 5])
@given(seed=st.integers(0, 2**32))
def test_sample_when_labels_follow_the_numbers_of_leads_then_has_about_their_share(period, seed):
    rows = make_rows([1] * 1000, label=lambda lead: (lead % period == 0) * 1.0)
    drawn = sample_leads(rows, most=500, seed=seed)
    assert drawn["label"].mean() == pytest.approx(1 / period, abs=0.1)  # six standard errors


def test_sample_when_rows_have_no_label_then_they_do_not_count():
    rows = make_rows([2] * 50, label=lambda lead: np.where(lead < 20, 1.0, np.nan))
    assert sample_leads(rows, most=40, seed=1) is rows
    assert len(sample_leads(rows, most=39, seed=1)) == 39


def test_sample_when_the_seed_is_another_then_has_other_leads():
    rows = make_rows([3] * 100)
    one, other = (set(sample_leads(rows, most=30, seed=seed)["lead_id"]) for seed in (1, 2))
    assert one != other


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
    assert set(stated.splits) == {MOST}
    assert stated.trials == [MOST] * tuning.LEAST_SPLITS
    assert {trial.splits for trial in result.evaluation.scorer.trials} == {tuning.LEAST_SPLITS}
    assert min(side.observed.sum() for side in earlier) > MOST
    assert result.evaluation.to_dict()["scorer"]["sampled"] == stated.to_dict()
