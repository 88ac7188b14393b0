"""Leads that may be the same person or company: found by hashed personal columns, never merged."""

from __future__ import annotations

import pyarrow as pa

from leadscore.ingest.checks.leads import ACCEPTED_LEADS
from leadscore.ingest.sql import union_sql
from leadscore.ingest.staged import Staged

SAME = {
    "same e-mail": "email_hash",
    "same phone": "phone_hash",
    "same company and name": "company_hash || contact_hash",  # null if either is
}
COLUMNS = ("lead_id", "like_lead_id", "evidence")
SCHEMA = pa.schema([(name, pa.string()) for name in COLUMNS])


def find_duplicates(staged: Staged) -> pa.Table:
    """Pairs of leads that may be the same: lead_id, like_lead_id, evidence.

    Each lead stands beside the first lead, by id, with the same value. A pair has one row, whose
    evidence lists all that is the same. `checked_leads` must be readable.
    """
    alike = union_sql(
        f"""SELECT lead_id, MIN(lead_id) OVER (PARTITION BY {key}) AS like_lead_id,
        '{evidence}' AS evidence
        FROM {ACCEPTED_LEADS} AS l WHERE {key} IS NOT NULL"""
        for evidence, key in SAME.items()
    )
    rows = staged.engine.query(
        f"""SELECT DISTINCT lead_id, like_lead_id, evidence FROM ({alike}) AS p
        WHERE lead_id <> like_lead_id ORDER BY lead_id, like_lead_id, evidence"""
    )

    evidence_of: dict[tuple[str, str], list[str]] = {}
    for row in rows.to_pylist():
        pair = (row["lead_id"], row["like_lead_id"])
        evidence_of.setdefault(pair, []).append(row["evidence"])

    pairs = [
        {"lead_id": lead, "like_lead_id": like, "evidence": ", ".join(evidence)}
        for (lead, like), evidence in evidence_of.items()
    ]
    return pa.Table.from_pylist(pairs, schema=SCHEMA)
