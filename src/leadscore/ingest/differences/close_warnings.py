"""What was taken for granted about closes, in sentences with counts."""

from __future__ import annotations

from collections.abc import Iterator

from leadscore.ingest.sql import literals_sql, read_number, read_row
from leadscore.ingest.staged import Staged
from leadscore.times import DAY_US, FOREVER_US
from leadscore.wording import counted


def find_close_warnings(staged: Staged, known_until: int) -> list[str]:
    """Warnings about dates, re-opened leads and contradictions.

    `settled_closes` and `closes_now` must be readable.
    """
    return [
        *_warn_of_dates(staged, known_until),
        *_warn_of_reopened(staged, known_until),
        *_warn_of_turned(staged, known_until),
        *_warn_of_contradictions(staged),
        *_warn_of_reversals(staged),
    ]


def _warn_of_dates(staged: Staged, known_until: int) -> Iterator[str]:
    """Closes whose date is missing, in the future, too early, or replaced by a substitute."""
    counts = read_row(
        staged.engine,
        f"""SELECT
        COUNT(DISTINCT CASE WHEN stated_us >= {known_until} AND stated_us < {FOREVER_US}
            THEN lead_id END) AS future,
        COUNT(DISTINCT CASE WHEN stated_us = {FOREVER_US} THEN lead_id END) AS missing,
        COUNT(DISTINCT CASE WHEN first_seen_us = {known_until - 1}
            AND stated_available_us < last_open_us THEN lead_id END) AS backdated,
        COUNT(DISTINCT CASE WHEN dated = 0 AND substitute_us IS NOT NULL
            THEN lead_id END) AS substituted
        FROM settled_closes""",
    )
    if counts["future"]:
        leads = counted(counts["future"], "closed lead has", "closed leads have")
        yield f"{leads} a close date after the export: taken as closed by then"
    if counts["missing"]:
        leads = counted(counts["missing"], "closed lead has", "closed leads have")
        yield f"{leads} no close date: taken as closed by the first export that shows it"
    if counts["backdated"]:
        closes = counted(counts["backdated"], "close is", "closes are")
        yield (
            f"{closes} dated before an export that still showed the lead open: counted from the "
            "time of that export"
        )
    if counts["substituted"]:
        closes = counted(
            counts["substituted"],
            "of the closes without a usable date takes",
            "of the closes without a usable date take",
        )
        chosen = staged.settings.target.undated_close or ""
        substitute = chosen.replace("_", " ")
        yield f"{closes} the time of the {substitute}"


def _warn_of_reopened(staged: Staged, known_until: int) -> Iterator[str]:
    """Leads that an earlier export showed closed and this one shows without any close."""
    n = read_number(
        staged.engine,
        f"""SELECT COUNT(DISTINCT lead_id) FROM closes_now
        WHERE state = 'gone' AND gone_us = {known_until - 1}""",
    )
    if n:
        leads = counted(
            n,
            "lead that was closed in an earlier export is",
            "leads that were closed in an earlier export are",
        )
        yield f"{leads} open in this one: counted as re-opened from this export on"


def _warn_of_turned(staged: Staged, known_until: int) -> Iterator[str]:
    """Leads that this export shows closed with the other outcome."""
    n = read_number(
        staged.engine,
        f"""SELECT COUNT(DISTINCT b.lead_id) FROM closes_now AS b
        JOIN settled_closes AS c
            ON c.lead_id = b.lead_id AND c.origin = b.origin AND c.won <> b.won
        WHERE b.state = 'replaced' AND b.gone_us = {known_until - 1}""",
    )
    if n:
        days = staged.settings.target.correction_days
        leads = counted(n, "lead is", "leads are")
        yield (
            f"{leads} closed with another outcome than in the previous export: counted within "
            f"{days:g} days of the first close"
        )


def _warn_of_contradictions(staged: Staged) -> Iterator[str]:
    """Leads whose outcome and last closing stage differ."""
    numbered = """SELECT lead_id, won, ROW_NUMBER() OVER (PARTITION BY lead_id, origin
        ORDER BY available_us DESC, event_us DESC, seq DESC, won) AS place FROM settled_closes"""
    n = read_number(
        staged.engine,
        f"""SELECT COUNT(*) FROM (
        SELECT lead_id FROM ({numbered}) AS c WHERE place = 1
        GROUP BY lead_id HAVING MIN(won) <> MAX(won)) AS a""",
    )
    if n:
        leads = counted(n, "lead has", "leads have")
        yield (
            f"{leads} an outcome and a last closing stage that contradict each other: the later "
            "one counts"
        )


def _warn_of_reversals(staged: Staged) -> Iterator[str]:
    """Leads closed as won and as lost without a word of re-opening in between."""
    within_us = round(staged.settings.target.correction_days * DAY_US)
    counts = read_row(
        staged.engine,
        f"""SELECT
        COUNT(CASE WHEN second_us - first_us <= {within_us} THEN 1 END) AS corrected,
        COUNT(CASE WHEN second_us - first_us > {within_us} THEN 1 END) AS reversed
        FROM ({_both_outcomes_sql(staged)}) AS ends""",
    )
    days = staged.settings.target.correction_days
    if counts["corrected"]:
        leads = counted(counts["corrected"], "lead was", "leads were")
        yield f"{leads} closed as won and as lost within {days:g} days: the last close known counts"
    if counts["reversed"]:
        leads = counted(counts["reversed"], "lead was", "leads were")
        yield (
            f"{leads} closed with the other outcome more than {days:g} days after the first close: "
            "the first counts"
        )


def _both_outcomes_sql(staged: Staged) -> str:
    """SQL of the leads with both outcomes: when the first and the second one was known."""
    reopened = f"""SELECT c.lead_id
        FROM (SELECT lead_id, MIN(event_us) AS first_us, MAX(event_us) AS last_us
            FROM settled_closes GROUP BY lead_id) AS c
        JOIN stages_now AS s ON s.lead_id = c.lead_id
            AND s.stage IN ({literals_sql(staged.settings.stages.open)})
            AND s.event_us >= c.first_us AND s.event_us <= c.last_us"""
    known = """SELECT lead_id, won, MIN(available_us) AS known_us
        FROM settled_closes GROUP BY lead_id, won"""
    return f"""SELECT lead_id, MIN(known_us) AS first_us, MAX(known_us) AS second_us
        FROM ({known}) AS w WHERE lead_id NOT IN ({reopened})
        GROUP BY lead_id HAVING COUNT(*) = 2"""
