from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from builders import Facts, day, make_settings
from leadscore.features.bant import build_bant
from leadscore.features.matrix import build_features, build_matrix

AS_OF = 100
UNKNOWN = pytest.approx(math.nan, nan_ok=True)
FIELDS = {
    "budget": {"type": "number", "decimals": 2, "known_from": "creation"},
    "title": {"known_from": "creation"},
    "pain": {"known_from": "creation"},
    "start": {"type": "date", "known_from": "creation"},
    "industry": {"known_from": "creation"},
}
BANT = {
    "budget": {"field": "budget", "full_amount": 20_000},
    "authority": {"field": "title", "titles": [("*chief*", 1.0), ("*head*", 0.8), ("*", 0.1)]},
    "need": {"field": "pain", "levels": ["none", "some", "urgent"]},
    "timeline": {"field": "start", "within_days": [30, 90]},
}
WITHOUT_CHANGES = [
    {"source": "leads", "table": "leads", "columns": {"lead_id": "id", "event_at": "created"}}
]


def _values(facts: Facts, folder: Path) -> dict[str, Any]:
    """The features of lead "a" at day 100, by name."""
    history = facts.history(folder, known_until=200)
    rows = pd.DataFrame(
        {"lead_id": ["a"], "spell": [1], "as_of_us": [day(AS_OF)], "known_us": [day(AS_OF)]}
    )
    try:
        features = build_features(history.settings)
        matrix = build_matrix(history.snapshot(rows), features)
    finally:
        history.engine.close()
    return {name: values[0] for name, values in matrix.columns.items()}


def _facts(**answers: Any) -> Facts:
    return Facts(make_settings(fields=FIELDS, bant=BANT)).lead("a", 0, **answers)


@pytest.mark.parametrize(
    ("answers", "strengths", "completeness"),
    [
        ({}, {}, 0),
        ({"budget": 500_000}, {"budget": 0.25}, 1),
        ({"budget": 0}, {"budget": 0.0}, 1),  # no budget is an answer
        ({"budget": -1}, {"budget": 0.0}, 1),
        ({"budget": 2_000_001}, {"budget": 1.0}, 1),
        ({"title": "HEAD of IT"}, {"authority": 0.8}, 1),
        ({"title": "Chief head"}, {"authority": 1.0}, 1),
        ({"title": "clerk"}, {"authority": 0.1}, 1),
        ({"pain": "some"}, {"need": 0.5}, 1),
        ({"pain": "none"}, {"need": 0.0}, 1),
        ({"pain": "Some"}, {}, 0),
        ({"start": day(AS_OF + 60)}, {"timeline": 0.5}, 1),
        ({"start": day(AS_OF - 1)}, {"timeline": 0.0}, 1),
        (
            {"budget": 2_000_000, "title": "Chief", "pain": "urgent", "start": day(AS_OF + 30)},
            {"budget": 1.0, "authority": 1.0, "need": 1.0, "timeline": 1.0},
            4,
        ),
    ],
)
def test_a_letter_is_strength_and_flag_and_unknown_is_not_no(
    tmp_path, answers, strengths, completeness
):
    values = _values(_facts(**answers), tmp_path)
    for letter in BANT:
        assert values[f"bant_{letter}"] == pytest.approx(
            strengths.get(letter, math.nan), nan_ok=True, abs=1e-12
        )
        assert values[f"bant_{letter}_known"] == (letter in strengths)
    assert values["bant_completeness"] == completeness


def test_the_columns_of_bant_enter_no_other_family(tmp_path):
    values = _values(_facts(), tmp_path)
    assert [name for name in values if name.startswith("profile_")] == [
        "profile_amount", "profile_industry",
    ]  # fmt: skip


def test_only_letters_that_may_be_learned_from_are_told_and_counted(tmp_path):
    fields = {**FIELDS, "budget": {"type": "number"}, "pain": {}}
    facts = Facts(make_settings(fields=fields, bant=BANT, mapping=WITHOUT_CHANGES)).lead(
        "a", 0, budget=1, pain="some", title="head"
    )
    values = _values(facts, tmp_path)
    assert [name for name in values if name.startswith("bant_")] == [
        "bant_authority", "bant_authority_known", "bant_authority_mean", "bant_authority_answers",
        "bant_timeline", "bant_timeline_known", "bant_timeline_mean", "bant_timeline_answers", "bant_completeness",
    ]  # fmt: skip
    assert values["bant_completeness"] == 1
    completeness = next(f for f in build_bant(facts.settings) if f.name == "bant_completeness")
    assert completeness.sentence(1.0, speaks_for=True) == "1 of 2 BANT questions answered"


def test_without_a_letter_to_learn_from_there_is_no_bant(tmp_path):
    need = {"fields": {"pain": {}}, "bant": {"need": {"field": "pain", "levels": ["a", "b"]}}}
    assert not build_bant(make_settings(**need, mapping=WITHOUT_CHANGES))
    assert [f.name for f in build_bant(make_settings(**need))] == [
        "bant_need", "bant_need_known", "bant_need_mean", "bant_need_answers", "bant_completeness",
    ]  # fmt: skip


def test_answers_when_there_are_several_then_their_mean_and_number_are_told(tmp_path):
    facts = Facts(make_settings(fields=FIELDS | {"pain": {}}, bant=BANT)).lead("a", 0)
    facts.change("a", 2, "pain", "none").change("a", 5, "pain", "urgent").change(
        "a", 9, "pain", None
    )
    facts.change("a", 12, "pain", "some").change("a", 150, "pain", "none")
    values = _values(facts, tmp_path)
    assert values["bant_need"] == 0.5
    assert values["bant_need_mean"] == pytest.approx((0 + 1 + 0.5) / 3)
    assert values["bant_need_answers"] == 3
    assert (values["bant_budget_mean"], values["bant_budget_answers"]) == (UNKNOWN, 0)


def test_a_better_answer_may_not_lower_the_probability():
    directions = {f.name: f.direction for f in build_bant(make_settings(fields=FIELDS, bant=BANT))}
    assert {directions[f"bant_{letter}"] for letter in BANT} == {1}
    assert -1 not in directions.values()


def test_an_answer_counts_from_when_it_was_given_until_it_was_taken_back(tmp_path):
    fields = {**FIELDS, "pain": {}, "budget": {"type": "number", "decimals": 2}}
    settings = make_settings(fields=fields, bant=BANT)
    steps = [
        (None, UNKNOWN), ("urgent", 1.0), ("none", 0.0), ("nonsense", UNKNOWN), ("some", 0.5), (None, UNKNOWN),
    ]  # fmt: skip
    for n in range(1, len(steps) + 1):
        facts = (
            Facts(settings).lead("a", 0, pain="urgent", budget=1).change("b", 0, "pain", "urgent")
        )
        for at, (value, _) in enumerate(steps[:n]):
            facts.change("a", 10 * at, "pain", value)
        facts.change("a", AS_OF, "pain", "urgent").change("a", 5, "budget", "500000")
        values = _values(facts, tmp_path / str(n))
        assert (values["bant_need"], values["bant_budget"]) == (steps[n - 1][1], 0.25)


@pytest.mark.parametrize(
    ("field", "way"),
    [
        ("budget", {"levels": ["1", "2", "3"]}),
        ("budget", {"titles": [["*chief*", 1.0]]}),
        ("budget", {"within_days": [30, 90]}),
        ("start", {"levels": ["1", "2", "3"]}),
        ("start", {"titles": [["*chief*", 1.0]]}),
        ("start", {"full_amount": 100}),
        ("pain", {"full_amount": 100}),
        ("pain", {"within_days": [30, 90]}),
    ],
)
def test_settings_refuse_a_letter_whose_field_is_of_another_type(field, way):
    with pytest.raises(ValidationError, match=r"bant\.need.*" + field):
        make_settings(fields=FIELDS, bant={"need": {"field": field, **way}})


def test_two_letters_may_ask_the_same_field(tmp_path):
    bant = {
        "need": {"field": "pain", "levels": ["none", "some", "urgent"]},
        "authority": {"field": "pain", "levels": ["urgent", "none"]},
    }
    facts = Facts(make_settings(fields=FIELDS, bant=bant)).lead("a", 0, pain="urgent")
    values = _values(facts, tmp_path)
    assert (values["bant_need"], values["bant_authority"], values["bant_completeness"]) == (1, 0, 2)
