"""How a date or the amount moved, on cases worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from builders import Facts, day, make_settings
from leadscore.features.matrix import build_features, build_matrix
from leadscore.ingest.mapping.entries import table_of
from leadscore.settings.settings import Settings

UNKNOWN = pytest.approx(math.nan, nan_ok=True)
AS_OF = 100.0
Row = dict[str, Any]


def _settings(known_from: str | None = None, **changes: Any) -> Settings:
    stated = {} if known_from is None else {"known_from": known_from}
    fields = {
        "close": {"type": "date", "label": "expected close", **stated},
        "amount": {"type": "number", "decimals": 0, **stated},
    }
    return make_settings(**{"fields": fields} | changes)


def _values(facts: Facts, folder: Path, *, observed: list[Row] | None = None) -> Row:
    """The features of lead "a"; `observed` are changes that later exports showed."""
    history = facts.history(folder, known_until=1000)
    if observed is not None:
        schema = table_of("changes", facts.settings).schema()
        history.engine.add_rows("changes", pa.Table.from_pylist(observed, schema))
    moment = {"as_of_us": [day(AS_OF)], "known_us": [day(AS_OF)]}
    rows = pd.DataFrame({"lead_id": ["a"], "spell": [1], **moment})
    try:
        matrix = build_matrix(history.snapshot(rows), build_features(history.settings))
    finally:
        history.engine.close()
    return {name: values[0] for name, values in matrix.columns.items()}


@pytest.mark.parametrize(
    ("dates", "later", "earlier", "moved", "overdue"),
    [
        ([], UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
        ([120], 0, 0, 0, 0),
        ([120, 120, 120], 0, 0, 0, 0),  # a row that repeats the date is no move
        ([120, 130, 125], 1, 1, 5, 0),
        ([120, 130, 140, 99], 2, 1, -21, 1),
        ([120, None, 130], 1, 0, 10, 0),  # emptied for a while
        ([120, None], 0, 0, 0, UNKNOWN),
    ],
)
def test_date_when_it_moved_then_counts_and_direction_are_those_of_its_values(
    tmp_path, dates, later, earlier, moved, overdue
):
    facts = Facts(_settings()).lead("a", 0)
    for place, date in enumerate(dates):
        facts.change("a", 10 + place, "close", None if date is None else str(day(date)))
    facts.change("a", AS_OF, "close", str(day(999)))  # not known yet
    values = _values(facts, tmp_path)
    assert (values["moves_close_later"], values["moves_close_earlier"]) == (later, earlier)
    assert (values["moves_close_moved"], values["moves_close_overdue"]) == (moved, overdue)


@pytest.mark.parametrize(
    ("amounts", "raised", "lowered", "changed"),
    [
        ([], UNKNOWN, UNKNOWN, UNKNOWN),
        ([1000], 0, 0, 0),
        ([1000, 900, 1000, 1500], 2, 1, 0.5),
        ([99, 100, 99], 1, 1, 0),  # of another length as text
        ([5, -5, -10, -9, 3], 2, 2, -0.4),
        ([0, 100], 1, 0, UNKNOWN),
        ([1, 10**9], 1, 0, 10),  # capped
    ],
)
def test_amount_when_it_was_raised_or_lowered_then_numbers_are_compared_not_texts(
    tmp_path, amounts, raised, lowered, changed
):
    facts = Facts(_settings()).lead("a", 0)
    for place, amount in enumerate(amounts):
        facts.change("a", 10 + place, "amount", str(amount))
    values = _values(facts, tmp_path)
    assert (values["moves_amount_raised"], values["moves_amount_lowered"]) == (raised, lowered)
    assert values["moves_amount_changed"] == pytest.approx(changed, nan_ok=True)


@pytest.mark.parametrize(
    ("created", "observed", "raised", "lowered", "changed"),
    [
        (100, [], 0, 0, 0),
        (None, [], UNKNOWN, UNKNOWN, UNKNOWN),
        (100, [150], 1, 0, 0.5),
        (100, [50, 75], 1, 1, -0.25),
        (None, [50, 75], 1, 0, 0.5),
        (100, [100], 0, 0, 0),
    ],
)
def test_amount_when_known_from_creation_then_the_first_step_is_from_its_value_there(
    tmp_path, created, observed, raised, lowered, changed
):
    facts = Facts(_settings("creation")).lead("a", 0, amount=created)
    seen = Facts(facts.settings)
    for place, amount in enumerate(observed):
        seen.change("a", 10 + place, "amount", str(amount))
    values = _values(facts, tmp_path, observed=seen.rows["changes"])
    assert (values["moves_amount_raised"], values["moves_amount_lowered"]) == (raised, lowered)
    assert values["moves_amount_changed"] == pytest.approx(changed, nan_ok=True)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, {"close_overdue", "close_later", "close_earlier", "close_moved",
              "amount_raised", "amount_lowered", "amount_changed"}),
        ({"mapping": make_settings().model_dump(mode="json")["mapping"][:1]}, set()),  # no history
        ({"bant": {"timeline": {"field": "close", "within_days": [7, 90]}}},
         {"amount_raised", "amount_lowered", "amount_changed"}),
    ],
    ids=["with a history", "without one", "an answer to BANT"],
)  # fmt: skip
def test_features_of_moves_exist_where_a_field_may_be_learned_from(changes, names):
    features = build_features(_settings(**changes))
    moves = {f.name.removeprefix("moves_") for f in features if f.name.startswith("moves_")}
    assert moves == names


def test_features_of_moves_when_the_field_is_left_out_then_go_with_it():
    features = build_features(_settings(), leave_out={"close"})
    assert {f.group for f in features if f.name.startswith("moves_")} == {"profile_amount"}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("moves_close_overdue", 1.0, "Expected close has passed"),
        ("moves_close_later", 2.0, "Expected close put off 2 times"),
        ("moves_close_earlier", 0.0, "Times expected close was brought forward: none"),
        ("moves_close_moved", 14.0, "Expected close is 14 days later than at first"),
        ("moves_close_moved", -1.0, "Expected close is 1 day earlier than at first"),
        ("moves_close_moved", 0.0, "Change of expected close: none"),
        ("moves_amount_raised", 1.0, "Amount raised once"),
        ("moves_amount_changed", -0.2, "Amount is 20% lower than at first"),
        ("moves_amount_changed", 0.0, "Change of amount: none"),
    ],
)
def test_sentence_says_it_as_a_person_would(name, value, sentence):
    features = {feature.name: feature for feature in build_features(_settings())}
    for speaks_for in (True, False):
        assert features[name].sentence(value, speaks_for=speaks_for) == sentence
