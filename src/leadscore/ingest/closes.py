"""When the closes of an export were known, and the memory of all closes that exports have shown.

A status that is seen as closed was known at the latest when an export first showed it, whatever its date says. The
memory is the part `closes` of a store version (`tables.CLOSES`): every ingest carries the rows of the version before
on, so that only ancestors count, and none is ever dropped. `first_seen_us` and `last_open_us` are written once and
never moved; dates are read anew from each export, since settings may now read them better.

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
from leadscore.ingest.validate import Staged
from leadscore.store.version import StoreVersion, write_rows
from leadscore.tables import CLOSES
from leadscore.times import DAY_US, FOREVER_US, SECOND_US

LEADS = "(SELECT lead_id, available_us AS known_us, event_us FROM judged WHERE broken_rule = '')"
BY_SOURCE, BY_STATUS = (
    f"c.lead_id = b.lead_id AND c.origin = b.origin AND c.{column} = b.{column} AND c.{place} = b.{place}"
    for column, place in (("source_hash", "of_source"), ("status", "of_status"))
)  # whether two closes are one; by source text first, since settings may have translated it differently
NOT_SHOWN = " AND ".join(
    f"NOT EXISTS (SELECT 1 FROM stated_closes AS c WHERE {same})" for same in (BY_SOURCE, BY_STATUS)
)
TABLES_OF = {"last_activity": ("activities",), "last_stage": ("stages",)}


@dataclass(frozen=True)
class Closes:
    """The closes of an export.

    `part` is the memory as a part of the manifest. `moved` names the tables of which a close has other times than
    its row states. `warnings` say what was taken for granted, with counts.
    """

    part: dict[str, Any]
    moved: list[str]
    warnings: list[str]


def settle_closes(staged: Staged, before: StoreVersion | None, *, known_until: int) -> Closes:
    """Make the table `closes_now`, what is known of every close, and the part of the manifest that remembers it.

    `judged` and the kept events of every table, as <table>_now, must be readable.
    """
    engine = staged.engine
    engine.add_files("before_closes", before.files("closes") if before else [], schema=CLOSES)
    engine.add_rows("stated_closes", engine.query(_stated_sql(staged)))
    engine.add_rows("shown_before", engine.query(_ranked("SELECT * FROM before_closes WHERE state = 'shown'")))
    engine.add_rows("matched_closes", engine.query(_matched_sql(before, known_until)))
    engine.add_rows("settled_closes", engine.query(_settled_sql(staged)))
    shown = engine.query(_shown_sql())
    past = engine.query(_past_sql(known_until))
    closes = pa.concat_tables([shown.cast(CLOSES), past.cast(CLOSES)])
    engine.add_rows("closes_now", closes)
    order = ", ".join(map(identifier, CLOSES.names))
    rows = engine.query(f"SELECT {order} FROM closes_now ORDER BY {order}").cast(CLOSES)
    return Closes(
        write_rows(staged.folder, CLOSES, rows.to_batches()),
        _moved(staged),
        _find_warnings(staged, known_until),
    )


def restated_sql(staged: Staged, name: str) -> str:
    """SQL of a table of events in which every close has the times at which it counts, in the order of storing."""
    schema = staged.table(name).schema()
    status = identifier("outcome" if name == "outcomes" else "stage")
    columns = []
    for column in map(identifier, schema.names):
        is_time = column in {'"event_us"', '"available_us"'}
        columns.append(f"COALESCE(c.{column}, t.{column}) AS {column}" if is_time else f"t.{column}")
    order = ", ".join(map(identifier, sorted(schema.names, key=lambda each: each not in {"lead_id", "event_us"})))
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
    for name, columns, where in (("outcomes", outcomes, ""), ("stages", entered, f"WHERE r.stage IN ({closing})")):
        for at, _ in staged.of(name):
            parts.append(
                f"SELECT r.lead_id, {literal(name)} AS origin, {columns}, s.extra AS source_hash, r.event_us, "
                f"r.available_us FROM {name}_{at} AS r JOIN {name}_side_{at} AS s ON s.row = r.row {where}"
            )
    rows = f"SELECT DISTINCT c.* FROM ({' UNION ALL '.join(parts)}) AS c JOIN {LEADS} AS l ON l.lead_id = c.lead_id"
    return _ranked(rows)


def _ranked(rows: str) -> str:
    """SQL of closes with their place among those of the lead with the same source text, and with the same status."""
    by = "ROW_NUMBER() OVER (PARTITION BY lead_id, origin, {} ORDER BY event_us, seq, available_us, status)"
    return f"""SELECT *, {by.format("source_hash")} AS of_source, {by.format("status")} AS of_status
        FROM ({rows}) AS c"""


def _matched_sql(before: StoreVersion | None, known_until: int) -> str:
    """SQL of the closes that the export shows with what is remembered of them.

    `first_seen_us`, `last_open_us`, and `not_before_us`, from when the close can have been known: where it replaces
    another one, not before the export that still showed the other. `event_before_us` and so on are the times at which
    it counted, if they came from a usable date.
    """
    until = before.known_until_us if before else 0
    replaces = f"SELECT DISTINCT lead_id, origin FROM shown_before AS b WHERE {NOT_SHOWN}"
    remembered = {name: f"COALESCE(b.{name}, d.{name})" for name in CLOSES.names}
    dated = f"{remembered['dated']} = 1"
    return f"""SELECT c.*,
        CASE WHEN {dated} THEN {remembered["event_us"]} END AS event_before_us,
        CASE WHEN {dated} THEN {remembered["available_us"]} END AS available_before_us,
        LEAST(COALESCE({remembered["first_seen_us"]}, {known_until - 1}), {known_until - 1}) AS first_seen_us,
        COALESCE({remembered["last_open_us"]}, CASE WHEN o.lead_id IS NULL THEN 0 ELSE {until} END) AS last_open_us,
        COALESCE({remembered["not_before_us"]}, CASE WHEN p.lead_id IS NULL THEN 0 ELSE {until} END) AS not_before_us
        FROM stated_closes AS c
        LEFT JOIN shown_before AS b ON {BY_SOURCE}
        LEFT JOIN shown_before AS d ON {BY_STATUS.replace("b.", "d.")}
        LEFT JOIN ({_open_before_sql()}) AS o ON o.lead_id = c.lead_id
        LEFT JOIN ({replaces}) AS p ON p.lead_id = c.lead_id AND p.origin = c.origin"""


def _open_before_sql() -> str:
    """SQL of the leads that the version before showed open; none if it showed no close at all, mapped or not."""
    return """SELECT l.lead_id FROM before_leads AS l
        LEFT JOIN (SELECT lead_id, MAX(event_us) AS close_us FROM shown_before GROUP BY lead_id) AS c
            ON c.lead_id = l.lead_id
        LEFT JOIN (SELECT lead_id, MAX(event_us) AS open_us FROM before_stages GROUP BY lead_id) AS s
            ON s.lead_id = l.lead_id
        WHERE EXISTS (SELECT 1 FROM before_closes) AND (c.lead_id IS NULL OR s.open_us > c.close_us)"""


def _settled_sql(staged: Staged) -> str:
    """SQL of the closes with the times at which they count; the stated ones are kept beside.

    A date is usable up to the moment at which an export first showed the close. Without a usable one the close lies
    after the last export that showed the lead open, else after its creation, and after the begin of its own day where
    only a date is given, unless the settings name a substitute.
    """
    rows = f"""SELECT c.*, c.event_us AS stated_us, c.available_us AS stated_available_us,
        c.event_us <= c.first_seen_us AS is_usable,
        c.event_us - c.first_seen_us < {DAY_US} AND (c.event_us + 1) % {SECOND_US} = 0 AS is_of_that_day,
        LEAST(c.first_seen_us, GREATEST(c.last_open_us, CASE WHEN l.event_us IS NULL THEN 0 ELSE l.known_us END))
            AS open_us, s.last_us AS substitute_us
        FROM matched_closes AS c JOIN {LEADS} AS l ON l.lead_id = c.lead_id
        LEFT JOIN ({_substitutes_sql(staged)}) AS s
            ON s.lead_id = c.lead_id AND s.origin = c.origin AND s.first_seen_us = c.first_seen_us"""
    ends = f"""SELECT *,
        CASE WHEN is_usable THEN LEAST(GREATEST(stated_available_us, not_before_us), first_seen_us)
            WHEN available_before_us IS NOT NULL THEN available_before_us
            WHEN is_of_that_day THEN first_seen_us
            WHEN substitute_us IS NOT NULL THEN GREATEST(substitute_us, open_us)
            ELSE first_seen_us END AS known_us,
        CASE WHEN is_usable THEN NULL
            WHEN available_before_us IS NOT NULL THEN NULL
            WHEN is_of_that_day THEN GREATEST(open_us, stated_us + 1 - {DAY_US})
            WHEN substitute_us IS NOT NULL THEN NULL
            ELSE open_us END AS from_us
        FROM ({rows}) AS r"""
    columns = "lead_id, origin, status, seq, won, source_hash, stated_us, stated_available_us"
    return f"""SELECT {columns}, is_usable, substitute_us,
        CASE WHEN is_usable OR available_before_us IS NOT NULL THEN 1 ELSE 0 END AS dated,
        CASE WHEN is_usable THEN stated_us ELSE COALESCE(event_before_us, known_us) END AS event_us,
        LEAST(COALESCE(from_us, known_us), known_us) AS earliest_us, known_us AS available_us,
        first_seen_us, last_open_us, not_before_us
        FROM ({ends}) AS e"""


def _substitutes_sql(staged: Staged) -> str:
    """SQL of what stands for a missing close date, if the settings name it: when the lead was last heard of."""
    chosen = TABLES_OF.get(staged.settings.target.undated_close or "", ())
    nothing = "SELECT lead_id, event_us, available_us FROM before_closes WHERE 1 = 0"
    facts = [nothing, *(f"SELECT lead_id, event_us, available_us FROM {name}_now" for name in chosen)]
    return f"""SELECT c.lead_id, c.origin, c.first_seen_us, MAX(f.available_us) AS last_us
        FROM (SELECT DISTINCT lead_id, origin, first_seen_us FROM matched_closes) AS c
        JOIN ({" UNION ALL ".join(facts)}) AS f
            ON f.lead_id = c.lead_id AND f.event_us <= c.first_seen_us AND f.available_us <= c.first_seen_us
        GROUP BY c.lead_id, c.origin, c.first_seen_us"""


def _shown_sql() -> str:
    fixed = {"state": "'shown'", "gone_us": "CAST(NULL AS BIGINT)"}
    columns = ", ".join(f"{fixed.get(name, identifier(name))} AS {identifier(name)}" for name in CLOSES.names)
    return f"SELECT DISTINCT {columns} FROM settled_closes"


def _past_sql(known_until: int) -> str:
    """SQL of the closes that the version before remembers and the export does not show."""
    names = ", ".join(map(identifier, CLOSES.names))
    unmatched = f"""SELECT {names} FROM before_closes WHERE state <> 'shown' UNION ALL
        SELECT {names} FROM shown_before AS b WHERE {NOT_SHOWN}"""
    gone, replaced = literal("gone"), literal("replaced")
    state = f"""CASE WHEN l.lead_id IS NULL OR b.state <> 'shown' THEN b.state
        WHEN s.lead_id IS NULL THEN {gone} ELSE {replaced} END"""
    fixed = {
        "state": state,
        "gone_us": f"CASE WHEN l.lead_id IS NULL THEN b.gone_us ELSE COALESCE(b.gone_us, {known_until - 1}) END",
    }
    columns = ", ".join(f"{fixed.get(name, 'b.' + identifier(name))} AS {identifier(name)}" for name in CLOSES.names)
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
        COUNT(DISTINCT CASE WHEN stated_us < {known_until} AND NOT is_usable THEN lead_id END) AS early,
        COUNT(DISTINCT CASE WHEN dated = 0 AND substitute_us IS NOT NULL THEN lead_id END) AS substituted
        FROM settled_closes""").to_pylist()[0]
    words = {
        "future": "closed leads have a close date after the export: taken as closed by then",
        "missing": "closed leads have no close date: taken as closed by the first export that shows it",
        "early": "closed leads were shown as closed before their close date: the first export that showed it counts",
        "substituted": f"of the closes without a usable date take the time of the {(chosen or '').replace('_', ' ')}",
    }
    dates = [f"{counts[name]} {text}" for name, text in words.items() if counts[name]]
    return dates + _find_reopened(staged, known_until) + _find_contradictions(staged)


def _find_reopened(staged: Staged, known_until: int) -> list[str]:
    """Leads that an earlier export showed closed and this one shows without any close."""
    sql = f"SELECT COUNT(DISTINCT lead_id) FROM closes_now WHERE state = 'gone' AND gone_us = {known_until - 1}"
    n = staged.engine.query(sql).column(0)[0].as_py()
    return [f"{n} leads that were closed in an earlier export are open in this one: re-opened by now"] if n else []


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
            WHERE lead_id NOT IN ({reopened}) GROUP BY lead_id HAVING COUNT(*) = 2) AS ends""").to_pylist()[0]
    days = staged.settings.target.correction_days
    words = {
        "differ": "leads have an outcome and a last closing stage that contradict each other: the later one counts",
        "corrected": f"leads were closed as won and as lost within {days:g} days: the last close known counts",
        "reversed": f"leads were closed otherwise more than {days:g} days after their first close: the first counts",
    }
    return [f"{counts[name]} {text}" for name, text in words.items() if counts[name]]
