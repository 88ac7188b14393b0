"""Leads with several rows in one file: the setting that says which of them counts."""

from __future__ import annotations

from leadscore.ingest.staged import Staged
from leadscore.wording import counted

SEVERAL_SQL = """SELECT source, COUNT(*) AS leads FROM (
    SELECT source, file, lead_id FROM rule_rejects
    WHERE rule = 'unique' AND severity = 'refused'
    GROUP BY source, file, lead_id HAVING COUNT(*) > 1) AS repeated
    GROUP BY source ORDER BY source"""


def hint_at_keep(staged: Staged) -> list[str]:
    """The lines to write where files have several rows of a lead; `rule_rejects` must be readable."""
    hints = []
    for row in staged.engine.query(SEVERAL_SQL).to_pylist():
        section = "views" if row["source"] in staged.settings.views else "sources"
        leads = counted(row["leads"], "lead has", "leads have")
        hints.append(
            f"{leads} several rows in one file of {row['source']}; to use one of them, add to "
            f'[{section}.{row["source"]}]: keep = {{ latest = "..." }}, with the column that decides'
        )
    return hints
