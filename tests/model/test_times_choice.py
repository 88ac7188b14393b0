"""When a model gets a running intercept, and what it says then."""

import numpy as np
import pytest

from histories import open_undated, undated_leads
from leadscore.evaluation.metrics import compute_auc
from leadscore.model.apply import logit
from leadscore.model.intercept.running import shift_at
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.validation.backtest import run_backtest
from leadscore.validation.recipe import Recipe, evaluate_recipe

LOGISTIC = {"scorer": "logistic", "outcome_delay": 4}


def leads_in_waves(*, leads, seed, swing, is_open=0):
    """Ordered leads, of whom for 500 at a time `swing` log-odds more, then fewer, are won."""
    rows = undated_leads(leads=leads, seed=seed, is_open=is_open)
    rng = np.random.default_rng([seed, 1])
    level = rows["level"].map({"low": -1.0, "mid": 0.0, "high": 1.0}).to_numpy()
    wave = np.where((np.arange(leads) + 250) // 500 % 2, swing, -swing)
    won = rng.random(leads) < 1 / (1 + np.exp(-(level + wave)))
    rows["end"] = np.where(rows["end"] == "", "", np.where(won, "won", "lost"))
    return rows


def fit(history):
    return fit_model(history, known_us=history.version.known_until_us, progress=silent)


@pytest.fixture(scope="module")
def history():
    return open_undated(
        leads_in_waves(leads=2500, seed=5, swing=1.5), time="ordered", model=LOGISTIC
    )


@pytest.fixture(scope="module")
def result(history):
    return fit(history)


def test_times_when_the_level_swings_then_are_on_and_only_the_level_moves(result):
    times, judged = result.evaluation.times, result.evaluated
    assert times.half_life == 100
    assert "half-life 100 leads" in times.summary
    assert result.evaluation.overall.log_loss.value < times.without["log_loss"] - 0.03
    assert result.evaluation.overall.pooled_auc.value > times.without["pooled_auc"] + 0.03
    assert result.evaluation.overall.auc.value == compute_auc(
        judged.order, judged.label, judged.weight
    )


def test_times_when_scored_where_the_training_ended_then_are_those_of_the_model(history, result):
    until = history.version.known_until_us
    found = shift_at(history, result.model, known_us=until, as_of_us=until)
    kept = result.model.document["times"]
    assert found == {"shift": kept["shift"], "half_life": 100, "unit": "leads"}
    assert abs(found["shift"]) > 0.3


def test_times_when_scored_later_then_count_what_the_model_says_of_new_leads(history, result):
    until = history.version.known_until_us
    early = fit_model(
        history, known_us=until - 600, progress=silent
    ).model  # 200 leads before: 3 places a lead
    assert early.document["times"]["half_life"] == 100
    later = shift_at(history, early, known_us=until - 600, as_of_us=until)
    assert later["shift"] != early.document["times"]["shift"]
    assert np.sign(later["shift"]) == np.sign(result.model.document["times"]["shift"])


def test_recipe_when_it_has_times_then_is_judged_with_them(result):
    recipe = Recipe.of(result.model)
    judged = evaluate_recipe(result.training, recipe)
    assert recipe.half_life == 100
    assert judged.probability.tolist() == result.evaluated.probability.tolist()


@pytest.mark.parametrize(
    ("swing", "model", "why"),
    [
        pytest.param(0.0, LOGISTIC, "it would not clearly help", id="nothing drifts"),
        pytest.param(
            1.5, {"scorer": "logistic"}, "outcome_delay", id="nobody says when outcomes are known"
        ),
    ],
)
def test_times_when_they_cannot_help_or_be_known_then_are_off(swing, model, why):
    found = fit(
        open_undated(leads_in_waves(leads=900, seed=8, swing=swing), time="ordered", model=model)
    )
    assert found.evaluation.times.half_life is None
    assert why in found.evaluation.times.summary
    assert "times" not in found.model.document
    assert found.evaluated.order is None


def test_backtest_when_the_level_swings_then_shifts_every_place_and_ranks_as_before(history):
    place = history.places(history.version.known_until_us, shares=[0.8])
    report = run_backtest(history, place, progress=silent)
    rows = report.predictions
    ours = report.report.pooled["leadscore"]
    assert report.report.dates[0].shift != 0
    plain, shifted = (logit(rows[name].to_numpy()) for name in ("without_times", "leadscore"))
    assert len(np.unique(np.round(shifted - plain, 9))) > 5
    label, weight = rows["label"].to_numpy(), rows["weight"].to_numpy()
    assert ours.auc.value == compute_auc(rows["without_times"].to_numpy(), label, weight)
    assert ours.pooled_auc.value > ours.auc.value + 0.03
