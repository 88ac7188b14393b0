"""When the closes of an export were known, and the memory of all closes that exports have shown.

A status that is seen as closed was known at the latest when an export first showed it, whatever its date says, and
not before the last export that still showed the lead open (`opens.py`). The memory is the part `closes` of a
store version (`tables.CLOSES`): every ingest carries the rows of the version before on, so that only ancestors count,
and none is ever dropped or moved: a later export never changes what was known at an earlier moment. A usable date that
comes later for a close without one counts from the export that brought it (`narrowed_us`); another usable date is
another close, which takes the place of the first. Only where other settings read the dates are they read anew.

To build on it: `state` is `shown` while the export shows the close, `replaced` once it shows another close of that
lead instead, `gone` once it shows the lead without any; `gone_us` is when that was first seen. All of them are facts of
the past. A lead was re-opened at some time between the last export that showed a close that is `gone` and `gone_us`,
from when that is known. The rows of a lead that the export does not have stay as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from leadscore.engine.protocol import identifier, literal
from leadscore.ingest.checks.validate import Staged
from leadscore.ingest.differences.opens import (
    attach_opens,
    closing_reading,
    is_read_alike,
    last_open_sql,
    write_opens,
)
from leadscore.store.version import StoreVersion, write_rows
from leadscore.tables import CLOSES
from leadscore.times import DAY_US, FOREVER_US, SECOND_US
from leadscore.wording import counted

LEADS = "(SELECT lead_id, available_us AS known_us, event_us FROM judged WHERE broken_rule = '')"
KEPT = (
    "event_us",
    "earliest_us",
    "available_us",
    "dated",
    "date_us",
    "narrowed_us",
    "narrowed_from_us",
)
TABLES_OF = {"last_activity": ("activities",), "last_stage": ("stages",)}


@dataclass(frozen=True)
class Closes:
    """The closes of an export.

    `entries` are the memory as entries of the manifest. `moved` names the tables of which a close has other times than
    its row states. `warnings` say what was taken for granted, with counts.
    """

    entries: dict[str, Any]
    moved: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class Matching:
    """Which stated closes (c) are remembered ones (b): by source text first, since settings may translate it anew.

    `dates_kept` says whether dates are read as they were: then a close with another usable date is another close.
    """

    known_until: int
    dates_kept: bool

    @property
    def by_source(self) -> str:
        """SQL: the place among the closes of a lead with the same source text."""
        return self._same("source_hash", "of_source")

    @property
    def by_status(self) -> str:
        """SQL: the place among the closes of a lead with the same status."""
        return self._same("status", "of_status")

    @property
    def not_shown(self) -> str:
        """SQL: the export does not show this remembered close."""
        ways = (self.by_source, self.by_status)
        return " AND ".join(
            f"NOT EXISTS (SELECT 1 FROM stated_closes AS c WHERE {way})" for way in ways
        )

    def _same(self, column: str, place: str) -> str:
        alike = f"c.lead_id = b.lead_id AND c.origin = b.origin AND c.{column} = b.{column} AND c.{place} = b.{place}"
        if not self.dates_kept:
            return alike
        comes_later = "b.dated = 0 AND b.narrowed_us IS NULL AND c.event_us <= b.first_seen_us"
        return f"{alike} AND (c.event_us = b.date_us OR c.event_us >= {self.known_until} OR {comes_later})"


def settle_closes(staged: Staged, before: StoreVersion | None, *, known_until: int) -> Closes:
    """Make the table `closes_now`, what is known of every close, and the entries of the manifest that remember it.

    `judged` and the kept events of every table, as <table>_now, must be readable.
    """
    engine = staged.engine
    matching = Matching(known_until, is_read_alike(staged, before, "dates"))
    engine.add_files("before_closes", before.files("closes") if before else [], schema=CLOSES)
    attach_opens(staged, before)
    engine.add_rows("stated_closes", engine.query(_stated_sql(staged)))
    shown_before = "SELECT * FROM before_closes WHERE state = 'shown'"
    engine.add_rows("shown_before", engine.query(_ranked(shown_before, "date_us")))
    engine.add_rows("matched_closes", engine.query(_matched_sql(staged, before, matching)))
    engine.add_rows("settled_closes", engine.query(_settled_sql(staged, matching)))
    shown = engine.query(_shown_sql())
    past = engine.query(_past_sql(matching))
    closes = pa.concat_tables([shown.cast(CLOSES), past.cast(CLOSES)])
    engine.add_rows("closes_now", closes)
    order = ", ".join(map(identifier, CLOSES.names))
    rows = engine.query(f"SELECT {order} FROM closes_now ORDER BY {order}").cast(CLOSES)
    entries = {
        "closes": write_rows(staged.folder, CLOSES, rows.to_batches()),
        "opens": write_opens(staged, before, known_until=known_until),
        "closing": closing_reading(staged.settings),
    }
    return Closes(entries, _moved(staged), _find_warnings(staged, known_until))


def restated_sql(staged: Staged, name: str) -> str:
    """SQL of a table of events in which every close has the times at which it counts, in the order of storing."""
    schema = staged.table(name).schema()
    status = identifier("outcome" if name == "outcomes" else "stage")
    columns = []
    for column in map(identifier, schema.names):
        is_time = column in {'"event_us"', '"available_us"'}
        columns.append(
            f"COALESCE(c.{column}, t.{column}) AS {column}" if is_time else f"t.{column}"
        )
    order = ", ".join(
        map(identifier, sorted(schema.names, key=lambda each: each not in {"lead_id", "event_us"}))
    )
    return f"""SELECT * FROM (SELECT {", ".join(columns)} FROM {identifier(f"{name}_now")} AS t
        LEFT JOIN (SELECT lead_id, status, stated_us, stated_available_us,
            MIN(event_us) AS event_us, MIN(available_us) AS available_us
            FROM settled_closes WHERE origin = {literal(name)}
            GROUP BY lead_id, status, stated_us, stated_available_us) AS c
        ON c.lead_id = t.lead_id AND c.status = t.{status}
        AND c.stated_us = t.event_us AND c.stated_available_us = t.available_us) AS r ORDER BY {order}"""


def _stated_sql(staged: Staged) -> str:
    """SQL of the closes that the export shows, as it states them; a missing date is `FOREVER_US`."""
    stages = staged.settings.stages
    outcomes = f"r.outcome AS status, {FOREVER_US} AS seq, CASE WHEN r.outcome = 'won' THEN 1 ELSE 0 END AS won"
    won = ", ".join(map(literal, stages.won)) or "''"
    closing = ", ".join(map(literal, stages.closing())) or "''"
    entered = f"r.stage AS status, r.seq, CASE WHEN r.stage IN ({won}) THEN 1 ELSE 0 END AS won"
    nothing = "SELECT lead_id, '' AS origin, status, seq, won, source_hash, event_us, available_us FROM before_closes"
    parts = [f"{nothing} WHERE 1 = 0"]
    for name, columns, where in (
        ("outcomes", outcomes, ""),
        ("stages", entered, f"WHERE r.stage IN ({closing})"),
    ):
        for at, _ in staged.of(name):
            parts.append(
                f"SELECT r.lead_id, {literal(name)} AS origin, {columns}, s.extra AS source_hash, r.event_us, "
                f"r.available_us FROM {name}_{at} AS r JOIN {name}_side_{at} AS s ON s.row = r.row {where}"
            )
    rows = f"SELECT DISTINCT c.* FROM ({' UNION ALL '.join(parts)}) AS c JOIN {LEADS} AS l ON l.lead_id = c.lead_id"
    return _ranked(rows, "event_us")


def _ranked(rows: str, date: str) -> str:
    """SQL of closes with their place among those of the lead with the same source text, and with the same status."""
    by = f"ROW_NUMBER() OVER (PARTITION BY lead_id, origin, {{}} ORDER BY {date}, seq, available_us, status)"
    return f"""SELECT *, {by.format("source_hash")} AS of_source, {by.format("status")} AS of_status
        FROM ({rows}) AS c"""


def _matched_sql(staged: Staged, before: StoreVersion | None, matching: Matching) -> str:
    """SQL of the closes that the export shows, with what is remembered of them as was_<column>.

    `first_seen_us`, `last_open_us`, and `not_before_us`, from when the close can have been known: where it replaces
    another one, not before the export that still showed the other. The last two are 0 where nothing is known.
    """
    until = before.known_until_us if before else 0
    seen_us = matching.known_until - 1
    was = {
        name: f"CASE WHEN b.lead_id IS NULL THEN d.{name} ELSE b.{name} END"
        for name in CLOSES.names
    }
    kept = ", ".join(f"{was[name]} AS was_{name}" for name in KEPT)
    replaces = f"SELECT DISTINCT lead_id, origin FROM shown_before AS b WHERE {matching.not_shown}"
    return f"""SELECT c.*, {kept},
        LEAST(COALESCE({was["first_seen_us"]}, {seen_us}), {seen_us}) AS first_seen_us,
        COALESCE({was["last_open_us"]}, o.last_open_us, 0) AS last_open_us,
        COALESCE({was["not_before_us"]}, CASE WHEN p.lead_id IS NULL THEN 0 ELSE {until} END) AS not_before_us
        FROM stated_closes AS c
        LEFT JOIN shown_before AS b ON {matching.by_source}
        LEFT JOIN shown_before AS d ON {matching.by_status.replace("b.", "d.")}
        LEFT JOIN ({last_open_sql(staged, before)}) AS o
            ON o.lead_id = c.lead_id AND o.origin = c.origin AND o.source_hash = c.source_hash
        LEFT JOIN ({replaces}) AS p ON p.lead_id = c.lead_id AND p.origin = c.origin"""


def _settled_sql(staged: Staged, matching: Matching) -> str:
    """SQL of the closes with the times at which they count; the stated ones are kept beside.

    A date is usable up to the moment at which an export first showed the close; an outcome did not happen before the
    last export that showed the lead open, or another outcome. Without a usable date the close lies after the last
    export that showed the lead open, else after its creation, and after the begin of its own day where only a date is
    given, unless the settings name a substitute.
    """
    rows = f"""SELECT c.*, c.event_us AS stated_us, c.available_us AS stated_available_us,
        c.event_us <= c.first_seen_us AS is_usable,
        c.event_us - c.first_seen_us < {DAY_US} AND (c.event_us + 1) % {SECOND_US} = 0 AS is_of_that_day,
        LEAST(c.first_seen_us, GREATEST(c.last_open_us, CASE WHEN l.event_us IS NULL THEN 0 ELSE l.known_us END))
            AS open_us,
        LEAST(c.first_seen_us, GREATEST(c.last_open_us, c.not_before_us)) AS floor_us, s.last_us AS substitute_us
        FROM matched_closes AS c JOIN {LEADS} AS l ON l.lead_id = c.lead_id
        LEFT JOIN ({_substitutes_sql(staged)}) AS s
            ON s.lead_id = c.lead_id AND s.origin = c.origin AND s.first_seen_us = c.first_seen_us"""
    ends = f"""SELECT *, LEAST(GREATEST(stated_available_us, floor_us), first_seen_us) AS dated_us,
        CASE WHEN origin = 'outcomes' THEN GREATEST(stated_us, floor_us) ELSE stated_us END AS happened_us,
        CASE WHEN is_usable THEN LEAST(GREATEST(stated_available_us, floor_us), first_seen_us)
            WHEN is_of_that_day THEN first_seen_us
            WHEN substitute_us IS NOT NULL THEN GREATEST(substitute_us, open_us)
            ELSE first_seen_us END AS known_us,
        CASE WHEN is_usable THEN NULL
            WHEN is_of_that_day THEN GREATEST(open_us, stated_us + 1 - {DAY_US})
            WHEN substitute_us IS NOT NULL THEN NULL
            ELSE open_us END AS from_us
        FROM ({rows}) AS r"""
    return f"""SELECT lead_id, origin, status, seq, won, source_hash, stated_us, stated_available_us, is_usable,
        substitute_us, first_seen_us, last_open_us, not_before_us, {_kept_or_new_sql(matching)} FROM ({ends}) AS e"""


def _kept_or_new_sql(matching: Matching) -> str:
    """SQL of the times of a close: those remembered, where dates are read as they were, else as it is stated now."""
    new = {
        "event_us": "CASE WHEN is_usable THEN happened_us ELSE known_us END",
        "earliest_us": "LEAST(COALESCE(from_us, known_us), known_us)",
        "available_us": "known_us",
        "dated": "CASE WHEN is_usable THEN 1 ELSE 0 END",
        "date_us": "stated_us",
        "narrowed_us": "CAST(NULL AS BIGINT)",
        "narrowed_from_us": "CAST(NULL AS BIGINT)",
    }
    if not matching.dates_kept:
        return ", ".join(f"{sql} AS {name}" for name, sql in new.items())
    is_open_dated = "was_dated = 0 AND was_narrowed_us IS NULL"
    kept = {name: f"was_{name}" for name in new} | {
        "date_us": f"CASE WHEN {is_open_dated} THEN stated_us ELSE was_date_us END",
        "narrowed_us": f"CASE WHEN {is_open_dated} AND is_usable THEN dated_us ELSE was_narrowed_us END",
        "narrowed_from_us": f"""CASE WHEN {is_open_dated} AND is_usable THEN {matching.known_until - 1}
            ELSE was_narrowed_from_us END""",
    }
    return ", ".join(
        f"CASE WHEN was_dated IS NULL THEN {sql} ELSE {kept[name]} END AS {name}"
        for name, sql in new.items()
    )


def _substitutes_sql(staged: Staged) -> str:
    """SQL of what stands for a missing close date, if the settings name it: when the lead was last heard of."""
    chosen = TABLES_OF.get(staged.settings.target.undated_close or "", ())
    nothing = "SELECT lead_id, event_us, available_us FROM before_closes WHERE 1 = 0"
    facts = [
        nothing,
        *(f"SELECT lead_id, event_us, available_us FROM {name}_now" for name in chosen),
    ]
    return f"""SELECT c.lead_id, c.origin, c.first_seen_us, MAX(f.available_us) AS last_us
        FROM (SELECT DISTINCT lead_id, origin, first_seen_us FROM matched_closes) AS c
        JOIN ({" UNION ALL ".join(facts)}) AS f
            ON f.lead_id = c.lead_id AND f.event_us <= c.first_seen_us AND f.available_us <= c.first_seen_us
        GROUP BY c.lead_id, c.origin, c.first_seen_us"""


def _shown_sql() -> str:
    fixed = {"state": "'shown'", "gone_us": "CAST(NULL AS BIGINT)"}
    columns = ", ".join(
        f"{fixed.get(name, identifier(name))} AS {identifier(name)}" for name in CLOSES.names
    )
    return f"SELECT DISTINCT {columns} FROM settled_closes"


def _past_sql(matching: Matching) -> str:
    """SQL of the closes that the version before remembers and the export does not show."""
    names = ", ".join(map(identifier, CLOSES.names))
    unmatched = f"""SELECT {names} FROM before_closes WHERE state <> 'shown' UNION ALL
        SELECT {names} FROM shown_before AS b WHERE {matching.not_shown}"""
    gone, replaced = literal("gone"), literal("replaced")
    state = f"""CASE WHEN l.lead_id IS NULL OR b.state <> 'shown' THEN b.state
        WHEN s.lead_id IS NULL THEN {gone} ELSE {replaced} END"""
    seen_us = matching.known_until - 1
    fixed = {
        "state": state,
        "gone_us": f"CASE WHEN l.lead_id IS NULL THEN b.gone_us ELSE COALESCE(b.gone_us, {seen_us}) END",
    }
    columns = ", ".join(
        f"{fixed.get(name, 'b.' + identifier(name))} AS {identifier(name)}" for name in CLOSES.names
    )
    return f"""SELECT {columns} FROM ({unmatched}) AS b
        LEFT JOIN {LEADS} AS l ON l.lead_id = b.lead_id
        LEFT JOIN (SELECT DISTINCT lead_id FROM stated_closes) AS s ON s.lead_id = b.lead_id"""


def _moved(staged: Staged) -> list[str]:
    rows = staged.engine.query(
        "SELECT DISTINCT origin FROM settled_closes "
        "WHERE event_us <> stated_us OR available_us <> stated_available_us ORDER BY origin"
    )
    return [str(name) for name in rows["origin"].to_pylist()]


def _find_warnings(staged: Staged, known_until: int) -> list[str]:
    chosen = staged.settings.target.undated_close
    counts = staged.engine.query(f"""SELECT
        COUNT(DISTINCT CASE WHEN stated_us >= {known_until} AND stated_us < {FOREVER_US} THEN lead_id END) AS future,
        COUNT(DISTINCT CASE WHEN stated_us = {FOREVER_US} THEN lead_id END) AS missing,
        COUNT(DISTINCT CASE WHEN first_seen_us = {known_until - 1} AND stated_available_us < last_open_us
            THEN lead_id END) AS backdated,
        COUNT(DISTINCT CASE WHEN dated = 0 AND substitute_us IS NOT NULL THEN lead_id END) AS substituted
        FROM settled_closes""").to_pylist()[0]
    substitute = (chosen or "").replace("_", " ")
    words = {
        "future": (
            "closed lead has",
            "closed leads have",
            "a close date after the export: taken as closed by then",
        ),
        "missing": (
            "closed lead has",
            "closed leads have",
            "no close date: taken as closed by the first export that shows it",
        ),
        "backdated": (
            "close is",
            "closes are",
            "dated before an export that still showed the lead open: counted from the time of that export",
        ),
        "substituted": (
            "of the closes without a usable date takes",
            "of the closes without a usable date take",
            f"the time of the {substitute}",
        ),
    }
    dates = [
        f"{counted(counts[name], one, many)} {what}"
        for name, (one, many, what) in words.items()
        if counts[name]
    ]
    return dates + _find_reopened(staged, known_until) + _find_contradictions(staged)


def _find_reopened(staged: Staged, known_until: int) -> list[str]:
    """Leads that an earlier export showed closed and this one shows without any close, or with the other outcome."""
    sql = f"SELECT COUNT(DISTINCT lead_id) FROM closes_now WHERE state = 'gone' AND gone_us = {known_until - 1}"
    n = staged.engine.query(sql).column(0)[0].as_py()
    one, many = (
        "lead that was closed in an earlier export is",
        "leads that were closed in an earlier export are",
    )
    reopened = f"{counted(n, one, many)} open in this one: counted as re-opened from this export on"
    found = [reopened] if n else []
    turned = staged.engine.query(f"""SELECT COUNT(DISTINCT b.lead_id) FROM closes_now AS b
        JOIN settled_closes AS c ON c.lead_id = b.lead_id AND c.origin = b.origin AND c.won <> b.won
        WHERE b.state = 'replaced' AND b.gone_us = {known_until - 1}""")
    n = turned.column(0)[0].as_py()
    days = staged.settings.target.correction_days
    words = f"closed with another outcome than in the previous export: counted within {days:g} days of the first close"
    return [*found, f"{counted(n, 'lead is', 'leads are')} {words}"] if n else found


def _find_contradictions(staged: Staged) -> list[str]:
    """Leads whose outcome and last closing stage differ, and leads won and lost without a word of re-opening."""
    last = """SELECT lead_id, origin, won FROM (SELECT *, ROW_NUMBER() OVER (
        PARTITION BY lead_id, origin ORDER BY available_us DESC, event_us DESC, seq DESC, won) AS place
        FROM settled_closes) AS r WHERE place = 1"""
    opens = ", ".join(map(literal, staged.settings.stages.open)) or "''"
    reopened = f"""SELECT f.lead_id FROM (SELECT lead_id, MIN(event_us) AS first_us, MAX(event_us) AS last_us
        FROM settled_closes GROUP BY lead_id) AS f
        JOIN stages_now AS s ON s.lead_id = f.lead_id AND s.stage IN ({opens})
        AND s.event_us >= f.first_us AND s.event_us <= f.last_us"""
    within_us = round(staged.settings.target.correction_days * DAY_US)
    counts = staged.engine.query(f"""SELECT
        (SELECT COUNT(*) FROM (SELECT lead_id FROM ({last}) AS l
            GROUP BY lead_id HAVING MIN(won) <> MAX(won)) AS a) AS differ,
        COUNT(CASE WHEN second_us - first_us <= {within_us} THEN 1 END) AS corrected,
        COUNT(CASE WHEN second_us - first_us > {within_us} THEN 1 END) AS reversed
        FROM (SELECT lead_id, MIN(known_us) AS first_us, MAX(known_us) AS second_us FROM (
            SELECT lead_id, won, MIN(available_us) AS known_us FROM settled_closes GROUP BY lead_id, won) AS w
            WHERE lead_id NOT IN ({reopened}) GROUP BY lead_id HAVING COUNT(*) = 2) AS ends""").to_pylist()[
        0
    ]
    days = staged.settings.target.correction_days
    words = {
        "differ": (
            "lead has",
            "leads have",
            "an outcome and a last closing stage that contradict each other: the later one counts",
        ),
        "corrected": (
            "lead was",
            "leads were",
            f"closed as won and as lost within {days:g} days: the last close known counts",
        ),
        "reversed": (
            "lead was",
            "leads were",
            f"closed with the other outcome more than {days:g} days after the first close: the first counts",
        ),
    }
    return [
        f"{counted(counts[name], one, many)} {what}"
        for name, (one, many, what) in words.items()
        if counts[name]
    ]
