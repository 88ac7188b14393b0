"""Which scorer and calibrator are chosen, the scorecard where nothing can be learned, intervals, and the horizon."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders import Facts, make_settings
from histories import sales_facts, sales_settings
from leadscore import project as jobs
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.side import Side
from leadscore.model.apply import WinModel, sigmoid
from leadscore.model.choose import allowed_scorers, choose_fields, choose_scorer, missing_leads
from leadscore.model.choose_calibrator import choose_calibrator
from leadscore.model.compare import choose_simplest, is_clearly_better
from leadscore.model.fallback import fit_scorecard
from leadscore.model.held_out import HeldOut
from leadscore.model.horizon import choose_horizon
from leadscore.model.train import fit_model
from leadscore.progress import silent


def make_side(won, others, *, probability=None, seed=0):
    rng = np.random.default_rng(seed)
    n = won + others
    label = (
        np.r_[np.ones(won), np.zeros(others)]
        if probability is None
        else (rng.random(n) < probability).astype(float)
    )
    rows = pd.DataFrame({"lead_id": [f"{i:05d}" for i in range(n)], "label": label.astype(float), "weight": 1.0,
                         "as_of_us": 0})  # fmt: skip
    return Side(
        "made", rows, known_us=0, watched=1.0, capped_share=0.0, target=make_settings().target
    )


@pytest.mark.parametrize(
    ("won", "others", "kinds", "missing"),
    [
        (
            18,
            90,
            ["scorecard"],
            {"logistic": 12, "average": 492},
        ),  # 2 / (18/108) = 12; 82 / (18/108) = 492
        (20, 80, ["scorecard", "logistic"], {"average": 400}),  # 80 / (20/100)
        (100, 99, ["scorecard", "logistic"], {"average": 3}),  # 1 / (99/199) = 2.01
        (100, 100, ["scorecard", "logistic", "boosted", "average"], {}),
        (0, 0, ["scorecard"], {"logistic": 20, "average": 100}),
    ],
)
def test_scorers_when_leads_are_few_then_only_those_are_tried_that_they_can_carry(
    won, others, kinds, missing
):
    assert allowed_scorers(make_side(won, others), chosen="auto") == kinds
    assert missing_leads(won, others) == missing
    assert allowed_scorers(make_side(won, others), chosen="boosted") == ["boosted"]


@pytest.mark.parametrize(("noise", "expected"), [(0.05, "scorecard"), (3.0, "boosted")])
def test_scorer_when_the_simpler_one_is_not_clearly_worse_then_it_is_chosen(noise, expected):
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 1.5, 4000)
    side = make_side(2000, 2000, probability=sigmoid(truth))
    raws = {"scorecard": truth + rng.normal(0, noise, 4000), "logistic": truth + rng.normal(0, noise, 4000),
            "boosted": truth}  # fmt: skip
    choice = choose_scorer({name: {"before": HeldOut(side, raw)} for name, raw in raws.items()})
    assert (choice.kind, choice.rule) == (expected, "the simplest that is not clearly worse")
    best = min(choice.log_loss, key=choice.log_loss.get)
    assert best == "boosted" or expected == "scorecard"


@pytest.mark.parametrize(
    ("standard_errors", "expected"),
    [(0.0, "simple"), (0.9, "simple"), (1.1, "rich"), (1.9, "rich"), (-3.0, "simple")],
)
def test_kind_when_it_is_more_than_one_standard_error_worse_then_the_simplest_does_not_stand(
    standard_errors, expected
):
    n = 400
    gain = np.where(np.arange(n) % 2 == 0, 0.1, -0.1)  # mean 0, standard error 0.1 / sqrt(n)
    gain += standard_errors * 0.1 / np.sqrt(n)
    rich = np.full(n, 0.5)
    rows = EvaluationSet(rich, rich, np.ones(n), np.arange(n).astype(str))
    kind, mean = choose_simplest(["simple", "rich"], {"simple": rich + gain, "rich": rich}, rows)
    assert kind == expected
    assert mean["simple"] - mean["rich"] == pytest.approx(standard_errors * 0.005)


@pytest.mark.parametrize(("standard_errors", "expected"), [(1.8, False), (2.1, True)])
def test_loss_when_lower_by_more_than_its_95_percent_interval_then_is_clearly_better(
    standard_errors, expected
):
    n = 400
    gain = np.where(np.arange(n) % 2 == 0, 0.1, -0.1) + standard_errors * 0.1 / np.sqrt(n)
    loss = np.full(n, 0.5)
    rows = EvaluationSet(loss, loss, np.ones(n), np.arange(n).astype(str))
    assert is_clearly_better(loss, loss + gain, rows) == expected


def predict_kinds(*, logistic_noise, boosted_noise, watched=1.0):
    """Predictions of one and the same 4,000 leads, the truth with so much noise."""
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 1.5, 4000)
    side = replace(make_side(2000, 2000, probability=sigmoid(truth)), watched=watched)
    logistic = HeldOut(side, truth + rng.normal(0, logistic_noise, 4000))
    boosted = HeldOut(side, truth + rng.normal(0, boosted_noise, 4000))
    kinds = {"logistic": logistic, "boosted": boosted, "average": logistic.averaged(boosted)}
    return {name: {"before": unseen} for name, unseen in kinds.items()}


@pytest.mark.parametrize(
    ("logistic", "boosted", "expected"),
    [
        (0.8, 0.8, "average"),
        (0.05, 0.1, "average"),
        (0.05, 3.0, "logistic"),
        (3.0, 0.05, "boosted"),
    ],
)
def test_scorer_when_a_single_one_is_not_clearly_better_then_the_average_stays(
    logistic, boosted, expected
):
    choice = choose_scorer(predict_kinds(logistic_noise=logistic, boosted_noise=boosted))
    assert choice.kind == expected
    assert set(choice.log_loss) == {"logistic", "boosted", "average"}


def test_scorer_when_earlier_rows_lack_follow_up_then_nothing_is_compared():
    candidates = predict_kinds(logistic_noise=0.05, boosted_noise=3.0, watched=0.0)
    assert choose_scorer(candidates).kind == "average"
    few = {"scorecard": candidates["logistic"], "logistic": candidates["boosted"]}
    choice = choose_scorer(few)
    # never the scorecard that nothing confirmed
    assert (choice.kind, choice.log_loss) == ("logistic", {})


def test_scorer_when_there_is_only_the_last_split_then_it_does_not_choose():
    candidates = predict_kinds(logistic_noise=0.05, boosted_noise=3.0)
    last = {name: {"last": pools["before"]} for name, pools in candidates.items()}
    assert choose_scorer(last).kind == "average"
    assert choose_fields(last, last) == (True, {})


@pytest.mark.parametrize(
    ("won", "others", "kinds"),
    [
        (19, 90, ["scorecard"]),
        (20, 90, ["logistic"]),
        (100, 100, ["logistic", "boosted", "average"]),
    ],
)
def test_scorers_when_the_scorecard_gives_no_points_then_it_stands_only_alone(won, others, kinds):
    assert allowed_scorers(make_side(won, others), chosen="auto", has_points=False) == kinds


@pytest.mark.parametrize(("worth", "left_out"), [(0.0, True), (0.02, True), (1.5, False)])
def test_fields_when_not_clearly_worth_it_then_are_left_out(worth, left_out):
    rng = np.random.default_rng(2)
    plain, more = rng.normal(0, 1, 4000), rng.normal(0, 1, 4000)
    side = make_side(2000, 2000, probability=sigmoid(plain + worth * more))
    learned = {
        "logistic": {"before": HeldOut(side, plain + worth * more)},
        "boosted": {"before": HeldOut(side, more)},
    }
    found, losses = choose_fields(learned, {"logistic": {"before": HeldOut(side, plain)}})
    assert found == left_out
    assert (losses["learned"] < losses["without"] - 0.05) == (worth == 1.5)


def pools_of(rng, *, distort, n=1500, watched=1.0):
    """Pools whose raw log-odds are distorted before the last split."""
    truth = rng.normal(0, 1.5, n)
    side = replace(
        make_side(n, 0, probability=sigmoid(truth), seed=int(rng.integers(1000))), watched=watched
    )
    last = make_side(n, 0, probability=sigmoid(truth), seed=int(rng.integers(1000)))
    before = HeldOut(side, distort(truth))
    return {"before": before, "whole": before, "last": HeldOut(last, distort(truth))}


@pytest.mark.parametrize(
    "distort", [lambda x: x, lambda x: 3 * x + 1, np.tanh], ids=["true", "wide", "bent"]
)
def test_calibrator_when_the_last_split_says_otherwise_then_the_same_is_chosen(distort):
    pools = pools_of(np.random.default_rng(4), distort=distort)
    side = pools["last"].side
    flipped = replace(side, rows=side.rows.assign(label=1 - side.rows["label"]))
    other = pools | {"last": HeldOut(flipped, -(pools["last"].log_odds ** 3))}
    ours, theirs = choose_calibrator(pools), choose_calibrator(other)
    assert (ours.to_use, ours.choice) == (theirs.to_use, theirs.choice)
    again = pools["last"].evaluated(pools["before"].fit_calibrator(ours.choice.kind))
    np.testing.assert_array_equal(ours.evaluated.probability, again.probability)
    assert (ours.choice.kind == "none") == (distort(2.0) == 2.0)


@pytest.mark.parametrize(("watched", "won_only"), [(0.01, False), (1.0, True)])
def test_choices_when_the_earlier_splits_lack_follow_up_or_an_outcome_then_fall_back_in_words(
    watched, won_only
):
    rng = np.random.default_rng(6)
    pools = pools_of(rng, distort=lambda x: x, watched=watched)
    side = pools["before"].side
    if won_only:
        side = replace(side, rows=side.rows.assign(label=0.0))
    noise = rng.normal(0, 3, len(side.rows))
    inner = make_side(1500, 0, probability=sigmoid(pools["last"].log_odds), seed=3)
    candidates = {
        kind: {
            "before": HeldOut(side, raw),
            "last": HeldOut(pools["last"].side, -raw),
            "inner": HeldOut(inner, raw),
        }
        for kind, raw in (("logistic", noise), ("boosted", pools["last"].log_odds))
    }
    choice = choose_scorer(candidates)
    assert choice.kind == "boosted"
    assert "cross-validated" in choice.compared_on
    calibration = choose_calibrator(candidates["boosted"])
    assert calibration.choice.kind == "none"
    assert calibration.choice.why.startswith("the splits before the last one")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("auto")
    settings = sales_settings(folder, model={"scorer": "auto", "trials": 3})
    facts = sales_facts(settings, leads=600, days=110, seed=3, signal=2.5)
    facts.write(settings.project_folder() / "store", known_until=110)
    return jobs.train(settings)


def test_training_when_the_scorer_is_chosen_then_it_says_what_was_compared(trained):
    told = trained.evaluation.scorer
    assert told.tried == list(told.log_loss)
    assert told.kind in told.tried
    assert told.log_loss[told.kind] <= min(told.log_loss.values()) + 0.05
    assert trained.no_signal is None


def test_scorecard_when_no_lead_has_closed_then_it_scores_with_wide_intervals_and_says_so(tmp_path):
    settings = sales_settings(tmp_path)
    facts = Facts(settings)
    for i, budget in enumerate(("none", "some", "full", None)):
        facts.lead(f"{i}", 1, budget=budget)
        if budget:
            facts.change(f"{i}", 2, "budget", budget)
    facts.write(settings.project_folder() / "store", known_until=10)
    told = jobs.train(settings)
    e = told.evaluation
    assert (told.no_signal, e.scorer.kind, e.metrics, e.splits) == (
        None,
        "scorecard",
        {},
        [],
    )
    assert "no lead is marked won or lost" in e.scorer.why
    json.dumps(e.to_dict(), allow_nan=False)
    history = facts.history(tmp_path / "again", known_until=10)
    result = fit_scorecard(history, known_us=history.version.known_until_us, why="none closed")
    matrix = build_matrix(
        history.snapshot(history.open_list(history.version.known_until_us)),
        build_features(settings),
    )
    raw = result.model.log_odds(matrix.columns)
    probability, interval = result.model.probability(raw), result.model.interval(raw)
    assert probability[0] < probability[1] < probability[2]
    assert probability[3] == pytest.approx(settings.scorecard.base_rate)  # nothing is known of it
    assert ((interval[:, 0] < probability) & (probability < interval[:, 1])).all()
    assert (interval[:, 1] - interval[:, 0] > 0.2).all()


@pytest.mark.parametrize("days", [20, 74])
def test_horizon_when_it_is_auto_then_nine_tenths_of_the_wins_arrive_within_it(tmp_path, days):
    facts = Facts(make_settings(target={"horizon_days": "auto", "cadence_days": 7}))
    for i in range(100):
        facts.lead(f"{i:03d}", 0.5)
        facts.outcome(f"{i:03d}", 0.5 + (days if i < 90 else 2 * days), "won")
    history = facts.history(tmp_path, known_until=400)
    chosen, why = choose_horizon(history, known_us=history.version.known_until_us)
    assert chosen.settings.target.horizon_days == days
    assert why == f"90% of wins arrive within {days} days"


@pytest.mark.parametrize("wrong", [0, -1, "soon"])
def test_horizon_when_it_is_no_number_of_days_then_it_is_refused(wrong):
    with pytest.raises(ValueError, match="horizon_days"):
        make_settings(target={"horizon_days": wrong})


def test_model_when_it_has_no_interval_then_it_shows_none(trained):
    model = WinModel({"encoder": [], "scorer": {"kind": "scorecard", "terms": [], "base": 0.0},
                      "calibrator": {"kind": "none", "low": 0.0, "high": 1.0}})  # fmt: skip
    raw = np.array([-1.0, 2.0])
    assert model.interval(raw).tolist() == [[p, p] for p in model.probability(raw)]


@pytest.mark.slow
def test_training_when_it_is_of_one_kind_then_no_other_is_tried(tmp_path):
    settings = sales_settings(tmp_path, model={"scorer": "logistic", "trials": 1})
    history = sales_facts(settings, leads=250, days=75, seed=3, signal=1.8).history(
        tmp_path / "x", known_until=75
    )
    result = fit_model(history, known_us=history.version.known_until_us, progress=silent)
    assert result.evaluation.scorer.tried == ["logistic"]
    assert result.model.scorer["kind"] == "logistic"
