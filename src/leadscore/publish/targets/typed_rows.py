"""A published list as typed rows, for databases and Parquet: the columns of its scores and what they are from."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.publish.publication import Publication, read_as_of
from leadscore.publish.targets.rows import LONGEST_KEY, Refused
from leadscore.publish.targets.text import clean_text, is_clean
from leadscore.times import DAY_US

MOMENT = pa.timestamp("us", tz="UTC")


def build_table(
    publication: Publication,
    scores: pa.Table,
    *,
    excluded: Collection[str],
    valid_days: float,
) -> tuple[pa.Table, tuple[Refused, ...]]:
    """The rows of a list with where they are from, texts without controls; and the leads refused.

    An undated list has neither as_of nor score_valid_until.
    """
    leads = scores["lead_id"].to_pylist()
    refused = _find_refused(leads, excluded)
    omitted = {row.lead_id for row in refused}
    omitted |= set(excluded)
    is_written = [lead not in omitted for lead in leads]
    rows = _clean(scores.filter(pa.array(is_written, pa.bool_())))
    return _add_origin(rows, publication, valid_days=valid_days), tuple(refused)


def _find_refused(leads: Iterable[str], excluded: Collection[str]) -> list[Refused]:
    """The leads whose id is no key, but for those that are excluded anyway."""
    refused = {}
    for lead in leads:
        problem = _find_problem(lead)
        if problem and lead not in excluded:
            refused[lead] = Refused(lead, problem)
    return list(refused.values())


def _find_problem(lead: str) -> str:
    if not is_clean(lead):
        return "holds control characters, or begins or ends with a blank"
    if len(lead) > LONGEST_KEY:
        return f"is longer than {LONGEST_KEY} characters"
    return ""


def _add_origin(rows: pa.Table, publication: Publication, *, valid_days: float) -> pa.Table:
    """The rows with the date of their list, until when it counts, its model and its id."""
    as_of_us = read_as_of(publication.manifest)
    until_us = None
    if as_of_us is not None:
        until_us = as_of_us + round(valid_days * DAY_US)
    version = publication.manifest.get("model_version")

    def repeat(value: object, kind: pa.DataType) -> pa.Array:
        return pa.array([value] * rows.num_rows, kind)

    place = rows.schema.names.index("as_of")
    rows = rows.set_column(place, "as_of", repeat(as_of_us, MOMENT))
    rows = rows.append_column("score_valid_until", repeat(until_us, MOMENT))
    rows = rows.append_column("model_version", repeat(version, pa.string()))
    return rows.append_column("publication_id", repeat(publication.id, pa.string()))


def _clean(rows: pa.Table) -> pa.Table:
    """The rows, with texts that every database takes; an empty text is null."""
    for place, field in enumerate(rows.schema):
        if not pa.types.is_string(field.type) or field.name == "lead_id":
            continue
        texts = rows[field.name].to_pylist()
        cleaned = [clean_text(text or "") for text in texts]
        column = pa.array(cleaned, pa.string())
        is_empty = pc.equal(column, "")
        filled = pc.if_else(is_empty, None, column)
        rows = rows.set_column(place, pa.field(field.name, pa.string()), filled)
    return rows
