"""Which rows of a batch broke which rule, and are refused or stay with a warning."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from leadscore.settings.mapping import Mapping
from leadscore.settings.validation import Validation
from leadscore.tables import REJECTS

ROW_REJECTS = REJECTS.append(pa.field("closes", pa.bool_()))
SEVERITY_LABELS = {"refuse": "refused", "warn": "warned"}


@dataclass(frozen=True)
class BrokenRule:
    """Rows of a batch, by their place, that broke a rule with these values of a column."""

    rows: np.ndarray
    rule: str
    column: str
    values: pa.Array
    severity: str


@dataclass
class Breaks:
    """The rules that rows of a batch have broken so far; `refused` (n,) are rows lost by them."""

    validation: Validation
    refused: np.ndarray
    broken: list[BrokenRule] = field(default_factory=list)

    def add(
        self,
        rows: np.ndarray,
        rule: str,
        column: str,
        values: pa.Array,
        *,
        may_warn: bool = True,
    ) -> None:
        """Note that rows (n,) broke a rule, but for rows that are refused already."""
        rows = rows & ~self.refused
        if not rows.any():
            return

        severity = self.validation.severity_of(rule) if may_warn else "refuse"
        places = np.flatnonzero(rows)
        shown = values.take(pa.array(places))
        self.broken.append(BrokenRule(places, rule, column, shown, severity))
        if severity == "refuse":
            self.refused |= rows

    def rejects(
        self,
        entry: Mapping,
        files: pa.Array,
        lines: np.ndarray,
        lead_id: pa.Array,
        closes: np.ndarray,
    ) -> pa.Table:
        """All broken rules in the shape of `ROW_REJECTS`; a refused row has no warnings.

        Files, lines, lead_id and closes (n,) are those of the batch's rows.
        """
        parts = [ROW_REJECTS.empty_table()]
        for broken in self.broken:
            is_refusal = broken.severity == "refuse"
            counts = ~self.refused[broken.rows]
            if is_refusal:
                counts = np.ones(len(broken.rows), dtype=bool)
            rows = broken.rows[counts]
            columns = {
                "file": files.take(pa.array(rows)),
                "line": pa.array(lines[rows]),
                "value": broken.values.filter(pa.array(counts)),
                "lead_id": lead_id.take(pa.array(rows)),
                "closes": pa.array(closes[rows] & is_refusal),
            }
            texts = {
                "source": entry.source,
                "table": entry.table,
                "rule": broken.rule,
                "column": broken.column,
                "severity": SEVERITY_LABELS[broken.severity],
            }
            for name, text in texts.items():
                cell = pa.scalar(text)
                columns[name] = pa.repeat(cell, len(rows))
            arrays = [columns[name] for name in ROW_REJECTS.names]
            parts.append(pa.table(arrays, schema=ROW_REJECTS))
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
    constants = {
        "source": source,
        "file": file,
        "severity": SEVERITY_LABELS["refuse"],
        "rule": rule,
        "column": column,
        "closes": False,
    }
    arrays = []
    for target in ROW_REJECTS:
        if target.name == "line":
            array = pa.array(lines)
        elif target.name == "value" and values is not None:
            array = pa.array(values, pa.string())
        else:
            constant = constants.get(target.name)
            array = pa.array([constant] * len(lines), target.type)
        arrays.append(array)
    return pa.table(arrays, schema=ROW_REJECTS)
