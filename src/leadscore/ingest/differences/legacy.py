"""What a store version of before remembers of source text: nothing, so that its mapped values are written out again."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.validate import Staged
from leadscore.ingest.differences.source_text import entries_of
from leadscore.settings.mapping import Mapping
from leadscore.store.version import NOTHING, StoreVersion, write_rows
from leadscore.tables import TEXT_CHANGES

ROWS = 100_000


def blocks_of_before(staged: Staged, before: StoreVersion) -> list[dict[str, Any]]:
    """The leads of a version as blocks of `first_seen`: each field as the column that it is mapped from."""
    schema = before.schema("leads")
    if schema is None:
        return []
    source, entry = _first_entry(staged)
    columns = {
        column: _text_sql(staged, entry, name, schema)
        for name, column in _columns(staged, entry).items()
        if name in schema.names
    }
    texts = ", ".join(f"COALESCE({sql}, '') AS c{i}" for i, sql in enumerate(columns.values()))
    sql = f"SELECT lead_id, CAST({before.known_until_us} AS BIGINT) AS known_until_us, {texts or 'lead_id AS c0'}"
    names = [f"c{i}" for i in range(max(len(columns), 1))]
    fields = [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("known_until_us", pa.int64(), nullable=False),
    ]
    whole = pa.schema(fields + [pa.field(name, pa.string()) for name in names])
    rows = staged.engine.stream(f"{sql} FROM before_leads ORDER BY lead_id", rows=ROWS)
    kind = {
        "source": source,
        "decimal": _decimal(staged, source),
        "columns": list(columns) or ["lead_id"],
    }
    return [{**kind, **write_rows(staged.folder, whole, rows)}]


def changes_of_before(staged: Staged) -> dict[str, Any]:
    """The observed changes of a version as changes of text."""
    source, entry = _first_entry(staged)
    columns = _columns(staged, entry)
    if not columns:
        return NOTHING
    fields = staged.settings.lead_fields()
    parts = [
        f"""SELECT lead_id, {literal(column)} AS "column", {
            _translated_sql(
                entry,
                column,
                name,
                _plain_sql("value", fields[name].type, fields[name].decimals, staged, source),
            )
        } AS text, available_us
        FROM before_observed WHERE field = {literal(name)}"""
        for name, column in columns.items()
        if name in fields
    ]
    sql = f"""SELECT lead_id, "column", COALESCE(text, '') AS text, {literal(source)} AS source,
        {literal(_decimal(staged, source))} AS decimal, available_us + 1 AS known_until_us,
        DENSE_RANK() OVER (ORDER BY available_us) - 1 AS seq
        FROM ({" UNION ALL ".join(parts)}) AS o ORDER BY seq, lead_id, "column" """
    return write_rows(staged.folder, TEXT_CHANGES, staged.engine.stream(sql, rows=ROWS))


def _first_entry(staged: Staged) -> tuple[str, Mapping]:
    sources = [part["source"] for _, part in staged.of("leads")]
    return sources[0], entries_of(sources[0], staged.settings)[0]


def _columns(staged: Staged, entry: Mapping) -> dict[str, str]:
    """Field -> the one column that its value comes from."""
    fields = [*staged.settings.lead_fields(), "currency"]
    translated = {
        name: column
        for column, by in entry.values.items()
        for targets in by.values()
        for name in targets
    }
    return {name: column for name, column in (translated | entry.columns).items() if name in fields}


def _text_sql(staged: Staged, entry: Mapping, name: str, schema: pa.Schema) -> str:
    """SQL of a stored value as the text that it may have come from."""
    known = staged.settings.lead_fields().get(name)
    column = entry.columns.get(name) or _columns(staged, entry)[name]
    if known is None:
        return _translated_sql(entry, column, name, identifier(name))
    is_text = pa.types.is_string(schema.field(name).type)
    plain = identifier(name)
    if not is_text:
        plain = _plain_sql(plain, known.type, known.decimals, staged, entry.source)
    text = _translated_sql(entry, column, name, plain)
    if known.known_from == "creation":
        return text
    changed = f"SELECT lead_id FROM before_observed WHERE field = {literal(name)}"
    return f"CASE WHEN lead_id IN ({changed}) THEN '' ELSE {text} END"  # what it was before that is not stored


def _plain_sql(value: str, kind: str, decimals: int, staged: Staged, source: str) -> str:
    """SQL of a stored number or moment as text that is read as the same."""
    if kind == "number":
        return _number_sql(value, decimals, _decimal(staged, source))
    if kind == "date":
        return f"STRFTIME(MAKE_TIMESTAMP(CAST({value} AS BIGINT)), '%Y-%m-%dT%H:%M:%S.%fZ')"
    return value


def _number_sql(value: str, decimals: int, mark: str) -> str:
    """SQL of an integer of 10**-decimals as text."""
    digits = f"CAST(ABS(CAST({value} AS BIGINT)) AS VARCHAR)"
    padded = f"LPAD({digits}, CAST(GREATEST({decimals + 1}, LENGTH({digits})) AS INTEGER), '0')"
    sign = f"CASE WHEN CAST({value} AS BIGINT) < 0 THEN '-' ELSE '' END"
    if not decimals:
        return f"{sign} || {padded}"
    return (
        f"{sign} || LEFT({padded}, -{decimals}) || {literal(mark)} || RIGHT({padded}, {decimals})"
    )


def _translated_sql(entry: Mapping, column: str, name: str, plain: str) -> str:
    """SQL of the word that the settings translate into a value, where they translate it."""
    by_value = entry.values.get(column, {})
    words = {
        targets[name]: word
        for word, targets in reversed(by_value.items())
        if name in targets and not word.endswith("*")
    }
    if name in entry.columns or not words:
        return plain
    whens = " ".join(f"WHEN {literal(value)} THEN {literal(word)}" for value, word in words.items())
    return f"CASE {plain} {whens} END"


def _decimal(staged: Staged, source: str) -> str:
    return staged.settings.sources[source].decimal or "."
