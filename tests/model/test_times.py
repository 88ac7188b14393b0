"""The running intercept: what it follows, and what must not move it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize_scalar

from builders import Facts, day, make_settings
from histories import open_undated, undated_leads
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.history.opening import open_history
from leadscore.model.apply import add_shift, logit
from leadscore.model.intercept.past import Past, renewals, unit_of
from leadscore.model.intercept.shift import fit_shift

HORIZON = 60
QUICK = 4.0  # days until a loss, in the mean
FIRST, SLOW = (
    20.0,
    10.0,
)  # days before which nobody wins, and until a win from there on, in the mean
WINS = 0.3


# --- The shift ------------------------------------------------------------------------------------------------------


def log_posterior(shift, log_odds, label, weight):
    """By scipy's logarithms: an independent way to the same number."""
    moved = log_odds + shift
    likelihood = label * -np.logaddexp(0, -moved) + (1 - label) * -np.logaddexp(0, moved)
    return (weight * likelihood).sum() - shift**2 / (2 * 2.0**2)


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 40), data=st.data())
def test_shift_when_fitted_then_is_the_mode_of_the_posterior(n, data):
    log_odds = data.draw(arrays(float, n, elements=st.floats(-8, 8)))
    label = data.draw(arrays(float, n, elements=st.sampled_from([0.0, 1.0])))
    weight = data.draw(arrays(float, n, elements=st.floats(0, 30)))
    best = minimize_scalar(lambda s: -log_posterior(s, log_odds, label, weight), bounds=(-30, 30), method="bounded",
                           options={"xatol": 1e-9}).x  # fmt: skip
    assert fit_shift(log_odds, label, weight) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize(
    "weight", [np.empty(0), np.zeros(3)], ids=["no rows", "rows without weight"]
)
def test_shift_when_nothing_is_known_then_is_none(weight):
    rows = np.zeros(len(weight))
    assert fit_shift(rows, rows, weight) == 0


@settings(deadline=None, max_examples=60)
@given(
    p=arrays(float, 30, elements=st.floats(1e-4, 1 - 1e-4)),
    label=arrays(float, 30, elements=st.sampled_from([0.0, 1.0])),
    shifts=arrays(float, 3, elements=st.floats(-3, 3)),
)
def test_auc_within_dates_when_each_date_has_a_shift_then_is_as_without(p, label, shifts):
    p = p.round(3)  # so that distinct ones stay distinct
    block = np.repeat(np.arange(3), 10)
    lead_id = np.arange(30).astype(str)
    before = EvaluationSet(p, label, np.ones(30), lead_id, block)
    after = EvaluationSet(add_shift(p, shifts[block]), label, np.ones(30), lead_id, block)
    assert after.auc() == before.auc() or np.isnan(before.auc())


# --- Dated: closes that come early ----------------------------------------------------------------------------------


def true_log_odds(age):
    """Log-odds of a win within the horizon, of a lead that is open at an age in days."""
    still_won, won_later = (
        WINS * np.exp(-np.maximum(days - FIRST, 0) / SLOW) for days in (age, age + HORIZON)
    )
    still_lost = (1 - WINS) * np.exp(-age / QUICK)
    p = (still_won - won_later) / (still_won + still_lost)
    return np.log(p / (1 - p))


def simulate(*, seed, leads=1200, days=360.0, boom=None):
    """Leads whose losses come fast and wins slowly; from the day `boom` on twice as many are won."""
    rng = np.random.default_rng(seed)
    facts = Facts(
        make_settings(target={"horizon_days": HORIZON, "cadence_days": 3, "max_per_lead": 4})
    )
    created = rng.uniform(0, days, leads)
    chance = np.where(created >= (days + 1 if boom is None else boom), 2 * WINS, WINS)
    wins = rng.random(leads) < chance
    closes = created + np.where(
        wins, FIRST + rng.exponential(SLOW, leads), rng.exponential(QUICK, leads)
    )
    for i in range(leads):
        facts.lead(f"{i:05d}", float(created[i]))
        if closes[i] < days:
            facts.outcome(f"{i:05d}", float(closes[i]), "won" if wins[i] else "lost")
    return facts, pd.Series(created, [f"{i:05d}" for i in range(leads)])


def past_of(facts, created, folder, *, days=360.0):
    """All snapshots, with the log-odds that are true without a boom."""
    history = facts.history(folder, known_until=days)
    side = history.side(
        "all", from_us=history.version.first_us, to_us=day(days), known_us=day(days)
    )
    age = (side.rows["as_of_us"].to_numpy() - day(0)) / 86_400e6 - created.loc[
        side.rows["lead_id"]
    ].to_numpy()
    return Past(history, side.rows), true_log_odds(age)


def shift_of(past, log_odds, moment, *, half_life):
    known = past.known(day(moment), half_life=half_life)
    return fit_shift(log_odds[known.positions], known.label, known.weight)


def naive_shift(past, log_odds, moment, *, half_life):
    """What is closed by then, without censoring weights."""
    known = past.known(day(moment), half_life=half_life)
    age = (day(moment) - past.rows["as_of_us"].to_numpy()[known.positions]) / 86_400e6
    return fit_shift(log_odds[known.positions], known.label, 2.0 ** (-age / half_life))


def oracle_shift(past, log_odds, moment, *, half_life):
    """What is right, by the outcomes that all these rows had in the end."""
    before = (past.rows["as_of_us"] < day(moment)).to_numpy()
    age = (day(moment) - past.rows["as_of_us"].to_numpy()[before]) / 86_400e6
    weight = past.rows["grid_weight"].to_numpy()[before] * 2.0 ** (-age / half_life)
    return fit_shift(log_odds[before], past.rows["label"].to_numpy()[before], weight)


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    """Four histories without any drift, whose last horizon is only there to see how all ended."""
    return [past_of(*simulate(seed=seed), tmp_path_factory.mktemp("steady")) for seed in range(4)]


MOMENTS = (180, 240, 300)


@pytest.mark.parametrize("half_life", [120, 45])
def test_shift_when_losses_come_fast_and_nothing_drifts_then_is_that_of_the_final_outcomes(
    steady, half_life
):
    off, naive = [], []
    for past in steady:
        for moment in MOMENTS:
            right = oracle_shift(*past, moment, half_life=half_life)
            off.append(shift_of(*past, moment, half_life=half_life) - right)
            naive.append(naive_shift(*past, moment, half_life=half_life) - right)
    error = np.std(off) / np.sqrt(len(steady))  # the moments of one history are not independent
    assert abs(np.mean(off)) < 2.5 * error
    assert error < 0.15
    assert np.mean(naive) < -3 * error, "the histories would not show it if early closes pulled"


def test_shift_when_recent_rows_cannot_speak_for_slow_wins_then_there_is_none(steady):
    past, log_odds = steady[0]
    assert len(past.known(day(360), half_life=10).positions) == 0
    assert shift_of(past, log_odds, 360, half_life=10) == 0


def test_shift_when_wins_double_then_follows(tmp_path):
    past, log_odds = past_of(*simulate(seed=7, boom=150), tmp_path)
    right = oracle_shift(past, log_odds, 300, half_life=45)
    assert right > 0.6
    assert shift_of(past, log_odds, 300, half_life=45) == pytest.approx(right, abs=0.25)


def test_weights_when_known_then_are_about_one_unit_a_lead(steady):
    past, _ = steady[0]
    known = past.known(day(360), half_life=1e9)
    leads = past.rows["lead_id"].nunique()
    assert known.weight.sum() == pytest.approx(leads, rel=0.1)


def test_shift_when_facts_are_changed_after_the_moment_then_is_the_same(tmp_path):
    facts, created = simulate(seed=3, leads=300)
    past, log_odds = past_of(facts, created, tmp_path / "as it was")
    for row in facts.rows["outcomes"]:
        if row["available_us"] >= day(250):
            row["outcome"] = "won" if row["outcome"] == "lost" else "lost"
    version = facts.write(tmp_path / "changed", known_until=360)
    changed = Past(
        open_history(facts.settings, version, DuckDBEngine(facts.settings.engine)), past.rows
    )
    assert shift_of(changed, log_odds, 250, half_life=120) == shift_of(
        past, log_odds, 250, half_life=120
    )
    assert shift_of(changed, log_odds, 360, half_life=120) != shift_of(
        past, log_odds, 360, half_life=120
    )


# --- Ordered --------------------------------------------------------------------------------------------------------


def ordered_past(*, delay):
    history = open_undated(
        undated_leads(leads=200, seed=1), time="ordered", model={"outcome_delay": delay}
    )
    until = history.version.known_until_us
    side = history.side("all", from_us=0, to_us=until, known_us=until)
    rows = side.rows.sort_values("as_of_us", ignore_index=True)
    return Past(history, rows)


@pytest.mark.parametrize(("delay", "latest"), [(0, 119), (1, 119), (7, 113), (120, 0)])
def test_known_when_leads_are_ordered_then_holds_those_before_the_delay(delay, latest):
    past = ordered_past(delay=delay)
    moment = int(past.rows["as_of_us"][120])
    known = past.known(moment, half_life=1000)
    assert known.positions.tolist() == list(range(latest + 1))
    assert known.weight[-1] == 1
    assert known.weight[0] == pytest.approx(2 ** (-latest / 1000))


def test_known_when_rows_are_ten_half_lives_old_then_leaves_them_out():
    past = ordered_past(delay=0)
    assert past.known(int(past.rows["as_of_us"][150]), half_life=3).positions.tolist() == list(
        range(119, 150)
    )


@pytest.mark.parametrize(
    ("time", "model", "unit"),
    [("ordered", {"outcome_delay": 5}, "leads"), ("ordered", {}, None), ("none", {}, None)],
)
def test_unit_when_outcomes_have_no_stated_delay_or_no_order_then_there_is_none(time, model, unit):
    assert unit_of(open_undated(undated_leads(leads=30, seed=1), time=time, model=model)) == unit


@pytest.mark.parametrize(
    ("n", "dated"), [(1, True), (5, True), (300, True), (1, False), (60, False), (40_000, False)]
)
def test_renewals_when_moments_are_many_then_are_few_and_begin_with_the_first(n, dated):
    moments = np.arange(10, 10 + n)
    found = renewals(np.repeat(moments, 2), dated=dated)
    assert found[0] == 10
    assert (np.diff(found) > 0).all()
    assert len(found) <= (16 if dated else 400)


def test_log_odds_when_taken_of_a_probability_then_lead_back_to_it():
    p = np.array([1e-5, 0.2, 0.5, 0.99])
    assert add_shift(np.full(4, 0.5), logit(p)) == pytest.approx(p, rel=1e-12)
