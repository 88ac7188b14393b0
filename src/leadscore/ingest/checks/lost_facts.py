"""Facts whose lead is not where they point: the view that would bring them to one, or leave them out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from leadscore.engine.protocol import quoted_name
from leadscore.ingest.checks.leads import ACCEPTED_LEADS, EXPORTED_IDS
from leadscore.ingest.checks.several_rows import shares_ids
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.staged import Staged
from leadscore.settings.id_kinds import ID_KINDS, IdKind, canonical_id
from leadscore.settings.mapping import Mapping
from leadscore.wording import counted

SAMPLE = 1000  # ids of rejected facts, of each source
FEWEST_OTHERS = 0.01  # the share of a source's facts without a lead that is worth a hint
MOSTLY = 0.5
IN_LIST = r"[\w.@:+|-]+"  # an id in a list, also for DuckDB
SEPARATORS = (";", ",", "|", "\n", "/")
LIST = re.compile(r"\s*[\[{(].*[\])}]\s*", re.DOTALL)  # ["D1","D2"], of JSON Lines, or {D1,D2}

LOST_SQL = f"""SELECT source, "table", lead_id, n FROM (
    SELECT source, "table", lead_id, COUNT(*) AS n,
        ROW_NUMBER() OVER (PARTITION BY source, "table" ORDER BY COUNT(*) DESC, lead_id) AS place
    FROM rule_rejects WHERE rule = 'reference' AND lead_id <> ''
        AND lead_id NOT IN (SELECT lead_id FROM {EXPORTED_IDS} AS e WHERE lead_id IS NOT NULL)
    GROUP BY source, "table", lead_id) AS l
    WHERE place <= {SAMPLE} ORDER BY source, "table", lead_id"""


@dataclass(frozen=True)
class _Lost:
    """Facts of one source and table without a lead: id -> rows."""

    source: str
    table: str
    rows: dict[str, int]


@dataclass(frozen=True)
class _Ends:
    """The mapping entries of facts and of leads, and the column of each that holds the lead's id."""

    facts: Mapping
    column: str
    leads: Mapping
    id_column: str


def hint_at_views(staged: Staged) -> list[str]:
    """The views to write where rejected facts hold several ids, another column's values, or other records.

    `rule_rejects` and `checked_leads` must be readable.
    """
    lost: dict[tuple[str, str], dict[str, int]] = {}
    for row in staged.engine.query(LOST_SQL).to_pylist():
        origin = (row["source"], row["table"])
        counts = lost.setdefault(origin, {})
        counts[row["lead_id"]] = row["n"]
    if not lost:
        return []
    leads = staged.engine.query(f"SELECT lead_id FROM {ACCEPTED_LEADS} AS l")
    ids = set(leads["lead_id"].to_pylist())
    kinds = [_spell(ids, kind) for kind in ID_KINDS]
    hints: list[str] = []
    for (source, table), rows in lost.items():
        unlike = {lead: n for lead, n in rows.items() if not _is_spelled_otherwise(lead, kinds)}
        hints += _hints_of(staged, _Lost(source, table, unlike), ids)
    return hints


def _spell(ids: Iterable[str], kind: IdKind) -> set[str | None]:
    """The ids of a kind in its canonical spelling."""
    spellings = {canonical_id(lead, kind) for lead in ids}
    return spellings - {None}


def _is_spelled_otherwise(lead: str, kinds: Sequence[set[str | None]]) -> bool:
    """Whether a lead has the id in another spelling; `kinds` are the leads' ids by kind."""
    return any(canonical_id(lead, kind) in ids for kind, ids in zip(ID_KINDS, kinds, strict=True))


def _hints_of(staged: Staged, lost: _Lost, ids: set[str]) -> Iterator[str]:
    ends = _ends_of(staged, lost)
    if ends is None or not lost.rows:
        return
    several = {lead: n for lead, n in lost.rows.items() if _holds_several(lead, ids)}
    if several:
        yield _hint_at_split(ends, several)
    others = {lead: n for lead, n in lost.rows.items() if lead not in several}
    if not others:
        return
    if _differ_in_case(others, ids):
        yield _hint_at_lookup(ends, ends.id_column, others, fold=True)
        return
    looked_up = _column_with(staged, ends.leads, sorted(others))
    if looked_up is not None and shares_ids(staged, ends.leads.source):
        return  # that column is the id of the leads, and not the one that is mapped
    if looked_up == ends.id_column:
        return  # ids of leads that were rejected: that is what to mend
    if looked_up is not None:
        yield _hint_at_lookup(ends, looked_up, others)
        return
    share = _share_without(staged, lost)
    if share == 1:
        yield _hint_at_link(ends, others)
    elif share > FEWEST_OTHERS:
        yield _hint_at_leaving_out(ends, others)


def _ends_of(staged: Staged, lost: _Lost) -> _Ends | None:
    """Both ends of the reference; None where an id is not one column."""
    facts = _entry_of(staged, lost)
    leads = next(iter(staged.settings.entries("leads")), None)
    if facts is None or leads is None:
        return None
    column = facts.columns.get("lead_id")
    id_column = leads.columns.get("lead_id")
    if column is None or id_column is None:
        return None
    return _Ends(facts, column, leads, id_column)


def _entry_of(staged: Staged, lost: _Lost) -> Mapping | None:
    entries = staged.settings.entries(lost.table)
    return next((entry for entry in entries if entry.source == lost.source), None)


def _holds_several(text: str, ids: set[str]) -> bool:
    if LIST.fullmatch(text):
        return any(part in ids for part in re.findall(IN_LIST, text))
    parts = [part.strip() for part in text.split(_separator(text))]
    return len(parts) > 1 and any(part in ids for part in parts)


def _differ_in_case(others: Iterable[str], ids: set[str]) -> bool:
    """Whether most ids are those of leads in capital or small letters, and of one lead each."""
    folded = {lead.lower() for lead in ids}
    hits = [other.lower() in folded for other in others]
    return len(folded) == len(ids) and sum(hits) >= MOSTLY * len(hits)


def _separator(text: str) -> str:
    """What stands between several values in one cell."""
    return next((mark for mark in SEPARATORS if mark in text), SEPARATORS[0])


def _column_with(staged: Staged, leads: Mapping, values: Sequence[str]) -> str | None:
    """The column of leads that holds most of the values, as text or as the hash of a personal one."""
    hasher = PersonalHash.of_store(staged.folder)
    column = pa.array(values, pa.string())
    staged.engine.add_rows("lost_values", pa.table({"value": column}))
    hashed = hasher.text_sql("value")
    known = f"(SELECT value FROM lost_values UNION ALL SELECT {hashed} AS value FROM lost_values)"
    for place, part in staged.parts_of("leads"):
        if part["source"] != leads.source:
            continue
        for number, name in enumerate(part["texts"]["columns"]):
            held = staged.engine.query(
                f"""SELECT COUNT(DISTINCT c{number}) AS n FROM texts_{place}
                WHERE c{number} IN {known}"""
            )
            if held["n"][0].as_py() >= MOSTLY * len(values):
                return str(name)
    return None


def _share_without(staged: Staged, lost: _Lost) -> float:
    """The share of a source's rows that has no lead, of those that were looked at."""
    selected: int = sum(
        part["tables"][lost.table]["rows"]["rows"]
        for _, part in staged.parts_of(lost.table)
        if part["source"] == lost.source
    )
    without = sum(lost.rows.values())
    return without / selected


def _hint_at_split(ends: _Ends, several: dict[str, int]) -> str:
    example = next(iter(several))
    column = quoted_name(ends.column)
    if LIST.fullmatch(example):
        parts = f"regexp_extract_all({column}, '{IN_LIST}')"
    else:
        parts = f"string_split({column}, '{_separator(example)}')"
    sql = (
        f"SELECT * REPLACE (trim(unnest({parts})) AS {column}) "
        f"FROM {quoted_name(ends.facts.source)}"
    )
    rows = counted(sum(several.values()), "row holds", "rows hold")
    return (
        f"{rows} the ids of several leads in one cell, such as {example!r}: to give the row to all "
        f"of them, {_view_lines(ends.facts, sql)}"
    )


def _hint_at_lookup(
    ends: _Ends,
    looked_up: str,
    others: dict[str, int],
    *,
    fold: bool = False,
) -> str:
    """The view that looks leads up by a column, with `fold` in capital or small letters alike."""
    column = quoted_name(ends.column)
    theirs, ours = f"l.{quoted_name(looked_up)}", f"f.{column}"
    if fold:
        theirs, ours = f"lower({theirs})", f"lower({ours})"
    sql = (
        f"SELECT f.* REPLACE (l.{quoted_name(ends.id_column)} AS {column}) "
        f"FROM {quoted_name(ends.facts.source)} AS f "
        f"JOIN {quoted_name(ends.leads.source)} AS l ON {theirs} = {ours}"
    )
    rows = counted(sum(others.values()), "row has", "rows have")
    if fold:
        return (
            f"{rows} in {ends.column!r} the id of a lead in other letters, capital or small"
            f"{_example(others)}: if case means nothing, {_view_lines(ends.facts, sql)}"
        )
    return (
        f"{rows} no id of a lead in {ends.column!r}, but what stands in {looked_up!r} of "
        f"{ends.leads.source}: to look the lead up (where several share the value, all of them get "
        f"the row), {_view_lines(ends.facts, sql)}"
    )


def _hint_at_leaving_out(ends: _Ends, others: dict[str, int]) -> str:
    source = ends.facts.source
    sql = (
        f"SELECT * FROM {quoted_name(source)} WHERE {quoted_name(ends.column)} IN "
        f"(SELECT {quoted_name(ends.id_column)} FROM {quoted_name(ends.leads.source)})"
    )
    rows = counted(sum(others.values()), "row", "rows")
    return (
        f"{rows} of {source} point to records that are no leads{_example(others)}: if they may be "
        f"left out, {_view_lines(ends.facts, sql)}"
    )


def _hint_at_link(ends: _Ends, others: dict[str, int]) -> str:
    """None of a source's rows has a lead: the ids are of something else that may lead to one."""
    column = quoted_name(ends.column)
    sql = (
        f"SELECT f.* REPLACE (k.{quoted_name(ends.id_column)} AS {column}) "
        f"FROM {quoted_name(ends.facts.source)} AS f JOIN link AS k ON k.{column} = f.{column}"
    )
    rows = counted(sum(others.values()), "row has", "rows have")
    return (
        f"{rows} in {ends.column!r} what no column of {ends.leads.source} holds{_example(others)}: if "
        f"another export links the two, name it as a source, such as [sources.link], and "
        f"{_view_lines(ends.facts, sql)}"
    )


def _example(others: dict[str, int]) -> str:
    shown = [lead for lead in sorted(others) if "@" not in lead]  # an address may be personal
    return f", such as {shown[0]!r}" if shown else ""


def _view_lines(entry: Mapping, sql: str) -> str:
    escaped = sql.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    view = f"{entry.source}_of_leads"
    return (
        f'add [views.{view}] with sql = "{escaped}", and name it in the mapping entry of '
        f'{entry.table}: source = "{view}"'
    )
