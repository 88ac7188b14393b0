"""Rejected rows by what is wrong with them, and the line of the settings that would cure it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pyarrow as pa

from leadscore.json_files import toml_text
from leadscore.settings.settings import Settings

SHOWN = 6  # values of a group in its proposed line
LONGEST_VALUE = 60


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
        cure = tuple(_cure(group, settings))
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
        is_of_table = (entry.source, entry.table) == (source, table)
        if is_of_table and column in entry.columns:
            return entry.columns[column]
    return column


def _cure(group: RejectGroup, settings: Settings) -> list[str]:
    """Lines to write where settings can cure it."""
    all_values = [value for value, _ in group.values]
    values = [value for value in all_values if len(value) <= LONGEST_VALUE]
    column = toml_text(group.column or "")
    if group.rule == "unselected" and group.column is not None:
        kind = "views" if group.source in settings.views else "sources"
        listed = ", ".join(toml_text(value) for value in values)
        where = f"{{ {column} = [{listed}] }}"
        return [
            f"under [{kind}.{group.source}], to ignore them: ignore.not_needed = {where}",
            "or, to use them: add a mapping entry that selects them",
        ]
    if group.rule == "unmapped" and group.column is not None:
        place = f"under [mapping.values.{column}] of {group.source} -> {group.table}"
        return [f"{place}: {toml_text(value)} = {{ ... }}" for value in values]
    if group.rule == "allowed" and group.table == "stages":
        names = (*settings.stages.open, *values)
        stages = ", ".join(toml_text(stage) for stage in names)
        return [f"under [stages], each in its place: open = [{stages}]"]
    if group.rule == "allowed" and group.table == "activities":
        return [f'under [kinds]: {toml_text(value)} = "..."' for value in values]
    if group.rule in ("type", "range") and group.severity == "refused":
        return [f'under [validation.severity]: {group.rule} = "warn" keeps rows without the value']
    return []
