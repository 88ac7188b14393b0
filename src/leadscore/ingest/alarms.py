"""What is wrong with an export as a whole, seen beside the one before; said before anything is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.engine.protocol import identifier
from leadscore.ingest.observe import JUDGED
from leadscore.ingest.validate import Staged
from leadscore.store.version import StoreVersion
from leadscore.times import SECOND_US, format_us

MANY = 0.2  # of the leads that both exports have
COMMON = 20  # rows of a value below which its coming and going says nothing
HALF_HOUR_US = 1800 * SECOND_US
LEAST_LEADS = 20  # in both exports; of fewer nothing is said


@dataclass(frozen=True)
class Raised:
    """An alarm with what was seen."""

    name: str
    seen: str


@dataclass(frozen=True)
class Exports:
    """This export and the one before, both readable on the engine: <table>_now and before_<table>."""

    staged: Staged
    before: StoreVersion
    tables: dict[str, dict[str, Any]]
    known_until: int
    files: dict[str, str]
    files_before: dict[str, str]

    def number(self, sql: str) -> Any:
        """The one value that a statement gives."""
        return self.staged.engine.query(sql).column(0)[0].as_py()


def find_alarms(exports: Exports) -> list[Raised]:
    """All that is raised, in a fixed order."""
    dated = exports.staged.settings.is_dated
    looks = {name: look for name, look in LOOKS.items() if dated or name not in OF_TIME}
    return [Raised(name, seen) for name, look in looks.items() for seen in look(exports)]


def _empty(e: Exports) -> Iterator[str]:
    for name, part in e.before.manifest["tables"].items():
        if part["rows"] and not e.tables[name]["rows"]:
            yield f"{name} had {part['rows']:,} rows and has none"


def _half_delivered(e: Exports) -> Iterator[str]:
    limit = e.staged.settings.validation.max_shrink
    gone = e.number("SELECT COUNT(*) FROM before_leads AS b LEFT JOIN leads_now AS n ON n.lead_id = b.lead_id "
                    "WHERE n.lead_id IS NULL")  # fmt: skip
    had = e.before.manifest["tables"]["leads"]["rows"]
    if had and gone > limit * had:
        yield f"{gone:,} of {had:,} leads are no longer there"
    for name, part in e.before.manifest["tables"].items():
        now = e.tables[name]["rows"]
        if name != "leads" and 0 < now < (1 - limit) * part["rows"]:
            yield f"{name} had {part['rows']:,} rows and has {now:,}"


def _same_files(e: Exports) -> Iterator[str]:
    if e.known_until > e.before.known_until_us and e.files == e.files_before:
        yield (
            f"known_until moved from {e.before.manifest['known_until']} to {format_us(e.known_until)}, and no file "
            "changed: the days between would look as if nobody had done anything"
        )


def _older_export(e: Exports) -> Iterator[str]:
    if e.known_until < e.before.known_until_us:
        yield f"it ends at {format_us(e.known_until)}, the one before at {e.before.manifest['known_until']}"


def _renamed(e: Exports) -> Iterator[str]:
    texts = [name for name, field in e.staged.settings.lead_fields().items() if field.type == "text"]
    schema = e.before.schema("leads")
    asked = [("leads", name) for name in e.staged.mapped_fields() if schema and name in schema.names and name in texts]
    for table, column in [*asked, ("stages", "stage"), ("activities", "kind"), ("outcomes", "reason")]:
        counts = e.staged.engine.query(_counts_sql(table, column)).to_pylist()
        if len(counts) > 10 * COMMON:  # free text, names: values come and go
            continue
        gone = {row["value"]: row["before"] for row in counts if row["before"] >= COMMON and not row["now"]}
        new = {row["value"]: row["now"] for row in counts if row["now"] >= COMMON and not row["before"]}
        for old, n in gone.items():
            alike = [value for value, m in new.items() if n / 2 <= m <= 2 * n]
            if alike:
                yield (f"{table}.{column}: {old!r} had {n:,} rows and has none, {alike[0]!r} is new with "
                       f"{new[alike[0]]:,}")  # fmt: skip
    yield from _renamed_and_refused(e)


def _renamed_and_refused(e: Exports) -> Iterator[str]:
    """A stage, kind or status that the settings do not know yet: its rows are among the refused."""
    sql = f"""SELECT "table", "column", value, COUNT(*) AS n FROM row_rejects
        WHERE rule IN ('allowed', 'unmapped', 'unselected') AND value IS NOT NULL
        GROUP BY "table", "column", value HAVING COUNT(*) >= {COMMON} ORDER BY n DESC, value"""
    for row in e.staged.engine.query(sql).to_pylist():
        yield f"{row['table']}.{row['column']}: {row['value']!r} is not in the settings and has {row['n']:,} rows"


def _counts_sql(table: str, column: str) -> str:
    """SQL of each value's rows before and now."""
    name = identifier(column)
    now = JUDGED if table == "leads" else f"{table}_now AS n"  # leads_now has the values that were seen first
    parts = [
        f"SELECT {name} AS value, {was} AS before, {1 - was} AS now FROM {source} WHERE {name} IS NOT NULL"
        for source, was in ((f"before_{table}", 1), (now, 0))
    ]
    return f"""SELECT value, COUNT(CASE WHEN before = 1 THEN 1 END) AS before,
        COUNT(CASE WHEN now = 1 THEN 1 END) AS now
        FROM ({" UNION ALL ".join(parts)}) AS v GROUP BY value ORDER BY value"""


BOTH = f"FROM before_leads AS b JOIN {JUDGED} ON n.lead_id = b.lead_id"


def _currency_switch(e: Exports) -> Iterator[str]:
    both = e.number(f"SELECT COUNT(*) {BOTH}")
    if both < LEAST_LEADS:
        return
    moved = e.staged.engine.query(
        f"SELECT b.currency AS old, n.currency AS new, COUNT(*) AS n {BOTH} WHERE b.currency <> n.currency "
        "GROUP BY b.currency, n.currency ORDER BY n DESC, old, new"
    ).to_pylist()
    if moved and moved[0]["n"] > MANY * both:
        first = moved[0]
        yield f"the currency of {first['n']:,} of {both:,} leads changed from {first['old']} to {first['new']}"
    schema = e.before.schema("leads")
    numbers = [name for name, field in e.staged.settings.lead_fields().items() if field.type == "number"]
    for name in (each for each in e.staged.mapped_fields() if each in numbers and schema and each in schema.names):
        yield from _scaled(e, name)


def _scaled(e: Exports, name: str) -> Iterator[str]:
    column = identifier(name)
    rows = e.staged.engine.query(
        f"SELECT b.{column} AS old, n.{column} AS new {BOTH} WHERE b.{column} > 0 AND n.{column} > 0"
    )
    both = rows.num_rows
    if both < LEAST_LEADS:
        return
    factor = (rows["new"].to_numpy() / rows["old"].to_numpy()).round(4)
    values, counts = _common(factor[factor != 1])
    if counts > MANY * both:
        yield f"{name} of {counts:,} of {both:,} leads is {values:g} times what it was"


def _common(values: Any) -> tuple[float, int]:
    """The most common of some numbers, and how often it is there."""
    if not len(values):
        return 1.0, 0
    distinct, counts = np.unique(values, return_counts=True)
    return float(distinct[counts.argmax()]), int(counts.max())


def _time_shift(e: Exports) -> Iterator[str]:
    both = e.number(f"SELECT COUNT(*) {BOTH}")
    moved = e.staged.engine.query(
        f"SELECT n.event_us - b.event_us AS us, COUNT(*) AS n {BOTH} WHERE n.event_us <> b.event_us "
        "GROUP BY n.event_us - b.event_us ORDER BY n DESC, us"
    ).to_pylist()
    half_hours = [row for row in moved if row["us"] % HALF_HOUR_US == 0]
    n = sum(row["n"] for row in half_hours)
    if both >= LEAST_LEADS and n > MANY * both:
        hours = half_hours[0]["us"] / (2 * HALF_HOUR_US)
        yield f"the creation of {n:,} of {both:,} leads moved by {hours:+g} hours: is the time zone the right one?"


OF_TIME = {"same_files", "older_export", "time_shift"}
LOOKS: dict[str, Callable[[Exports], Iterator[str]]] = {
    "empty": _empty,
    "half_delivered": _half_delivered,
    "same_files": _same_files,
    "older_export": _older_export,
    "renamed": _renamed,
    "currency_switch": _currency_switch,
    "time_shift": _time_shift,
}
