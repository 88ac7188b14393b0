"""The workbook that people work from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.atomic import follow_link, write_file
from leadscore.history.customers import are_known
from leadscore.locks import scratch
from leadscore.project.after_sale import describe_project_customers
from leadscore.project.explaining import read_list
from leadscore.project.showing import read_rep_rows, read_shown_leads, workbook_path
from leadscore.publish.publication import Publication, read_as_of
from leadscore.report.workbook.book import write_workbook
from leadscore.report.workbook.worklist import Worklist
from leadscore.results import Customer, WrittenWorkbook
from leadscore.settings.settings import Settings


def write_worklist(
    settings: Settings,
    publication_id: str | None = None,
    *,
    to: Path | None = None,
) -> WrittenWorkbook:
    """Write a list, with the names that people see, as a workbook.

    Args:
        settings: of the project; those of now say what is shown.
        publication_id: of the list, or its beginning; default: the current one.
        to: the file; default: worklist.xlsx in the project's folder, which only its owner may read,
            and which `forget` removes.

    Raises:
        UserError: there is no such list.
        CorruptFileError: the list is damaged.
        UnavailableError: the file cannot be written.
    """
    publication, scores = read_list(settings, publication_id)
    worklist = _build_worklist(settings, publication, scores)
    path = to or workbook_path(settings)
    target = follow_link(path)

    def fill(temporary: Path) -> Path:
        with scratch() as folder:
            write_workbook(temporary, worklist, scratch=folder)
        return target

    write_file(target.parent, fill, private=to is None)
    return WrittenWorkbook(
        publication_id=publication.id,
        workbook=str(path),
        leads=scores.num_rows - worklist.left_out,
        left_out=worklist.left_out,
    )


def _build_worklist(settings: Settings, publication: Publication, scores: pa.Table) -> Worklist:
    """The list with what people see of its leads, and its reps."""
    manifest = publication.manifest
    shown = {row.pop("lead_id"): row for row in read_shown_leads(settings).to_pylist()}
    return Worklist(
        scores=scores,
        as_of=manifest["as_of"],
        as_of_us=read_as_of(manifest) or 0,
        horizon_days=_horizon_of(manifest, settings),
        currency=manifest.get("currency"),
        settings=settings,
        shown=shown,
        reps=read_rep_rows(settings),
        customers=_list_customers(settings, as_of_us=read_as_of(manifest)),
    )


def _list_customers(settings: Settings, *, as_of_us: int | None) -> list[Customer]:
    """The customers as known at the moment of the list, where the settings have `[customers]`."""
    is_wanted = "customers" in settings.model_fields_set and are_known(settings)
    if not is_wanted or as_of_us is None:
        return []
    return describe_project_customers(settings, as_of_us=as_of_us).customers


def _horizon_of(manifest: Mapping[str, Any], settings: Settings) -> int | None:
    """The horizon of a list in days; None where it has none."""
    if not settings.is_dated:
        return None
    then = json.loads(manifest["settings"])
    return then.get("target", {}).get("horizon_days") or None
