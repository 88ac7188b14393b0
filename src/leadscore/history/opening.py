"""From a store version to its history: the tables attached to an engine, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence

from leadscore.engine import Engine
from leadscore.errors import UserError
from leadscore.history.absences import read_presence
from leadscore.history.activities import read_activity_columns
from leadscore.history.closes import attach_closes
from leadscore.history.split import History
from leadscore.history.timelines import read_lead_keys
from leadscore.proposals import propose
from leadscore.settings.memory import lead_keys
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion
from leadscore.tables import TABLES
from leadscore.times import FOREVER_US
from leadscore.wording import listed


def open_history(settings: Settings, version: StoreVersion, engine: Engine) -> History:
    """The history of a store version, its tables attached to the engine.

    Raises:
        UserError: the version was stored in another time mode; or a column of activities, or a
            key, was mapped since the store was written; or a field or key declared known from creation has
            changed since, so its value in `leads` is not the one it had at creation.
    """
    stored = version.manifest.get("time", "dated")  # the first versions had one mode only
    if stored != settings.time:
        raise UserError(
            f"the settings say time = {settings.time!r}, the data were stored with {stored!r}; "
            f"run `{propose('ingest')}` again"
        )

    check_stored_columns(settings, version)
    attach_tables(engine, version)
    attach_closes(engine, version, settings.stages)
    presence = read_presence(engine, version)
    history = History(settings, version, engine, presence)

    mapped_histories = history.facts.mapped_histories(FOREVER_US)
    known_at_creation = {
        key.name for key in read_lead_keys(settings) if key.is_learned and key.at_creation
    }
    contradicted = (settings.fields_of_leads() | known_at_creation) & mapped_histories
    if contradicted:
        raise UserError(_describe_contradicted(sorted(contradicted)))
    return history


def _describe_contradicted(fields: Sequence[str]) -> str:
    return (
        f"{listed(fields)}: known_from = 'creation' in the settings, but the table changes says "
        "that the value changed later, so the one in leads may come from the future; "
        "remove known_from to learn from the changes"
    )


def check_stored_columns(settings: Settings, version: StoreVersion) -> None:
    """Refuse a store version that lacks a column of activities, or a key, that is mapped by now."""
    needed = {
        "activities": read_activity_columns(settings).mapped,
        "leads": frozenset(lead_keys(settings)),
    }
    for table, mapped in needed.items():
        stored = version.schema(table)
        unstored = sorted(mapped - set(mapped if stored is None else stored.names))
        if unstored:
            raise UserError(
                f"{table}: the stored data do not have {listed(unstored)} yet, which the settings "
                f"map; run `{propose('ingest')}` again"
            )


def attach_tables(engine: Engine, version: StoreVersion) -> None:
    """Make the tables readable, with absent leads' rows and the changes that exports showed.

    `mapped_changes` are those of `changes` that the mapping gives.
    """
    for table in TABLES.values():
        files = version.files(table.name)
        files = files + version.files(f"absent_{table.name}")
        if table.name == "changes":
            engine.add_files("mapped_changes", files, schema=table.schema())
            files += version.files("observed")
        engine.add_files(table.name, files, schema=table.schema())
