"""Applies mapping entries to batches: which rows are whose, and what their values become."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.ingest.mapping.breaks import Breaks
from leadscore.ingest.mapping.typed import Reader, convert
from leadscore.ingest.mapping.words import Texts, Words, hash_texts, is_missing
from leadscore.ingest.readers.values import MISSING
from leadscore.settings.mapping import Mapping
from leadscore.settings.settings import Settings
from leadscore.tables import PERSONAL, TABLES, Column, Table
from leadscore.times import FOREVER_US

PLACE = [pa.field("line", pa.int64()), pa.field("extra", pa.int64())]


@dataclass(frozen=True)
class Mapped:
    """What an entry made of a batch: staged rows, refused and warned ones (`ROW_REJECTS`), how many it selected.

    `lead_ids` are those of all rows that it selected, also of the refused ones.
    """

    rows: pa.Table
    rejects: pa.Table
    selected: int
    refused: int
    lead_ids: pa.Array


def table_of(name: str, settings: Settings) -> Table:
    """The contract of a table; `leads` has the settings' attributes, and what may pass through, behind our columns."""
    table = TABLES[name]
    if name != "leads":
        return table
    own = {column.name for column in table.columns}
    extra = [Column(key, field.type) for key, field in settings.fields.items() if key not in own]
    passing = [Column(key, "text") for key in settings.pass_through if key not in settings.fields]
    return Table(name, (*table.columns, *extra, *passing))


def staged_schema(name: str, settings: Settings) -> pa.Schema:
    """A staged row: the table's columns, its line, and `extra`, a number for what else was read of it.

    Leads have also from_us, the earliest moment that their creation can mean, and hashes of their personal columns;
    their event_us may be null.
    """
    fields = [each.with_nullable(True) for each in table_of(name, settings).schema()] + PLACE
    if name == "leads":
        fields += [
            pa.field("from_us", pa.int64()),
            *(pa.field(f"{each}_hash", pa.string()) for each in PERSONAL),
        ]
    return pa.schema(fields)


def map_rows(
    lines: np.ndarray, texts: Texts, entry: Mapping, settings: Settings, reader: Reader
) -> Mapped:
    """Rows that an entry selected, mapped; a row is refused by the first rule that it breaks."""
    schema = staged_schema(entry.table, settings)
    work = _Work(entry, settings, lines, texts, reader)
    made: dict[str, pa.Array] = {}
    for column in work.table.columns:
        if column.name == "amount":
            made |= work.money()
        elif column.name != "currency":
            made[column.name] = work.build(column)
    made |= dict(zip(("event_us", "available_us"), work.times(), strict=True))
    made |= {"line": pa.array(lines), "extra": work.extra()}
    if entry.table == "leads":
        made["from_us"] = work.from_us(made["event_us"])
        made |= {f"{name}_hash": reader.personal.hash(name, work.text(name)) for name in PERSONAL}
    rows = pa.table([made[each.name].cast(each.type) for each in schema], schema=schema)
    refused = work.breaks.refused
    rejects = work.breaks.rejects(entry, reader.file, lines, made["lead_id"], work.closes())
    sound = rows.filter(pa.array(~refused)) if refused.any() else rows
    return Mapped(sound, rejects, texts.n, int(refused.sum()), made["lead_id"])


def map_fields(
    texts: Texts, entry: Mapping, settings: Settings, reader: Reader
) -> dict[str, pa.Array]:
    """The fields of leads that an entry fills, and their currency; what breaks a rule is missing."""
    work = _Work(entry, settings, np.arange(texts.n), texts, reader)
    named = [column for column in work.table.columns if column.name in settings.lead_fields()]
    made = {column.name: work.build(column) for column in named if column.name != "amount"}
    return made | work.money()


class _Work:
    """One entry applied to one batch of rows that it selected."""

    def __init__(
        self, entry: Mapping, settings: Settings, lines: np.ndarray, texts: Texts, reader: Reader
    ) -> None:
        self.entry, self.settings, self.lines, self.texts, self.reader = (
            entry,
            settings,
            lines,
            texts,
            reader,
        )
        self.table = table_of(entry.table, settings)
        self.columns = {column.name: column for column in self.table.columns}
        self.breaks = Breaks(settings.validation, np.zeros(texts.n, dtype=bool))

    def build(self, column: Column) -> pa.Array:
        name, text = column.name, self.text(column.name)
        if (
            name == "lead_id" and name not in self.entry.targets()
        ):  # undated settings alone allow that
            return pa.array(
                [f"{self.reader.called}-{line}" for line in self.lines.tolist()], pa.string()
            )
        missing = is_missing(text)
        if name == "lead_id" and self.table.name == "leads" and "event_at" in self.entry.columns:
            undated = is_missing(self.text("event_at"))
            self.breaks.add(missing & undated, "not_a_lead", name, text, may_warn=False)
        if column.required:
            self.breaks.add(missing, "required", name, text)
        if name == "value":
            return self.change_values(text)
        if allowed := self.allowed(column):
            words = Words.of(text)
            fits = words.mask([word == MISSING or word in allowed for word in words.texts])
            self.breaks.add(~fits, "allowed", name, text)
        if column.type == "text":
            return _filled(text, missing, column.default)
        values, ok = self.typed(column, text)
        self.breaks.add(~missing & ~ok, "type", name, text, may_warn=name != "seq")
        ok = ok & self.in_range(name, values, ok, text)
        return _nullable(values, ok, column.default)

    def typed(self, column: Column, text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        if column.type == "date":
            return self.reader.moments(text, self.called(column.name))
        known = self.settings.lead_fields().get(column.name)
        return self.reader.numbers(
            text, decimals=known.decimals if known else 2 if column.type == "number" else 0
        )

    def called(self, name: str) -> str:
        """What the file calls our column."""
        return self.entry.columns.get(name, name)

    def in_range(self, name: str, values: np.ndarray, ok: np.ndarray, text: pa.Array) -> np.ndarray:
        known = self.settings.lead_fields().get(name)
        low = 0 if name == "duration_s" else None if known is None else known.minimum
        high = None if known is None else known.maximum
        if low is None and high is None:
            return np.ones(len(ok), dtype=bool)
        scale = 1 if known is None else 10**known.decimals
        inside = (values >= (-np.inf if low is None else low * scale)) & (
            values <= (np.inf if high is None else high * scale)
        )
        self.breaks.add(ok & ~inside, "range", name, text)
        return np.asarray(inside)

    def text(self, name: str) -> pa.Array:
        """Our column as text: from the source's column, a constant, or a value map."""
        if name in self.entry.columns:
            return self.texts.columns[self.entry.columns[name]]
        text = pa.repeat(pa.scalar(self.entry.constants.get(name, MISSING)), self.texts.n)
        for source_column, by_value in self.entry.values.items():
            if not any(name in targets for targets in by_value.values()):
                continue
            words = self.texts.words(source_column)
            targets = [_target(by_value, word, name) for word in words.texts]
            unknown = words.mask([target is None for target in targets])
            needed = name in self.columns and self.columns[name].required
            self.breaks.add(
                unknown,
                "unmapped",
                source_column,
                self.texts.columns[source_column],
                may_warn=not needed,
            )
            found = words.take([target or MISSING for target in targets])
            text = (
                found
                if not is_missing(found).any()
                else pc.if_else(pc.equal(found, MISSING), text, found)
            )
        return text

    def allowed(self, column: Column) -> set[str]:
        if column.name == "kind":
            return set(self.settings.activity_kinds())
        if column.name == "stage":
            return set(self.settings.stages.order())
        if column.name == "field":
            return set(self.settings.lead_fields())
        return set(column.allowed or ())

    def change_values(self, text: pa.Array) -> pa.Array:
        """Values of changed fields: numbers and dates as the text of their integer, so that all engines agree."""
        values = pc.if_else(pc.equal(text, MISSING), pa.scalar(None, pa.string()), text)
        words = Words.of(self.text("field"))
        for name, known in self.settings.lead_fields().items():
            rows = words.mask([word == name for word in words.texts]) & ~is_missing(text)
            if known.type == "text" or not rows.any():
                continue
            read, ok = self.typed(Column(name, known.type), text)
            self.breaks.add(rows & ~ok, "type", "value", text, may_warn=False)
            values = pc.if_else(pa.array(rows), pc.cast(pa.array(read), pa.string()), values)
        return values

    def times(self) -> tuple[pa.Array, pa.Array]:
        """(event_us, available_us); a lead without a creation date has null and 0, to be filled with known_until."""
        if not self.settings.is_dated:
            return self.places()
        n = self.texts.n
        closes = self.closes()
        event, ok = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=bool)
        if "event_at" in self.entry.targets():
            optional = np.full(n, self.table.name == "leads") | closes
            event, ok = self.moment("event_at", optional=optional, may_warn=closes)
        event, ok = (
            np.where(closes & ~ok, FOREVER_US, event),
            ok | closes,
        )  # an export that shows a close dates it
        stated = event
        if "available_at" in self.entry.targets():
            everywhere = np.ones(n, dtype=bool)
            stated, known = self.moment("available_at", optional=everywhere, may_warn=~everywhere)
            stated = np.where(known, stated, event)
        return _nullable(event, ok, None), pa.array(np.maximum(event, stated))

    def places(self) -> tuple[pa.Array, pa.Array]:
        """The lead's place in the order, twice: its sequence, else its line; 0 for all where there is no order.

        Outcomes have 0 too, until they are put at the place of their lead.
        """
        if "sequence" not in self.entry.targets():
            is_lead = self.settings.time == "ordered" and self.table.name == "leads"
            places = self.lines if is_lead else np.zeros_like(self.lines)
            return pa.array(places), pa.array(places)
        text = self.text("sequence")
        missing = is_missing(text)
        places, ok = self.reader.numbers(text, decimals=0)
        ok &= np.asarray(
            pc.match_substring_regex(text, r"^[+-]?[0-9]+$").to_numpy(zero_copy_only=False),
            dtype=bool,
        )
        self.breaks.add(missing, "required", "sequence", text)
        self.breaks.add(~ok & ~missing, "type", "sequence", text, may_warn=False)
        return pa.array(places), pa.array(places)

    def moment(
        self, name: str, *, optional: np.ndarray, may_warn: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """UTC microseconds (n,) and which are given; `optional` rows may lack it, `may_warn` ones be unreadable."""
        text = self.text(name)
        moment, ok = self.reader.moments(text, self.called(name))
        missing = is_missing(text)
        unread = ~ok & ~missing
        self.breaks.add(unread & ~may_warn, "type", name, text, may_warn=False)
        self.breaks.add(unread & may_warn, "type", name, text)
        self.breaks.add(missing & ~optional, "required", name, text)
        return np.where(ok, moment, 0), ok

    def from_us(self, event: pa.Array) -> pa.Array:
        """The earliest moment that each event can mean, the begin of the day where only a date is given; else null."""
        if not self.settings.is_dated:
            return pa.nulls(self.texts.n, pa.int64())
        if "event_at" not in self.entry.targets():
            return event
        return self.reader.day_begins(self.text("event_at"), event)

    def money(self) -> dict[str, pa.Array]:
        """Amount and currency, in the settings' one currency if they have one."""
        text = self.text("amount")
        missing = is_missing(text)
        values, ok, marked = self.reader.money(
            text, decimals=self.settings.lead_fields()["amount"].decimals
        )
        self.breaks.add(~missing & ~ok, "type", "amount", text)
        ok = ok & self.in_range("amount", values, ok, text)
        stated = self.text("currency") if "currency" in self.entry.targets() else None
        values, currency, told = convert(values, stated, marked, self.settings.money)
        self.breaks.add(ok & ~told, "money", "currency", currency)
        return {
            "amount": _nullable(values, ok & told, None),
            "currency": _filled(currency, is_missing(currency), None),
        }

    def extra(self) -> pa.Array:
        """A number (n,) for the columns that select or are translated: rows that differ there are two rows."""
        total = np.zeros(self.texts.n, dtype=np.uint64)
        for name in sorted({*self.entry.where, *self.entry.where_not, *self.entry.values}):
            words = self.texts.words(name)
            total = total * np.uint64(0x9E3779B97F4A7C15) + hash_texts(words.texts)[words.codes]
        return pa.array(total.view(np.int64))

    def closes(self) -> np.ndarray:
        """Which rows (n,), were they read, would close their lead."""
        if self.table.name == "stages":
            words = Words.of(self.text("stage"))
            return words.mask([word in self.settings.stages.closing() for word in words.texts])
        return np.full(self.texts.n, self.table.name == "outcomes")


def _target(by_value: dict[str, dict[str, str]], value: str, name: str) -> str | None:
    """What a value maps to: by itself, else by the longest prefix; None if the map does not know the value."""
    prefixes = [
        key
        for key in by_value
        if key.endswith("*") and value.startswith(key[:-1]) and value != MISSING
    ]
    key = value if value in by_value else max(prefixes, key=len, default=None)
    return None if key is None else by_value[key].get(name, MISSING)


def _filled(text: pa.Array, missing: np.ndarray, default: int | str | None) -> pa.Array:
    return (
        pc.if_else(pa.array(missing), pa.scalar(default, pa.string()), text)
        if missing.any()
        else text
    )


def _nullable(values: np.ndarray, ok: np.ndarray, default: int | str | None) -> pa.Array:
    if default is not None:
        return pa.array(np.where(ok, values, default), pa.int64())
    return pa.array(values, pa.int64(), mask=~ok)
