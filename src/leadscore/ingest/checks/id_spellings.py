"""Facts whose lead is there in another spelling: the kind of id that would bring them together."""

from __future__ import annotations

from collections.abc import Iterable

from leadscore.ingest.checks.leads import ACCEPTED_LEADS, EXPORTED_IDS
from leadscore.ingest.staged import Staged
from leadscore.settings.id_kinds import ID_KINDS, IdKind, canonical_id
from leadscore.wording import counted

SAMPLE = 1000  # ids of rejected facts

LOST_SQL = f"""SELECT source, lead_id, COUNT(*) AS n FROM rule_rejects
    WHERE rule = 'reference' AND lead_id <> ''
        AND lead_id NOT IN (SELECT lead_id FROM {EXPORTED_IDS} AS e WHERE lead_id IS NOT NULL)
    GROUP BY source, lead_id ORDER BY source, lead_id LIMIT {SAMPLE}"""
LEADS_SQL = f"SELECT part, lead_id FROM {ACCEPTED_LEADS} AS l"


def hint_at_id_kinds(staged: Staged) -> list[str]:
    """The lines to write if rejected facts have the ids of leads in another spelling.

    `rule_rejects` and `checked_leads` must be readable.
    """
    lost = staged.engine.query(LOST_SQL).to_pylist()
    hints = []
    for kind in ID_KINDS:
        spelled = {canonical_id(row["lead_id"], kind) for row in lost}
        wanted = spelled - {None}
        if not wanted:
            continue
        matched = _sources_of_leads(staged, kind, wanted)
        facts = [row for row in lost if canonical_id(row["lead_id"], kind) in matched]
        if facts:
            sources_of_facts = {row["source"] for row in facts}
            sources = sources_of_facts | set(matched.values())
            n = sum(row["n"] for row in facts)
            rows = counted(n, "row", "rows")
            if len(lost) == SAMPLE:  # there are more that were not looked at
                rows = f"at least {rows}"
            example = facts[0]["lead_id"]
            hints.append(_hint(staged, kind, rows, example, sources))
    return hints


def _sources_of_leads(staged: Staged, kind: IdKind, wanted: set[str | None]) -> dict[str, str]:
    """For wanted ids in canonical spelling that a lead has: the source of this lead."""
    leads = staged.engine.query(LEADS_SQL)
    places = leads["part"].to_pylist()
    sources = {}
    lead_ids = leads["lead_id"].to_pylist()
    for place, lead_id in zip(places, lead_ids, strict=True):
        canonical = canonical_id(lead_id, kind)
        if canonical is not None and canonical in wanted:
            sources[canonical] = staged.parts[place]["source"]
    return sources


def _hint(staged: Staged, kind: IdKind, rows: str, example: str, sources: Iterable[str]) -> str:
    sections = []
    for name in sorted(sources):
        section = "views" if name in staged.settings.views else "sources"
        sections.append(f"[{section}.{name}]")
    return (
        f"{rows} without a lead, such as {example!r}, would have one if ids were compared as "
        f'{kind}: add to {" and ".join(sections)}: id = "{kind}"'
    )
