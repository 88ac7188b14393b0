"""A lead that no export has had yet, laid over a store version in memory, and looked at alone.

What it gives is what the store would give, had an export at the moment stated the lead beside all
else: the tables hold the lead's facts and those of leads with the same account or contact, and no
others, since no question about a lead reads more. All other leads are asked of the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.history.closes import attach_plain_closes
from leadscore.history.split import History
from leadscore.history.timelines import read_lead_keys
from leadscore.tables import PRESENCE

CLOSING = ("closes", "reopenings")


def overlay_lead(
    history: History,
    facts: Mapping[str, pa.Table],
    *,
    as_of_us: int,
    engine: Engine,
) -> History:
    """A history of the lead and of those that share a key with it, known until a moment.

    What the store dates between its own export and the moment is a plan, as in every list that is
    made later than its export, and is left out.

    Args:
        history: of the store version.
        facts: the lead's rows, of every canonical table.
        as_of_us: the moment, up to which the lead's facts are known.
        engine: an empty one, for these tables alone.
    """
    beside = find_sharing(history, facts)
    for name, rows in facts.items():
        engine.add_rows(name, rows)
    attach_plain_closes(engine, history.settings.stages)

    for name in (*facts, *CLOSING):
        own = engine.query(f"SELECT * FROM {identifier(name)}")
        others = _read_others(history, name, beside, as_of_us=as_of_us)
        engine.add_rows(name, _append(own, others))
    engine.add_rows("presence", _read_presence(history, beside))

    known_until_us = max(history.version.known_until_us, as_of_us)
    manifest = history.version.manifest | {"known_until_us": known_until_us}
    version = replace(history.version, manifest=manifest)
    presence = history.presence
    if presence is not None:
        presence = presence[presence["lead_id"].isin(beside)]
    return History(history.settings, version, engine, presence)


def find_sharing(history: History, facts: Mapping[str, pa.Table]) -> list[str]:
    """The stored leads that had, at any time, an account or contact of the lead's, sorted."""
    sharing: set[str] = set()
    for key in read_lead_keys(history.settings):
        texts = _texts_of(key.name, facts)
        if not texts:
            continue
        listed = ", ".join(literal(text) for text in texts)
        rows = history.engine.query(
            f"""SELECT lead_id FROM leads WHERE {identifier(key.name)} IN ({listed})
            UNION SELECT lead_id FROM changes
            WHERE field = {literal(key.name)} AND value IN ({listed})"""
        )
        sharing.update(rows["lead_id"].to_pylist())
    return sorted(sharing)


def _texts_of(key: str, facts: Mapping[str, pa.Table]) -> list[str]:
    """The values that a key of the lead takes."""
    texts = set(facts["leads"][key].to_pylist())
    for row in facts["changes"].to_pylist():
        if row["field"] == key:
            texts.add(row["value"])
    return sorted(texts - {None})


def _read_others(
    history: History,
    name: str,
    lead_ids: Sequence[str],
    *,
    as_of_us: int,
) -> pa.Table | None:
    """The rows of a table about stored leads that were known at the export; None without leads."""
    if not lead_ids:
        return None
    exported_us = history.version.known_until_us
    return history.engine.query(
        f"""SELECT * FROM {identifier(name)} WHERE lead_id IN ({_literals(lead_ids)})
            AND NOT (available_us >= {exported_us} AND available_us < {as_of_us})"""
    )


def _append(rows: pa.Table, others: pa.Table | None) -> pa.Table:
    if others is None:
        return rows
    same_columns = others.select(rows.schema.names).cast(rows.schema)
    return pa.concat_tables([rows, same_columns])


def _read_presence(history: History, lead_ids: Sequence[str]) -> pa.Table:
    if not lead_ids:
        return PRESENCE.empty_table()
    return history.engine.query(
        f"SELECT * FROM presence WHERE lead_id IN ({_literals(lead_ids)})"
    ).cast(PRESENCE)


def _literals(texts: Sequence[str]) -> str:
    return ", ".join(literal(text) for text in texts)
