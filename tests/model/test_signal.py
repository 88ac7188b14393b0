"""When a model has no signal, and when it has one that is not proven yet."""

import numpy as np
import pytest

from leadscore.evaluation.intervals import compute_gain
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.summaries import summarise_metrics
from leadscore.model.signal import compute_levelled_gain, find_signal
from leadscore.results import Interval
from leadscore.validation.promotion import PromotionDecision, hold_unproven


def leads(*, slope, level, n=1500, stretch=1.0, heavy=0, seed=0):
    """Predictions of leads that are won by `slope` times a merit.

    Their log-odds are `level` too high and stretched by `stretch`; the first `heavy` leads weigh 20 times as much.
    """
    rng = np.random.default_rng(seed)
    merit = rng.normal(size=n)
    won = rng.random(n) < 1 / (1 + np.exp(1 - slope * merit))
    promised = 1 / (1 + np.exp(1 - level - stretch * merit))
    weight = np.where(np.arange(n) < heavy, 20.0, 1.0)
    return EvaluationSet(promised, won.astype(float), weight, np.arange(n).astype(str))


def signal_of(judged, *, base_rate=0.3):
    gains = compute_gain(judged, np.full(len(judged.label), base_rate), seed=1)
    gain = gains["log_loss_gain"].interval()
    return find_signal(judged, metrics_of(judged), gain, base_rate=base_rate), gain


def metrics_of(judged):
    return summarise_metrics(judged, snapshots=len(judged.label), seed=1)


def test_signal_when_the_gain_is_proven_then_is_there():
    found, gain = signal_of(leads(slope=1.0, level=0.0))
    assert gain.low > 0
    assert (found.no_signal, found.unproven) == (None, None)


@pytest.mark.parametrize("level", [1.5, -1.5], ids=["promises too much", "promises too little"])
def test_signal_when_leads_are_ranked_and_only_the_level_is_off_then_is_unproven_and_says_by_how_much(
    level,
):
    judged = leads(slope=1.0, level=level)
    found, gain = signal_of(judged)
    bias = np.average(judged.probability - judged.label)
    assert gain.low <= 0
    assert found.no_signal is None
    assert found.unproven.startswith(f"it ranks (AUC {judged.auc():.2f}")
    assert f"its level is off by {bias:+.3f}" in found.unproven
    assert f"worse by {-gain.value:.4f}" in found.unproven


def test_signal_when_few_heavy_leads_cannot_prove_a_gain_then_is_unproven():
    found, gain = signal_of(leads(slope=0.9, level=0.0, n=600, heavy=20, seed=0))
    assert gain.low <= 0
    assert found.no_signal is None
    assert "its gain is not proven" in found.unproven


@pytest.mark.parametrize("seed", range(5))
def test_signal_when_nothing_ranks_the_leads_then_is_none_and_shows_the_auc(seed):
    found, gain = signal_of(leads(slope=0.0, level=0.0, seed=seed))
    assert found.unproven is None
    assert found.no_signal.startswith("no signal: against giving every lead the base rate of 0.300")
    assert f"worse by {-gain.value:.4f}" in found.no_signal
    assert "-" not in found.no_signal.split("worse by ")[1].split(",")[0]
    assert "wholly above 0.5" in found.no_signal


def test_signal_when_leads_are_ranked_but_promises_go_far_too_far_then_is_unproven():
    found, gain = signal_of(leads(slope=0.4, level=0.0, stretch=4.0))
    assert gain.low <= 0
    assert found.no_signal is None
    assert found.unproven.startswith("it ranks")


def test_signal_when_lists_are_ranked_but_the_better_list_is_promised_less_then_is_none():
    rng = np.random.default_rng(4)
    later = np.arange(2000) >= 1000
    merit = rng.normal(size=2000)
    won = rng.random(2000) < 1 / (1 + np.exp(-merit - np.where(later, 2.0, -2.0)))
    promised = 1 / (1 + np.exp(-merit + np.where(later, 2.0, -2.0)))
    judged = EvaluationSet(
        promised,
        won.astype(float),
        np.ones(2000),
        np.arange(2000).astype(str),
        block=later.astype(int),
    )
    assert judged.auc() > 0.65
    assert compute_levelled_gain(judged) == pytest.approx(0, abs=1e-9)
    found, _ = signal_of(judged, base_rate=0.5)
    assert "with the right level it would be no better" in found.no_signal


@pytest.mark.parametrize("missing", ["auc", "gain"])
def test_signal_when_an_interval_is_missing_then_nothing_is_proven(missing):
    judged = leads(slope=1.0, level=0.0)
    metrics = metrics_of(judged)
    gain = Interval(value=0.05)
    if missing == "auc":
        metrics = metrics.model_copy(update={"auc": Interval(value=0.7)})
    found = find_signal(judged, metrics, gain, base_rate=0.3)
    assert (found.no_signal is None) == (missing == "gain")
    assert (found.unproven is None) == (missing == "auc")


@pytest.mark.parametrize(("won", "others"), [(9, 40), (40, 9), (1, 1), (0, 30)])
def test_signal_when_hardly_any_lead_can_be_judged_then_is_none_and_says_how_many_are_needed(
    won, others
):
    label = np.repeat([1.0, 0.0, 1.0], [won, others, won])  # each won lead has two snapshots
    lead_id = np.concatenate([np.arange(won), np.arange(won, won + others), np.arange(won)]).astype(
        str
    )
    judged = EvaluationSet(np.full(len(label), 0.5), label, np.ones(len(label)), lead_id)
    found = find_signal(judged, None, Interval(value=1.0, low=0.5, high=2.0), base_rate=0.3)
    assert found.no_signal.startswith(
        f"no signal: only {won} won and {others} other leads could evaluate the model; at least 10"
    )


def test_signal_when_ten_leads_of_each_kind_can_be_judged_then_they_are_enough():
    judged = EvaluationSet(
        np.full(20, 0.5), np.repeat([1.0, 0.0], 10), np.ones(20), np.arange(20).astype(str)
    )
    found = find_signal(judged, None, Interval(value=1.0, low=0.5, high=2.0), base_rate=0.3)
    assert (found.no_signal, found.unproven) == (None, None)


@pytest.mark.parametrize(
    ("promotion", "unproven", "why"),
    [
        pytest.param(PromotionDecision(True, "better"), None, "better", id="proven"),
        pytest.param(
            PromotionDecision(True, "better"),
            "it ranks, but",
            "it ranks, but",
            id="better than what scores",
        ),
        pytest.param(
            PromotionDecision(False, "worse"),
            "it ranks, but",
            "it ranks, but; worse",
            id="held anyway",
        ),
    ],
)
def test_promotion_when_the_gain_over_the_base_rate_is_unproven_then_is_held(
    promotion, unproven, why
):
    found = hold_unproven(promotion, unproven)
    assert (found.promoted, found.why) == (promotion.promoted and unproven is None, why)
