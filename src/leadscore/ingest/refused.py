"""The limits on how many rows may be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadscore.engine.protocol import literal, quoted_name
from leadscore.errors import UserError
from leadscore.ingest.accounts import Accounts
from leadscore.ingest.reject_groups import group_rejects, own_column
from leadscore.ingest.staged import Staged
from leadscore.proposals import propose
from leadscore.tables import REJECTS

_COLUMNS = ", ".join(quoted_name(name) for name in REJECTS.names)
REFUSED = f"""(SELECT {_COLUMNS} FROM row_rejects WHERE severity = 'refused'
    UNION ALL SELECT {_COLUMNS} FROM rule_rejects WHERE severity = 'refused')"""
BY_COLUMN_SQL = f"""SELECT rule, source, "table", "column", COUNT(*) AS n, MIN(value) AS value
    FROM {REFUSED} AS r GROUP BY rule, source, "table", "column"
    ORDER BY rule, n DESC, source, "table", "column" """
CURED = (
    "type",
    "not_a_lead",
    "unselected",
)  # rules whose cure is worth a line where the ingest stops
LONGEST_EXAMPLE = 40
WARN = "[validation.severity]"
SAMPLE = 10_000  # refused rows


def describe_refused(staged: Staged) -> str:
    """How many rows each rule refused, and the column that broke it most often; "" for none.

    `row_rejects` and `rule_rejects` must be readable.
    """
    counts: dict[str, int] = {}
    columns: dict[str, str] = {}
    for row in staged.engine.query(BY_COLUMN_SQL).to_pylist():
        rule, source = row["rule"], row["source"]
        counts[rule] = counts.get(rule, 0) + row["n"]
        name = own_column(source, row["table"], row["column"], staged.settings)
        if rule not in columns:
            example = _example(row["value"]) if rule in CURED else ""
            columns[rule] = f" ({name!r} of {source}{example})" if name else ""
    return ", ".join(f"{n:,} by {rule}{columns[rule]}" for rule, n in counts.items())


def _example(value: str | None) -> str:
    is_fit = value and len(value) <= LONGEST_EXAMPLE and "@" not in value  # which may be personal
    return f", such as {value!r}" if is_fit else ""


def hint_at_cures(staged: Staged) -> list[str]:
    """What to write for values that cannot be read, totals, and rows that nothing selects.

    `row_rejects` and `rule_rejects` must be readable.
    """
    rules = ", ".join(literal(rule) for rule in CURED)
    rows = staged.engine.query(
        f"""SELECT {_COLUMNS} FROM {REFUSED} AS r
        WHERE rule IN ({rules}) ORDER BY source, file, line LIMIT {SAMPLE}"""
    )
    hints = []
    for group in group_rejects(rows, staged.settings):
        cures = [line for line in group.cure if WARN not in line]  # any message of a stop says that
        hints += [f"{group.column!r} of {group.source}: {line}" for line in cures]
    return hints


def check_stored(accounts: Accounts, refused: str, *, hints: Sequence[str]) -> None:
    """Stop if no lead is left; `refused` says by which rules.

    Raises:
        UserError: every row of `leads` was refused or ignored.
    """
    leads = accounts["tables"]["leads"]
    if not leads["stored"]:
        reasons = [refused] if leads["selected"] else ["the mapping selected none", refused]
        reason = ", ".join(filter(None, reasons))
        message = (
            f"no lead could be stored: {reason}; no version was written. "
            f"See the rows: `{propose('rejects')}`"
        )
        raise UserError(message, then=hints)


def check_refused(
    accounts: Accounts,
    refused: str,
    *,
    limit: float,
    hints: Sequence[str],
) -> None:
    """Stop if too many rows were refused; `refused` says by which rules.

    Raises:
        UserError: more than the share `limit` of a source's or a table's rows.
    """
    shares = {}
    for name, counts in accounts["sources"].items():
        shares[f"file of {name}"] = (counts["rejected"], counts["read"])
    for name, counts in accounts["tables"].items():
        shares[f"table {name}"] = (counts["rejected"], counts["selected"])

    over = {
        name: (rejected, rows)
        for name, (rejected, rows) in shares.items()
        if rejected > limit * rows
    }
    if over:
        raise UserError(_describe(over, refused, limit=limit), then=hints)


def _describe(over: Mapping[str, tuple[int, int]], refused: str, *, limit: float) -> str:
    """More rows were refused than the settings allow.

    Args:
        over: file or table -> rows refused, and rows in all.
        refused: how many rows each rule refused.
        limit: the share that the settings allow.
    """
    shares = [f"{name}: {rejected:,} of {n:,} rows" for name, (rejected, n) in over.items()]
    return (
        f"more than {limit:.0%} of rows were refused ({'; '.join(shares)}), by rule: {refused}; "
        f"no version was written. See them: `{propose('rejects')}`. Mend the mapping, let a rule "
        "warn under validation.severity, or raise validation.max_refused"
    )
