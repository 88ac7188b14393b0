"""A challenger replaces the champion on evidence only; what is missing or not a number speaks against it."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import histories
from builders import make_settings
from histories import open_stored, sales_facts, sales_settings, write_store
from leadscore.evaluation.intervals import Estimate, compute_metrics, compute_spreads, difference_of
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.model.limits import find_broken_limits
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.results import Interval
from leadscore.settings.model import ModelSettings
from leadscore.validation.evidence import Evidence, SegmentGain, compare_evaluated, evaluate_recipes
from leadscore.validation.overlap import compare_lists
from leadscore.validation.promotion import decide_first, decide_promotion
from leadscore.validation.recipe import Recipe

NAN = float("nan")
BETTER, LEVEL, WORSE = (
    Estimate(0.01, 0.005, 0.015),
    Estimate(0.001, -0.004, 0.006),
    Estimate(-0.01, -0.015, -0.005),
)
SHARED = {  # both break a limit, after an alarm
    "broken": ["bias 0.08"],
    "champion_beyond": True,
    "alarm": "2025-10-13",
}
LOGISTIC = Recipe("logistic", Boosting(), None, "sigmoid", frozenset(), False)


def evidence(**changes):
    level = Estimate(0.0, -0.01, 0.01)
    plain = {
        "evaluated_on": "out of time", "leads": 500, "won": 100, "older": False, "alike": False, "simpler": False,
        "scorers": {"champion": "logistic", "challenger": "boosted"},
        "log_loss": {"champion": 0.4, "challenger": 0.39}, "gain": BETTER, "segments": [],
        "calibration": {"champion": level, "challenger": level, "difference": level}, "broken": [],
    }  # fmt: skip
    return Evidence(**(plain | changes))


@pytest.mark.parametrize(
    ("changes", "promoted", "said"),
    [
        ({}, True, "better: log loss lower by 0.0100 (0.0050 to 0.0150) on 500 later leads"),
        ({"gain": LEVEL}, False, "not clearly better"),
        ({"gain": LEVEL, "alike": True}, True, "the same recipe on newer data"),
        ({"gain": Estimate(0.0, 0.0, 0.0), "alike": True}, True, "the identical recipe"),
        ({"gain": LEVEL, "simpler": True}, True, "simpler, and not clearly worse"),
        ({"gain": Estimate(-0.004, -0.009, 0.001), "simpler": True}, False, "not clearly better"),  # 1.6 errors
        ({"gain": Estimate(-0.002, -0.007, 0.003), "simpler": True}, True, "simpler, and not clearly worse"),  # 0.8
        ({"older": True}, False, "it was fitted to less history than the champion"),
        ({"older": True, "broken": ["x"]}, False, "champion; its calibration breaks the limits of the settings: x"),
        ({"log_loss": {"champion": NAN, "challenger": 0.4}}, False, "could not be computed"),
        ({"gain": WORSE, "alike": True}, False, "worse"),
        ({"gain": WORSE, "simpler": True}, False, "worse"),
        ({"broken": ["calibration error 0.1"]}, False, "breaks the limits of the settings: calibration error 0.1"),
        ({**SHARED}, True, "better: log loss lower by 0.0100 (0.0050 to 0.0150) on 500 later leads; it breaks limits of "
         "calibration (bias 0.08), but the champion is beyond them, too: win rates have changed, and published lists "
         "raised a calibration alarm on 2025-10-13"),
        ({**SHARED, "gain": Estimate(0.0, 0.0, 0.0), "alike": True}, True, "the identical recipe, on newer data; it"),
        ({**SHARED, "alarm": None}, False, "breaks the limits of the settings: bias 0.08"),
        ({**SHARED, "champion_beyond": False}, False, "breaks the limits of the settings: bias 0.08"),
        ({**SHARED, "bias": {"champion": LEVEL, "challenger": Estimate(0.02, NAN, 0.03)}}, False, "not be computed"),
        ({**SHARED, "gain": WORSE, "alike": True}, False, "worse"),
        ({**SHARED, "older": True}, False, "it was fitted to less history than the champion"),
        ({"won": 9}, False, "only 9 won and 491 other leads"),
        ({"won": 495}, False, "only 495 won and 5 other leads"),
        ({"gain": Estimate(0.01, NAN, 0.02)}, False, "could not be computed"),
        ({"calibration": {"champion": LEVEL, "challenger": LEVEL, "difference": Estimate(NAN, NAN, NAN)}}, False,
         "could not be computed"),
        ({"calibration": {"champion": LEVEL, "challenger": LEVEL, "difference": Estimate(0.02, 0.01, 0.03)}}, False,
         "clearly less well calibrated: calibration error higher by 0.020 (0.010 to 0.030)"),
        ({"segments": [SegmentGain("AT", 60, WORSE)]}, False,
         "clearly worse in the segment AT: log loss higher by 0.0100 (0.0050 to 0.0150) on 60 leads"),
        ({"segments": [SegmentGain("AT", 60, LEVEL)]}, True, "better"),
        ({"segments": [SegmentGain("AT", 3, None)]}, True, "better"),
    ],
)  # fmt: skip
def test_promotion_when_decided_then_each_rule_counts(changes, promoted, said):
    found = decide_promotion(evidence(**changes))
    assert found.promoted == promoted
    assert said in found.why
    assert found.evidence.gain is not None


estimates = st.builds(
    Estimate, *(st.one_of(st.floats(-0.1, 0.1), st.just(NAN), st.just(math.inf)) for _ in range(3))
)


@settings(max_examples=300, deadline=None)
@given(
    gain=estimates, difference=estimates, segment=st.one_of(st.none(), estimates), alike=st.booleans(),
    simpler=st.booleans(), broken=st.lists(st.just("x"), max_size=1), won=st.integers(0, 30),
)  # fmt: skip
def test_promotion_when_anything_speaks_against_then_there_is_none(
    *, gain, difference, segment, alike, simpler, broken, won
):
    level = Estimate(0.0, -0.01, 0.01)
    found = decide_promotion(
        evidence(
            gain=gain, calibration={"champion": level, "challenger": level, "difference": difference},
            segments=[SegmentGain("a", 40, segment)], alike=alike, simpler=simpler, broken=broken,
            won=won, leads=30,
        )
    )  # fmt: skip
    if found.promoted:
        numbers = [gain, difference, *([segment] if segment else [])]
        assert all(math.isfinite(x) for each in numbers for x in (each.value, each.low, each.high))
        assert gain.high >= 0
        assert not broken
        assert min(won, 30 - won) >= 10
        assert segment is None or segment.high >= 0
        assert gain.low > 0 or alike or simpler


def make_judged(seed=0, *, n=400, noise=0.5):
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1.5, n)
    label = (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(float)
    lead_id = np.array([f"{i // 2:04d}" for i in range(n)])
    p = 1 / (1 + np.exp(-truth - rng.normal(0, noise, n)))
    return EvaluationSet(p, label, np.ones(n), lead_id), 1 / (1 + np.exp(-truth))


def compared(theirs, ours, segment=None, *, max_bias=1.0, **recipe):
    challenger = dataclasses.replace(LOGISTIC, **recipe)
    loose = make_settings(model={"max_calibration_error": 1.0, "max_bias": max_bias})
    return compare_evaluated(
        theirs,
        ours,
        champion=LOGISTIC,
        challenger=challenger,
        segment=segment,
        evaluated_on="made",
        settings=loose,
    )


def test_evidence_when_the_challenger_knows_the_truth_then_it_is_better_and_the_other_way_round_worse():
    noisy, truth = make_judged(noise=2.0)
    true = dataclasses.replace(noisy, probability=truth)
    assert decide_promotion(compared(noisy, true, scorer="boosted")).why.startswith("better")
    assert decide_promotion(compared(true, noisy, scorer="boosted")).why.startswith(
        ("worse", "its prob")
    )
    same = compared(noisy, noisy)
    assert (same.gain, same.alike) == (Estimate(0.0, 0.0, 0.0), True)
    assert same.calibration["difference"] == Estimate(0.0, 0.0, 0.0)


@pytest.mark.parametrize(("theirs", "ours", "broken", "beyond"), [
    (-1.0, -1.1, True, True),  # in log-odds
    (0.0, -1.1, True, False),
    (-0.2, -1.1, True, True),  # beyond by its estimate, not by its whole interval
    (-1.0, 0.0, False, True),
])  # fmt: skip
def test_evidence_when_a_limit_is_broken_then_says_whether_the_champion_is_beyond_it_too(
    theirs, ours, broken, beyond
):
    judged, truth = make_judged(n=1200)
    log_odds = np.log(truth / (1 - truth))
    shifted = [
        dataclasses.replace(judged, probability=1 / (1 + np.exp(-log_odds - shift)))
        for shift in (theirs, ours)
    ]
    evidence = compared(*shifted, max_bias=0.05)
    assert bool(evidence.broken) == broken
    assert evidence.champion_beyond == beyond
    if theirs == -0.2:
        assert evidence.bias["champion"].value < -0.05 < evidence.bias["champion"].high


def test_evidence_when_one_segment_is_spoilt_then_it_speaks_against():
    noisy, truth = make_judged(noise=2.0, n=2000)
    segment = np.array(["AT", "DE", None, "DE"] * 500, dtype=object)
    spoilt = np.where(segment == "AT", 1 - truth, truth)
    found = compared(
        noisy, dataclasses.replace(noisy, probability=spoilt), segment, scorer="boosted"
    )
    assert [part.segment for part in found.segments] == ["AT", "DE"]
    assert found.segments[0].gain.high < 0 < found.segments[1].gain.low
    assert "segment AT" in decide_promotion(found).why


def test_calibration_gap_when_computed_then_is_the_difference_of_both_errors():
    judged, truth = make_judged(noise=1.5)
    gap = difference_of(
        *(compute_spreads(dataclasses.replace(judged, probability=p), seed=0)["calibration_error"]
          for p in (judged.probability, truth))
    )  # fmt: skip
    errors = [
        compute_metrics(dataclasses.replace(judged, probability=p), seed=0)[
            "calibration_error"
        ].value
        for p in (judged.probability, truth)
    ]
    assert gap.value == pytest.approx(errors[0] - errors[1], abs=1e-12)
    assert gap.low < gap.value < gap.high


@pytest.mark.parametrize(
    ("error", "bias", "broken"),
    [
        ((0.03, 0.02, 0.06), (0.01, -0.01, 0.03), 0),
        ((0.08, 0.04, 0.10), (0.01, -0.01, 0.03), 0),  # part of the interval is within the limit
        ((0.08, 0.06, 0.10), (0.01, -0.01, 0.03), 1),
        ((0.01, 0.00, 0.02), (0.09, 0.06, 0.12), 1),
        ((0.01, 0.00, 0.02), (-0.09, -0.12, -0.06), 1),
        ((0.01, 0.00, 0.02), (-0.09, -0.12, -0.04), 0),
        ((0.08, 0.06, 0.10), (0.09, 0.06, 0.12), 2),
        ((None, None, None), (0.0, -0.01, 0.01), 1),
    ],
)
def test_limits_when_the_whole_interval_is_beyond_then_are_broken(error, bias, broken):
    intervals = [Interval(value=value, low=low, high=high) for value, low, high in (error, bias)]
    found = list(find_broken_limits(*intervals, ModelSettings()).values())
    assert len(found) == broken
    assert decide_first(found, is_evaluated=True).promoted == (broken == 0)


def test_scorecard_when_nothing_has_judged_it_then_scores_only_if_it_ranks():
    assert decide_first([], is_evaluated=False).promoted
    assert not decide_first([], is_evaluated=False, ranks=False).promoted


@pytest.mark.parametrize(
    ("changes", "alike", "simpler"),
    [
        ({}, True, False),
        ({"boosting": Boosting(trees=7), "calibrator": "none"}, True, False),
        ({"scorer": "scorecard"}, False, True),
        ({"scorer": "boosted"}, False, False),
        ({"left_out": frozenset({"month"})}, False, True),
        ({"segmented": True}, False, False),
    ],
)
def test_recipes_when_compared_then_only_the_way_of_learning_counts(changes, alike, simpler):
    other = dataclasses.replace(LOGISTIC, **changes)
    assert (other.is_like(LOGISTIC), other.is_simpler(LOGISTIC)) == (alike, simpler)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    settings = sales_settings(
        tmp_path_factory.mktemp("promote"), model={"scorer": "logistic", "trials": 1}
    )
    write_store(sales_facts(settings, leads=400, days=110, seed=3, signal=1.8), known_until=110)
    return open_stored(settings)


@pytest.mark.slow
def test_recipes_when_judged_then_the_one_that_was_trained_is_judged_as_its_training_says(opened):
    known_us = opened.version.known_until_us
    result = fit_model(opened, known_us=known_us, progress=silent)
    recipe = Recipe.of(result.model)
    fresh = evaluate_recipes(opened, champion=recipe, challenger=recipe, known_us=known_us)
    assert fresh.gain == Estimate(0.0, 0.0, 0.0)
    assert fresh.log_loss["challenger"] == result.evaluation.overall.log_loss.value
    card = dataclasses.replace(recipe, scorer="scorecard")
    reused = evaluate_recipes(
        opened,
        champion=card,
        challenger=recipe,
        known_us=known_us,
        evaluated=result.evaluated,
        training=result.training,
    )
    assert reused == evaluate_recipes(opened, champion=card, challenger=recipe, known_us=known_us)
    turned = evaluate_recipes(opened, champion=recipe, challenger=card, known_us=known_us)
    assert turned.gain.value == pytest.approx(-reused.gain.value, abs=1e-12)
    assert (turned.simpler, reused.simpler) == (True, False)
    assert compare_lists(opened, result.model, result.model, as_of_us=known_us)[
        "stay"
    ] == math.ceil(0.1 * len(opened.open_list(known_us)))


def test_lists_when_the_settings_have_changed_since_then_are_not_compared(opened):
    result = histories.fitted()
    known_us = opened.version.known_until_us
    document = result.model.document
    changed = document | {"features": document["features"][:-1]}
    model = type(result.model)(changed, result.model.booster_text)
    assert compare_lists(opened, model, model, as_of_us=known_us) is None
