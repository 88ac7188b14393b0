"""A published list as typed rows, for databases and Parquet: the columns of its scores and what they are from."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.publish.publication import Publication, read_as_of
from leadscore.publish.targets.rows import LONGEST_KEY, Refused
from leadscore.publish.targets.text import clean_text, is_clean
from leadscore.times import DAY_US

MOMENT = pa.timestamp("us", tz="UTC")


def build_table(
    publication: Publication, scores: pa.Table, *, excluded: Collection[str], valid_days: float
) -> tuple[pa.Table, tuple[Refused, ...]]:
    """The rows of a list with where they are from, texts without controls; and the leads refused.

    An undated list has neither as_of nor score_valid_until.
    """
    leads = scores["lead_id"].to_pylist()
    problems = {lead: _find_problem(lead) for lead in leads if lead not in excluded}
    refused = tuple(Refused(lead, problem) for lead, problem in problems.items() if problem)
    omitted = {row.lead_id for row in refused} | set(excluded)
    is_kept = pa.array([lead not in omitted for lead in leads], pa.bool_())
    rows = _clean(scores.filter(is_kept))
    n = rows.num_rows
    as_of_us = read_as_of(publication.manifest)
    until_us = None if as_of_us is None else as_of_us + round(valid_days * DAY_US)
    place = rows.schema.names.index("as_of")
    rows = rows.set_column(place, "as_of", pa.array([as_of_us] * n, MOMENT))
    rows = rows.append_column("score_valid_until", pa.array([until_us] * n, MOMENT))
    version = publication.manifest.get("model_version")
    rows = rows.append_column("model_version", pa.array([version] * n, pa.string()))
    return rows.append_column(
        "publication_id", pa.array([publication.id] * n, pa.string())
    ), refused


def _find_problem(lead: str) -> str:
    if not is_clean(lead):
        return "holds control characters, or begins or ends with a blank"
    return f"is longer than {LONGEST_KEY} characters" if len(lead) > LONGEST_KEY else ""


def _clean(rows: pa.Table) -> pa.Table:
    """The rows, with texts that every database takes; an empty text is null."""
    for place, field in enumerate(rows.schema):
        if not pa.types.is_string(field.type) or field.name == "lead_id":
            continue
        texts = [clean_text(text or "") for text in rows[field.name].to_pylist()]
        column = pa.array(texts, pa.string())
        filled = pc.if_else(pc.equal(column, ""), None, column)
        rows = rows.set_column(place, pa.field(field.name, pa.string()), filled)
    return rows
