import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, roc_curve

from leadscore.evaluation.curves import (
    DISTRIBUTION_BINS,
    POINTS,
    compute_days_to_win,
    compute_distribution,
    compute_lift_curve,
    compute_maturity,
    compute_precision_recall,
    compute_roc,
)
from leadscore.evaluation.metrics import EvaluationSet, compute_auc, compute_capture
from leadscore.results import DaysToWin, MaturityPoint
from leadscore.times import DAY_US, FOREVER_US

OF_JUDGED = [compute_roc, compute_precision_recall, compute_lift_curve, compute_distribution]
KNOWN_US = 1000 * DAY_US


def make_rows(seed, *, n=150, levels=None):
    rng = np.random.default_rng(seed)
    p = (
        rng.uniform(0.02, 0.98, n)
        if levels is None
        else rng.integers(1, levels + 1, n) / (levels + 1)
    )
    y = (rng.random(n) < p).astype(float)
    return EvaluationSet(p, y, rng.uniform(0.2, 5, n), np.arange(n).astype(str))


def columns(records):
    return {name: column.to_numpy() for name, column in pd.DataFrame(map(dict, records)).items()}


def make_spells(rows):
    """Spells of (start, end or None while open, won), in days."""
    return pd.DataFrame(
        {
            "start_us": [round(start * DAY_US) for start, _, _ in rows],
            "close_us": [FOREVER_US if end is None else round(end * DAY_US) for _, end, _ in rows],
            "won": [won for _, _, won in rows],
        }
    ).astype({"start_us": "int64", "close_us": "int64", "won": "bool"})


def slow_incidence(spells, known_us):
    """Aalen-Johansen, one moment after the other: {days: share won by then}."""
    watched = [
        (min(row.close_us, known_us) - row.start_us, row.close_us < known_us, row.won)
        for row in spells.itertuples()
    ]
    unclosed, share, found = 1.0, 0.0, {}
    for time in sorted({time for time, _, _ in watched}):
        at_risk = sum(other >= time for other, _, _ in watched)
        wins = sum(other == time and closed and won for other, closed, won in watched)
        losses = sum(other == time and closed and not won for other, closed, won in watched)
        share += unclosed * wins / at_risk
        unclosed *= 1 - (wins + losses) / at_risk
        found[time / DAY_US] = share
    return found


CASES = [
    pytest.param(seed, levels, id=f"{seed}-{levels}")
    for seed in range(3)
    for levels in (None, 7, 1)
]


@pytest.mark.parametrize(("seed", "levels"), CASES)
def test_roc_when_rows_have_weights_and_ties_then_equals_scikit_learn(seed, levels):
    rows = make_rows(seed, levels=levels)
    x, y, _ = roc_curve(
        rows.label, rows.probability, sample_weight=rows.weight, drop_intermediate=False
    )
    found = columns(compute_roc(rows))
    assert found["false_positive_rate"] == pytest.approx(x, abs=1e-12)
    assert found["true_positive_rate"] == pytest.approx(y, abs=1e-12)


@pytest.mark.parametrize(("seed", "levels"), CASES)
def test_precision_and_recall_when_rows_have_weights_and_ties_then_equal_scikit_learn(seed, levels):
    rows = make_rows(seed, levels=levels)
    precision, recall, _ = precision_recall_curve(
        rows.label, rows.probability, sample_weight=rows.weight
    )
    found = columns(compute_precision_recall(rows))
    assert found["precision"] == pytest.approx(
        precision[:-1][::-1], abs=1e-12
    )  # its last point is made up
    assert found["recall"] == pytest.approx(recall[:-1][::-1], abs=1e-12)


@pytest.mark.parametrize(("seed", "levels"), CASES)
def test_lift_curve_when_done_by_a_slow_loop_then_is_the_same(seed, levels):
    rows = make_rows(seed, levels=levels)
    for record, value in zip(
        compute_lift_curve(rows), sorted(set(rows.probability), reverse=True), strict=True
    ):
        listed = [i for i in range(len(rows.label)) if rows.probability[i] >= value]
        share = sum(rows.weight[i] for i in listed) / sum(rows.weight)
        captured = sum(rows.weight[i] * rows.label[i] for i in listed) / sum(
            rows.weight * rows.label
        )
        expected = {"share": share, "captured": captured, "lift": captured / share}
        assert dict(record) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("seed", "levels"), CASES)
def test_curves_when_measured_then_agree_with_the_metrics(seed, levels):
    rows = make_rows(seed, levels=levels)
    roc, lift = columns(compute_roc(rows)), columns(compute_lift_curve(rows))
    area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    assert area == pytest.approx(compute_auc(rows.probability, rows.label, rows.weight), abs=1e-12)
    at_tenth = np.interp(0.1, np.r_[0, lift["share"]], np.r_[0, lift["captured"]])
    assert at_tenth == pytest.approx(
        compute_capture(rows.probability, rows.label, rows.weight), abs=1e-12
    )


def test_curves_when_there_are_many_points_then_keep_the_first_the_last_and_only_true_ones():
    rows = make_rows(0, n=3000)
    x, y, _ = roc_curve(
        rows.label, rows.probability, sample_weight=rows.weight, drop_intermediate=False
    )
    found = columns(compute_roc(rows))
    assert len(found["false_positive_rate"]) == POINTS
    at = np.array(
        [np.argmin(np.abs(x - a) + np.abs(y - b)) for a, b in zip(*found.values(), strict=True)]
    )
    assert x[at] == pytest.approx(found["false_positive_rate"], abs=1e-12)
    assert y[at] == pytest.approx(found["true_positive_rate"], abs=1e-12)
    assert at[0] == 0
    assert at[-1] == len(x) - 1
    assert np.diff(at).max() <= 2 * len(x) / POINTS


@st.composite
def judged(draw):
    n = draw(st.integers(2, 30))
    each = {
        "p": st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1)),
        "y": st.sampled_from([0.0, 1.0]),
        "w": st.sampled_from([0.5, 1.0, 3.25]),
    }
    values = {name: np.array(draw(st.lists(each[name], min_size=n, max_size=n))) for name in each}
    values["y"][:2] = 0.0, 1.0
    return EvaluationSet(values["p"], values["y"], values["w"], np.arange(n).astype(str))


@given(judged())
@settings(deadline=None, max_examples=60)
def test_curves_when_going_down_the_list_then_never_fall_and_end_at_all(rows):
    roc, pr, lift = (columns(curve(rows)) for curve in OF_JUDGED[:3])
    for curve, name in (
        (roc, "false_positive_rate"),
        (roc, "true_positive_rate"),
        (pr, "recall"),
        (lift, "share"),
    ):
        assert (np.diff(curve[name]) >= 0).all()
        assert curve[name][-1] == 1
    assert (np.diff(lift["captured"]) >= 0).all()
    assert (lift["captured"][-1], lift["lift"][-1]) == (1, 1)
    assert (roc["false_positive_rate"][0], roc["true_positive_rate"][0]) == (0, 0)
    assert pr["precision"][-1] == pytest.approx(np.average(rows.label, weights=rows.weight))


@given(judged(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_curves_when_rows_are_shuffled_or_weigh_double_then_are_the_same(rows, random):
    order = list(range(len(rows.label)))
    random.shuffle(order)
    double = EvaluationSet(rows.probability, rows.label, rows.weight * 2, rows.lead_id)
    for curve in OF_JUDGED:
        first = columns(curve(rows))
        shuffled, doubled = columns(curve(rows.take(np.array(order)))), columns(curve(double))
        for name, values in first.items():
            assert shuffled[name] == pytest.approx(values, abs=1e-12)
            factor = 2 if curve is compute_distribution and name in {"won", "other"} else 1
            assert (doubled[name] == factor * values).all()


@pytest.mark.parametrize(
    ("largest", "bound"), [(0.93, 1.0), (0.5, 0.5), (0.31, 0.5), (0.11, 0.2), (0.004, 0.01)]
)
def test_distribution_when_done_by_a_slow_loop_then_is_the_same(largest, bound):
    rng = np.random.default_rng(3)
    p = np.r_[rng.uniform(0, largest, 300), largest, 0.0, np.arange(20) * largest / 20]
    rows = EvaluationSet(
        p, (rng.random(len(p)) < 0.4).astype(float), rng.uniform(0.5, 2, len(p)), np.arange(len(p))
    )
    found = compute_distribution(rows)
    assert len(found) == DISTRIBUTION_BINS
    assert (found[0].low, found[-1].high) == (0, bound)
    for i, record in enumerate(found):
        assert record.high - record.low == pytest.approx(bound / 20)
        inside = (p >= record.low) & ((p < record.high) | ((i == 19) & (p == bound)))
        assert record.won == pytest.approx(sum(rows.weight[inside] * rows.label[inside]))
        assert record.other == pytest.approx(sum(rows.weight[inside] * (1 - rows.label[inside])))
    assert sum(record.won + record.other for record in found) == pytest.approx(rows.weight.sum())


def test_curves_when_there_is_nothing_to_tell_then_are_empty():
    nothing = EvaluationSet(np.empty(0), np.empty(0), np.empty(0), np.empty(0))
    lost = EvaluationSet(np.array([0.2, 0.4]), np.zeros(2), np.ones(2), np.arange(2))
    won = EvaluationSet(np.array([0.2, 0.4]), np.ones(2), np.ones(2), np.arange(2))
    assert [curve(nothing) for curve in OF_JUDGED] == [[], [], [], []]
    assert [curve(lost) for curve in OF_JUDGED[:3]] == [[], [], []]
    assert compute_roc(won) == []
    assert dict(compute_precision_recall(won)[-1]) == {"recall": 1, "precision": 1}


def random_spells(seed, *, n=120, open_share=0.4, step=0.0):
    rng = np.random.default_rng(seed)
    start, lasts = rng.uniform(0, 900, n), rng.exponential(60, n) + 0.01
    if step:
        start, lasts = np.round(start / step) * step, np.round(lasts / step) * step
    ends = [
        s + t if rng.random() > open_share and s + t < 1000 else None
        for s, t in zip(start, lasts, strict=True)
    ]
    return make_spells(
        [(s, e, e is not None and rng.random() < 0.4) for s, e in zip(start, ends, strict=True)]
    )


@pytest.mark.parametrize("step", [pytest.param(0.0, id="distinct"), pytest.param(25.0, id="tied")])
@pytest.mark.parametrize("seed", range(4))
def test_maturity_when_done_by_a_slow_loop_then_is_the_same(seed, step):
    spells = random_spells(seed, step=step)
    slow = slow_incidence(spells, KNOWN_US)
    found = compute_maturity(spells, KNOWN_US)
    for record in found:
        assert record.share == pytest.approx(slow.get(record.days, 0.0), abs=1e-12)
    assert found[0].days == 0
    assert found[-1].days == max(slow)
    assert found[-1].share == pytest.approx(max(slow.values()), abs=1e-12)
    days = compute_days_to_win(spells, KNOWN_US)
    for name, part in (("half", 0.5), ("nine_tenths", 0.9)):
        assert getattr(days, name) == min(
            at for at, share in slow.items() if share >= part * max(slow.values()) - 1e-12
        )


def test_maturity_when_nothing_is_censored_then_is_the_plain_share():
    spells = random_spells(9, open_share=0.0).query("close_us < @FOREVER_US")
    lasted, won = (spells["close_us"] - spells["start_us"]) / DAY_US, spells["won"]
    for record in compute_maturity(spells, KNOWN_US):
        assert record.share == pytest.approx(
            float((won & (lasted <= record.days)).mean()), abs=1e-12
        )


def test_maturity_when_told_by_hand_then_lets_the_watched_speak_for_the_censored():
    # a win on day 10, one open since day 20, a loss on day 30, a win on day 40; on day 20 the win comes first
    spells = make_spells(
        [
            (0, 10, True),
            (980, None, False),
            (0, 30, False),
            (0, 40, True),
            (0, 20, True),
            (950, None, False),
        ]
    )
    found = {record.days: record.share for record in compute_maturity(spells, KNOWN_US)}
    after_loss = 4 / 6 * 2 / 3  # still open: of four the loss took one of the three still watched
    assert found == pytest.approx(
        {0: 0, 10: 1 / 6, 20: 2 / 6, 40: 2 / 6 + after_loss / 2, 50: 2 / 6 + after_loss / 2}
    )
    assert compute_days_to_win(spells, KNOWN_US) == DaysToWin(half=20.0, nine_tenths=40.0)


def test_maturity_when_a_loss_competes_then_it_is_not_a_pause():
    # were losses censored, the one winner would speak for the loser: a share of 1 instead of 0.5
    spells = make_spells([(0, 5, False), (0, 10, True)])
    assert compute_maturity(spells, KNOWN_US)[-1] == MaturityPoint(days=10.0, share=0.5)


def test_maturity_when_nobody_has_won_then_is_flat_and_has_no_days():
    spells = make_spells([(0, 5, False), (990, None, False)])
    assert compute_maturity(spells, KNOWN_US) == [
        MaturityPoint(days=0.0, share=0.0),
        MaturityPoint(days=10.0, share=0.0),
    ]
    assert compute_days_to_win(spells, KNOWN_US) == DaysToWin(half=None, nine_tenths=None)
    assert compute_maturity(spells.iloc[:0], KNOWN_US) == []
    assert compute_days_to_win(spells.iloc[:0], KNOWN_US) == DaysToWin(half=None, nine_tenths=None)


def test_maturity_when_spells_are_shuffled_then_is_the_same():
    spells = random_spells(5, step=10.0)
    assert compute_maturity(spells.sample(frac=1, random_state=1), KNOWN_US) == compute_maturity(
        spells, KNOWN_US
    )


def test_curves_when_written_then_are_plain_json():
    rows, spells = make_rows(1, n=900), random_spells(6, n=900)
    curves = [*(curve(rows) for curve in OF_JUDGED), compute_maturity(spells, KNOWN_US)]
    found = [[point.to_dict() for point in curve] for curve in curves]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert max(len(curve) for curve in found) <= POINTS
    assert {type(value) for curve in found for record in curve for value in record.values()} == {
        float
    }
