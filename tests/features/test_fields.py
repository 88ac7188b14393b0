from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leadscore.features.fields import created_columns, unlearned_fields
from leadscore.features.matrix import build_features, build_matrix
from leadscore.testing import Facts, day, make_settings

UNKNOWN = pytest.approx(math.nan, nan_ok=True)
FIELDS = {
    "form": {"known_from": "creation"},
    "mood": {},
    "pain": {},
    "price": {"type": "number", "decimals": 0, "known_from": "creation"},
}
BANT = {"need": {"field": "pain", "levels": ["none", "some", "urgent"]}}


def _settings(*mapped: str, **changes: Any) -> Any:
    columns = {"lead_id": "id", "event_at": "created", **{name: name for name in mapped}}
    mapping = [{"source": "leads", "table": "leads", "columns": columns}]
    return make_settings(**{"fields": FIELDS, "bant": BANT, "mapping": mapping} | changes)


def _values(facts: Facts, folder: Path, *, as_of: float, learned_at: float | None = None) -> dict[str, Any]:
    """The features of lead "a", by name; `learned_at` is up to when history says which fields may be learned from."""
    history = facts.history(folder, known_until=1000)
    known_us = day(as_of if learned_at is None else learned_at)
    rows = pd.DataFrame({"lead_id": ["a"], "spell": [1], "as_of_us": [day(as_of)], "known_us": [day(as_of)]})
    try:
        features = build_features(history.settings)
        matrix = build_matrix(history.snapshot(rows), features)
    finally:
        history.engine.close()
    return {name: values[0] for name, values in matrix.columns.items()}


def _learned(values: dict[str, Any]) -> set[str]:
    return {name for name in values if name.startswith(("profile_", "bant_"))}


def test_a_field_without_history_is_learned_only_if_known_from_creation(tmp_path):
    facts = Facts(_settings("form", "mood", "pain", "price", "amount", "owner_id"))
    facts.lead("a", 0, form="web", mood="good", pain="urgent", price=7, amount=100, owner_id="x")
    values = _values(facts, tmp_path, as_of=10)
    assert _learned(values) == {"profile_form", "profile_price"}
    assert (values["profile_form"], values["profile_price"]) == ("web", 7)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({}, set()),
        ({"amount": {"type": "number"}}, set()),
        ({"amount": {"type": "number", "known_from": "creation"}}, {"profile_amount"}),
        ({"owner_id": {"known_from": "creation"}}, {"profile_owner_id"}),
    ],
)
def test_amount_and_owner_have_no_default(tmp_path, declared, told):
    facts = Facts(_settings("amount", "owner_id", fields=declared, bant={}))
    values = _values(facts.lead("a", 0, amount=100, owner_id="x"), tmp_path, as_of=10)
    assert _learned(values) == told


@pytest.mark.parametrize(
    ("mapped", "changed", "unlearned"),
    [
        (("form", "mood", "pain", "price", "amount", "owner_id"), set(), ["amount", "mood", "owner_id", "pain"]),
        (("form", "mood", "amount"), set(), ["amount", "mood", "pain"]),  # BANT asks for pain, mapped or not
        (("form", "mood", "amount"), {"mood", "pain"}, ["amount"]),
        (("form", "price"), {"pain", "form", "amount"}, []),
        ((), {"pain"}, []),
    ],
)
def test_unlearned_fields_names_what_is_shown_but_not_learned_from(mapped, changed, unlearned):
    assert unlearned_fields(_settings(*mapped), changed) == unlearned


@pytest.mark.parametrize(
    ("changed", "columns"), [(set(), ("form", "price")), ({"form"}, ("price",)), ({"form", "price", "mood"}, ())]
)
def test_created_columns_are_known_from_creation_and_without_history(changed, columns):
    assert sorted(created_columns(_settings(), changed)) == sorted(columns)


def test_a_field_with_history_is_unknown_before_its_first_change_whatever_leads_says(tmp_path):
    facts = Facts(_settings()).lead("a", 0, form="today's", mood="today's", pain="urgent", price=999)
    facts.change("a", 20, "form", "first").change("a", 20, "mood", "first")
    facts.change("a", 20, "pain", "some").change("a", 20, "price", "5")
    before = _values(facts, tmp_path / "before", as_of=20, learned_at=50)
    assert (before["profile_form"], before["profile_mood"]) == (None, None)
    assert (before["profile_price"], before["bant_need"]) == (UNKNOWN, UNKNOWN)
    after = _values(facts, tmp_path / "after", as_of=21)
    assert (after["profile_form"], after["profile_mood"]) == ("first", "first")
    assert (after["profile_price"], after["bant_need"]) == (5, 0.5)


def test_the_history_of_one_lead_ends_the_trust_in_the_present_value_of_all(tmp_path):
    facts = Facts(_settings()).lead("a", 0, form="today's").lead("b", 0).change("b", 3, "form", "web")
    assert _values(facts, tmp_path, as_of=10)["profile_form"] is None


def test_a_history_that_was_not_yet_known_changes_nothing(tmp_path):
    facts = Facts(_settings()).lead("a", 0, form="web", mood="x").change("a", 5, "form", "fair", known=10)
    facts.change("a", 5, "mood", "good", known=10)
    values = _values(facts, tmp_path / "at", as_of=10)
    assert values["profile_form"] == "web"
    assert "profile_mood" not in values
    values = _values(facts, tmp_path / "after", as_of=10.5)
    assert (values["profile_form"], values["profile_mood"]) == ("fair", "good")


@pytest.mark.parametrize(
    ("as_of", "mood", "price"),
    [(10, None, UNKNOWN), (11, "good", 5), (21, None, UNKNOWN), (31, "bad", 6), (40, "bad", 6), (41, "late", 7)],
)
def test_a_change_to_nothing_makes_a_field_unknown_again(tmp_path, as_of, mood, price):
    facts = Facts(_settings()).lead("a", 0, mood="today's", price=999)
    for at, text, number in [(10, "good", "5"), (20, None, None), (30, "bad", "6")]:
        facts.change("a", at, "mood", text).change("a", at, "price", number)
    facts.change("a", 35, "mood", "late", known=40).change("a", 35, "price", "7", known=40)
    values = _values(facts, tmp_path, as_of=as_of, learned_at=50)
    assert (values["profile_mood"], values["profile_price"]) == (mood, price)


def test_a_field_known_from_creation_is_unknown_until_the_lead_is_known(tmp_path):
    facts = Facts(_settings()).lead("a", 0, known=10, form="web")
    assert _values(facts, tmp_path / "before", as_of=10)["profile_form"] is None
    assert _values(facts, tmp_path / "after", as_of=11)["profile_form"] == "web"


@pytest.mark.parametrize(
    "name", ["order", "group", "select", "from", "table", "end", "value", "field", "stage", "kind"]
)
def test_a_field_may_be_called_like_a_word_of_sql_or_a_column_of_ours(tmp_path, name):
    facts = Facts(_settings(fields={name: {"known_from": "creation"}}, bant={})).lead("a", 0, **{name: "mine"})
    assert _values(facts, tmp_path / "created", as_of=10)[f"profile_{name}"] == "mine"
    facts.change("a", 5, name, "changed")
    assert _values(facts, tmp_path / "changed", as_of=10)[f"profile_{name}"] == "changed"
