"""Exports that hold wins and no losses: what is promised at the horizon, what is taken for granted, and drift."""

from pathlib import Path

import numpy as np
import pytest

from builders import Facts
from histories import sales_settings
from leadscore.features.matrix import build_features, build_matrix
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.report.card import build_card

HORIZON = 30
MEAN_DAYS = 20.0  # from creation to a win, of those that are won


def funnel(folder, *, days, leads=1_500, seed=1, falling=0.0, scorer="auto"):
    """A history in which leads are won or never heard of again, and what each lead's chance of winning was.

    `falling` is by how many log-odds the chance of leads created in the last quarter is lower.
    """
    rng = np.random.default_rng(seed)
    settings = sales_settings(folder, model={"scorer": scorer, "trials": 1})
    facts, chances = Facts(settings), {}
    for i, created in enumerate(np.sort(rng.uniform(0, days, leads))):
        lead_id, channel, size = (
            f"{i:05d}",
            str(rng.choice(["web", "fair", "referral"])),
            int(rng.integers(1, 500)),
        )
        odds = (
            -1.8
            + 1.5 * (channel == "referral")
            + 0.8 * (size > 250)
            - falling * (created > 0.75 * days)
        )
        chance = 1 / (1 + np.exp(-odds))
        facts.lead(lead_id, float(created), channel=channel, size=size)
        facts.stage(lead_id, float(created), "new")
        closes = created + rng.exponential(MEAN_DAYS)
        if rng.random() < chance and closes < days:
            facts.outcome(lead_id, float(closes), "won")
        chances[lead_id] = (created, chance)
    return facts.history(Path(folder) / "store", known_until=days), chances


def chance_within(created, chance, *, at):
    """The true probability that a lead without a win by then is won within the horizon."""
    age = at - created
    later = np.exp(-age / MEAN_DAYS)
    still = chance * later / (1 - chance * (1 - later))
    return still * (1 - np.exp(-HORIZON / MEAN_DAYS))


def promised(history, result):
    """Probabilities of the leads that are open at the end, by lead."""
    asked = history.open_list(history.version.known_until_us)
    features = build_features(
        history.settings, leave_out=frozenset(result.model.document["left_out"])
    )
    matrix = build_matrix(history.snapshot(asked), features)
    probability = result.model.probability(result.model.log_odds(matrix.columns))
    return dict(zip(matrix.keys["lead_id"], probability, strict=True))


def train(history):
    return fit_model(history, known_us=history.version.known_until_us, progress=silent)


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    history, chances = funnel(tmp_path_factory.mktemp("steady"), days=260)
    return history, chances, train(history)


@pytest.mark.slow
def test_probabilities_when_nothing_is_lost_then_are_those_of_winning_within_the_horizon(steady):
    history, chances, result = steady
    found = promised(history, result)
    truth = {lead_id: chance_within(*chances[lead_id], at=260) for lead_id in found}
    ours, theirs = (np.array([each[lead_id] for lead_id in found]) for each in (found, truth))
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.2)
    assert np.corrcoef(ours, theirs)[0, 1] > 0.8
    assert abs(result.evaluation.overall.bias.value) < 0.02


def test_training_when_nothing_is_lost_then_says_what_it_takes_for_granted(steady):
    history, _, result = steady
    evaluation = result.evaluation
    assert result.no_signal is None
    assert evaluation.assumption.startswith(
        "no lead is recorded as lost: a lead counts as not won once 30 days"
    )
    assert [*evaluation.drift.to_dict()] == ["periods", "last", "summary"]
    card = card_of(history, result)
    assert "No lead is recorded as lost" in card
    assert evaluation.drift.summary in card


def card_of(history, result):
    manifest = {
        "project": "p",
        "known_until": "2024-01-01T00:00:00Z",
        "store_version": "s",
        "seed": 1,
    }
    return build_card(
        evaluation=result.evaluation,
        features=result.features,
        manifest=manifest,
        settings=history.settings,
        figures={},
    )


@pytest.mark.slow
@pytest.mark.parametrize("days", [120, pytest.param(180, marks=pytest.mark.slow)])
def test_training_when_nothing_is_lost_then_works_after_whatever_time(tmp_path, days):
    history, _ = funnel(tmp_path, days=days, leads=700, scorer="logistic")
    result = train(history)
    assert result.no_signal is None
    assert result.evaluation.overall.auc.value > 0.6


@pytest.mark.slow
def test_drift_when_leads_are_won_less_and_less_then_says_what_came_of_the_last_promise(tmp_path):
    history, _ = funnel(tmp_path, days=260, leads=2_500, seed=2, falling=2.5, scorer="logistic")
    drift = train(history).evaluation.drift
    rates = [period.win_rate for period in drift.periods]
    last = drift.last
    assert rates[0] > last.win_rate
    assert last.mean_probability > last.high
    assert "win rates are falling" in drift.summary
    assert f"{last.mean_probability:.3f}, actual {last.win_rate:.3f}" in drift.summary
