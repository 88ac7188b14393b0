"""Leads that may be the same: found by normalised, hashed personal columns, reported with evidence, never merged."""

from __future__ import annotations

import pyarrow as pa

from leadscore.ingest.checks.validate import Staged

EVIDENCE = {"email_hash": "same e-mail", "phone_hash": "same phone"}
SCHEMA = pa.schema([(name, pa.string()) for name in ("lead_id", "like_lead_id", "evidence")])


def find_duplicates(staged: Staged) -> pa.Table:
    """Pairs (lead_id, like_lead_id, evidence): each lead beside the first by id with the same values.

    The same e-mail, the same phone, or the same company and name; all that is the same is told in one row.
    """
    keys = {evidence: column for column, evidence in EVIDENCE.items()}
    keys["same company and name"] = "company_hash || contact_hash"  # null if either is
    parts = " UNION ALL ".join(
        f"""SELECT lead_id, MIN(lead_id) OVER (PARTITION BY {key}) AS like_lead_id, '{evidence}' AS evidence
        FROM judged WHERE broken_rule = '' AND {key} IS NOT NULL"""
        for evidence, key in keys.items()
    )
    pairs = staged.engine.query(
        f"SELECT DISTINCT lead_id, like_lead_id, evidence FROM ({parts}) AS p WHERE lead_id <> like_lead_id "
        "ORDER BY lead_id, like_lead_id, evidence"
    ).to_pylist()
    told: dict[tuple[str, str], list[str]] = {}
    for pair in pairs:
        told.setdefault((pair["lead_id"], pair["like_lead_id"]), []).append(pair["evidence"])
    rows = [(*pair, ", ".join(evidence)) for pair, evidence in told.items()]
    return pa.table(
        [pa.array([row[at] for row in rows], pa.string()) for at in range(3)], schema=SCHEMA
    )
