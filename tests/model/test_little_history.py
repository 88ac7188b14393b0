"""Trainings on too little: refused with the numbers, or gone on without what is missing."""

import json
from pathlib import Path

import numpy as np
import pytest

import histories
from builders import Facts
from histories import sales_facts, sales_settings, write_store
from leadscore import project as jobs
from leadscore.errors import TooLittleHistoryError, UserError
from leadscore.json_files import canonical_json
from leadscore.model.training import MIN_OUTCOMES
from model.trained import fit, open_facts, open_sales


@pytest.mark.cases(1)
@pytest.mark.parametrize(
    ("leads", "days", "splits", "basis"),
    [
        pytest.param(160, 64, 0, "cross-validated by lead", id="no split"),
        pytest.param(350, 80, 1, "out of time", id="one split"),
        pytest.param(400, 85, 2, "out of time", id="two splits"),
    ],
)
def test_training_when_there_are_too_few_splits_then_does_not_calibrate_and_says_why(
    tmp_path, leads, days, splits, basis
):
    result = fit(open_sales(tmp_path, leads=leads, days=days))
    assert len(result.evaluation.splits) == splits
    assert result.evaluation.basis == basis
    assert result.evaluation.calibrator.kind == "none"
    assert "fewer than 3 splits" in result.evaluation.calibrator.why
    assert result.model.document["calibrator"]["kind"] == "none"


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_training_when_nothing_tells_the_outcome_then_ends_without_a_model(tmp_path, seed):
    settings = sales_settings(tmp_path)
    write_store(sales_facts(settings, leads=350, days=120, seed=seed, signal=0.0), known_until=120)
    told = jobs.train(settings)
    assert told.model_version is None
    assert told.no_signal.startswith("no signal: against giving every lead the base rate of 0.")
    assert told.evaluation.no_signal == told.no_signal
    gain = told.evaluation.gain.log_loss_gain
    assert gain.low <= 0
    assert f"{gain.low:.4f} to {gain.high:.4f}" in told.no_signal
    assert (
        json.loads((Path(told.folder) / "manifest.json").read_bytes())["no_signal"]
        == told.no_signal
    )
    registered = histories.register(settings, told)
    assert (registered.registered, registered.champion) == (None, None)
    with pytest.raises(UserError, match="no signal: against giving every lead the base rate"):
        jobs.score(settings)
    assert not (settings.project_folder() / "scores").exists()


def test_score_when_nothing_was_trained_then_says_to_train_first(tmp_path):
    settings = sales_settings(tmp_path)
    write_store(sales_facts(settings, leads=20, days=20, seed=0), known_until=20)
    with pytest.raises(UserError, match="run `leadscore train` first"):
        jobs.score(settings)


@pytest.mark.parametrize("days", [10, 20, 30])
def test_training_when_history_is_shorter_than_the_horizon_then_is_refused_with_its_days(
    tmp_path, days
):
    history = open_sales(tmp_path, leads=200, days=days)
    with pytest.raises(
        TooLittleHistoryError, match=r"only \d+ days of follow-up for a horizon of 30 days"
    ):
        fit(history)


def facts_with_wins(settings, won, *, leads):
    """A lead a day, each open for twelve days."""
    facts = Facts(settings)
    for i in range(leads):
        facts.lead(f"{i:04d}", i, channel="web").outcome(
            f"{i:04d}", i + 12, "won" if i in won else "lost"
        )
    return facts


@pytest.mark.parametrize("kind", ["won", "not won"])
@pytest.mark.parametrize(("fewer", "enough"), [(MIN_OUTCOMES - 1, False), (MIN_OUTCOMES, True)])
def test_training_when_too_few_leads_ended_in_one_way_then_is_refused_with_the_numbers(
    tmp_path, kind, fewer, enough
):
    # one snapshot a lead, so that leads can be counted; the last of the few is so late that no split has enough
    settings = sales_settings(
        tmp_path, target={"horizon_days": 30, "cadence_days": 7, "max_per_lead": 1}
    )
    few = set(range(0, 10 * fewer, 10))
    facts = facts_with_wins(settings, few if kind == "won" else set(range(200)) - few, leads=200)
    history = open_facts(facts, known_until=213)
    if enough:
        assert fit(history).evaluation.history.snapshots == 200
        return
    told = (
        f"{fewer} won and {200 - fewer} not won"
        if kind == "won"
        else f"{200 - fewer} won and {fewer} not won"
    )
    with pytest.raises(
        TooLittleHistoryError, match=f"history shows {told} .* at least {MIN_OUTCOMES} of each"
    ):
        fit(history)


@pytest.mark.slow
def test_training_when_only_the_first_splits_have_too_few_wins_then_goes_on_without_them(tmp_path):
    # some 190 won snapshots by the end, but fewer than 20 by the first moment that is watched long enough
    history = open_sales(tmp_path, leads=200, days=300)
    side = history.earlier_side(history.version.known_until_us)
    assert (side.rows["label"] == 1).sum() > 150
    assert (side.rows["label"] == 0).sum() > 150
    assert fit(history).evaluation.history.won > 150


def test_training_when_cross_validation_leaves_fewer_wins_than_needed_then_goes_on(tmp_path):
    history = open_sales(tmp_path, leads=100, days=64)
    won, _ = history.earlier_side(history.version.known_until_us).count_leads()
    assert MIN_OUTCOMES <= won < MIN_OUTCOMES * 5 / 4
    assert fit(history).evaluation.basis == "cross-validated by lead"


def test_training_when_wins_stopped_early_then_it_is_cross_validated_and_ends_in_no_foreign_error(
    tmp_path,
):
    # every later side was lost: enough to learn from, but no split can judge
    facts = facts_with_wins(sales_settings(tmp_path), range(30), leads=240)
    result = fit(open_facts(facts, known_until=250))
    assert result.evaluation.basis == "cross-validated by lead"
    assert canonical_json(result.evaluation.to_dict())
    probability = result.model.probability(np.linspace(-9, 9, 50))
    assert ((probability > 0) & (probability < 1)).all()
