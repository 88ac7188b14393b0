"""What the checks made of a table, and rejected rows in the shape in which they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from leadscore.ingest.mapping.breaks import SEVERITY_LABELS
from leadscore.ingest.staged import Staged
from leadscore.tables import REJECTS


@dataclass(frozen=True)
class CheckedTable:
    """What became of a table's rows.

    Attributes:
        part: The stored rows, {"rows": n, "files": [...]}, as `write_rows` returns them.
        rejects: Refused and warned rows, in the shape of `REJECTS`.
        refused: How many rows were refused.
        duplicates: How many rows repeat a row of another file and were left out.
        ignored: How many rows belong to ignored leads, by the name of the `ignore` rule.
        repeated: How many stored rows equal an earlier row of their own file.
        added: How many stored rows say what was before the first row of a lead.
    """

    part: dict[str, Any]
    rejects: pa.Table
    refused: int
    duplicates: int
    ignored: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    added: int = 0


def build_rejects(
    staged: Staged,
    table: str,
    rows: pa.Table,
    *,
    columns: Sequence[str],
    values: Sequence[Any],
) -> pa.Table:
    """Rows that broke a rule, in the shape of `REJECTS`.

    Args:
        staged: The ingest that they belong to.
        table: The table that they are rows of.
        rows: part, line, rule and lead_id of n rows.
        columns: The column that broke the rule, for each row.
        values: Its value as text, for each row.
    """
    parts = [staged.parts[place] for place in rows["part"].to_pylist()]
    severity_of = staged.settings.validation.severity_of
    rules = rows["rule"].to_pylist()
    made = {
        "source": [part["source"] for part in parts],
        "file": [part["file"] for part in parts],
        "line": rows["line"],
        "severity": [SEVERITY_LABELS[severity_of(rule)] for rule in rules],
        "table": [table] * len(parts),
        "rule": rows["rule"],
        "column": columns,
        "value": values,
        "lead_id": rows["lead_id"],
    }
    return pa.table(made, schema=REJECTS)
