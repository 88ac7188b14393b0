"""Applies mapping entries to batches: which rows are whose, and what their values become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.config import Mapping, Match, Settings
from leadscore.ingest.sources import Batch
from leadscore.ingest.values import DATE, MISSING, read_moments, read_number, read_text, within_reason
from leadscore.tables import REJECTS, TABLES, Column, Table


@dataclass(frozen=True)
class Mapped:
    """What an entry made of a batch: rows for its table (with `row_hash`), refused rows, and how many it selected."""

    rows: pd.DataFrame
    rejects: pd.DataFrame
    selected: int


def table_of(name: str, settings: Settings) -> Table:
    """The contract of a table, in `leads` with the settings' attributes behind our own columns."""
    table = TABLES[name]
    if name != "leads":
        return table
    own = {column.name for column in table.columns}
    extra = [Column(key, field.type) for key, field in settings.fields.items() if key not in own]
    return Table(name, table.columns + tuple(extra))


def select_rows(texts: pd.DataFrame, where: Match) -> np.ndarray:
    """Which rows (n,) hold, in every column of `where`, one of its values."""
    chosen = np.ones(len(texts), dtype=bool)
    for column, values in where.items():
        chosen &= _holds(texts[column], values)
    return chosen


def _holds(text: pd.Series[Any], values: tuple[str, ...]) -> np.ndarray:
    exact = text.isin([value for value in values if not value.endswith("*")])
    prefixes = tuple(value[:-1] for value in values if value.endswith("*"))
    return (exact | (text.str.startswith(prefixes) & (text != MISSING))).to_numpy(dtype=bool)


def reject_rows(source: str, lines: Any, *, rule: str, **parts: Any) -> pd.DataFrame:
    """Refused rows of a source in the shape of `tables.REJECTS`; what `parts` does not give is missing."""
    return pd.DataFrame(
        {name: parts.get(name) for name in REJECTS.names}
        | {"closes": False, "source": source, "line": lines, "rule": rule}
    )


def map_batch(batch: Batch, texts: pd.DataFrame, entry: Mapping, chosen: np.ndarray, settings: Settings) -> Mapped:
    """The `chosen` rows of a batch, mapped by an entry; a row is refused by the first rule that it breaks."""
    frame, texts = batch.frame[chosen].reset_index(drop=True), texts[chosen].reset_index(drop=True)
    lines = batch.lines[chosen]
    table = table_of(entry.table, settings)
    work = _Work(entry, table, settings, frame, texts, lines)
    rows = pd.DataFrame({name: work.build(name) for name in table.schema().names})
    rows["source"], rows["line"], rows["from_us"] = entry.source, lines, work.from_us(rows["event_us"])
    rows["row_hash"] = pd.util.hash_pandas_object(texts[sorted(entry.sources())], index=False).to_numpy().view(np.int64)
    bad = work.rule != ""
    rejects = reject_rows(
        entry.source, lines[bad], rule=work.rule[bad], table=entry.table,
        column=work.column[bad], value=work.value[bad], lead_id=rows["lead_id"][bad].to_numpy(),
    )  # fmt: skip
    rejects["closes"] = work.closes()[bad]
    return Mapped(rows[~bad], rejects, len(lines))


class _Work:
    """One entry applied to one batch, and which rule each row broke first."""

    def __init__(
        self, entry: Mapping, table: Table, settings: Settings, frame: pd.DataFrame, texts: pd.DataFrame,
        lines: np.ndarray,
    ) -> None:  # fmt: skip
        self.entry, self.table, self.settings, self.frame, self.texts = entry, table, settings, frame, texts
        self.lines = lines
        n = len(frame)
        self.rule, self.column, self.value = (np.full(n, "", dtype=object) for _ in range(3))
        self.columns = {column.name: column for column in table.columns}

    def refuse(self, rows: np.ndarray, rule: str, column: str, values: pd.Series[Any]) -> None:
        first = rows & (self.rule == "")
        self.rule[first], self.column[first], self.value[first] = rule, column, values[first]

    def build(self, name: str) -> Any:
        if name == "event_us":
            return self.times()[0]
        if name == "available_us":
            return self.times()[1]
        if name == "lead_id" and name not in self.entry.targets():  # undated settings alone allow that
            return np.array([f"{self.entry.source}-{line}" for line in self.lines], dtype=object)
        column = self.columns[name]
        text = self.text(name)
        missing = (text == MISSING).to_numpy()
        if column.required:
            self.refuse(missing, "required", name, text)
        if name == "value":
            return self.change_values(text)
        if allowed := self.allowed(column):
            self.refuse(~missing & ~text.isin(allowed).to_numpy(), "allowed", name, text)
        if column.type == "text":
            filled = text.where(~missing, column.default if column.default is not None else None)
            return filled.astype(object).where(filled.notna(), None)
        values, ok = self.typed(column.type, text, name)
        self.refuse(~missing & ~ok, "type", name, text)
        return _nullable(values, ok, column.default)

    def text(self, name: str) -> pd.Series[Any]:
        """Our column as text: from the source's column, a constant, or a value map."""
        if name in self.entry.columns:
            return self.texts[self.entry.columns[name]]
        text = pd.Series(self.entry.constants.get(name, MISSING), index=self.texts.index, dtype="str")
        for source_column, by_value in self.entry.values.items():
            if not any(name in targets for targets in by_value.values()):
                continue
            raw = self.texts[source_column]
            lookup = {value: _target(by_value, value, name) for value in raw.unique()}
            self.refuse(
                raw.map({v: t is None for v, t in lookup.items()}).to_numpy(bool),
                "unmapped",
                source_column,
                raw,
            )
            found = raw.map({v: t or MISSING for v, t in lookup.items()}).astype("str")
            text = found.where(found != MISSING, text)
        return text

    def allowed(self, column: Column) -> tuple[str, ...] | None:
        if column.name == "kind":
            return tuple(self.settings.activity_kinds())
        if column.name == "stage":
            return tuple(self.settings.stages.order())
        if column.name == "field":
            return tuple(self.settings.lead_fields())
        return column.allowed

    def typed(self, kind: str, text: pd.Series[Any], name: str) -> tuple[np.ndarray, np.ndarray]:
        if kind == "date":
            return self.moments(name)
        known = self.settings.lead_fields().get(name)
        if kind == "number":
            return read_number(text, decimals=known.decimals if known else 2)
        return read_number(text, decimals=0)

    def change_values(self, text: pd.Series[Any]) -> Any:
        """Values of changed fields: numbers and dates as the text of their integer, so that all engines agree."""
        values = text.astype(object).where(text != MISSING, None)
        fields = self.text("field")
        for name, field in self.settings.lead_fields().items():
            rows = ((fields == name) & (text != MISSING)).to_numpy()
            if field.type == "text" or not rows.any():
                continue
            read, ok = self.moments("value") if field.type == "date" else read_number(text, decimals=field.decimals)
            self.refuse(rows & ~ok, "type", "value", text)
            values[rows] = read[rows].astype(str)
        return values

    def times(self) -> tuple[Any, np.ndarray]:
        """(event_us, available_us); a lead without a creation date has None and 0, to be filled with known_until."""
        if not self.settings.is_dated:
            return self.places()
        event, ok = self.moments("event_at")
        if "event_at" in self.entry.targets():
            text = self.text("event_at")
            missing = (text == MISSING).to_numpy()
            self.refuse(~ok & ~missing, "type", "event_at", text)
            if self.table.name != "leads":
                self.refuse(missing, "required", "event_at", text)
        stated = event
        if "available_at" in self.entry.targets():
            text = self.text("available_at")
            stated, known = self.moments("available_at")
            self.refuse(~known & (text != MISSING).to_numpy(), "type", "available_at", text)
            stated = np.where(known, stated, event)
        return _nullable(event, ok, None), np.maximum(event, stated)

    def places(self) -> tuple[Any, np.ndarray]:
        """The sequence, twice; None and 0 where the line stands for it."""
        if "sequence" not in self.entry.targets():
            return pd.Series(pd.NA, index=self.texts.index, dtype="Int64"), np.zeros(len(self.texts), dtype=np.int64)
        text = self.text("sequence")
        missing = (text == MISSING).to_numpy()
        places, ok = read_number(text, decimals=0)
        ok &= text.str.fullmatch(r"[+-]?[0-9]+").to_numpy(dtype=bool)
        self.refuse(missing, "required", "sequence", text)
        self.refuse(~ok & ~missing, "type", "sequence", text)
        return _nullable(places, ok, None), places

    def from_us(self, event: pd.Series[Any]) -> pd.Series[Any]:
        """The earliest moment that each event can mean: the begin of the day where only a date is given."""
        if "event_at" not in self.entry.targets():
            return event
        text = self.text("event_at")
        dates = text.str.fullmatch(DATE) & event.notna()
        before = pd.to_datetime(text.where(dates), format="ISO8601", errors="coerce") - pd.Timedelta(days=1)
        us, _ = read_moments(before.dt.strftime("%Y-%m-%d"), zone=self.zone())
        return event.mask(dates, us + 1)

    def closes(self) -> np.ndarray:
        """Which rows (n,), were they read, would close their lead."""
        if self.table.name == "stages":
            stages = self.settings.stages
            return self.text("stage").isin([*stages.won, *stages.lost]).to_numpy(dtype=bool)
        return np.full(len(self.frame), self.table.name == "outcomes")

    def zone(self) -> str:
        return self.settings.sources[self.entry.source].timezone or self.settings.timezone

    def moments(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        column = self.frame[self.entry.columns[name]] if name in self.entry.columns else self.text(name)
        us, ok = read_moments(column, zone=self.zone())
        return us, ok & within_reason(us)


def _target(by_value: dict[str, dict[str, str]], value: str, name: str) -> str | None:
    """What a value maps to: by itself, else by the longest prefix; None if the map does not know the value."""
    prefixes = [key for key in by_value if key.endswith("*") and value.startswith(key[:-1]) and value != MISSING]
    key = value if value in by_value else max(prefixes, key=len, default=None)
    return None if key is None else by_value[key].get(name, MISSING)


def _nullable(values: np.ndarray, ok: np.ndarray, default: int | str | None) -> Any:
    if default is not None:
        return np.where(ok, values, default)
    return pd.Series(values, dtype="Int64").mask(~ok)


def read_texts(batch: Batch) -> pd.DataFrame:
    """A batch's columns as stripped text, to select, map and compare by."""
    return pd.DataFrame({name: read_text(batch.frame[name]) for name in batch.frame})
