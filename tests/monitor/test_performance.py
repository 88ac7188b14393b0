"""Settled lists in numbers: groups against plain pandas, and estimates against what came of the lists."""

import numpy as np
import pandas as pd
import pytest

from builders import Facts, day
from leadscore.monitor.estimate import estimate_performance
from leadscore.monitor.performance import summarise_settled
from leadscore.monitor.settle import as_evaluation_set, settle
from settlings import HORIZON, scored

DATES = (40, 47, 54, 61, 88)  # the last waits
UNTIL = 100


def facts_of(leads, *, seed):
    """Leads of a known probability, created on day 5, that close between days 62 and 99."""
    rng = np.random.default_rng(seed)
    facts, probability = Facts(), {}
    for number in range(leads):
        lead = f"{number:04d}"
        facts.lead(lead, 5)
        probability[lead] = float(rng.choice([0.1, 0.3, 0.6]))
        if rng.random() < probability[lead]:
            facts.outcome(
                lead, float(rng.uniform(61.5, 69)), "won", amount=100_00 * (number % 7 + 1)
            )
    return facts, probability


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    facts, probability = facts_of(300, seed=1)
    history = facts.history(tmp_path_factory.mktemp("performance"), known_until=UNTIL)
    lists = [scored(date, probability) for date in DATES]
    for given in lists:
        given.rows["tier"] = np.where(given.rows["probability"] > 0.5, "A", "B")
    rows = settle(history, lists, known_us=day(UNTIL))
    return history, rows, summarise_settled(history, rows, known_us=day(UNTIL))


def test_settled_when_grouped_by_tier_and_month_then_rates_are_those_of_the_rows(world):
    _, rows, summary = world
    settled = rows[rows["state"] == "settled"]
    month = pd.to_datetime(settled["as_of_us"], unit="us").dt.strftime("%Y-%m")
    expected = settled.groupby([month, settled["tier"]]).agg(
        leads=("lead_id", "nunique"), p=("probability", "mean"), won=("label", "mean")
    )
    assert len(summary.tiers_in_months) == len(expected) == 4
    for group in summary.tiers_in_months:
        leads, p, won = expected.loc[(group.month, group.name)]
        assert (group.leads, group.mean_probability, group.win_rate) == pytest.approx(
            (leads, p, won)
        )
        assert group.low <= group.win_rate <= group.high
    assert [group.name for group in summary.tiers] == ["A", "B"]
    assert [group.name for group in summary.months] == ["2024-02", "2024-03"]


def test_settled_when_summarised_then_the_waiting_list_counts_nowhere_but_in_the_estimate(world):
    summary = world[-1]
    assert (summary.counts.settled, summary.lists) == (1200, 4)
    # those that had closed by the last list are not on it by what is known now
    assert summary.counts.waiting + summary.counts.without_lead == 300
    assert summary.expected.rows == summary.counts.waiting
    history = world[0]
    assert summary.next_due == history.name(day(DATES[-1] + HORIZON))
    assert summary.metrics.auc_blocks + summary.metrics.auc_blocks_left_out == 4
    assert summary.captured.at(0.1).oracle >= summary.captured.at(0.1).leadscore
    assert summary.limits_broken == [] or summary.metrics.calibration_error.low > 0.05


def test_settled_when_nothing_is_won_then_there_are_no_metrics(tmp_path):
    history = Facts().lead("a", 5).history(tmp_path, known_until=UNTIL)
    rows = settle(history, [scored(40, {"a": 0.2})], known_us=day(UNTIL))
    summary = summarise_settled(history, rows, known_us=day(UNTIL))
    assert (summary.metrics, summary.captured, summary.expected) == (None, None, None)
    assert summary.counts.settled == 1


@pytest.mark.parametrize("slope", [1.0, 0.4])
def test_estimate_when_probabilities_are_too_timid_then_it_is_corrected_by_what_settled(slope):
    truth, settled, waiting = drawn_lists(slope)
    estimated = estimate_performance(waiting, settled, seed=3)
    assert estimated.corrected
    assert estimated.auc.low < truth < estimated.auc.high
    uncorrected = estimate_performance(waiting, settled.take(np.arange(20)), seed=3)
    assert not uncorrected.corrected
    assert uncorrected.win_rate.value == pytest.approx(waiting["probability"].mean())
    assert uncorrected.win_rate.low < uncorrected.win_rate.value < uncorrected.win_rate.high
    assert (uncorrected.auc.high < truth) == (slope < 1)


def drawn_lists(slope):
    """The true AUC, 1,500 settled leads, and 1,500 that wait, with log-odds `slope` times the true ones."""
    rng = np.random.default_rng(2)
    log_odds = rng.normal(-1.5, 1.5, 3000)
    won = (rng.random(3000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    rows = pd.DataFrame({
        "lead_id": [f"{number}" for number in range(3000)],
        "as_of_us": np.repeat([1, 2], 1500),
        "probability": 1 / (1 + np.exp(1.5 - slope * (log_odds + 1.5))),
        "label": won,
        "weight": 1.0,
    })  # fmt: skip
    waiting = rows.iloc[1500:]
    return as_evaluation_set(waiting).auc(), as_evaluation_set(rows.iloc[:1500]), waiting


def test_estimate_when_no_list_waits_then_there_is_none():
    _, settled, waiting = drawn_lists(1.0)
    assert estimate_performance(waiting.iloc[:0], settled, seed=1) is None
