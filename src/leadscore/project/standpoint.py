"""A list of one moment held in memory, from which single leads are scored as the list would score them."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.engine.duckdb import DuckDBEngine
from leadscore.engine.sqlite import SQLiteEngine, StatementTypes
from leadscore.errors import UserError
from leadscore.features.fields import recorded_fields
from leadscore.history.overlay import overlay_lead
from leadscore.ingest.posted import Row, read_personal_hash, read_posted
from leadscore.project.opened import checked_as_of, open_store
from leadscore.project.scoring import prepare_run
from leadscore.registry.registry import Registry
from leadscore.results.serve import LeadScore, Standing
from leadscore.scoring.listed import read_listed
from leadscore.scoring.score import OpenLeads, score_lead, score_rows
from leadscore.settings.settings import Settings
from leadscore.times import FOREVER_US, SECOND_US, format_us


class UnknownLeadError(UserError):
    """A lead that is not on the list: closed by then, not created yet, or not in the store."""


class Standpoint:
    """The champion and all open leads, as of one moment; answers are safe to ask from threads.

    Args:
        leads: all open leads, to be scored.
        types: of the statements that are asked about a posted lead.
        model_version: the champion.

    Attributes:
        settings: of the project.
        as_of_us: the moment.
        model_version: the champion.
        store_version: the data.
    """

    def __init__(self, leads: OpenLeads, *, types: StatementTypes, model_version: str) -> None:
        history = leads.history
        self.settings = history.settings
        self.as_of_us = leads.request.as_of_us
        self.model_version = model_version
        self.store_version = history.version.id
        self._leads = leads
        self._types = types
        self._personal = read_personal_hash(self.settings, history.version.folder)
        self._lock = Lock()  # one thread at a time may ask the store
        scored = score_rows(leads)
        self._rows = {row["lead_id"]: row for row in _to_rows(scored.scores)}
        self._warnings = scored.facts["warnings"]
        self._stored = history.facts.lead_ids(FOREVER_US)
        self._warm_up()

    def _warm_up(self) -> None:
        """Score a lead that was created just now, so that the first one asked about need not wait."""
        lead = {"event_at": format_us(self.as_of_us - SECOND_US)}
        self.score_posted(f"warm-up {self.store_version}", {"leads": [lead]})

    def describe(self) -> Standing:
        """What is answered from."""
        return Standing(
            ready=True,
            problem=None,
            as_of=self.as_of,
            model_version=self.model_version,
            store_version=self.store_version,
            open_leads=len(self._rows),
        )

    @property
    def as_of(self) -> str:
        """The moment, as text."""
        return format_us(self.as_of_us)

    def score_stored(self, lead_id: str) -> LeadScore:
        """A stored lead, as `leadscore score` scores it at this moment.

        Raises:
            UnknownLeadError: it is not open at this moment, or not in the store.
        """
        row = self._rows.get(lead_id)
        if row is None:
            why = "it is not in the store"
            if lead_id in self._stored:
                why = "it was closed by then, or had not been created"
            raise UnknownLeadError(f"lead {lead_id!r} is not open as of {self.as_of}: {why}")
        return self._answer(row, stored=True, warnings=())

    def score_posted(self, lead_id: str, facts: Mapping[str, Sequence[Row]]) -> LeadScore:
        """A lead that is not in the store, as `leadscore score` would score it if it were.

        Args:
            lead_id: its id.
            facts: its rows by table, as known now (see `read_posted`).

        Raises:
            PostedFactsError: a fact cannot be read.
            UnknownLeadError: by its facts it is closed.
            UserError: a lead of that id is in the store.
        """
        named = {}
        for table, rows in facts.items():
            named[table] = [{**row, "lead_id": lead_id} for row in rows]
        tables = read_posted(
            named,
            self.settings,
            personal=self._personal,
            as_of_us=self.as_of_us,
        )
        (stored_id,) = tables["leads"]["lead_id"].to_pylist()
        if stored_id in self._stored:
            raise UserError(
                f"lead {lead_id!r} is in the store; ask for its score by lead_id alone, without facts"
            )
        with closing(SQLiteEngine(self._types)) as engine:
            leads = self._with_lead(tables, engine)
            if pc.index(leads.listed.lead_id, stored_id).as_py() < 0:
                raise UnknownLeadError(f"lead {lead_id!r} is closed by the facts that were stated")
            scored = score_lead(leads, stored_id)
        (row,) = _to_rows(scored.scores)
        own = [text for text in scored.facts["warnings"] if text not in self._warnings]
        warnings = self._list_unread(named) + own
        return self._answer(row, stored=False, warnings=warnings)

    def _with_lead(self, tables: Mapping[str, pa.Table], engine: SQLiteEngine) -> OpenLeads:
        """The open leads with one more, and with what it changes for leads of its account."""
        leads = self._leads
        with self._lock:
            history = overlay_lead(leads.history, tables, as_of_us=self.as_of_us, engine=engine)
        joining, parts = read_listed(
            history, leads.model, leads.features, as_of_us=self.as_of_us, joining=leads.listed
        )
        listed = leads.listed.joined_by(joining)
        return replace(leads, history=history, listed=listed, parts=parts)

    def _list_unread(self, facts: Mapping[str, Sequence[Row]]) -> list[str]:
        """Fields whose stated value no feature reads, since their history is read in its place."""
        stated = {name for name, value in facts["leads"][0].items() if value not in {None, ""}}
        changed = {row.get("field") for row in facts.get("changes", ())}
        fields = self.settings.lead_fields()
        seen = {name for name, field in fields.items() if field.known_from == "export"}
        unread = stated & recorded_fields(self.settings) - changed - seen
        return [
            f"{name} has a history: state it under changes, too, or the model takes it as unknown"
            for name in sorted(unread)
        ]

    def _answer(
        self,
        row: Mapping[str, Any],
        *,
        stored: bool,
        warnings: Sequence[str],
    ) -> LeadScore:
        score = {name: value for name, value in row.items() if name not in {"lead_id", "as_of"}}
        return LeadScore(
            project=self.settings.project,
            lead_id=row["lead_id"],
            as_of=self.as_of,
            model_version=self.model_version,
            store_version=self.store_version,
            stored=stored,
            score=score,
            warnings=list(warnings),
        )


def open_standpoint(settings: Settings, *, as_of_us: int | None = None) -> Standpoint:
    """The standpoint of a project; its store version is not pruned while anybody holds it.

    Args:
        settings: of the project.
        as_of_us: the moment; default known_until.

    Raises:
        UserError: there is no store or champion, the leads have no dates, or the moment is refused.
    """
    if not settings.is_dated:
        raise UserError(f"time = {settings.time}: leads without dates are scored in lists only")
    with ExitStack() as opening:
        opened = opening.enter_context(open_store(settings))
        champion = Registry(settings).load_champion()
        moment = checked_as_of(opened, as_of_us)
        run = prepare_run(opened, champion, as_of_us=moment)
        shapes = opening.enter_context(closing(DuckDBEngine(settings.engine)))
        standpoint = Standpoint(
            run.open_leads(),
            types=StatementTypes(shapes),
            model_version=run.model_version,
        )
        weakref.finalize(standpoint, opening.pop_all().close)
    return standpoint


def _to_rows(scores: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = scores.to_pylist()
    return rows
