"""How many facts became known, week by week, and how late closes did, as known at a moment."""

from __future__ import annotations

import pandas as pd

from leadscore.engine import Engine
from leadscore.times import DAY_US

WEEK_US = 7 * DAY_US
WHAT = {
    "leads": "'created'",
    "changes": "field",
    "activities": "kind",
    "stages": "'entered'",
    "outcomes": "outcome",
}


def count_weeks(engine: Engine, *, known_us: int, weeks: int) -> pd.DataFrame:
    """Facts by source, what they say, and week before a moment.

    Columns: source, what, weeks_ago (0 for the last seven days), facts and last_us, the latest of
        the week. Weeks without a fact have no row.

    Args:
        engine: holds the facts.
        known_us: the moment; facts known from then on do not count.
        weeks: how many.
    """
    since_us = known_us - weeks * WEEK_US
    counts = [_count_sql(table, what, since_us, known_us) for table, what in WHAT.items()]
    rows = engine.query(" UNION ALL ".join(counts) + " ORDER BY source, what, weeks_ago")
    counted: pd.DataFrame = rows.to_pandas()
    return counted


def measure_silences(engine: Engine, *, known_us: int, weeks: int) -> pd.DataFrame:
    """How long each field and kind of fact was silent at most in the weeks before a moment.

    Columns: source, what, facts, first_us, last_us, and longest_us, the longest time between two
        facts, 0 of a single one.

    Args:
        engine: holds the facts.
        known_us: the moment; facts known from then on do not count.
        weeks: how many.
    """
    since_us = known_us - weeks * WEEK_US
    facts = [
        f"""SELECT '{table}' AS source, {what} AS what, available_us FROM {table}
        WHERE available_us >= {since_us} AND available_us < {known_us}"""
        for table, what in WHAT.items()
    ]
    rows = engine.query(
        f"""SELECT source, what, COUNT(*) AS facts, MIN(available_us) AS first_us,
            MAX(available_us) AS last_us, COALESCE(MAX(silence_us), 0) AS longest_us
        FROM (SELECT source, what, available_us, available_us - LAG(available_us) OVER (
            PARTITION BY source, what ORDER BY available_us) AS silence_us
            FROM ({" UNION ALL ".join(facts)}) AS facts) AS t
        GROUP BY source, what ORDER BY source, what"""
    )
    measured: pd.DataFrame = rows.to_pandas()
    return measured


def count_closes(engine: Engine, *, known_us: int, weeks: int, late_us: int) -> pd.DataFrame:
    """Dated closes by the week in which an export first showed them: weeks_ago, closes and late.

    Args:
        engine: holds the closes.
        known_us: the moment; closes shown from then on do not count.
        weeks: how many.
        late_us: a close that was shown longer than this after its date is late.
    """
    since_us = known_us - weeks * WEEK_US
    weeks_ago = _weeks_ago_sql("first_seen_us", known_us)
    rows = engine.query(
        f"""SELECT weeks_ago, COUNT(*) AS closes,
            COUNT(CASE WHEN first_seen_us - date_us > {late_us} THEN 1 END) AS late
        FROM (SELECT {weeks_ago} AS weeks_ago, first_seen_us, date_us FROM closes
            WHERE dated = 1 AND first_seen_us >= {since_us} AND first_seen_us < {known_us}) AS t
        GROUP BY weeks_ago ORDER BY weeks_ago"""
    )
    counted: pd.DataFrame = rows.to_pandas()
    return counted


def _weeks_ago_sql(column: str, known_us: int) -> str:
    age_us = f"({known_us} - 1 - {column})"
    return f"CAST(({age_us} - {age_us} % {WEEK_US}) / {WEEK_US} AS BIGINT)"


def _count_sql(table: str, what: str, since_us: int, known_us: int) -> str:
    weeks_ago = _weeks_ago_sql("available_us", known_us)
    return f"""SELECT source, what, weeks_ago, COUNT(*) AS facts, MAX(available_us) AS last_us
        FROM (SELECT '{table}' AS source, {what} AS what, {weeks_ago} AS weeks_ago, available_us
            FROM {table} WHERE available_us >= {since_us} AND available_us < {known_us}) AS t
        GROUP BY source, what, weeks_ago"""
