"""Rejected rows by what is wrong with them, and the line of the settings that would cure it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pyarrow as pa

from leadscore.ingest.mapping.currencies import SHARED
from leadscore.ingest.mapping.durations import UNITS
from leadscore.ingest.readers.values import MISSING
from leadscore.json_files import toml_text
from leadscore.settings.settings import Settings

SHOWN = 6  # values of a group in its proposed line
LONGEST_VALUE = 60
TIMES = ("event_at", "available_at", "booked_at")
ALWAYS_REFUSED = ("event_at", "seq", "sequence")  # if they cannot be read, but for a close's date
PATTERN = 'a pattern of Python\'s strptime, such as "%d.%m.%y %H:%M"'
NO_LEADS = {"not_a_lead": "totals", "id_kind": "other_ids"}  # rule -> name to ignore its rows by
DURATIONS = (
    "durations are read as 90 (seconds), 00:27 (hours first), 0:27:30, 27 min, 1.5 h or PT27M"
)


@dataclass(frozen=True)
class RejectGroup:
    """Rows of a source that broke a rule in the same column.

    Attributes:
        rule: the rule.
        severity: "refused" or "warned".
        source: the source or view.
        table: the table that the rows were for, or None.
        column: the source's own column, or None.
        rows: how many rows.
        values: the commonest values with their counts.
        distinct: how many distinct values.
        cure: lines for the settings, or none where the file must be mended.
    """

    rule: str
    severity: str
    source: str
    table: str | None
    column: str | None
    rows: int
    values: tuple[tuple[str, int], ...]
    distinct: int
    cure: tuple[str, ...]


def group_rejects(rows: pa.Table, settings: Settings) -> list[RejectGroup]:
    """Rejected rows, in the shape of `REJECTS`, by rule, source, table and column; most rows first."""
    keys = ("rule", "severity", "source", "table", "column")
    values: dict[tuple[str | None, ...], Counter[str]] = {}
    names = (*keys, "value")
    columns = [rows[name].to_pylist() for name in names]
    for *key, value in zip(*columns, strict=True):
        of_group = values.setdefault(tuple(key), Counter())
        of_group[value or ""] += 1

    groups = []
    for (rule, severity, source, table, column), counts in values.items():
        shown = counts.most_common(SHOWN)
        common = [(value, n) for value, n in shown if value]
        group = RejectGroup(
            rule=str(rule),
            severity=str(severity),
            source=str(source),
            table=table,
            column=own_column(str(source), table, column, settings),
            rows=sum(counts.values()),
            values=tuple(common),
            distinct=len(counts.keys() - {""}),
            cure=(),
        )
        cure = tuple(_cure(group, column, settings))
        groups.append(replace(group, cure=cure))

    def largest_first(group: RejectGroup) -> tuple[int, str, str]:
        return -group.rows, group.rule, group.source

    return sorted(groups, key=largest_first)


def own_column(
    source: str,
    table: str | None,
    column: str | None,
    settings: Settings,
) -> str | None:
    """The source's column that ours is read from."""
    for entry in settings.mapping:
        if (entry.source, entry.table) != (source, table):
            continue
        names = UNITS if column in UNITS else (column,)
        given = next((name for name in names if name in entry.columns), None)
        if given is not None:
            return entry.columns[given]
    return column


def _cure(group: RejectGroup, name: str | None, settings: Settings) -> list[str]:
    """Lines to write where settings can cure it; `name` is what we call the column."""
    all_values = [value for value, _ in group.values]
    values = [value for value in all_values if len(value) <= LONGEST_VALUE]
    column = toml_text(group.column or "")
    place = f"[{'views' if group.source in settings.views else 'sources'}.{group.source}]"
    listed = ", ".join(toml_text(value) for value in values or [MISSING])
    where = f"{{ {column} = [{listed}] }}"
    if group.rule == "unselected" and group.column is not None:
        return [
            f"under {place}, to ignore them: ignore.not_needed = {where}",
            "or, to use them: add a mapping entry that selects them",
        ]
    if group.rule in NO_LEADS and values:
        return [f"under {place}, to leave them out: ignore.{NO_LEADS[group.rule]} = {where}"]
    if group.rule == "unmapped" and group.column is not None:
        place = f"under [mapping.values.{column}] of {group.source} -> {group.table}"
        return [f"{place}: {toml_text(value)} = {{ ... }}" for value in values]
    if group.rule == "allowed" and group.table == "stages":
        names = (*settings.stages.open, *values)
        stages = ", ".join(toml_text(stage) for stage in names)
        return [f"under [stages], each in its place: open = [{stages}]"]
    if group.rule == "allowed" and group.table == "activities":
        return [f'under [kinds]: {toml_text(value)} = "..."' for value in values]
    return _cure_of_value(group, name, place, settings)


def _cure_of_currency(mark: str, own: str) -> str:
    if mark in SHARED:
        meant = ", ".join(SHARED[mark])
        return (
            f"under [money.rates], a rate for the one of {meant} that {mark!r} means; or map a "
            "column with the currency"
        )
    if mark == own:
        return "one currency where the column and the mark beside the number name two"
    return f"under [money.rates]: {mark} = ..., what one is worth in {own}"


def _cure_of_clocks(column: str) -> str:
    """What makes 26:15 clear, which may be hours or minutes."""
    return (
        f"a view in which 26:15 says its unit: '0:' || \"{column}\" for minutes and seconds, "
        f"\"{column}\" || ':00' for hours and minutes"
    )


def _cure_of_value(
    group: RejectGroup,
    name: str | None,
    place: str,
    settings: Settings,
) -> list[str]:
    """The same where a number, time or duration cannot be read, or is out of range."""
    lines = []
    if group.rule == "money" and settings.money is not None:
        own = settings.money.currency
        lines += [_cure_of_currency(value, own) for value, _ in group.values]
    field = settings.lead_fields().get(name or "")
    is_time = name in TIMES or (field is not None and field.type == "date")
    if group.rule == "type" and is_time:
        lines.append(f"under {place}, if these are times: dates = ..., {PATTERN}")
    if group.rule == "type" and name in UNITS:
        lines += [DURATIONS, _cure_of_clocks(group.column or "")]
    may_warn = name not in ALWAYS_REFUSED or group.table == "outcomes"
    if group.rule in ("type", "range") and group.severity == "refused" and may_warn:
        warning = f'{group.rule} = "warn" keeps rows without the value'
        lines.append(f"under [validation.severity]: {warning}")
    return lines
