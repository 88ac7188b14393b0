"""Qualification by rules and must-haves, and what is decided by hand."""

import numpy as np
import pyarrow as pa
import pytest

from builders import day, make_settings
from leadscore.errors import UserError
from leadscore.ingest.overrides import read_overrides
from leadscore.scoring.overrides import override_tiers, override_verdicts, overrides_in_force
from leadscore.scoring.qualification import qualify
from leadscore.settings.qualification import Qualification, Rule
from leadscore.times import parse_moment
from scoring.crowds import NAN


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
    lead_id = pa.array(list("abcdef"))
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
