"""Since when each field has a history, what is lost for good, and from when it is enough to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd

from leadscore.audit.enough import Seen, judge_history
from leadscore.errors import UserError
from leadscore.features.fields import mapped_fields, recorded_fields
from leadscore.features.people import unasked_fields
from leadscore.history.split import History
from leadscore.history.starts import Start, read_field_starts, read_kind_starts, read_stage_start
from leadscore.ingest.record import Record, columns_of, read_record
from leadscore.model.horizon import choose_horizon
from leadscore.model.training import MIN_EVALUATED
from leadscore.project.opened import open_store
from leadscore.project.recording_words import describe
from leadscore.results import AuditedHistory, FieldHistory
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, format_us

RULE = (
    "enough to learn from: {least} leads won and {least} not won within {days} days that were open "
    "since the history began, and at least {days} days of it; the missing ones are expected at the "
    "rate of the last year"
)


def audit_history(settings: Settings) -> AuditedHistory:
    """Since when there is a history of each field, of stages and activities, and what it is good for.

    Raises:
        UserError: nothing is dated, so there is no history.
    """
    if not settings.is_dated:
        raise UserError(
            f"time = {settings.time!r}: nothing is dated, so no field has a history. Map dates, and "
            'state time = "dated", to record one'
        )
    with open_store(settings) as history:
        known_us = history.version.known_until_us
        chosen, _ = choose_horizon(history, known_us=known_us)
        days = chosen.settings.target.horizon_days
        judge = _Judge(
            settings=settings,
            spells=history.spells(known_us),
            known_us=known_us,
            horizon_us=days * DAY_US,
        )
        fields = [*_list_fields(history, judge), *_list_events(history, judge)]
        version = history.version
    return AuditedHistory(
        project=settings.project,
        store_version=version.id,
        known_until=version.manifest["known_until"],
        least=MIN_EVALUATED,
        horizon_days=days,
        rule=RULE.format(least=MIN_EVALUATED, days=days),
        fields=fields,
    )


@dataclass(frozen=True)
class _Judge:
    """What every history is judged by."""

    settings: Settings
    spells: pd.DataFrame
    known_us: int
    horizon_us: int

    def look(self, since_us: int) -> Seen:
        """What a history that began then has seen."""
        return judge_history(
            self.spells,
            since_us=since_us,
            known_us=self.known_us,
            horizon_us=self.horizon_us,
            least=MIN_EVALUATED,
        )

    def day(self, us: int | None) -> str | None:
        """The day of a moment, where the settings are."""
        if us is None:
            return None
        moment = pd.Timestamp(us, unit="us", tz="UTC")
        return moment.tz_convert(self.settings.timezone).date().isoformat()


def _list_fields(history: History, judge: _Judge) -> Iterator[FieldHistory]:
    """The history of every mapped field, those of BANT first."""
    settings = history.settings
    bant = {letter.field for letter in settings.bant.values()}
    names = sorted(mapped_fields(settings), key=lambda name: (name not in bant, name))
    columns = {name: columns_of(name, settings) for name in names}
    every_column = frozenset[str]().union(*columns.values())
    record = read_record(history.engine, history.version, every_column)
    starts = read_field_starts(history.engine, known_us=judge.known_us)
    for name in names:
        yield _judge_field(judge, name, starts.get(name), record, columns[name])


def _judge_field(
    judge: _Judge,
    name: str,
    start: Start | None,
    record: Record,
    columns: set[str],
) -> FieldHistory:
    """One field: by the history that the mapping gives, else by the one that exports recorded."""
    settings = judge.settings
    if name in settings.fields_of_leads():
        return _build(judge, name, "field", origin="none", state="creation", start=None, seen=None)
    if start is not None:
        seen = judge.look(start.since_us)
        state = "learned" if seen.is_enough else "growing"
        return _build(judge, name, "field", origin="mapped", state=state, start=start, seen=seen)

    since_us = record.since_of(columns)
    if since_us is None:
        return _build(judge, name, "field", origin="none", state="missing", start=None, seen=None)
    seen = judge.look(since_us)
    is_read = name in recorded_fields(settings)
    enough = "learned" if is_read else "ready"
    return _build(
        judge,
        name,
        "field",
        origin="recorded",
        state=enough if seen.is_enough else "growing",
        start=Start(since_us, seen.listed),
        seen=seen,
        changed=record.changed_of(columns),
    )


def _list_events(history: History, judge: _Judge) -> Iterator[FieldHistory]:
    """The history of the stages, and of every kind of activity, where they are mapped."""
    starts = read_kind_starts(history.engine, known_us=judge.known_us)
    events: list[tuple[str, str, Start | None]] = []
    if history.settings.entries("stages"):
        events.append(
            ("stages", "stages", read_stage_start(history.engine, known_us=judge.known_us))
        )
    events += [(kind, "activities", start) for kind, start in starts.items()]
    for name, kind, start in events:
        seen = None if start is None else judge.look(start.since_us)
        state = "missing"
        if seen is not None:
            state = "learned" if seen.is_enough else "growing"
        yield _build(judge, name, kind, origin="mapped", state=state, start=start, seen=seen)


def _build(
    judge: _Judge,
    name: str,
    kind: str,
    *,
    origin: str,
    state: str,
    start: Start | None,
    seen: Seen | None,
    changed: int = 0,
) -> FieldHistory:
    """The result, with its summary."""
    settings = judge.settings
    facts = {
        "name": name,
        "kind": kind,
        "letters": [
            letter
            for letter, bant in settings.bant.items()
            if kind == "field" and bant.field == name
        ],
        "origin": origin,
        "state": state,
        "since": format_us(start.since_us) if start else None,
        "leads": start.leads if start else 0,
        "changed": changed,
        "labelled": asdict(seen.labelled) if seen else None,
        "lost": asdict(seen.closed_before) if seen else None,
        "open_before": seen.created_before if seen else 0,
        "enough_from": judge.day(seen.enough_us) if seen else None,
        "line": _missing_line(settings, name, kind, origin=origin),
    }
    field = FieldHistory.from_dict(facts | {"summary": ""})
    since = judge.day(start.since_us) if start else None
    is_ruled_out = kind == "field" and name in unasked_fields(settings)
    summary = describe(field, since=since, least=MIN_EVALUATED, is_ruled_out=is_ruled_out)
    return field.model_copy(update={"summary": summary})


def _missing_line(settings: Settings, name: str, kind: str, *, origin: str) -> str | None:
    """The settings that let a model learn from what our exports record; None if they are there."""
    if kind != "field" or origin == "mapped":
        return None
    if name in settings.fields_of_leads() | recorded_fields(settings):
        return None
    return f'[fields.{name}] known_from = "export"'
