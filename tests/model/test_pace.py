"""When within the horizon wins come, by the features of leads: held against the truth of built wins."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import histories
from builders import day
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.compare import COMPARED_ON
from leadscore.model.pace.choose import ALIKE, CROSSED, LEARNED, choose_pace
from leadscore.model.pace.fit import INTERVALS, Wins, choose_days, fit_pace
from leadscore.model.pace.pace import Pace, predict_pace, predict_pace_of
from leadscore.model.training import open_training
from leadscore.progress import silent
from leadscore.times import DAY_US

HORIZON = 30
FEATURES = [
    Feature("calls", {}, Learned(), "count", "calls"),
    Feature("channel", {}, Learned(), "category", "channel"),
]
MEAN_DAYS = {"shop": 5.0, "fair": 40.0}


def share_come(mean_days, days):
    """The true share of wins within the horizon that come by some days, at a constant rate."""
    return np.expm1(-np.asarray(days) / mean_days) / np.expm1(-HORIZON / mean_days)


def draw_wins(count=3000, seed=1):
    """Wins whose channel says when they come; the calls say nothing."""
    rng = np.random.default_rng(seed)
    channel = rng.choice(list(MEAN_DAYS), count).astype(object)
    mean = np.array([MEAN_DAYS[name] for name in channel])
    passed = rng.random(count) * -np.expm1(-HORIZON / mean)
    keys = pd.DataFrame({"lead_id": np.arange(count).astype(str), "as_of_us": np.arange(count)})
    columns = {"calls": rng.poisson(3.0, count).astype(float), "channel": channel}
    return Wins(Matrix(keys, columns), days=-mean * np.log1p(-passed), weight=np.ones(count))


@pytest.fixture(scope="module")
def learned():
    wins = draw_wins()
    return fit_pace(wins, choose_days(wins, horizon_days=HORIZON), features=FEATURES, seed=1)


def test_days_when_chosen_then_about_as_many_wins_lie_between_any_two():
    wins = draw_wins()
    days = choose_days(wins, horizon_days=HORIZON)
    assert (days[0], days[-1]) == (0.0, HORIZON)
    assert np.bincount(wins.place(days)) == pytest.approx(np.full(INTERVALS, 500), abs=1)


@pytest.mark.parametrize(("day", "place"), [(0.0, 0), (9.9, 0), (10.0, 1), (29.9, 1), (30.0, 1)])
def test_win_when_placed_then_an_interval_begins_with_its_first_day(day, place):
    wins = replace(draw_wins(1), days=np.array([day]))
    assert wins.place([0.0, 10.0, 30.0]).tolist() == [place]


@pytest.mark.parametrize(("most", "left"), [(3001, 3000), (3000, 3000), (2999, 2999), (7, 7)])
def test_wins_when_thinned_then_as_many_as_may_learn_are_left(most, left):
    assert len(draw_wins().thinned(most, seed=1).days) == left


@pytest.mark.parametrize("channel", list(MEAN_DAYS))
def test_pace_when_fitted_then_is_near_the_truth_of_the_channel(learned, channel):
    columns = {"calls": np.array([3.0]), "channel": np.array([channel], object)}
    pace = predict_pace_of(learned, columns)
    assert pace.shares[0] == pytest.approx(share_come(MEAN_DAYS[channel], pace.days), abs=0.05)


@given(
    st.one_of(st.just(np.nan), st.floats(-1e9, 1e9)),
    st.sampled_from(["shop", "fair", "another", None]),
)
def test_pace_whatever_the_features_rises_from_none_to_all_at_the_horizon(learned, calls, channel):
    columns = {"calls": np.array([calls]), "channel": np.array([channel], object)}
    pace = predict_pace_of(learned, columns)
    assert pace.days[-1] == HORIZON
    assert (pace.shares[0, 0], pace.shares[0, -1]) == (0.0, 1.0)
    assert (np.diff(pace.shares[0]) >= 0).all()


def test_pace_when_fitted_again_from_json_or_in_another_order_then_is_the_same(learned):
    wins = draw_wins()
    again = fit_pace(wins, learned["days"], features=FEATURES, seed=1)
    assert json.loads(json.dumps(again)) == learned
    turned = replace(
        wins, seen=wins.seen.rows(np.arange(len(wins.days))[::-1]), days=wins.days[::-1]
    )
    turned = fit_pace(turned, learned["days"], features=FEATURES, seed=1)
    of_both = [predict_pace_of(one, wins.seen.columns).shares for one in (turned, learned)]
    assert of_both[0] == pytest.approx(of_both[1], abs=1e-6)


def test_pace_when_a_model_has_none_then_is_unknown():
    without = WinModel({"scorer": {"kind": "scorecard"}})
    pace = predict_pace(without, {"calls": np.zeros(3)}, horizon_days=HORIZON)
    assert not pace.is_known
    assert pace.shares.tolist() == Pace.unknown(3, horizon_days=HORIZON).shares.tolist()


@pytest.fixture(scope="module")
def training():
    settings = histories.sales_settings(histories.scratch() / "pace")
    facts = histories.sales_facts(settings, leads=900, days=100, seed=3, signal=1.8)
    histories.write_store(facts, known_until=100)
    history = histories.open_stored(settings)
    return open_training(history, known_us=day(100), progress=silent, leave_out=frozenset())


def timed(training, days_of):
    """A training whose wins come when `days_of` its features says."""

    def change(side):
        days = days_of(training.matrix.take(side.rows).columns)
        return replace(side, x_us=np.rint(days * DAY_US).astype(np.int64))

    return replace(
        training,
        side=change(training.side),
        earlier=[change(side) for side in training.earlier],
        pools={name: change(side) for name, side in training.pools.items()},
    )


def by_a_feature(training):
    """Soon where the first feature is above its median, else late."""
    name = training.features[0].name
    middle = np.nanmedian(training.matrix.columns[name])

    def days_of(columns):
        values = columns[name]
        spread = np.random.default_rng(1).uniform(0, 5, len(values))
        return np.where(values > middle, 3.0, 20.0) + spread

    return timed(training, days_of)


def by_chance(training):
    rng = np.random.default_rng(1)
    return timed(training, lambda columns: rng.uniform(0, 30, len(next(iter(columns.values())))))


def without_splits(training):
    return replace(training, pools={}, earlier=[], moments=[])


@pytest.mark.parametrize(
    ("held_out", "compared_on"),
    [(lambda same: same, COMPARED_ON["before"]), (without_splits, CROSSED)],
    ids=["later", "in turn"],
)
def test_pace_when_features_say_when_then_is_learned_else_not(training, held_out, compared_on):
    chosen = choose_pace(held_out(by_a_feature(training)))
    assert chosen.choice.learned
    assert chosen.choice.compared_on == compared_on
    assert chosen.document["pace"]["days"][-1] == training.side.target.horizon_days
    losses = chosen.choice.log_loss
    assert losses[LEARNED] < losses[ALIKE]

    chosen = choose_pace(held_out(by_chance(training)))
    assert not chosen.choice.learned
    assert chosen.document == {}
    assert chosen.choice.log_loss[ALIKE] == pytest.approx(np.log(INTERVALS), abs=0.1)


def test_pace_when_few_leads_were_won_then_is_not_learned(training):
    rows = training.side.rows
    some = rows["lead_id"].isin(rows["lead_id"].unique()[:150]).to_numpy()
    few = replace(training.side, rows=rows[some], x_us=training.side.x_us[some])
    chosen = choose_pace(replace(training, side=few))
    assert chosen.document == {}
    assert "fewer than 100 leads were won" in chosen.choice.summary
