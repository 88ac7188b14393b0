"""Which rows of a batch broke which rule: the refused ones, and those kept with a warning."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from leadscore.settings.mapping import Mapping
from leadscore.settings.validation import Validation
from leadscore.tables import REJECTS

ROW_REJECTS = REJECTS.append(pa.field("closes", pa.bool_()))
SAID = {"refuse": "refused", "warn": "warned"}


@dataclass
class Breaks:
    """Rows (n,) of a batch that are refused, and every rule that was broken: (rows, rule, column, values, severity)."""

    validation: Validation
    refused: np.ndarray
    found: list[tuple[np.ndarray, str, str, pa.Array, str]] = field(default_factory=list)

    def add(
        self, rows: np.ndarray, rule: str, column: str, values: pa.Array, *, may_warn: bool = True
    ) -> None:
        """Note that rows broke a rule; one that is refused already is not noted again."""
        rows = rows & ~self.refused
        if not rows.any():
            return
        severity = self.validation.severity_of(rule) if may_warn else "refuse"
        at = np.flatnonzero(rows)
        self.found.append((at, rule, column, values.take(pa.array(at)), severity))
        if severity == "refuse":
            self.refused |= rows

    def rejects(
        self, entry: Mapping, file: str, lines: np.ndarray, lead_id: pa.Array, closes: np.ndarray
    ) -> pa.Table:
        """All that was found, in the shape of `ROW_REJECTS`; of a row that is refused no warning is told."""
        parts = [ROW_REJECTS.empty_table()]
        for at, rule, column, values, severity in self.found:
            keep = np.ones(len(at), dtype=bool) if severity == "refuse" else ~self.refused[at]
            rows = at[keep]
            made = {
                "line": pa.array(lines[rows]),
                "value": values.filter(pa.array(keep)),
                "lead_id": lead_id.take(pa.array(rows)),
                "closes": pa.array(closes[rows] & (severity == "refuse")),
            }
            fixed = {
                "source": entry.source,
                "file": file,
                "table": entry.table,
                "rule": rule,
                "column": column,
                "severity": SAID[severity],
            }
            made |= {name: pa.repeat(pa.scalar(text), len(rows)) for name, text in fixed.items()}
            parts.append(pa.table([made[name] for name in ROW_REJECTS.names], schema=ROW_REJECTS))
        return pa.concat_tables(parts)


def reject_rows(
    source: str,
    file: str,
    lines: np.ndarray,
    *,
    rule: str,
    column: str | None = None,
    values: list[str] | None = None,
) -> pa.Table:
    """Refused rows of a file that belong to no table, in the shape of `ROW_REJECTS`."""
    n = len(lines)
    fixed = {
        "source": source,
        "file": file,
        "severity": "refused",
        "rule": rule,
        "column": column,
        "closes": False,
    }
    made = {
        name: pa.array([each] * n, ROW_REJECTS.field(name).type) for name, each in fixed.items()
    }
    made |= {"line": pa.array(lines)} | (
        {} if values is None else {"value": pa.array(values, pa.string())}
    )
    columns = [made.get(each.name, pa.nulls(n, each.type)) for each in ROW_REJECTS]
    return pa.table(columns, schema=ROW_REJECTS)
