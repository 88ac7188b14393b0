"""An evaluation taken apart adds up again, captured value by hand, never-worked losses, and the learning curve."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Facts, day
from histories import open_stored, sales_facts, sales_settings, write_store
from leadscore.evaluation.breakdowns import compute_decomposition, compute_groups, find_never_worked
from leadscore.evaluation.captured import compute_captured, read_values
from leadscore.evaluation.learning import compute_learning, describe_learning
from leadscore.evaluation.metrics import EvaluationSet, compute_brier
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.results import LearningPoint

rows = st.tuples(st.floats(0, 1), st.booleans(), st.floats(0.1, 5), st.integers(0, 9))


def judged_of(given_rows):
    p, y, w, lead = zip(*given_rows, strict=True)
    return EvaluationSet(
        np.array(p), np.array(y, dtype=float), np.array(w), np.array([str(each) for each in lead])
    )


@settings(max_examples=200, deadline=None)
@given(st.lists(rows, min_size=1, max_size=60))
def test_brier_when_taken_apart_then_adds_up(given_rows):
    judged = judged_of(given_rows)
    parts = compute_decomposition(judged)
    assert parts.brier == compute_brier(judged.probability, judged.label, judged.weight)
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within
    assert total == pytest.approx(parts.brier, abs=1e-12)
    assert min(parts.reliability, parts.resolution, parts.uncertainty) >= 0


def test_brier_when_two_probabilities_are_taken_apart_then_the_parts_are_those_by_hand():
    judged = EvaluationSet(np.array([0.2] * 10 + [0.8] * 10), np.array([0.0] * 9 + [1] + [1] * 6 + [0] * 4), np.ones(20),
                    np.arange(20).astype(str))  # fmt: skip
    parts = compute_decomposition(judged)
    assert parts.reliability == pytest.approx(((0.2 - 0.1) ** 2 + (0.8 - 0.6) ** 2) / 2)
    assert parts.resolution == pytest.approx(((0.1 - 0.35) ** 2 + (0.6 - 0.35) ** 2) / 2)
    assert parts.uncertainty == pytest.approx(0.35 * 0.65)
    assert parts.within == pytest.approx(0, abs=1e-12)


def test_brier_when_a_bin_holds_two_probabilities_then_within_is_their_spread_less_what_it_tells():
    label = np.zeros(20)
    label[1] = 1  # of 0.1 and 0.3 in the first bin, the higher was won: mean 0.2, rate 0.5
    judged = EvaluationSet(
        np.array([0.1, 0.3] + [0.4] * 18), label, np.ones(20), np.arange(20).astype(str)
    )
    parts = compute_decomposition(judged)
    spread = (0.1**2 + 0.1**2) / 20
    covariance = ((0 - 0.5) * -0.1 + (1 - 0.5) * 0.1) / 20
    assert parts.within == pytest.approx(spread - 2 * covariance)
    assert parts.reliability == pytest.approx((2 * (0.2 - 0.5) ** 2 + 18 * 0.4**2) / 20)


def test_captured_when_counted_by_hand_then_is_that():
    judged = EvaluationSet(
        np.array([0.9, 0.5, 0.5, 0.1]),
        np.array([1.0, 1.0, 0.0, 1.0]),
        np.ones(4),
        np.arange(4).astype(str),
    )
    value = np.array([100.0, 300.0, 50.0, 600.0])
    same = np.zeros(4)
    quarter, half = compute_captured(judged, value, same, shares=(0.25, 0.5))
    assert dict(quarter) == pytest.approx(
        {"share": 0.25, "random": 0.25, "leadscore": 0.1, "scorecard": 0.25, "oracle": 0.6}
    )
    assert dict(half) == pytest.approx(
        {"share": 0.5, "random": 0.5, "leadscore": 0.25, "scorecard": 0.5, "oracle": 0.9}
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(rows, st.floats(0.1, 100)), min_size=2, max_size=40))
def test_captured_when_compared_then_the_oracle_is_never_beaten(given_rows):
    judged = judged_of([row for row, _ in given_rows])
    judged = EvaluationSet(
        judged.probability, judged.label, np.ones(len(judged.label)), judged.lead_id
    )
    value = np.array([worth for _, worth in given_rows])
    for point in compute_captured(judged, value, np.zeros(len(value))):
        assert -1e-9 <= point.leadscore <= point.oracle + 1e-9 <= 1 + 2e-9


def test_groups_when_computed_then_each_is_what_its_rows_are():
    rng = np.random.default_rng(0)
    label = (rng.random(300) < 0.3).astype(float)
    judged = EvaluationSet(
        np.full(300, 0.4), label, rng.uniform(1, 2, 300), np.repeat(np.arange(100), 3).astype(str)
    )
    names = np.array(["a", "b", None] * 100, dtype=object)
    names[299] = "lost"
    judged.label[299] = 0
    found = {each.name: each for each in compute_groups(judged, names, seed=1)}
    assert list(found) == ["a", "b", "lost"]
    inside = names == "b"
    rate = np.average(judged.label[inside], weights=judged.weight[inside])
    assert (found["b"].n, found["b"].leads) == (100, 100)
    assert found["b"].win_rate == pytest.approx(rate)
    assert found["b"].gap.value == pytest.approx(0.4 - rate)
    assert found["b"].low < rate < found["b"].high
    assert found["lost"].high == pytest.approx(1 - 0.025)  # one lead: anything up to that could be


def make_facts():
    facts = Facts()
    for lead_id, touched, closed in (
        ("a", 1, "lost"),
        ("b", None, "lost"),
        ("c", 9, "lost"),
        ("d", None, "won"),
    ):
        facts.lead(lead_id, 0).outcome(lead_id, 5, closed)
        facts.activity(lead_id, 2, "email", actor="lead")
        if touched is not None:
            facts.activity(lead_id, touched, "email")
    return facts


def test_losses_when_no_rep_did_anything_before_the_close_then_were_never_worked(tmp_path):
    history = make_facts().history(tmp_path, known_until=40)
    side = history.side("all", from_us=day(0), to_us=day(40), known_us=day(40))
    never = find_never_worked(history, side)
    assert set(side.rows["lead_id"][never]) == {"b", "c"}  # c was touched four days after its close
    assert set(side.rows["lead_id"]) == {"a", "b", "c", "d"}


def test_losses_when_there_are_no_activities_by_reps_then_nothing_is_told(tmp_path):
    history = Facts().lead("a", 0).outcome("a", 5, "lost").history(tmp_path, known_until=40)
    side = history.side("all", from_us=day(0), to_us=day(40), known_us=day(40))
    assert find_never_worked(history, side) is None


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([(10_00, "EUR"), (30_00, "EUR")], ([10.0, 30.0], "EUR")),
        ([(10_00, "EUR"), (None, None)], ([10.0, 10.0], "EUR")),
        ([(10_00, "EUR"), (30_00, "USD")], ([1.0, 1.0], None)),
        ([(None, None), (None, None)], ([1.0, 1.0], None)),
    ],
)
def test_values_when_read_then_amounts_count_in_one_currency_only(tmp_path, amounts, expected):
    facts = Facts()
    for lead_id, (amount, currency) in zip("ab", amounts, strict=True):
        facts.lead(lead_id, 0).outcome(lead_id, 5, "won", amount=amount, currency=currency)
    facts.lead("c", 0).outcome(
        "c", 30, "won", amount=9_999_00, currency="GBP"
    )  # not known by day 20
    history = facts.history(tmp_path, known_until=40)
    rows = history.open_list(day(1)).sort_values("lead_id").iloc[:2]
    value, unit = read_values(history, rows, known_us=day(20))
    assert (value.tolist(), unit) == expected


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    facts = sales_facts(
        sales_settings(tmp_path_factory.mktemp("parts"), model={"scorer": "logistic", "trials": 1}),
        leads=400, days=110, seed=3, signal=1.8,
    )  # fmt: skip
    write_store(facts, known_until=110)
    history = open_stored(facts.settings)
    return fit_model(history, known_us=history.version.known_until_us, progress=silent)


def test_evaluation_when_trained_then_its_parts_fit_the_whole(trained):
    e = trained.evaluation
    assert e.brier.brier == e.overall.brier.value
    assert sum(each.n for each in e.tiers) == e.overall.snapshots
    assert [each.name for each in e.tiers] == sorted(each.name for each in e.tiers)
    assert e.learning.points[-1].leads > e.learning.points[0].leads
    assert e.captured.points[-1].oracle >= e.captured.points[-1].leadscore
    assert e.limits_broken == []


def test_learning_when_rows_come_in_another_order_then_parts_are_the_same_and_nested(trained):
    training, seen = trained.training, []
    earlier, last = training.earlier[-1], training.pools["last"]

    columns = training.matrix.take(last.rows[last.observed]).columns

    def learn(chosen):
        seen.append(set(chosen["lead_id"]))
        ordered = chosen.sort_values(["lead_id", "as_of_us"])
        return training.fit("logistic", ordered, boosting=None).log_odds(columns)

    log_odds = training.fit("logistic", earlier.rows, boosting=None).log_odds(
        training.matrix.take(last.rows).columns
    )
    first = compute_learning(earlier, last, log_odds=log_odds, learn=learn, seed=1)
    seen.append(set(earlier.rows["lead_id"][earlier.observed]))
    assert all(small < large for small, large in pairwise(seen))
    assert [point.leads for point in first.points] == [len(leads) for leads in seen]
    turned = replace(earlier, rows=earlier.rows[::-1])
    assert compute_learning(turned, last, log_odds=log_odds, learn=learn, seed=1) == first


def test_learning_when_half_of_the_leads_have_one_outcome_then_there_is_no_curve(trained):
    training = trained.training
    earlier, last = training.earlier[-1], training.pools["last"]
    winner = earlier.rows.loc[earlier.rows["label"] == 1, "lead_id"].iloc[0]
    one = replace(
        earlier,
        rows=earlier.rows[(earlier.rows["lead_id"] == winner) | (earlier.rows["label"] == 0)],
    )
    columns = training.matrix.take(last.rows[last.observed]).columns

    def learn(rows):
        return training.fit("logistic", rows, boosting=None).log_odds(columns)

    log_odds = np.zeros(len(last.rows))
    curves = [
        compute_learning(one, last, log_odds=log_odds, learn=learn, seed=seed) for seed in range(6)
    ]
    assert None in curves  # the only lead that was won stood in the other half
    assert any(curves)


def test_doubling_when_loss_falls_with_the_root_then_brings_what_the_curve_goes_on_to_give():
    points = [LearningPoint(leads=n, log_loss=0.3 + n**-0.5) for n in (400, 800, 1600)]
    gain = 1600**-0.5 - 3200**-0.5
    assert describe_learning(points, 0.001) == (
        f"twice as many closed leads (3,200) would lower the log loss by about {gain:.4f} "
        f"({gain - 1.96 * 0.001 / 2**0.5:.4f} to {gain + 1.96 * 0.001 / 2**0.5:.4f})"
    )
    assert (
        describe_learning(points, 0.02) == "more closed leads of the same kind would change little"
    )
