"""Half-lives are compared where a model in use would stand: with its past behind it."""

import numpy as np
import pytest

from histories import open_undated, undated_leads
from leadscore.history.censoring import count_effective_leads
from leadscore.history.split import FIRST_SHARE, LAST_SHARE, MAX_SPLITS
from leadscore.model.held_out import HeldOut, build_pools
from leadscore.model.intercept.choice import choose_half_life

SIGNAL = np.array([-1.2, 0.0, 1.2])


def steady(share):
    return 0 * share


def rising(share):
    return 2.5 * share


def choose(level, *, leads, delay, seed):
    """The choice where models know all of a lead, but for what the level did since the split that they learned at.

    Args:
        level: log-odds by the share of leads that have come.
        leads: how many there are.
        delay: after how many further leads an outcome is known.
        seed: of their outcomes.
    """
    rng = np.random.default_rng(seed)
    rows = undated_leads(leads=leads, seed=seed)
    merit = SIGNAL[rng.integers(0, 3, leads)]
    share = np.arange(leads) / leads
    won = rng.random(leads) < 1 / (1 + np.exp(-(merit - 0.8 + level(share))))
    history = open_undated(
        rows.assign(end=np.where(won, "won", "lost")),
        time="ordered",
        model={"outcome_delay": delay},
    )
    moments = history.places(
        history.version.known_until_us,
        shares=np.linspace(FIRST_SHARE, 1 - LAST_SHARE, MAX_SPLITS).tolist(),
    )
    before = build_pools(history, moments, history.version.known_until_us)["before"]
    at = rows.reset_index().set_index("id").loc[before.rows["lead_id"], "index"].to_numpy()
    learned_at = np.searchsorted(rows["place"], moments)[before.latest_moment(moments)]
    raw = merit[at] - 0.8 + level(learned_at / 2 / leads)
    return choose_half_life(history, {"before": HeldOut(before, raw)}, moments, calibrator="none")


@pytest.mark.cases(1)
@pytest.mark.parametrize("delay", [0, 50, 300])
def test_half_lives_when_nothing_drifts_then_the_longest_costs_next_to_nothing(delay):
    costs = []
    for seed in range(4):
        loss = choose(steady, leads=4000, delay=delay, seed=seed).choice.log_loss
        costs.append(loss["3000"] - loss["none"])
    assert np.mean(costs) < 0.0015  # a shift of n outcomes costs 1 / 2n, from 200 to 2,000 of them


@pytest.mark.slow
def test_half_lives_when_nothing_drifts_then_are_off():
    on = [choose(steady, leads=1500, delay=20, seed=seed).half_life for seed in range(12)]
    assert sum(half_life is not None for half_life in on) <= 1


@pytest.mark.slow
def test_half_lives_when_the_level_rises_steadily_then_one_is_on_though_outcomes_come_late():
    on = [choose(rising, leads=4000, delay=300, seed=seed).half_life for seed in range(8)]
    assert sum(half_life is not None for half_life in on) >= 6


def test_half_lives_when_all_outcomes_come_later_than_the_splits_then_are_off_and_say_why():
    found = choose(rising, leads=600, delay=590, seed=1)
    assert found.half_life is None
    assert "hardly any outcome was known" in found.choice.summary


@pytest.mark.parametrize(
    ("weight", "lead_id", "leads"),
    [
        pytest.param([1.0, 1.0, 1.0], ["a", "b", "c"], 3.0, id="all the same"),
        pytest.param([0.5, 0.5, 1.0], ["a", "a", "b"], 2.0, id="a lead of two rows is one"),
        pytest.param([9.0, 1.0, 1.0, 1.0], ["a", "b", "c", "d"], 144 / 84, id="one carries most"),
        pytest.param([0.0], ["a"], 0.0, id="no weight"),
        pytest.param([], [], 0.0, id="nobody"),
    ],
)
def test_effective_leads_when_weights_differ_then_are_fewer_than_leads(weight, lead_id, leads):
    assert count_effective_leads(np.array(weight), np.array(lead_id)) == pytest.approx(leads)
