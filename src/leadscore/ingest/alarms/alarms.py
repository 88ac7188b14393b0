"""What is wrong with an export as a whole, seen beside the one before; said before anything is scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from leadscore.engine.protocol import identifier
from leadscore.ingest.alarms.added import find_added
from leadscore.ingest.alarms.deliveries import Deliveries
from leadscore.ingest.alarms.fresh import find_shares, find_silent, find_sizes
from leadscore.ingest.alarms.rewritten import (
    Compared,
    compare_columns,
    find_emptied,
    find_renamed,
    find_rescaled,
    find_rewritten,
)
from leadscore.ingest.alarms.rewritten_numbers import find_reassigned, find_rewritten_numbers
from leadscore.ingest.alarms.vanished import find_ahead, find_ended, find_shifted, find_vanished
from leadscore.ingest.checks.validate import Staged
from leadscore.ingest.differences.observe import JUDGED
from leadscore.store.version import StoreVersion
from leadscore.times import SECOND_US, format_us
from leadscore.wording import counted

MANY = 0.2  # of the leads that both exports have
COMMON = 20  # rows of a value below which its coming and going says nothing
HALF_HOUR_US = 1800 * SECOND_US
FEW = 5  # rows of a value that is gone, if one that nobody knows is there instead
LEAST_LEADS = 20  # in both exports; of fewer nothing is said


@dataclass(frozen=True)
class Raised:
    """An alarm with what was seen."""

    name: str
    seen: str


@dataclass(frozen=True)
class Alarms:
    """All that was raised; `warned` are the alarms that only warn, `taken` those that are accepted this once."""

    raised: tuple[Raised, ...]
    warned: frozenset[str]
    taken: frozenset[str] = frozenset()

    @property
    def stopping(self) -> dict[str, list[str]]:
        """What stops the delivery, by alarm."""
        return self._by_name(lambda name: name not in self.warned | self.taken)

    @property
    def accepted(self) -> dict[str, list[str]]:
        """What was accepted by name and would have stopped it."""
        return self._by_name(lambda name: name in self.taken - self.warned)

    @property
    def words(self) -> list[str]:
        """Everything, for whoever watches."""
        return [f"{each.name}: {each.seen}" for each in self.raised]

    def _by_name(self, is_asked: Callable[[str], bool]) -> dict[str, list[str]]:
        seen: dict[str, list[str]] = {}
        for each in self.raised:
            if is_asked(each.name):
                seen.setdefault(each.name, []).append(each.seen)
        return seen


@dataclass(frozen=True)
class Exports:
    """This export and the one before, both readable on the engine: <table>_now and before_<table>.

    `accounts` and `before_accounts` say what became of the rows of each table. `pair` holds the rows of both
    deliveries as their files say them; None without dates, or if what was read for the one before is not known.
    """

    staged: Staged
    before: StoreVersion
    accounts: dict[str, Any]
    before_accounts: dict[str, Any]
    pair: Deliveries | None
    known_until: int
    files: dict[str, str]
    files_before: dict[str, str]

    @cached_property
    def compared(self) -> list[Compared]:
        """The columns of the facts that both deliveries have."""
        return [] if self.pair is None else compare_columns(self.pair)

    def counts(self) -> Iterator[tuple[str, int, int]]:
        """The rows of every table that the delivery before, and this one, let into the store."""
        for name, account in self.before_accounts.items():
            yield name, account["stored"], self.accounts[name]["stored"]

    def is_reread(self, table: str) -> bool:
        """Whether other settings read the files of a table now, so that other values are no news of the CRM."""
        return self.pair is not None and table in self.pair.reread

    def gone_leads(self) -> tuple[int, int]:
        """How many leads the delivery before had, and how many of them this one has not."""
        is_raw = self.pair is not None and "leads" in self.pair.tables
        leads = "raw_before_leads" if is_raw else "before_leads"
        row = self.staged.engine.query(f"""SELECT COUNT(*) AS had, COUNT(CASE WHEN n.lead_id IS NULL THEN 1 END) AS gone
            FROM (SELECT DISTINCT lead_id FROM {leads}) AS b
            LEFT JOIN (SELECT DISTINCT lead_id FROM ({self.staged.rows("leads")}) AS s) AS n
            ON n.lead_id = b.lead_id""").to_pylist()[0]
        return row["had"], row["gone"]

    def number(self, sql: str) -> Any:
        """The one value that a statement gives."""
        return self.staged.engine.query(sql).column(0)[0].as_py()


def find_alarms(exports: Exports) -> list[Raised]:
    """All that is raised, in a fixed order."""
    dated = exports.staged.settings.is_dated
    looks = {name: look for name, look in LOOKS.items() if dated or name not in OF_TIME}
    return [Raised(name, seen) for name, look in looks.items() for seen in look(exports)]


def _empty(e: Exports) -> Iterator[str]:
    for name, before, now in e.counts():
        if before and not now:
            yield f"{name} had {counted(before, 'row')} and has none"


def _half_delivered(e: Exports) -> Iterator[str]:
    limit = e.staged.settings.validation.max_shrink
    had, gone = e.gone_leads()
    if had and gone > limit * had:
        yield f"{gone:,} of {had:,} leads are no longer there"
    for name, before, now in e.counts():
        if name != "leads" and 0 < now < (1 - limit) * before:
            yield f"{name} had {counted(before, 'row')} and has {now:,}"


def _same_files(e: Exports) -> Iterator[str]:
    if e.known_until > e.before.known_until_us and e.files == e.files_before:
        yield (
            f"known_until moved from {e.before.manifest['known_until']} to {format_us(e.known_until)}, and no file "
            "changed: the days between would look as if nobody had done anything"
        )


def _older_export(e: Exports) -> Iterator[str]:
    if e.known_until < e.before.known_until_us:
        previous = e.before.manifest["known_until"]
        yield f"it was made at {format_us(e.known_until)}, before the previous one ({previous})"


def _renamed(e: Exports) -> Iterator[str]:
    fields = e.staged.settings.lead_fields().items()
    texts = [
        name for name, field in fields if field.type == "text" and name != "owner_id"
    ]  # leads go to other reps
    schema = e.before.schema("leads")
    asked = [
        ("leads", name)
        for name in e.staged.mapped_fields()
        if schema and name in schema.names and name in texts
    ]
    known = {each.name for each in e.compared if each.renamed}
    yield from find_renamed(e.compared)
    asked += [("stages", "stage"), ("activities", "kind"), ("outcomes", "reason")]
    for table, column in [(table, column) for table, column in asked if not e.is_reread(table)]:
        counts = e.staged.engine.query(_counts_sql(table, column)).to_pylist()
        if len(counts) > 10 * COMMON:  # free text, names: values come and go
            continue
        gone = {
            row["value"]: row["before"] for row in counts if row["before"] >= FEW and not row["now"]
        }
        new = {
            row["value"]: row["now"] for row in counts if row["now"] >= COMMON and not row["before"]
        }
        for old, n in gone.items():
            alike = [value for value, m in new.items() if n / 2 <= m <= 2 * n]
            if alike and n >= COMMON and f"{table}.{column}" not in known:
                yield (
                    f"{table}.{column}: {old!r} had {n:,} rows and has none, {alike[0]!r} is new with "
                    f"{new[alike[0]]:,}"
                )
        yield from _renamed_and_refused(e, table, column, gone)


def _renamed_and_refused(
    e: Exports, table: str, column: str, gone: dict[str, int]
) -> Iterator[str]:
    """Values that are gone, with one that the settings do not know about as often among the refused."""
    for row in _unknown_values(e):
        alike = [old for old, n in gone.items() if n / 2 <= row["n"] <= 2 * n]
        if row["table"] == table and row["column"] == column and alike:
            yield (
                f"{table}.{column}: {alike[0]!r} had {gone[alike[0]]:,} rows and has none, {row['value']!r} has "
                f"{row['n']:,} and is not in the settings"
            )


def _unknown(e: Exports) -> Iterator[str]:
    """A stage, kind or status that the settings do not know yet: its rows are among the refused."""
    for row in _unknown_values(e):
        if row["n"] >= COMMON:
            yield f"{row['table']}.{row['column']}: {row['value']!r} is not in the settings and has {row['n']:,} rows"


def _unknown_values(e: Exports) -> list[dict[str, Any]]:
    sql = """SELECT "table", "column", value, COUNT(*) AS n FROM row_rejects
        WHERE rule IN ('allowed', 'unmapped', 'unselected') AND value IS NOT NULL
        GROUP BY "table", "column", value ORDER BY n DESC, value"""
    unknown: list[dict[str, Any]] = e.staged.engine.query(sql).to_pylist()
    return unknown


def _counts_sql(table: str, column: str) -> str:
    """SQL of each value's rows before and now."""
    name = identifier(column)
    now = (
        JUDGED if table == "leads" else f"{table}_now AS n"
    )  # leads_now has the values that were seen first
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
    if e.is_reread("leads"):
        return
    schema = e.before.schema("leads")
    numbers = [
        name for name, field in e.staged.settings.lead_fields().items() if field.type == "number"
    ]
    for name in (
        each
        for each in e.staged.mapped_fields()
        if each in numbers and schema and each in schema.names
    ):
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


def _of_pair(look: Callable[[Deliveries], Iterator[str]]) -> Callable[[Exports], Iterator[str]]:
    """A look at the rows of two deliveries, which sees nothing where they cannot be compared."""

    def look_at(e: Exports) -> Iterator[str]:
        return iter(()) if e.pair is None else look(e.pair)

    return look_at


def _emptied(e: Exports) -> Iterator[str]:
    return iter(()) if e.pair is None else find_emptied(e.pair, e.compared)


def _rewritten(e: Exports) -> Iterator[str]:
    if e.pair is not None:
        yield from find_rewritten(e.pair, e.compared)
        yield from find_rewritten_numbers(e.pair)


def _feed_ended(e: Exports) -> Iterator[str]:
    if e.pair is not None:
        yield from find_ended(e.pair)
        yield from find_silent(e.pair)


def _scale(e: Exports) -> Iterator[str]:
    if e.pair is not None:
        yield from find_rescaled(e.pair)
        yield from find_sizes(e.pair)


def _time_shifts(e: Exports) -> Iterator[str]:
    yield from _time_shift(e)
    if e.pair is not None:
        yield from find_shifted(e.pair)


OF_TIME = {"same_files", "older_export", "time_shift"}
LOOKS: dict[str, Callable[[Exports], Iterator[str]]] = {
    "empty": _empty,
    "half_delivered": _half_delivered,
    "facts_vanished": _of_pair(find_vanished),
    "facts_added": _of_pair(find_added),
    "feed_ended": _feed_ended,
    "known_until_ahead": _of_pair(find_ahead),
    "same_files": _same_files,
    "older_export": _older_export,
    "renamed": _renamed,
    "unknown_value": _unknown,
    "emptied": _emptied,
    "rewritten": _rewritten,
    "reassigned": _of_pair(find_reassigned),
    "currency_switch": _currency_switch,
    "scale": _scale,
    "shares": _of_pair(find_shares),
    "time_shift": _time_shifts,
}
