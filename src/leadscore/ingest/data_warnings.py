"""What an ingest took for granted or could not use, in sentences with counts."""

from __future__ import annotations

from collections.abc import Iterator

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.checks.personal_values import warn_of_personal_values
from leadscore.ingest.checks.repeated_activities import warn_of_repeats
from leadscore.ingest.sql import literals_sql, read_number, union_sql
from leadscore.ingest.staged import Staged
from leadscore.settings.bant import BantLetter
from leadscore.tables import TABLES
from leadscore.wording import counted, listed

UNDATED_SQL = f"SELECT COUNT(*) FROM {ACCEPTED_LEADS} AS l WHERE event_us IS NULL"
CURRENCIES_SQL = """SELECT DISTINCT currency FROM leads_now
    WHERE amount IS NOT NULL AND currency IS NOT NULL ORDER BY currency"""
LATE_SQL = """SELECT "table" AS name, COUNT(*) AS n FROM rule_rejects
    WHERE rule = 'after_export' AND severity = 'warned' GROUP BY "table" """


def find_data_warnings(staged: Staged, *, repeated: int) -> list[str]:
    """Warnings about the stored rows, in a fixed order.

    Args:
        staged: The ingest; `checked_leads`, `rule_rejects` and every `<table>_now` are readable.
        repeated: How many stored activities equal an earlier row of their file.
    """
    return [
        *_warn_of_undated_leads(staged),
        *_warn_of_currencies(staged),
        *_warn_of_late_rows(staged),
        *warn_of_repeats(staged, repeated=repeated),
        *_warn_of_unlisted_levels(staged),
        *warn_of_personal_values(staged),
    ]


def _warn_of_undated_leads(staged: Staged) -> Iterator[str]:
    undated = read_number(staged.engine, UNDATED_SQL)
    if undated:
        yield counted(
            undated,
            "lead has no creation date: it is scored, but never learned from",
            "leads have no creation date: they are scored, but never learned from",
        )


def _warn_of_currencies(staged: Staged) -> Iterator[str]:
    currencies = staged.engine.query(CURRENCIES_SQL)["currency"].to_pylist()
    if len(currencies) > 1:
        names = listed(currencies)
        yield f"amounts in {names} are compared as they stand: give rates under money"


def _warn_of_late_rows(staged: Staged) -> Iterator[str]:
    counts = {row["name"]: row["n"] for row in staged.engine.query(LATE_SQL).to_pylist()}
    for name in TABLES:
        if name in counts:
            yield counted(
                counts[name],
                f"row of {name} is dated at or after known_until: it is planned, and counts once "
                "a later export has it",
                f"rows of {name} are dated at or after known_until: they are planned, and count "
                "once a later export has them",
            )


def _warn_of_unlisted_levels(staged: Staged) -> Iterator[str]:
    """Answers that no level of their BANT letter lists: they are stored, and count as unknown."""
    for letter, bant in staged.settings.bant.items():
        if not bant.levels:
            continue
        unlisted = staged.engine.query(_unlisted_sql(staged, bant))
        if unlisted.num_rows:
            levels = f"bant.{letter}.levels"
            answers = listed(unlisted["value"].to_pylist(), most=5)
            yield counted(
                sum(unlisted["n"].to_pylist()),
                f"answer to {letter} is not among {levels} and counts as unknown: {answers}",
                f"answers to {letter} are not among {levels} and count as unknown: {answers}",
            )


def _unlisted_sql(staged: Staged, bant: BantLetter) -> str:
    selects = [f"SELECT value FROM changes_now WHERE field = {literal(bant.field)}"]
    if bant.field in staged.mapped_fields():
        selects.append(f"SELECT {identifier(bant.field)} AS value FROM leads_now")
    return f"""SELECT value, COUNT(*) AS n FROM ({union_sql(selects)}) AS a
        WHERE value NOT IN ({literals_sql(bant.levels)}) GROUP BY value ORDER BY value"""
