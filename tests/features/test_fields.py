from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from builders import Facts, day, make_settings
from leadscore.errors import UserError
from leadscore.features.fields import unlearned_fields
from leadscore.features.matrix import build_features, build_matrix

UNKNOWN = pytest.approx(math.nan, nan_ok=True)
FIELDS = {
    "form": {"known_from": "creation"},
    "mood": {},
    "pain": {},
    "price": {"type": "number", "decimals": 0, "known_from": "creation"},
}
BANT = {"need": {"field": "pain", "levels": ["none", "some", "urgent"]}}


def _settings(*mapped: str, changes_to: str | None = None, **changes: Any) -> Any:
    """Settings whose mapping gives the leads' `mapped` columns, and a history of the field `changes_to`."""
    columns = {"lead_id": "id", "event_at": "created", **{name: name for name in mapped}}
    mapping = [{"source": "leads", "table": "leads", "columns": columns}]
    if changes_to:
        of_change = {"lead_id": "id", "event_at": "at", "value": "new"}
        mapping.append(
            {
                "source": "leads",
                "table": "changes",
                "columns": of_change,
                "constants": {"field": changes_to},
            }
        )
    return make_settings(**{"fields": FIELDS, "bant": BANT, "mapping": mapping} | changes)


def _values(facts: Facts, folder: Path, *, as_of: float) -> dict[str, Any]:
    """The features of lead "a" at a moment, by name."""
    history = facts.history(folder, known_until=1000)
    rows = pd.DataFrame(
        {"lead_id": ["a"], "spell": [1], "as_of_us": [day(as_of)], "known_us": [day(as_of)]}
    )
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
        ({"owner_id": {"known_from": "creation"}}, set()),
        ({"owner_id": {"known_from": "creation", "learn": True}}, {"profile_owner_id"}),
        ({"owner_id": {"learn": True}}, set()),
    ],
)
def test_amount_and_owner_have_no_default(tmp_path, declared, told):
    facts = Facts(_settings("amount", "owner_id", fields=declared, bant={}))
    values = _values(facts.lead("a", 0, amount=100, owner_id="x"), tmp_path, as_of=10)
    assert _learned(values) == told


@pytest.mark.parametrize(
    ("mapped", "changed", "unlearned"),
    [
        (
            ("form", "mood", "pain", "price", "amount", "owner_id"),
            set(),
            ["amount", "mood", "owner_id", "pain"],
        ),
        (
            ("form", "mood", "amount"),
            set(),
            ["amount", "mood", "pain"],
        ),  # BANT asks for pain, mapped or not
        (("form", "mood", "amount"), {"mood", "pain"}, ["amount", "mood", "pain"]),
        (("form", "price"), {"pain", "form", "amount"}, ["pain"]),
        ((), {"pain"}, ["pain"]),
    ],
)
def test_unlearned_fields_names_what_is_shown_but_not_learned_from(mapped, changed, unlearned):
    assert unlearned_fields(_settings(*mapped), changed) == unlearned


@pytest.mark.parametrize("changing", ["mood", "amount", "owner_id"])
def test_a_field_whose_history_is_mapped_is_learned_from_that_history_alone(tmp_path, changing):
    asked = FIELDS | ({changing: {"learn": True}} if changing == "owner_id" else {})
    facts = Facts(_settings(changing, changes_to=changing, bant={}, fields=asked))
    facts.lead("a", 0, **{changing: 1 if changing == "amount" else "today's"}).change(
        "a", 20, changing, "7"
    )
    before, after = (
        _values(facts, tmp_path / name, as_of=at) for name, at in (("before", 20), ("after", 21))
    )
    assert _learned(before) == {"profile_form", "profile_price", f"profile_{changing}"}
    unknown, told = (UNKNOWN, 0.07) if changing == "amount" else (None, "7")
    assert (before[f"profile_{changing}"], after[f"profile_{changing}"]) == (unknown, told)


def test_a_field_declared_known_from_creation_that_has_changed_since_is_refused(tmp_path):
    facts = (
        Facts(make_settings(fields=FIELDS))
        .lead("a", 0, form="today's")
        .lead("b", 0)
        .change("b", 900, "form", "web")
    )
    with pytest.raises(UserError, match=r"'form': known_from = 'creation'.*remove known_from"):
        _values(facts, tmp_path, as_of=10)


@pytest.mark.parametrize(
    ("as_of", "mood", "price"),
    [
        (10, None, UNKNOWN),
        (11, "good", 5),
        (21, None, UNKNOWN),
        (31, "bad", 6),
        (40, "bad", 6),
        (41, "late", 7),
    ],
)
def test_a_change_to_nothing_makes_a_field_unknown_again(tmp_path, as_of, mood, price):
    fields = {"mood": {}, "price": {"type": "number", "decimals": 0}}
    facts = Facts(make_settings(fields=fields)).lead("a", 0, mood="today's", price=999)
    for at, text, number in [(10, "good", "5"), (20, None, None), (30, "bad", "6")]:
        facts.change("a", at, "mood", text).change("a", at, "price", number)
    facts.change("a", 35, "mood", "late", known=40).change("a", 35, "price", "7", known=40)
    values = _values(facts, tmp_path, as_of=as_of)
    assert (values["profile_mood"], values["profile_price"]) == (mood, price)


def test_a_field_known_from_creation_is_unknown_until_the_lead_is_known(tmp_path):
    facts = Facts(_settings()).lead("a", 0, known=10, form="web")
    assert _values(facts, tmp_path / "before", as_of=10)["profile_form"] is None
    assert _values(facts, tmp_path / "after", as_of=11)["profile_form"] == "web"


@pytest.mark.parametrize(
    "name", ["order", "group", "select", "from", "table", "end", "value", "field", "stage", "kind"]
)
def test_a_field_may_be_called_like_a_word_of_sql_or_a_column_of_ours(tmp_path, name):
    facts = Facts(_settings(fields={name: {"known_from": "creation"}}, bant={})).lead(
        "a", 0, **{name: "mine"}
    )
    assert _values(facts, tmp_path / "created", as_of=10)[f"profile_{name}"] == "mine"
    facts = (
        Facts(make_settings(fields={name: {}}))
        .lead("a", 0, **{name: "mine"})
        .change("a", 5, name, "changed")
    )
    assert _values(facts, tmp_path / "changed", as_of=10)[f"profile_{name}"] == "changed"


def _fingerprints(**changes: Any) -> dict[str, str]:
    """Of features of a text, of a number that answers the budget, and of the amount."""
    amount = {"type": "number", "decimals": 2, "known_from": "creation"}
    bant = {"budget": {"field": "price", "full_amount": 1000}}
    settings = _settings(
        "form", "price", "amount", fields=FIELDS | {"amount": amount}, bant=bant, **changes
    )
    return {feature.name: feature.fingerprint() for feature in build_features(settings)}


def test_numbers_when_amounts_are_converted_then_are_other_features_and_texts_are_not():
    plain = _fingerprints()
    euros = _fingerprints(money={"currency": "EUR"})
    dollars = _fingerprints(money={"currency": "USD"})
    numbers = {name for name in plain if plain[name] != euros[name]}
    assert {"profile_amount", "moves_amount_raised", "bant_budget"} <= numbers
    assert numbers.isdisjoint({"profile_form", "bant_completeness"})
    assert numbers == {name for name in plain if euros[name] != dollars[name]}


def test_numbers_when_only_a_rate_changes_then_are_the_same_features():
    before = _fingerprints(money={"currency": "EUR", "rates": {"USD": 0.92}})
    assert before == _fingerprints(money={"currency": "EUR", "rates": {"USD": 0.93}})
