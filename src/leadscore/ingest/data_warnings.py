"""What an ingest took for granted or could not use, in sentences with counts."""

from __future__ import annotations

from collections.abc import Iterator

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.leads import ACCEPTED_LEADS, warn_of_last_rows
from leadscore.ingest.checks.personal_values import warn_of_personal_values
from leadscore.ingest.checks.repeated_activities import warn_of_repeats
from leadscore.ingest.sql import literals_sql, read_number, read_row, union_sql
from leadscore.ingest.staged import Staged
from leadscore.settings.bant import BantLetter
from leadscore.tables import TABLES
from leadscore.wording import counted, listed

CREATIONS_SQL = f"""SELECT
    COUNT(CASE WHEN n.event_us IS NULL AND f.event_us = {{undated_us}} THEN 1 END) AS undated,
    COUNT(CASE WHEN n.event_us <> f.event_us THEN 1
        WHEN n.event_us IS NULL AND f.event_us <> {{undated_us}} THEN 1 END) AS moved
    FROM {ACCEPTED_LEADS} AS n JOIN leads_now AS f ON f.lead_id = n.lead_id"""
CURRENCIES_SQL = f"""SELECT DISTINCT currency FROM {ACCEPTED_LEADS} AS l
    WHERE amount IS NOT NULL AND amount <> 0 ORDER BY currency"""
CHANGED_AMOUNTS_SQL = "SELECT COUNT(*) AS n FROM changes_now WHERE field = 'amount'"
LATE_SQL = """SELECT "table" AS name, COUNT(*) AS n FROM rule_rejects
    WHERE rule = 'after_export' AND severity = 'warned' GROUP BY "table" """

UNBOOKED_SQL = """SELECT COUNT(*) AS n FROM activities_now
    WHERE outcome = 'planned' AND booked_at IS NULL"""


def find_data_warnings(staged: Staged, *, known_until: int, repeated: int) -> list[str]:
    """Warnings about the stored rows, in a fixed order.

    Args:
        staged: The ingest; `checked_leads`, `rule_rejects` and every `<table>_now` are readable.
            Of leads the export's own values count: `leads_now` has those that were seen first.
        known_until: The moment of the export.
        repeated: How many stored activities equal an earlier row of their file.
    """
    return [
        *_warn_of_missing_sources(staged),
        *_warn_of_empty_views(staged),
        *_warn_of_creations(staged, known_until),
        *warn_of_last_rows(staged),
        *_warn_of_currencies(staged),
        *_warn_of_changed_amounts(staged),
        *_warn_of_late_rows(staged),
        *_warn_of_unbooked_plans(staged),
        *warn_of_repeats(staged, repeated=repeated),
        *_warn_of_unlisted_levels(staged),
        *warn_of_personal_values(staged),
    ]


def _warn_of_missing_sources(staged: Staged) -> Iterator[str]:
    present = {part["source"] for part in staged.parts}
    for name, source in staged.settings.sources.items():
        if source.optional is not None and name not in present:
            yield f"no file for {name} ({source.path}), so {source.optional}"


def _warn_of_empty_views(staged: Staged) -> Iterator[str]:
    """Views out of which no row came, although all that they read has rows."""
    for part in staged.parts:
        view = part.get("views", {}).get(part["source"])
        if view is None or view["rows"] or not all(view["rows_in"].values()):
            continue
        read = ", ".join(f"{counted(n, 'row')} of {name}" for name, n in view["rows_in"].items())
        yield (
            f"the view {part['source']} gives no rows, although it reads {read}: do the columns "
            "by which it joins them hold the same?"
        )


def _warn_of_creations(staged: Staged, known_until: int) -> Iterator[str]:
    """Leads without a creation date, and with another one than an export first showed."""
    counts = read_row(staged.engine, CREATIONS_SQL.format(undated_us=known_until - 1))
    if counts["moved"]:
        leads = counted(counts["moved"], "lead has", "leads have")
        yield f"{leads} another creation date than in the first export, or none: the first counts"
    if counts["undated"]:
        yield counted(
            counts["undated"],
            "lead has no creation date: it is scored, but never learned from",
            "leads have no creation date: they are scored, but never learned from",
        )


def _warn_of_currencies(staged: Staged) -> Iterator[str]:
    currencies = staged.engine.query(CURRENCIES_SQL)["currency"].to_pylist()
    if len(currencies) > 1:
        names = listed([currency for currency in currencies if currency])
        if None in currencies:
            names += " and in no stated currency"
        yield f"amounts in {names} are compared as they stand: give rates under money"


def _warn_of_changed_amounts(staged: Staged) -> Iterator[str]:
    """Amounts in `changes`, which has no column for a currency, of leads that may have another."""
    money = staged.settings.money
    if money is None or not money.rates or "currency" not in staged.settings.mapped_of_leads():
        return
    if read_number(staged.engine, CHANGED_AMOUNTS_SQL):
        yield (
            f"amounts in changes count as {money.currency} unless a mark such as USD stands beside "
            "them, also of leads whose amount is in another currency: a view can add the mark"
        )


def _warn_of_late_rows(staged: Staged) -> Iterator[str]:
    rows = staged.engine.query(LATE_SQL).to_pylist()
    counts = {row["name"]: row["n"] for row in rows}
    for name in TABLES:
        if name in counts:
            yield counted(
                counts[name],
                f"row of {name} is dated at or after known_until: it is planned, and counts once "
                "a later export has it",
                f"rows of {name} are dated at or after known_until: they are planned, and count "
                "once a later export has them",
            )


def _warn_of_unbooked_plans(staged: Staged) -> Iterator[str]:
    """Planned activities of which nothing says since when they were planned: none is read."""
    unbooked = read_number(staged.engine, UNBOOKED_SQL)
    if unbooked:
        plans = counted(
            unbooked,
            "planned activity has no time of booking and is not learned from",
            "planned activities have no time of booking and are not learned from",
        )
        yield f"{plans}: map booked_at to the column that says when it was put into the calendar"


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
        selects.append(f"SELECT {identifier(bant.field)} AS value FROM {ACCEPTED_LEADS} AS l")
    return f"""SELECT value, COUNT(*) AS n FROM ({union_sql(selects)}) AS a
        WHERE value NOT IN ({literals_sql(bant.levels)}) GROUP BY value ORDER BY value"""
