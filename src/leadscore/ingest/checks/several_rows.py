"""Leads with several rows: what the settings could say of them, by where the rows are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leadscore.engine.protocol import literal
from leadscore.ingest.sql import read_row
from leadscore.ingest.staged import Staged
from leadscore.wording import counted, listed

MOSTLY = 0.5  # of a source's rows: if more share an id with others, it is none
LEAST_LEADS = 2
SHOWN = 3

PLACES_SQL = """SELECT sources, files, source, first, last, COUNT(*) AS leads, SUM(n) AS n FROM (
    SELECT lead_id, COUNT(*) AS n, COUNT(DISTINCT source) AS sources,
        COUNT(DISTINCT file) AS files, MIN(source) AS source, MIN(file) AS first, MAX(file) AS last
    FROM rule_rejects WHERE rule = 'unique' AND severity = 'refused'
    GROUP BY lead_id HAVING COUNT(*) > 1) AS repeated
    GROUP BY sources, files, source, first, last ORDER BY source, first, last, files"""


def hint_at_keep(staged: Staged) -> list[str]:
    """What to write where leads have several rows; `rule_rejects` must be readable."""
    hints = []
    for row in staged.engine.query(PLACES_SQL).to_pylist():
        leads = counted(row["leads"], "lead has", "leads have")
        if row["sources"] > 1:
            hints.append(
                f"{leads} different rows in several sources, {row['source']} among them: read each "
                "lead from one source, with where or where_not, or join the sources in a view"
            )
        elif row["files"] > 1:
            hints.append(
                f"{leads} different rows in several files of {row['source']}, such as "
                f"{row['first']} and {row['last']}. All files of a source are parts of one export: "
                "exports of several days are ingested one after the other, each with its "
                "--known-until"
            )
        else:
            hint = _hint_at_id(staged, row, leads)
            hints.append(hint or _hint_at_choice(staged, row["source"], leads))
    return hints


def _hint_at_id(staged: Staged, row: dict[str, Any], leads: str) -> str | None:
    """The columns that may be the id, where most rows share theirs; None where one is to be chosen."""
    source = str(row["source"])
    if not shares_ids(staged, source):
        return None
    entries = [entry for entry in staged.settings.entries("leads") if entry.source == source]
    read = {name for entry in entries for name in entry.sources()}
    ids = [name for entry in entries for name in entry.columns_of_id()]
    others = [name for name in _distinct_columns(staged, source) if name not in read]
    if not others:
        return None
    return (
        f"{leads} the same {listed(ids)} as another row of {source}, so it is no id of leads. "
        f"Different in every row: {listed(others, most=SHOWN)}; map the one that is the id to lead_id"
    )


def _hint_at_choice(staged: Staged, source: str, leads: str) -> str:
    """The setting that says which row of a lead counts."""
    section = "views" if source in staged.settings.views else "sources"
    return (
        f"{leads} several rows in one file of {source}; to use one of them, add to "
        f'[{section}.{source}]: keep = {{ latest = "..." }}, with the column that decides'
    )


def shares_ids(staged: Staged, source: str) -> bool:
    """Whether most rows of leads of a source share their id with another one."""
    shared = read_row(
        staged.engine,
        f"""SELECT COUNT(*) AS n, COUNT(DISTINCT lead_id) AS leads FROM rule_rejects
        WHERE rule = 'unique' AND severity = 'refused' AND source = {literal(source)}""",
    )
    parts = [part for _, part in staged.parts_of("leads") if part["source"] == source]
    rows = sum(part["tables"]["leads"]["selected"] for part in parts)
    return bool(shared["leads"] >= LEAST_LEADS and shared["n"] > MOSTLY * rows)


def _distinct_columns(staged: Staged, source: str) -> Iterator[str]:
    """The columns of a source of one file that are different, and there, in every row."""
    places = [place for place, part in staged.parts_of("leads") if part["source"] == source]
    if len(places) != 1:
        return
    (place,) = places
    for number, name in enumerate(staged.parts[place]["texts"]["columns"]):
        text = f"c{number}"
        row = read_row(
            staged.engine,
            f"""SELECT COUNT(*) AS n, COUNT(DISTINCT NULLIF({text}, '')) AS distinct_texts
            FROM texts_{place}""",
        )
        if row["n"] == row["distinct_texts"]:
            yield str(name)
