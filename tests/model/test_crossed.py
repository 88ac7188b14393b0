"""Scorer, trees and calibrator where nothing is later: chosen by the other folds, and near a known truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from histories import open_undated, undated_leads
from leadscore.evaluation.metrics import compute_auc
from leadscore.history.side import Side
from leadscore.model import basis
from leadscore.model.apply import sigmoid
from leadscore.model.calibration.calibrate import KINDS
from leadscore.model.choose import CALIBRATED_LEADS
from leadscore.model.crossed import choose_crossed
from leadscore.model.held_out import MIN_SPLITS, HeldOut
from leadscore.model.scorers import tune_within as tuning
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.time_limit import TimeLimit
from leadscore.model.train import fit_model
from leadscore.model.training import open_training
from leadscore.model.tuning import tune_trees
from leadscore.progress import silent
from leadscore.results import CalibratorChoice

FOLDS = 5


def predicted(distort, *, n=3_000, repeats=1, seed=1, noise=0.0):
    """Predictions in folds of leads of a known chance, whose log-odds are distorted, and that chance."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-0.5, 1.5, n)
    label = (rng.random(n) < sigmoid(truth)).astype(float)
    rows = pd.DataFrame(
        {"lead_id": [f"{i:05d}" for i in range(n)], "label": label, "weight": 1.0, "as_of_us": 0}
    )
    side = Side("made", rows, known_us=1, watched=1.0, capped_share=0.0, target=None)
    folds = np.stack([FOLDS * i + rng.permutation(n) % FOLDS for i in range(repeats)])
    raw = np.stack([distort(truth) + rng.normal(0, noise, n) for _ in range(repeats)])
    return HeldOut(side, raw, rows["lead_id"].to_numpy(), folds), sigmoid(truth)


DISTORTIONS = {
    "right already": lambda raw: raw,
    "under-confident": lambda raw: 0.4 * raw,
    "over-confident": lambda raw: 2.5 * raw,
    "promising too much": lambda raw: raw + 1.0,
    "with a jump": lambda raw: np.where(raw > 0, raw + 2, raw - 2),
}
DISTORTED = [
    pytest.param(
        distort, repeats, id=f"{repeats}-{name}", marks=pytest.mark.slow if is_slow else ()
    )
    for repeats in (1, 3)
    for name, distort in DISTORTIONS.items()
    for is_slow in [repeats > 1 and name != "over-confident"]
]


@pytest.mark.cases(2)
@pytest.mark.parametrize(("distort", "repeats"), DISTORTED)
def test_calibration_when_scores_are_distorted_in_a_known_way_then_every_fold_is_near_the_truth(
    distort, repeats
):
    unseen, truth = predicted(distort, repeats=repeats)
    calibration = choose_crossed({"boosted": unseen}).calibration
    off = calibration.evaluated.probability - np.tile(truth, repeats)
    assert np.abs(off).mean() < 0.03
    assert (calibration.choice.kind == "none") == (distort(2.0) == 2.0)
    assert (
        np.abs(
            calibration.fitted_on.evaluated(calibration.to_use).probability
            - np.tile(truth, repeats)
        ).mean()
        < 0.03
    )


@pytest.mark.parametrize("repeats", [1, 2])
def test_choices_when_the_outcomes_of_a_fold_change_then_what_is_said_of_that_fold_stays(repeats):
    unseen, _ = predicted(lambda raw: 0.5 * raw + 1, n=800, repeats=repeats, noise=0.3)
    other = replace(
        unseen,
        log_odds=unseen.log_odds + np.random.default_rng(2).normal(0, 0.5, unseen.log_odds.shape),
    )
    before = choose_crossed({"logistic": unseen, "boosted": other}).calibration.evaluated
    fold = FOLDS * (repeats - 1) + 2
    inside = unseen.blocks[-1] == fold
    rows = unseen.side.rows.assign(
        label=np.where(inside, 1 - unseen.side.rows["label"], unseen.side.rows["label"])
    )
    side = replace(unseen.side, rows=rows)
    after = choose_crossed(
        {"logistic": replace(unseen, side=side), "boosted": replace(other, side=side)}
    ).calibration.evaluated
    asked = before.block == fold
    np.testing.assert_array_equal(before.probability[asked], after.probability[asked])
    assert (before.probability[~asked] != after.probability[~asked]).any()


def test_calibration_when_leads_are_few_then_is_none_and_says_why():
    unseen, _ = predicted(lambda raw: 2 * raw, n=2 * CALIBRATED_LEADS - 2)
    choice = choose_crossed({"logistic": unseen}).calibration.choice
    why = f"a calibrator needs at least {CALIBRATED_LEADS} leads of either outcome"
    assert choice == CalibratorChoice(kind="none", why=why)


def test_scorer_when_one_is_clearly_better_in_the_other_folds_then_replaces_the_average():
    good, _ = predicted(lambda raw: raw)
    poor = replace(good, log_odds=np.random.default_rng(3).normal(size=good.log_odds.shape))
    crossed = choose_crossed({"logistic": good, "boosted": poor, "average": good.averaged(poor)})
    assert (crossed.kind, crossed.choice.compared_on) == ("logistic", "the other folds")
    alike = choose_crossed({"logistic": good, "boosted": good, "average": good.averaged(good)})
    assert alike.kind == "average"


# --- Trees -----------------------------------------------------------------------------------------------------------


def chessboard(*, leads, seed=4, time="none", **model):
    """Leads won where two numbers have the same sign, another pair matters likewise, and the chance of each."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(-100, 100, (leads, 4))
    sign = np.sign(numbers + 0.5)
    truth = 1.6 * sign[:, 0] * sign[:, 1] + 1.2 * sign[:, 2] * sign[:, 3]
    end = np.where(rng.random(leads) < sigmoid(truth), "won", "lost")
    names = ["a", "b", "c", "d"]
    rows = pd.DataFrame(dict(zip(names, numbers.T, strict=True)))
    rows = rows.assign(id=[f"l{i:05d}" for i in range(leads)], place=10 + np.arange(leads), end=end)
    columns = {"lead_id": "id", **{name: name for name in names}}
    mapping = [
        {"source": "leads", "table": "leads", "columns": columns},
        {"source": "leads", "table": "outcomes", "columns": {"lead_id": "id", "outcome": "end"}},
    ]
    fields = {name: {"type": "number", "decimals": 0} for name in names}
    history = open_undated(rows, time=time, fields=fields, bant={}, mapping=mapping, model=model)
    return history, pd.Series(sigmoid(truth), index=rows["id"])


def expected_auc(probability, truth):
    """The AUC to expect if every lead is won with its true chance, without the luck of one draw."""
    label = np.repeat([1.0, 0.0], len(truth))
    return compute_auc(np.tile(probability, 2), label, np.concatenate([truth, 1 - truth]))


@pytest.fixture(scope="module")
def tuned():
    history, truth = chessboard(leads=4_000, scorer="boosted")
    return fit_model(history, known_us=1, progress=silent), truth


@pytest.mark.slow
def test_trees_when_numbers_act_together_then_undated_tuning_comes_near_the_truth(tuned):
    result, truth = tuned
    judged = result.evaluated
    chance = truth.loc[judged.lead_id].to_numpy()
    best = expected_auc(chance, chance)
    assert best - expected_auc(judged.probability, chance) < 0.025
    assert result.model.scorer["leaves"] > Boosting().leaves
    losses = {
        (trial.leaves, trial.trees): trial.log_loss for trial in result.evaluation.scorer.trials
    }
    default = losses[Boosting().leaves, Boosting().trees]
    assert min(losses.values()) < default - 0.02


@pytest.mark.slow
def test_probabilities_when_trees_are_tuned_without_dates_then_are_calibrated(tuned):
    result, truth = tuned
    judged = result.evaluated
    assert np.abs(judged.probability - truth.loc[judged.lead_id].to_numpy()).mean() < 0.07
    assert result.evaluation.overall.calibration_error.value < 0.015
    assert result.evaluation.calibrator.compared_on == "the other folds"
    for tier in result.evaluation.tiers:
        assert tier.low - 0.01 <= tier.mean_probability <= tier.high + 0.01


@pytest.fixture
def cheap(monkeypatch):
    """Tuning that begins with few leads and tries small trees."""
    monkeypatch.setattr(tuning, "LEAST_LEADS", 20)
    monkeypatch.setattr(tuning, "STAGES", range(50, 101, 50))
    monkeypatch.setattr(basis, "REPEATS", 1)


def test_trees_when_the_outcomes_of_a_fold_change_then_its_own_predictions_stay(cheap):
    history, _ = chessboard(leads=200, scorer="boosted")
    training = open_training(history, known_us=1, progress=silent, leave_out=frozenset())
    before = training.predict("boosted", boosting=None)["last"]
    inside = before.blocks[0] == 3
    label = training.side.rows["label"]
    side = replace(
        training.side, rows=training.side.rows.assign(label=label.where(~inside, 1 - label))
    )
    after = replace(training, side=side).predict("boosted", boosting=None)["last"]
    np.testing.assert_array_equal(before.log_odds[0][inside], after.log_odds[0][inside])
    assert (before.log_odds[0][~inside] != after.log_odds[0][~inside]).any()


@pytest.mark.parametrize(
    ("limit", "trials", "sizes", "reproducible"),
    [
        pytest.param(TimeLimit(), 20, 3, True, id="all sizes"),
        pytest.param(TimeLimit(), 2, 2, True, id="as many as asked for"),
        pytest.param(TimeLimit(seconds=1e-9), 20, 0, False, id="no time"),
        pytest.param(TimeLimit(), 1, 0, True, id="no search"),
    ],
)
def test_sizes_when_time_or_trials_end_then_are_no_more_than_that(
    cheap, limit, trials, sizes, reproducible
):
    history, _ = chessboard(leads=200)
    training = open_training(history, known_us=1, progress=silent, leave_out=frozenset())
    found = tuning.tune_within(
        training.matrix,
        training.side.rows,
        features=training.features,
        trials=trials,
        seed=1,
        limit=limit,
    )
    assert (len({trial.leaves for trial in found.trials}), found.reproducible) == (
        sizes,
        reproducible,
    )
    assert sizes or found.boosting == Boosting()


def test_ordered_leads_when_splits_are_too_few_then_trees_and_calibrator_come_from_before_the_last(
    cheap,
):
    history, _ = chessboard(leads=260, time="ordered", scorer="boosted")
    until = history.version.known_until_us
    training = open_training(history, known_us=until, progress=silent, leave_out=frozenset())
    training = replace(training, moments=training.moments[-1:], earlier=training.earlier[-1:])
    training = replace(training, pools={"last": training.pools["last"]})
    assert {trial.splits for trial in tune_trees(training).trials} == {3}


def test_ordered_leads_when_splits_are_too_few_then_what_came_before_the_last_calibrates():
    rows = undated_leads(leads=1_000, seed=3)
    rows = rows.assign(
        end=rows["end"].where(rows.index > 660, "lost")
    )  # enough wins to learn from only at the end
    history = open_undated(rows, time="ordered", model={"scorer": "logistic", "trials": 1})
    result = fit_model(history, known_us=history.version.known_until_us, progress=silent)
    assert 0 < len(result.evaluation.splits) < MIN_SPLITS
    assert set(result.evaluation.calibrator.log_loss) == set(KINDS)
    assert result.held_out.side.known_us <= result.training.moments[-1]  # nothing of what judges
