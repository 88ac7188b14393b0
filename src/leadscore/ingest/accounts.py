"""What became of every row, by source and by table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from leadscore.errors import LeadscoreError
from leadscore.ingest.checks.checked_table import CheckedTable
from leadscore.ingest.part import Part
from leadscore.ingest.sql import columns_sql
from leadscore.ingest.staged import Staged
from leadscore.store.objects import write_rows
from leadscore.tables import REJECTS, TABLES

SOURCE_COUNTS = ("read", "used", "ignored", "rejected")
REJECTS_ORDER = 'source, file, line, "table", rule, "column", value'
WRITE_ROWS = 100_000

Accounts = dict[str, dict[str, dict[str, Any]]]


class AccountsError(LeadscoreError):
    """Rows that were neither stored, ignored nor rejected: a bug, never the user's mistake."""


def build_accounts(staged: Staged, checked: Mapping[str, CheckedTable]) -> Accounts:
    """What became of every row: {"sources": {name: counts}, "tables": {name: counts}, "views": ...}.

    Of a source, read = used + ignored + rejected; of a table, selected = stored + ignored +
    rejected + duplicates. `ignored_by` splits the ignored rows by the name of the rule.

    Raises:
        AccountsError: they do not add up.
    """
    sources = _count_sources(staged.parts)
    tables = {name: _count_table(staged, name, checked[name]) for name in TABLES}
    for name, counts in sources.items():
        _check_sum(f"source {name!r}", counts, "read", ("used", "ignored", "rejected"))
    for name, counts in tables.items():
        parts = ("stored", "ignored", "rejected", "duplicates")
        _check_sum(f"table {name!r}", counts, "selected", parts)
    return {"sources": sources, "tables": tables, "views": _rows_of_views(staged.parts)}


def _rows_of_views(parts: list[Part]) -> dict[str, dict[str, Any]]:
    """For each view how many rows of which table it read, and how many came out."""
    views: dict[str, dict[str, Any]] = {}
    for part in parts:
        views |= part.get("views", {})
    return views


def _count_sources(parts: list[Part]) -> dict[str, dict[str, Any]]:
    sources: dict[str, dict[str, Any]] = {}
    for part in parts:
        account = part["account"]
        counts = sources.setdefault(part["source"], {"ignored_by": {}})
        _add(counts, {key: account[key] for key in SOURCE_COUNTS})
        _add(counts["ignored_by"], account["ignored_by"])
    return sources


def _add(counts: dict[str, Any], more: Mapping[str, int]) -> None:
    for key, n in more.items():
        counts[key] = counts.get(key, 0) + n


def _count_table(staged: Staged, name: str, checked: CheckedTable) -> dict[str, Any]:
    in_files: Counter[str] = Counter()
    for _, part in staged.parts_of(name):
        of_part = part["tables"][name]
        for key in ("selected", "refused", "duplicates"):
            in_files[key] += of_part[key]
    return {
        "selected": in_files["selected"],
        "stored": checked.part["rows"] - checked.added,
        "ignored": sum(checked.ignored.values()),
        "ignored_by": checked.ignored,
        "rejected": checked.refused + in_files["refused"],
        "duplicates": checked.duplicates + in_files["duplicates"],
    }


def _check_sum(what: str, counts: dict[str, Any], total: str, parts: tuple[str, ...]) -> None:
    if counts[total] != sum(counts[part] for part in parts):
        raise AccountsError(f"{what}: {counts} do not add up")


def write_rejects(staged: Staged, checked: Mapping[str, CheckedTable]) -> dict[str, Any]:
    """Store all refused and warned rows; returns rows and files, and counts by rule.

    Makes the table `rule_rejects`, those that the checks of whole tables rejected. `rules` counts
    the refused rows by rule, `warned` the warned ones.
    """
    rejects = [table.rejects for table in checked.values()]
    by_rule = pa.concat_tables(rejects)
    staged.engine.add_rows("rule_rejects", by_rule)
    columns = columns_sql(REJECTS.names)
    rows = f"""(SELECT {columns} FROM row_rejects
        UNION ALL SELECT {columns} FROM rule_rejects) AS r"""

    batches = staged.engine.stream(
        f"SELECT * FROM {rows} ORDER BY {REJECTS_ORDER}", rows=WRITE_ROWS
    )
    part = write_rows(staged.folder, REJECTS, batches)
    counts = staged.engine.query(
        f"SELECT severity, rule, COUNT(*) AS n FROM {rows} GROUP BY severity, rule ORDER BY rule"
    )
    by_severity: dict[str, dict[str, int]] = {"refused": {}, "warned": {}}
    for row in counts.to_pylist():
        by_severity[row["severity"]][row["rule"]] = row["n"]
    return {**part, "rules": by_severity["refused"], "warned": by_severity["warned"]}
