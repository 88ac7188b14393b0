"""Makes our columns from text: every value is checked, and one that breaks a rule is missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.durations import UNITS
from leadscore.ingest.mapping.ids import check_ids, unify_ids
from leadscore.ingest.mapping.money import convert
from leadscore.ingest.mapping.selected import SelectedRows
from leadscore.ingest.mapping.words import Words, is_missing
from leadscore.ingest.readers.values import MISSING
from leadscore.settings.fields import LeadField
from leadscore.settings.mapping import BEFORE
from leadscore.settings.memory import lead_keys, stored_fields
from leadscore.tables import SCORE_DECIMALS, Column

DURATION = ("activities", "duration_s")
LONGEST_S = 366 * 24 * 3600  # of an activity; longer ones are mistakes


def build_column(selected: SelectedRows, column: Column) -> pa.Array:
    """One of our columns (n,), from text; broken rules are noted in `selected.breaks`."""
    name = column.name
    if name == "lead_id" and not selected.fills("lead_id"):  # allowed in undated settings alone
        return _number_leads(selected)
    given_as = _given_as(selected, name)
    if not column.required and not selected.fills(given_as):
        return _repeat_default(column, selected.texts.n)

    text = selected.text(given_as)
    missing = is_missing(text)
    if name == "lead_id":
        _refuse_non_leads(selected, text, missing)
        text = _read_ids(selected, text)
    if column.required:
        selected.breaks.add(missing, "required", name, text)
    if name == "value" and selected.table.name == "changes":
        return _build_changed_values(selected, text, name)

    _check_allowed(selected, column, text)
    if selected.table.name == "leads" and name in lead_keys(selected.settings):
        return selected.reader.personal.keys(text)
    if column.type == "text":
        return fill_missing(text, missing, column.default)

    values, ok = _read_typed(selected, column, text)
    selected.breaks.add(~missing & ~ok, "type", name, text, may_warn=name != "seq")
    ok = ok & _check_range(selected, name, values, ok, text)
    return mask_values(values, ok, column.default)


def build_money(selected: SelectedRows) -> dict[str, pa.Array]:
    """The columns amount and currency, in the settings' one currency if they have one."""
    text = selected.text("amount")
    missing = is_missing(text)
    decimals = selected.settings.lead_fields()["amount"].decimals
    values, ok, marked = selected.reader.money(text, decimals=decimals)
    selected.breaks.add(~missing & ~ok, "type", "amount", text)
    ok = ok & _check_range(selected, "amount", values, ok, text)

    stated = selected.text("currency") if selected.fills("currency") else None
    converted = convert(values, stated, marked, selected.settings.money)
    currency = converted.currency
    selected.breaks.add(ok & ~converted.has_rate, "money", "currency", currency)
    return {
        "amount": mask_values(converted.values, ok & converted.has_rate),
        "currency": fill_missing(currency, is_missing(currency), None),
    }


def build_before(selected: SelectedRows) -> pa.Array:
    """What was before each row (n,), as text, where the entry says it; else missing."""
    name = BEFORE.get(selected.table.name)
    if name is None or not selected.fills(name):
        return pa.repeat(pa.scalar(None, pa.string()), selected.texts.n)
    text = selected.text(name)
    if selected.table.name == "changes":
        return _build_changed_values(selected, text, name)
    return fill_missing(text, is_missing(text), None)


def mask_values(values: np.ndarray, ok: np.ndarray, default: int | str | None = None) -> pa.Array:
    """Integers (n,); where they are not `ok`, the default, or null without one."""
    if default is not None:
        filled = np.where(ok, values, default)
        return pa.array(filled, pa.int64())
    return pa.array(values, pa.int64(), mask=~ok)


def fill_missing(text: pa.Array, missing: np.ndarray, default: int | str | None) -> pa.Array:
    """Text (n,); where it is missing, the default, or null without one."""
    if not missing.any():
        return text
    filler = pa.scalar(default, pa.string())
    return pc.if_else(pa.array(missing), filler, text)


def _repeat_default(column: Column, n: int) -> pa.Array:
    """A column that the entry does not give: its default, or null without one, in all `n` rows."""
    kind = pa.string() if column.type == "text" else pa.int64()
    return pa.repeat(pa.scalar(column.default, kind), n)


def _number_leads(selected: SelectedRows) -> pa.Array:
    """Ids for leads without one: where they come from, and their line."""
    prefix = selected.reader.id_prefix
    lines = selected.lines.tolist()
    return pa.array([f"{prefix}-{line}" for line in lines], pa.string())


def _read_ids(selected: SelectedRows, text: pa.Array) -> pa.Array:
    """Ids (n,) in the one spelling of their kind; joined ones stay, their parts are checked."""
    if selected.entry.id_columns:
        for part in selected.parts_of_id():
            check_ids(part, None, selected.breaks)
        return text
    kind = selected.settings.origins()[selected.entry.source].id
    check_ids(text, kind, selected.breaks)
    return unify_ids(text, kind)


def _refuse_non_leads(selected: SelectedRows, text: pa.Array, missing: np.ndarray) -> None:
    """Refuse rows of leads with neither an id nor a date, like totals and footers."""
    if selected.table.name == "leads" and "event_at" in selected.entry.columns:
        undated = is_missing(selected.text("event_at"))
        selected.breaks.add(missing & undated, "not_a_lead", "lead_id", text, may_warn=False)


def _check_allowed(selected: SelectedRows, column: Column, text: pa.Array) -> None:
    allowed = _allowed_values(selected, column)
    if allowed:
        words = Words.of(text)
        is_allowed = [word == MISSING or word in allowed for word in words.texts]
        fits = words.mask(is_allowed)
        selected.breaks.add(~fits, "allowed", column.name, text)


def _allowed_values(selected: SelectedRows, column: Column) -> set[str]:
    """The values that a column may have; empty where it may have any."""
    settings = selected.settings
    match (selected.table.name, column.name):
        case ("activities", "kind"):
            return set(settings.activity_kinds())
        case ("stages", "stage"):
            return set(settings.stages.order())
        case ("changes", "field"):
            return set(stored_fields(settings))
    return set(column.allowed or ())


def _read_typed(
    selected: SelectedRows,
    column: Column,
    text: pa.Array,
) -> tuple[np.ndarray, np.ndarray]:
    """Integers (n,) of a number or date column, and which texts could be read."""
    if column.type == "date":
        return selected.reader.moments(text, selected.source_name(column.name))

    if (selected.table.name, column.name) == DURATION:
        unit = _given_as(selected, column.name)
        return selected.reader.durations(text, unit, selected.source_name(unit))
    field = _field_of(selected, column.name)
    if field is not None:
        return selected.reader.field(text, field, selected.source_name(column.name))
    decimals = SCORE_DECIMALS if column.type == "number" else 0
    return selected.reader.numbers(text, decimals=decimals)


def _given_as(selected: SelectedRows, name: str) -> str:
    """The name under which the entry gives one of our columns: a duration has several."""
    if (selected.table.name, name) != DURATION:
        return name
    return next((unit for unit in UNITS if selected.fills(unit)), name)


def _check_range(
    selected: SelectedRows,
    name: str,
    values: np.ndarray,
    ok: np.ndarray,
    text: pa.Array,
) -> np.ndarray:
    """Which values (n,) lie within the limits of their field."""
    low, high = _limits(selected, name)
    inside = np.ones(len(ok), dtype=bool)
    if low is not None:
        inside &= values >= low
    if high is not None:
        inside &= values <= high
    selected.breaks.add(ok & ~inside, "range", name, text)
    return inside


def _field_of(selected: SelectedRows, name: str) -> LeadField | None:
    """The declared field that a column holds; none of somebody else's scores does."""
    if selected.table.name == "scores":
        return None
    return selected.settings.lead_fields().get(name)


def _limits(selected: SelectedRows, name: str) -> tuple[float | None, float | None]:
    """The least and the greatest value of a column, in its minor units; None is no limit."""
    field = _field_of(selected, name)
    minimum = None if field is None else field.minimum
    maximum = None if field is None else field.maximum
    if (selected.table.name, name) == DURATION:
        minimum = 0
        maximum = LONGEST_S

    scale = 1 if field is None else 10**field.decimals
    low = None if minimum is None else minimum * scale
    high = None if maximum is None else maximum * scale
    return low, high


def _build_changed_values(selected: SelectedRows, text: pa.Array, column: str) -> pa.Array:
    """Values of changed fields; numbers and dates as the text of their integer, keys hashed."""
    missing = is_missing(text)
    values = fill_missing(text, missing, None)
    words = Words.of(selected.text("field"))
    for name, field in selected.settings.lead_fields().items():
        is_name = words.mask([word == name for word in words.texts])
        rows = is_name & ~missing
        if field.type == "text" or not rows.any():
            continue

        own = fill_missing(text, ~is_name, MISSING)
        if name == "amount":
            integers, ok = _read_changed_amounts(selected, own, column)
        else:
            integers, ok = _read_typed(selected, Column(name, field.type), own)
        unread = rows & ~ok
        selected.breaks.add(unread, "type", column, text, may_warn=False)
        written = pc.cast(pa.array(integers), pa.string())
        values = pc.if_else(pa.array(rows), written, values)

    keys = lead_keys(selected.settings)
    is_key = words.mask([word in keys for word in words.texts])
    if not is_key.any():
        return values
    hashed = selected.reader.personal.keys(text)
    return pc.if_else(pa.array(is_key), hashed, values)


def _read_changed_amounts(
    selected: SelectedRows,
    text: pa.Array,
    column: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Amounts (n,) in the settings' one currency if they have one, and which could be read."""
    decimals = selected.settings.lead_fields()["amount"].decimals
    values, ok, marked = selected.reader.money(text, decimals=decimals)
    converted = convert(values, None, marked, selected.settings.money)
    selected.breaks.add(ok & ~converted.has_rate, "money", column, marked, may_warn=False)
    return converted.values, ok & converted.has_rate
