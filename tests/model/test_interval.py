"""Intervals of probabilities: around what is published, and over what comes of leads like these."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders import make_settings
from leadscore.history.side import Side
from leadscore.model.apply import WinModel, calibrate, sigmoid
from leadscore.model.calibration import interval
from leadscore.model.calibration.calibrate import KINDS
from leadscore.model.calibration.drift import Drift
from leadscore.model.calibration.interval import fit_interval, prior_interval
from leadscore.model.held_out import HeldOut
from leadscore.times import DAY_US

TARGET = make_settings().target
DAYS = 120
BINS = 20


def make_unseen(rng, *, leads, spread=0.0, periods=6):
    """Predictions of leads over some periods, in each of which all log-odds are moved by chance."""
    truth = rng.normal(-1, 1.2, leads)
    day = np.sort(rng.integers(0, DAYS, leads))
    moved = truth + rng.normal(0, spread, periods)[day * periods // DAYS]
    rows = pd.DataFrame({
        "lead_id": [f"{i:05d}" for i in range(leads)], "as_of_us": day * DAY_US, "weight": 1.0,
        "label": (rng.random(leads) < sigmoid(moved)).astype(float),
    })  # fmt: skip
    known_us = (DAYS + TARGET.horizon_days) * DAY_US
    return HeldOut(
        Side("made", rows, known_us, watched=1.0, capped_share=0.0, target=TARGET), truth
    )


UNCALIBRATED = {"kind": "none", "low": 0.001, "high": 0.999}


def model_with(interval, calibrator=UNCALIBRATED):
    document = {"features": [], "encoder": [], "scorer": {"kind": "logistic", "terms": []}}
    return WinModel(document | {"calibrator": calibrator, "interval": interval})


def interval_of(unseen, calibrator, raw):
    return model_with(fit_interval(unseen, calibrator, seed=1), calibrator).interval(raw)


@pytest.mark.cases(5)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "distort", [lambda x: x, lambda x: 5 * x, np.zeros_like], ids=["true", "too sure", "all alike"]
)
def test_interval_when_fitted_then_lies_around_the_published_probability_and_is_never_a_point(
    kind, distort
):
    unseen = make_unseen(np.random.default_rng(2), leads=500)
    unseen = replace(unseen, log_odds=distort(unseen.log_odds))
    calibrator = unseen.fit_calibrator(kind)
    asked = np.r_[unseen.log_odds, -40, 40]
    p, (low, high) = calibrate(calibrator, asked), interval_of(unseen, calibrator, asked).T
    assert (low < p).all()
    assert (p < high).all()
    odds = [np.log(x / (1 - x)) for x in (low, p, high)]
    assert (odds[2] - odds[0] > 0.05).all()
    if kind not in ("isotonic", "venn_abers"):
        np.testing.assert_allclose(odds[1] - odds[0], odds[2] - odds[1], atol=1e-8)


@pytest.mark.parametrize("kind", ["isotonic", "venn_abers"])
def test_interval_when_many_leads_share_the_last_step_then_is_no_narrower_than_so_many_leads_allow(
    kind,
):
    unseen = make_unseen(np.random.default_rng(2), leads=400)
    rows = unseen.side.rows.assign(
        label=(unseen.log_odds > 0).astype(float)
    )  # perfectly apart: nothing contradicts it
    unseen = HeldOut(replace(unseen.side, rows=rows), unseen.log_odds)
    low, high = interval_of(unseen, unseen.fit_calibrator(kind), np.array([-2.5, 1.5])).T
    n = int((unseen.log_odds < 0).sum())
    assert high[0] > 1 / n
    assert low[1] < 1 - 1 / (len(rows) - n)


TELLING = {("isotonic", 0.0), ("venn_abers", 0.0)}  # the quick ones
PERIODS = [
    pytest.param(kind, spread, marks=() if (kind, spread) in TELLING else pytest.mark.slow)
    for kind in KINDS
    for spread in (0.0, 0.3)
]


@pytest.mark.parametrize(("kind", "spread"), PERIODS)
def test_interval_when_leads_of_a_new_period_are_asked_about_then_holds_their_mean_truth(
    kind, spread
):
    hits = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        unseen = make_unseen(rng, leads=1500, spread=spread)
        asked = rng.normal(-1, 1.2, 2000)
        truth = sigmoid(asked + rng.normal(0, spread))
        low, high = interval_of(unseen, unseen.fit_calibrator(kind), asked).T
        parts = np.array_split(np.argsort(asked), BINS)
        hits += [low[part].mean() <= truth[part].mean() <= high[part].mean() for part in parts]
    assert np.mean(hits) >= 0.9


def test_interval_when_periods_differ_then_is_wider_than_chance_alone_makes_it():
    widths = {}
    for spread in (0.0, 0.5):
        unseen = make_unseen(np.random.default_rng(5), leads=3000, spread=spread)
        low, high = interval_of(unseen, unseen.fit_calibrator("sigmoid"), np.array([-1.0])).T
        widths[spread] = float(high[0] - low[0])
    assert widths[0.5] > 2 * widths[0.0]
    assert widths[0.0] < 0.12


@pytest.mark.parametrize("level", [-0.7, 0.7])
def test_interval_when_all_periods_are_off_alike_then_reaches_as_far_as_they_were_off(level):
    unseen = make_unseen(np.random.default_rng(3), leads=3000)
    off = replace(unseen, log_odds=unseen.log_odds + level)
    low, high = interval_of(off, UNCALIBRATED, np.array([-1.0])).T
    assert low[0] < sigmoid(np.array([-1.0 - level]))[0] < high[0]


def test_offsets_when_worked_by_hand_then_add_the_shift_to_chance_and_periods(monkeypatch):
    monkeypatch.setattr(
        interval, "estimate_drift", lambda _, knots: Drift(0 * knots - 0.1, 0 * knots + 0.2**2)
    )
    monkeypatch.setattr(interval, "_bootstrap_spread", lambda _, __, knots, seed: 0 * knots + 0.3)
    unseen = make_unseen(np.random.default_rng(2), leads=100)
    fitted = fit_interval(unseen, UNCALIBRATED, seed=1)
    # 1.960 standard errors of chance; 2.571 of periods (t with 5 degrees of freedom)
    expected = 0.1 + np.hypot(1.95996 * 0.3, 2.57058 * 0.2)
    assert fitted["below"] == pytest.approx([expected] * len(fitted["raw"]), rel=1e-5)
    assert fitted["above"] == fitted["below"]


def test_interval_when_no_lead_has_closed_then_is_as_wide_as_the_prior():
    low, high = model_with(prior_interval()).interval(np.array([-1.0])).T
    bounds = np.log([low[0] / (1 - low[0]), high[0] / (1 - high[0])])
    assert bounds == pytest.approx([-1 - 1.95996 * 1.2, -1 + 1.95996 * 1.2], rel=1e-5)


def test_interval_when_its_offsets_are_zero_then_still_holds_the_probability():
    log_odds = np.linspace(-6, 6, 1001)
    nothing = {"kind": "offsets", "raw": [0.0], "below": [0.0], "above": [0.0]}
    model = model_with(nothing)
    probability, (low, high) = model.probability(log_odds), model.interval(log_odds).T
    assert ((low <= probability) & (probability <= high)).all()
