"""Tiers that do not flap, value, qualification, overrides, the next question, and actions."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import Facts, day, make_settings
from leadscore.errors import UserError
from leadscore.evaluation.reference import compute_score
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix
from leadscore.ingest.overrides import read_overrides
from leadscore.model.fit import fit_scorer
from leadscore.project.scoring import _with_capacity
from leadscore.scoring.action import suggest_actions
from leadscore.scoring.answers import give_answer
from leadscore.scoring.effects import Effect, Standing
from leadscore.scoring.overrides import override_tiers, override_verdicts, overrides_in_force
from leadscore.scoring.qualification import qualify
from leadscore.scoring.question import ask_next, choose_questions
from leadscore.scoring.tier import (
    TIERS,
    Borders,
    Outlook,
    compute_rank,
    earlier_tiers,
    find_borders,
    measure_by,
)
from leadscore.scoring.value import read_amounts
from leadscore.scoring.what_if import compute_what_if
from leadscore.settings.actions import Actions
from leadscore.settings.qualification import Qualification, Rule
from leadscore.settings.tiers import Tiers
from leadscore.times import parse_moment

PLAIN = Borders(90, 70, 40, 2)
measures = st.lists(st.floats(0, 100), min_size=1, max_size=30)
tiers = st.sampled_from(["A", "B", "C", "D", None])


@pytest.mark.parametrize(
    ("measure", "earlier", "tier"),
    [
        (91, None, "A"), (89, None, "B"), (89, "A", "A"), (87.9, "A", "B"), (91, "B", "B"), (92, "B", "A"),
        (91, "D", "B"), (30, "A", "D"), (41, "A", "C"), (41, "D", "D"), (42, "D", "C"), (100, "D", "A"),
    ],
)  # fmt: skip
def test_tier_when_near_a_border_then_stays_what_it_was(measure, earlier, tier):
    assert PLAIN.decide(
        np.array([measure], dtype=float), np.array([earlier], dtype=object)
    ).tolist() == [tier]


@settings(max_examples=200, deadline=None)
@given(measures, st.data())
def test_tiers_when_decided_again_then_stay_and_are_never_far_from_the_plain_ones(values, data):
    measure = np.array(values)
    earlier = np.array(
        data.draw(st.lists(tiers, min_size=len(values), max_size=len(values))), dtype=object
    )
    first = PLAIN.decide(measure, earlier)
    assert (PLAIN.decide(measure, first.astype(object)) == first).all()
    place = np.searchsorted(TIERS, first)
    assert (place >= PLAIN.rank_tier(measure + PLAIN.margin)).all()
    assert (place <= PLAIN.rank_tier(measure - PLAIN.margin)).all()
    nothing = np.full(len(values), None, dtype=object)
    assert (PLAIN.decide(measure, nothing) == TIERS[PLAIN.rank_tier(measure)]).all()
    order = np.argsort(measure)
    assert (np.diff(np.searchsorted(TIERS, PLAIN.decide(measure, nothing)[order])) <= 0).all()


def outlook(value, log_odds=None):
    """Leads that are told apart by what they are worth, and by log_odds."""
    value = np.array(value, dtype=float)
    return Outlook(
        value * 0,
        value * 0,
        value,
        value * 0 if log_odds is None else np.array(log_odds, dtype=float),
    )


def by_capacity(tiers, listed, earlier=None):
    measure = measure_by(tiers, listed, listed=listed, at=np.arange(len(listed.value)))
    before = (
        np.full(len(measure), None, dtype=object)
        if earlier is None
        else np.array(list(earlier), dtype=object)
    )
    return "".join(find_borders(tiers).decide(measure, before))


@pytest.mark.parametrize(
    ("capacity", "touch_cost", "value", "log_odds", "tiers"),
    [
        (2, 25, [100, 90, 80, 70, 60, 50, 40, 30, 20, 10], None, "AABBCCCCDD"),
        (20, 25, [100, 90, 80, 70, 60, 50, 40, 30, 20, 10], None, "AAAAAAAADD"),
        (1, 30, [30, 31], None, "DA"),
        (1, 0, [0, 5], None, "DA"),
        (2, 0, [7, 7, 7, 7, 7], [1, 3, 2, 5, 4], "CBBAA"),  # equal values, as a calibrator of steps gives them
        (2, 0, [7, 7, 7], None, "AAB"),
    ],
)  # fmt: skip
def test_tiers_when_by_capacity_then_hold_as_many_as_can_be_worked_and_are_worth_it(
    capacity, touch_cost, value, log_odds, tiers
):
    section = Tiers(by="capacity", capacity=capacity, touch_cost=touch_cost)
    assert by_capacity(section, outlook(value, log_odds)) == tiers


def test_tiers_when_by_capacity_and_near_a_border_then_stay_within_5_percent_of_the_rank():
    listed, section = outlook(np.arange(500, 0, -1)), Tiers(by="capacity", capacity=100)
    was_a = by_capacity(section, listed, "A" * 500)
    was_b = by_capacity(section, listed, "B" * 500)
    assert (was_a.rindex("A"), was_b.index("B")) == (
        104,
        95,
    )  # of ranks 1 to 500: A until 105, B from 96
    assert by_capacity(section, listed, was_a) == was_a
    worthless = Tiers(by="capacity", capacity=100, touch_cost=499)
    assert by_capacity(worthless, listed, "A" * 500) == "A" + "D" * 499


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=12), st.data()
)
def test_rank_when_one_lead_changes_then_is_that_of_the_list_sorted_anew(rows, data):
    listed = outlook([value for value, _ in rows], [log_odds for _, log_odds in rows])
    at = data.draw(st.integers(0, len(rows) - 1))
    changed = data.draw(st.tuples(st.integers(0, 3), st.integers(0, 2)))
    found = compute_rank(outlook([changed[0]], [changed[1]]), listed=listed, at=np.array([at]))
    anew = [changed if i == at else row for i, row in enumerate(rows)]
    order = sorted(range(len(rows)), key=lambda i: (-anew[i][0], -anew[i][1], i))
    assert found.tolist() == [order.index(at) + 1]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"by": "probability"}, "are probabilities from 0 to 1, got a = 90"),
        ({"by": "capacity"}, "give tiers.capacity, or the list of reps under routing"),
        ({"capacity": 5}, "capacity belongs to by = 'capacity'"),
        ({"touch_cost": 5}, "touch_cost belongs to by = 'capacity'"),
        ({"a": 10}, "must fall"),
    ],
)
def test_settings_when_tiers_do_not_fit_together_then_say_why(section, said):
    with pytest.raises(ValueError, match=said):
        make_settings(tiers=section)
    assert (
        make_settings(
            tiers={"by": "probability", "a": 0.5, "b": 0.2, "c": 0.1}
        ).tiers.margin_or_default()
        == 0.02
    )


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1000), st.booleans()), min_size=1, max_size=40)
)
def test_what_if_when_computed_then_is_a_slow_sum(rows):
    probability = np.array([p for p, _, _ in rows])
    value = probability * np.array([worth for _, worth, _ in rows])
    tier = np.array(["A" if now else "B" for _, _, now in rows])
    told = compute_what_if(probability, tier, probability, value)
    for each in told:
        n = round(each["share"] * len(rows))
        best = sorted(range(len(rows)), key=lambda i: (-probability[i], i))[:n]
        now = [i for i in range(len(rows)) if tier[i] == "A"]
        assert each["leads"] == n - len(now)
        assert each["wins"] == pytest.approx(
            sum(probability[best]) - sum(probability[now]), abs=1e-9
        )
        assert each["value"] == pytest.approx(sum(value[best]) - sum(value[now]), abs=1e-6)
    assert all(
        each["value"] is None for each in compute_what_if(probability, tier, probability, None)
    )
    assert all(each["leads"] != 0 for each in told)
    assert all(f"{each['share']:.0%}" != f"{each['share_now']:.0%}" for each in told)
    assert len({each["leads"] for each in told}) == len(told)


@pytest.mark.parametrize(
    ("n", "in_a", "shares"),
    [
        (1000, 100, [0.05, 0.15, 0.2, 0.3]),
        (1000, 103, [0.05, 0.15, 0.2, 0.3]),  # "A at 10 % instead of 10 %"
        (4, 0, [0.15]),  # of four leads 5 % are none, and 20 % or 30 % are one, as 15 %
        (0, 0, []),
    ],
)
def test_what_if_when_a_size_would_say_nothing_then_it_is_left_out(n, in_a, shares):
    probability = np.linspace(0.9, 0.1, n)
    tier = np.array(["A"] * in_a + ["B"] * (n - in_a), dtype=object)
    assert [
        each["share"] for each in compute_what_if(probability, tier, probability, None)
    ] == shares


NAN = float("nan")


@pytest.mark.parametrize(
    ("tier", "budget", "need", "verdict", "rule"),
    [
        ("A", 0.5, 0.5, "sales_qualified", "promising, and enough is answered"),
        ("A", 0.5, 0.0, "needs_answers", "promising, but states no need"),
        ("B", 0.5, NAN, "needs_answers", "promising, but too little answered"),
        ("C", 0.5, 0.5, "nurture", "not promising yet"),
        ("D", NAN, 0.0, "disqualified",
         "no need, and not promising; back with a better answer on need or a tier other than D"),
        ("D", NAN, NAN, "nurture", "not promising yet"),
    ],
)  # fmt: skip
def test_lead_when_qualified_by_the_default_rules_then_the_first_that_holds_decides(
    tier, budget, need, verdict, rule
):
    found = qualify(
        Qualification(), tier=np.array([tier]), probability=np.array([0.3]),
        strengths={"budget": np.array([budget]), "need": np.array([need])},
    )  # fmt: skip
    assert [each[0] for each in found] == [verdict, rule]


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"min_probability": 0.3}, True), ({"min_probability": 0.31}, False), ({"max_probability": 0.3}, True),
        ({"max_probability": 0.29}, False), ({"tiers": ("B", "C")}, True), ({"tiers": ("A",)}, False),
        ({"min_strength": {"budget": 0.5}}, True), ({"min_strength": {"budget": 0.6}}, False),
        ({"min_strength": {"need": 0.0}}, False), ({"max_strength": {"need": 1.0}}, False),  # need is not known
        ({"max_strength": {"budget": 0.5}}, True), ({"min_answers": 1}, True), ({"min_answers": 2}, False),
        ({"max_answers": 1}, True), ({"max_answers": 0}, False), ({"min_strength": {"timeline": 0.1}}, False),
        ({"tiers": ("B",), "max_answers": 0}, False),
    ],
)  # fmt: skip
def test_rule_when_it_states_something_then_all_of_it_must_hold(rule, holds):
    section = Qualification(rules=(Rule(name="mine", verdict="disqualified", **rule),))
    verdict, said = qualify(
        section, tier=np.array(["B"]), probability=np.array([0.3]),
        strengths={"budget": np.array([0.5]), "need": np.array([NAN])},
    )  # fmt: skip
    assert verdict[0] == ("disqualified" if holds else "nurture")
    assert said[0].startswith("mine; back with ") == holds


@pytest.mark.parametrize(
    ("strengths", "verdict"),
    [
        pytest.param({"budget": 0.5}, "sales_qualified", id="the only question is answered"),
        pytest.param({"budget": NAN}, "nurture", id="the only question is open"),
        pytest.param({"budget": 0.5, "need": NAN}, "nurture", id="one of two is open"),
        pytest.param({}, "sales_qualified", id="nothing is asked"),
    ],
)
def test_rule_when_it_asks_for_more_answers_than_there_are_questions_then_all_of_them_are_enough(
    strengths, verdict
):
    rule = Rule(name="mine", verdict="sales_qualified", min_answers=4)
    verdicts, _ = qualify(
        Qualification(rules=(rule,)),
        tier=np.array(["B"]),
        probability=np.array([0.3]),
        strengths={letter: np.array([strength]) for letter, strength in strengths.items()},
    )
    assert verdicts.tolist() == [verdict]


def test_must_haves_when_not_known_or_weakest_then_decide_before_any_rule():
    verdict, rule = qualify(
        Qualification(must_have=("budget",)), tier=np.array(["A", "A", "A"]), probability=np.array([0.9] * 3),
        strengths={"budget": np.array([0.0, NAN, 0.4]), "need": np.array([1.0] * 3)},
    )  # fmt: skip
    assert verdict.tolist() == ["disqualified", "needs_answers", "sales_qualified"]
    assert "back with a better answer on budget" in rule[0]


def test_settings_when_qualification_asks_what_no_field_answers_then_are_refused():
    asked = {"budget": {"field": "budget", "levels": ["no", "yes"]}}
    project = {"fields": {"budget": {"type": "text"}}, "bant": asked}
    assert make_settings(
        **project, qualification={"must_have": ["budget"]}
    ).qualification.letters() == {"budget"}
    assert make_settings().qualification.letters() == set()
    rule = {"name": "late", "verdict": "nurture", "max_strength": {"timeline": 0.2}}
    for section, letter in (({"must_have": ["need"]}, "need"), ({"rules": [rule]}, "timeline")):
        with pytest.raises(
            ValueError, match=f"asks for {letter}, and no field answers it: declare bant.{letter}"
        ):
            make_settings(**project, qualification=section)


OVERRIDES = """lead_id,action,value,until,by,why
a,exclude,,2024-01-03,Kim,competitor
b,tier,A,,,
c,qualify,,,Kim,
d,exclude,,2023-12-31,Kim,
e,qualify,sales_qualified,,Kim,
e,tier,B,2024-05-01T12:00:00Z,Ada,a friend
e,qualify,nurture,,,they asked for peace
nobody,tier,D,,,
"""


def test_overrides_when_read_then_win_over_the_model_until_they_end(tmp_path):
    (tmp_path / "overrides.csv").write_text(OVERRIDES)
    project = make_settings(input_folder=tmp_path, qualification={"overrides": "overrides.csv"})
    lead_id = np.array(list("abcdef"), dtype=object)
    verdict, rule = np.array(["nurture"] * 6, dtype=object), np.array(["mine"] * 6, dtype=object)
    in_force = overrides_in_force(read_overrides(project), as_of_us=day(0))
    assert (
        "".join(override_tiers(in_force, lead_id, np.array(list("CCCCCC"), dtype=object)))
        == "CACCBC"
    )
    verdict, rule, said = override_verdicts(in_force, lead_id, verdict, rule)
    assert verdict.tolist() == [
        "disqualified",
        "nurture",
        "sales_qualified",
        "nurture",
        "nurture",
        "nurture",
    ]
    assert rule.tolist() == ["decided by hand; back when the override ends", "mine", "decided by hand", "mine",
                             "decided by hand", "mine"]  # fmt: skip
    assert said.tolist() == [
        "excluded by Kim until 2024-01-03: competitor", "put into A by somebody", "called sales_qualified by Kim", "",
        "called nurture by somebody: they asked for peace; put into B by Ada until 2024-05-01T12:00:00Z: a friend",
        "",
    ]  # fmt: skip
    assert read_overrides(make_settings()) == []


@pytest.mark.parametrize(("hours", "counts"), [(-1, True), (-25, True), (1, False)])
def test_override_when_it_ends_on_a_bare_date_then_counts_that_whole_day_where_the_settings_are(
    tmp_path, hours, counts
):
    (tmp_path / "o.csv").write_text("lead_id,action,until\na,exclude,2024-06-30\n")
    project = make_settings(
        input_folder=tmp_path, qualification={"overrides": "o.csv"}, timezone="America/New_York"
    )
    ends_us = parse_moment("2024-07-01T04:00:00Z", zone="UTC")
    found = overrides_in_force(read_overrides(project), as_of_us=ends_us + hours * 3_600_000_000)
    assert bool(found) == counts


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,drop,,,,", "line 2: action must be exclude, qualify, tier, got 'drop'"),
        ("a,tier,E,,,", "the value of tier must be one of A, B, C, D, got 'E'"),
        ("a,qualify,maybe,,,", "the value of qualify must be one of"),
        (",exclude,,,,", "has no lead_id"),
        ("a,exclude,,soon,,", "until: "),
    ],
)
def test_overrides_when_a_row_is_wrong_then_are_refused_with_its_line(tmp_path, row, said):
    (tmp_path / "o.csv").write_text(f"lead_id,action,value,until,by,why\n{row}\n")
    project = make_settings(input_folder=tmp_path, qualification={"overrides": "o.csv"})
    with pytest.raises(UserError, match="cannot be followed") as refused:
        read_overrides(project)
    assert said in str(refused.value)


def test_amounts_when_missing_then_are_estimated_by_what_was_won_and_marked(tmp_path):
    plain = make_settings()
    facts = Facts(plain.model_copy(update={"mapping": plain.mapping[:1]}))  # no history of amounts
    for lead_id, amount in (("won1", 100_00), ("won2", 300_00), ("won3", 500_00)):
        facts.lead(lead_id, 0, currency="EUR").outcome(lead_id, 5, "won", amount=amount)
    facts.lead("lost", 0, amount=9_00, currency="EUR").outcome("lost", 5, "lost")
    facts.lead("later", 0, currency="EUR").outcome("later", 30, "won", amount=9_999_00)
    facts.lead("known", 6, amount=70_00, currency="EUR").lead("unknown", 6)
    history = facts.history(tmp_path, known_until=40)
    found = read_amounts(history, np.array(["known", "unknown"], dtype=object), as_of_us=day(10))
    assert found.amount.tolist() == [70.0, 300.0]
    assert found.estimated.tolist() == [False, True]
    assert (found.currency, found.warning) == ("EUR", None)


@pytest.mark.parametrize(("zero", "amount"), [(False, [200.0, 70.0]), (True, [0.0, 70.0])])
def test_amounts_when_one_is_0_then_it_is_missing_unless_declared(tmp_path, zero, amount):
    plain = make_settings(fields={"amount": {"type": "number", "zero": zero}})
    facts = Facts(plain.model_copy(update={"mapping": plain.mapping[:1]}))  # no history of amounts
    for lead_id, won in (("won1", 0), ("won2", 100_00), ("won3", 300_00)):
        facts.lead(lead_id, 0, currency="EUR").outcome(lead_id, 5, "won", amount=won)
    facts.lead("nothing", 6, amount=0, currency="EUR").lead("known", 6, amount=70_00)
    history = facts.history(tmp_path, known_until=40)
    found = read_amounts(history, np.array(["nothing", "known"], dtype=object), as_of_us=day(10))
    assert found.amount.tolist() == amount
    assert found.estimated.tolist() == [not zero, False]


def test_amounts_when_they_have_a_history_then_are_those_known_then(tmp_path):
    facts = (
        Facts()
        .lead("a", 0, amount=999_00, currency="EUR")
        .change("a", 1, "amount", "5000")
        .change("a", 20, "amount", "80000")
    )
    history = facts.history(tmp_path, known_until=40)
    assert read_amounts(
        history, np.array(["a"], dtype=object), as_of_us=day(10)
    ).amount.tolist() == [50.0]


def test_amounts_when_a_later_export_showed_another_one_then_are_first_the_old_then_the_new(
    tmp_path,
):
    plain = make_settings()
    facts = Facts(
        plain.model_copy(update={"mapping": plain.mapping[:1]})
    )  # no history of amounts is mapped
    facts.lead("a", 0, amount=50_00).lead("emptied", 0, amount=60_00).lead("same", 0, amount=70_00)
    facts.outcome("same", 35, "won", amount=9_00).change("a", 20, "amount", "8000").change(
        "emptied", 20, "amount", None
    )
    history = facts.history(tmp_path, known_until=40)
    leads = np.array(["a", "emptied", "same"], dtype=object)
    assert read_amounts(history, leads, as_of_us=day(10)).amount.tolist() == [50.0, 60.0, 70.0]
    found = read_amounts(history, leads, as_of_us=day(30))
    assert found.amount.tolist() == [80.0, 75.0, 70.0]
    assert found.estimated.tolist() == [False, True, False]


def test_amounts_when_in_several_currencies_then_nothing_is_told(tmp_path):
    history = Facts().lead("a", 0, amount=1, currency="EUR").lead("b", 0, amount=1, currency="USD").history(
        tmp_path, known_until=40
    )  # fmt: skip
    found = read_amounts(history, np.array(["a", "b"], dtype=object), as_of_us=day(10))
    assert np.isnan(found.amount).all()
    assert "EUR, USD" in found.warning


BUDGET = Feature("bant_budget", {}, Learned(), "share", "bant_budget", direction=1)
KNOWN = Feature("bant_budget_known", {}, Learned(), "flag", "bant_budget")
COMPLETE = Feature("bant_completeness", {}, Learned(), "count", "bant_completeness")
STAGE = Feature("stage_current", {}, Text("stage"), "category", "stage_place")
ASKED = (BUDGET, KNOWN, COMPLETE, STAGE)


def make_crowd(n=400, seed=0):
    rng = np.random.default_rng(seed)
    strength = np.where(rng.random(n) < 0.4, np.nan, rng.choice([0.0, 0.5, 1.0], n))
    keys = pd.DataFrame({"lead_id": [f"{i:04d}" for i in range(n)], "as_of_us": 0})
    columns = {
        "bant_budget": strength, "bant_budget_known": (~np.isnan(strength)).astype(float),
        "bant_completeness": (~np.isnan(strength)).astype(float),
        "stage_current": rng.choice(np.array(["new", "proposal"], dtype=object), n),
    }  # fmt: skip
    label = (rng.random(n) < 0.15 + 0.5 * np.nan_to_num(strength)).astype(float)
    matrix = Matrix(keys, columns)
    model = fit_scorer(
        matrix,
        keys.assign(label=label, weight=1.0),
        kind="logistic",
        features=ASKED,
        seed=0,
        threads=1,
    )
    p = model.probability(model.log_odds(columns))
    model.document["reference"] = np.quantile(p, np.linspace(0.0005, 0.9995, 1000)).tolist()
    return model, matrix


@pytest.mark.parametrize(
    "section",
    [
        {},
        {"by": "probability", "a": 0.5, "b": 0.3, "c": 0.2},
        {"by": "capacity", "capacity": 40, "touch_cost": 20},
    ],
    ids=["score", "probability", "capacity"],
)
def test_question_when_asked_then_is_what_a_slow_loop_over_every_answer_says(section):
    model, matrix = make_crowd()
    budget = {"field": "budget", "levels": ["no", "some", "all"]}
    project = make_settings(
        fields={"budget": {"type": "text"}}, bant={"budget": budget}, tiers=section
    )
    n = len(matrix.keys)
    amount = np.random.default_rng(4).integers(1, 200, n).astype(float)

    def look(columns, worth):
        log_odds = model.log_odds(columns)
        p = model.probability(log_odds)
        return Outlook(compute_score(p, model.document["reference"]), p, p * worth, log_odds)

    listed, borders = look(matrix.columns, amount), find_borders(project.tiers)
    now = borders.decide(
        measure_by(project.tiers, listed, listed=listed, at=np.arange(n)),
        np.array(list("ABCD" * (n // 4))),
    )
    verdict, _ = qualify(project.qualification, tier=now, probability=listed.probability,
                         strengths={"budget": matrix.columns["bant_budget"]})  # fmt: skip
    found = ask_next(
        model,
        matrix,
        stand(now, amount, listed, project, matrix, verdict=verdict, currency="EUR"),
        project,
    )
    strength, stage = matrix.columns["bant_budget"], matrix.columns["stage_current"]
    gains = []
    for row in range(80):
        if not np.isnan(strength[row]):
            assert found["next_question"][row] == ""
            continue
        given_there = strength[(stage == stage[row]) & ~np.isnan(strength)]
        changed, best = 0.0, 0.0
        for answer in (0.0, 0.5, 1.0):
            whole = {name: values.copy() for name, values in matrix.columns.items()}
            whole["bant_budget"][row], whole["bant_budget_known"][row] = answer, 1.0
            whole["bant_completeness"][row] += 1
            then = look(whole, amount)
            tier = borders.decide(
                measure_by(project.tiers, then, listed=then, at=np.arange(n)), now
            )[row]
            enough = tier in "AB"  # by the default rules, one known answer of one that is asked
            again = "sales_qualified" if enough else "nurture"
            p = listed.probability[row]
            richer = then.probability[row] - p >= max(0.2 * p, 0.02)
            fell = tier > now[row]
            counts = tier < now[row] or (again != verdict[row] and not fell) or richer
            changed += np.mean(given_there == answer) * counts
            best = max(best, then.value[row])
        assert found["next_question_gain"][row] == pytest.approx(changed, abs=1e-9)
        gains.append(changed)
        if changed:
            said = f"value EUR {listed.value[row]:,.0f}, at best {best:,.0f}"
            assert found["next_question"][row].startswith("Ask about budget: ")
            assert found["next_question"][row].endswith(said)
        else:
            assert found["next_question"][row] == ""
    assert len(set(gains)) > 1


def stand(tier, amount, listed, project, matrix, *, verdict, currency=None, **by_hand):
    nobody = np.zeros(len(tier), dtype=bool)
    hands = {"tier_by_hand": nobody, "verdict_by_hand": nobody} | by_hand
    return Standing(
        np.asarray(tier).astype(object),
        amount,
        listed,
        project.tiers,
        verdict,
        strengths={"budget": matrix.columns["bant_budget"]},
        stage=matrix.columns["stage_current"],
        currency=currency,
        **hands,
    )


def ask_crowd(*, tier="C", margin=2.0, flat=False, verdict="nurture", rules=(), **by_hand):
    """What is asked of a crowd whose leads all stand in one tier and verdict; `flat`: no answer says anything."""
    model, matrix = make_crowd()
    if flat:
        for term in model.scorer["terms"]:
            term["slope"] = term["missing"] = 0.0
            if "knots" in term:
                term["added"] = [0.0] * len(term["knots"])
    budget = {"field": "budget", "levels": ["no", "some", "all"]}
    project = make_settings(fields={"budget": {"type": "text"}}, bant={"budget": budget}, tiers={"margin": margin},
                            qualification={"rules": rules})  # fmt: skip
    log_odds, n = model.log_odds(matrix.columns), len(matrix.keys)
    p = model.probability(log_odds)
    listed = Outlook(compute_score(p, model.document["reference"]), p, p, log_odds)
    hands = {name: np.full(n, value) for name, value in by_hand.items()}
    standing = stand(
        [tier] * n,
        np.full(n, np.nan),
        listed,
        project,
        matrix,
        verdict=np.array([verdict] * n, object),
        **hands,
    )
    found = ask_next(model, matrix, standing, project)
    missing = np.isnan(matrix.columns["bant_budget"])
    assert not found["next_question_gain"][~missing].any()
    assert ((found["next_question_gain"] > 0) == (found["next_question"] != "")).all()
    return found["next_question"][missing], found["next_question_gain"][missing]


LATE = {"name": "answered", "verdict": "needs_answers", "min_answers": 1}


@pytest.mark.parametrize(
    ("crowd", "said"),
    [
        pytest.param({"flat": True, "margin": 100}, "", id="no answer changes anything"),
        pytest.param({"flat": True, "tier": "A", "margin": 0}, "", id="the tier could only fall"),
        pytest.param({"flat": True, "margin": 100, "rules": [LATE]}, "any answer means another qualification",
                     id="the qualification changes"),
        pytest.param({"flat": True, "margin": 100, "rules": [LATE], "verdict_by_hand": True}, "",
                     id="the qualification was decided by hand"),
        pytest.param({"margin": 100}, "chance of a clearly higher value", id="it is worth more"),
        pytest.param({"margin": 0, "tier": "D"}, "chance of a higher tier", id="the tier may rise"),
        pytest.param({"flat": True, "margin": 0, "tier": "D", "tier_by_hand": True}, "", id="the tier is by hand"),
        pytest.param({"margin": 0, "tier": "D", "verdict": "disqualified", "verdict_by_hand": True}, "",
                     id="excluded by hand"),
    ],
)  # fmt: skip
def test_question_when_no_answer_can_change_what_is_done_then_none_is_asked(crowd, said):
    questions, gains = ask_crowd(**crowd)
    assert not any("lower tier" in each or "would stay" in each for each in questions)
    if said:
        assert any(said in each for each in questions)
        assert gains.max() > 0
    else:
        assert set(questions) == {""}
        assert not gains.any()


def test_answers_when_better_then_never_lower_the_probability():
    model, matrix = make_crowd(seed=3)
    before = None
    for answer in (0.0, 0.25, 0.5, 0.75, 1.0):
        columns = matrix.columns | {
            "bant_budget": np.full(400, answer),
            "bant_budget_known": np.ones(400),
        }
        now = model.probability(model.log_odds(columns))
        assert before is None or (now >= before).all()
        before = now


@pytest.mark.parametrize(
    ("stage", "place", "silent", "tier", "action"),
    [
        ("new", 0, 1, "A", "call"), ("qualified", 1, 1, "A", "demo"), ("proposal", 2, 1, "A", "ask for a decision"),
        ("proposal", 2, 31, "A", "revive"), ("new", 0, NAN, "D", "nurture"),
        ("proposal", 2, 1, "D", "nurture"), ("proposal", 2, 31, "D", "nurture"), ("proposal", 2, 1, "C", "ask for a decision"),
    ],
)  # fmt: skip
def test_action_when_suggested_then_follows_stage_and_silence(stage, place, silent, tier, action):
    keys = pd.DataFrame({"lead_id": ["a"], "as_of_us": [0]})
    columns = {"stage_current": np.array([stage], dtype=object), "stage_order": np.array([float(place)]),
               "engagement_activities_days_since": np.array([float(silent)])}  # fmt: skip
    model = make_crowd()[0]
    columns |= {
        "bant_budget": np.array([NAN]),
        "bant_budget_known": np.zeros(1),
        "bant_completeness": np.zeros(1),
    }
    project = make_settings()

    def suggest(section, verdict="sales_qualified"):
        told = {"tier": np.array([tier]), "verdict": np.array([verdict])}
        return suggest_actions(model, Matrix(keys, columns), section, **told).tolist()

    assert suggest(project) == [action]
    assert suggest(project, "disqualified") == [""]
    assert suggest(project, "nurture") == ["nurture"]
    mine = project.model_copy(update={"actions": Actions(by_stage={"new": "proposal"})})
    assert suggest(mine) == ["proposal" if stage == "new" else action]


@pytest.mark.parametrize(("stated", "capacity"), [(None, 7), (3, 3)])
def test_tiers_when_by_capacity_without_a_number_then_it_is_the_places_of_the_reps(
    stated, capacity
):
    tiers = Tiers(by="capacity", capacity=stated)
    reps = [{"capacity": 10, "load": 4}, {"capacity": 1, "load": 0}, {"capacity": 2, "load": 5}]
    assert _with_capacity(tiers, {"reps": reps}).capacity == capacity
    assert _with_capacity(Tiers(), {}) == Tiers()
    routed = make_settings(tiers={"by": "capacity"}, routing={"reps": "reps.csv"})
    assert routed.tiers.capacity is None


def test_earlier_tiers_when_a_lead_is_new_then_it_has_none():
    published = pa.table({"lead_id": ["c", "a"], "tier": ["B", "C"]})
    assert earlier_tiers(np.array(["a", "b"]), published).tolist() == ["C", None]
    with pytest.raises(ValueError, match="is no open stage"):
        make_settings(actions={"by_stage": {"never": "call"}})


def test_answer_when_one_more_is_given_then_the_mean_and_the_number_of_answers_have_it():
    plain = {
        "bant_need": np.full(3, NAN),
        "bant_need_known": np.zeros(3),
        "bant_completeness": np.array([0.0, 1.0, 2.0]),
    }
    counted = {
        "bant_need_mean": np.array([NAN, 0.5, 0.0]),
        "bant_need_answers": np.array([0.0, 1.0, 3.0]),
    }
    answered = give_answer(plain | counted, "need", 1.0)
    assert answered["bant_need"].tolist() == [1.0, 1.0, 1.0]
    assert answered["bant_need_known"].tolist() == [1.0, 1.0, 1.0]
    assert answered["bant_completeness"].tolist() == [1.0, 2.0, 3.0]
    assert answered["bant_need_mean"].tolist() == [1.0, 0.75, 0.25]
    assert answered["bant_need_answers"].tolist() == [1.0, 2.0, 4.0]
    assert give_answer(plain, "need", 1.0).keys() == plain.keys()


def choose(**effects):
    """What is asked of one lead, by letter (gain, move) of its effect."""
    nothing = np.zeros(1)
    by_letter = {
        letter: (
            np.array([0]),
            Effect(np.array([gain]), nothing, nothing, np.array([move]), nothing),
        )
        for letter, (gain, move) in effects.items()
    }
    look = outlook([1.0])
    standing = Standing(
        tier=np.array(["B"], dtype=object),
        amount=np.array([NAN]),
        outlook=look,
        tiers=Tiers(),
        verdict=np.array(["nurture"], dtype=object),
        tier_by_hand=np.array([False]),
        verdict_by_hand=np.array([False]),
        strengths={},
        stage=np.array([None]),
    )
    chosen = choose_questions(by_letter, standing, at=np.array([0]))
    return chosen["next_question"][0].split(":")[0], chosen["next_question_gain"][0]


@pytest.mark.parametrize(
    ("effects", "letter", "gain"),
    [
        pytest.param({"need": (0.2, 1.0), "budget": (0.3, 0.1)}, "budget", 0.3, id="likelier"),
        pytest.param({"need": (0.2, 1.0), "budget": (0.2, 2.0)}, "budget", 0.2, id="moves more"),
        pytest.param(
            {"need": (0.2, 1.0), "budget": (0.2, 1.0)}, "need", 0.2, id="equal: the first"
        ),
        pytest.param({"need": (0.2, 0.0), "budget": (0.2, 0.0)}, "need", 0.2, id="none moves"),
        pytest.param({"need": (0.0, 1.0)}, None, 0.0, id="no gain, however far it moves"),
        pytest.param({"need": (0.004, 1.0)}, None, 0.0, id="a gain that rounds to 0 %"),
        pytest.param({"need": (0.006, 1.0)}, "need", 0.006, id="a gain that rounds to 1 %"),
    ],
)
def test_question_when_several_may_be_asked_then_is_the_likeliest_then_the_farthest_then_the_first(
    effects, letter, gain
):
    assert choose(**effects) == (f"Ask about {letter}" if letter else "", gain)
