"""What people see of leads beside their ids, and erasing it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from leadscore.errors import UserError
from leadscore.files import list_folder
from leadscore.ingest.reps import read_reps
from leadscore.ingest.shown.current import forget_contact, forget_lead, read_shown
from leadscore.ingest.shown.forgotten import NORMALISED
from leadscore.ingest.shown.rows import SHOWN_ROWS, shown_folder
from leadscore.locks import locked
from leadscore.results import ForgottenLeads
from leadscore.settings.settings import Settings

WORKLIST = "worklist.xlsx"


def read_shown_leads(settings: Settings) -> pa.Table:
    """The texts that people see, a row a lead: lead_id, name, company, contact, email, phone.

    Only for worklists, reports and the terminal: they belong in no file that a machine reads.
    """
    if settings.show is None:
        return SHOWN_ROWS.empty_table()
    return read_shown(shown_folder(_store(settings)))


def read_companies(settings: Settings) -> dict[str, str]:
    """The company of each lead, else what people call it; empty where nothing is shown."""
    companies = {}
    for row in read_shown_leads(settings).to_pylist():
        called = row["company"] or row["name"]
        if called:
            companies[row["lead_id"]] = called
    return companies


def read_rep_rows(settings: Settings) -> dict[str, dict[str, str | None]]:
    """Name and team of each rep by id, as the list of reps has them now; none if it cannot be read."""
    if settings.routing is None:
        return {}
    try:
        reps, _ = read_reps(settings.routing, settings)
    except UserError:
        return {}
    rows = reps.select(["rep_id", "name", "team"]).to_pylist()
    return {row.pop("rep_id"): row for row in rows}


def name_reps(settings: Settings) -> dict[str, str]:
    """rep_id -> name, of the list of reps as it is now; only for people, as the leads' texts are."""
    rows = read_rep_rows(settings)
    return {rep_id: row["name"] for rep_id, row in rows.items() if row["name"]}


def forget(
    settings: Settings,
    lead_id: str | None = None,
    *,
    contact: str | None = None,
) -> ForgottenLeads:
    """Erase what people see of a lead, or of all leads of a contact, now and in later exports.

    The project's workbook and reports are removed, too. The lead itself stays: its scores name nobody.

    Args:
        settings: of the project.
        lead_id: a lead.
        contact: a person's name, e-mail address or telephone number.

    Raises:
        UserError: neither or both are given, the id is empty, or the contact is neither of the three.
    """
    if (lead_id is None) == (contact is None):
        raise UserError("say whom to forget: the id of a lead, or --contact with a name or address")
    if lead_id is not None and not lead_id.strip():
        raise UserError("the id of the lead to forget is empty")
    if contact is not None and not _can_be_contact(contact):
        raise UserError(f"{contact!r} is no name, e-mail address or telephone number")
    store = _store(settings)
    folder = shown_folder(store)
    with locked(store):
        leads = forget_lead(folder, lead_id) if lead_id is not None else 0
        leads += forget_contact(folder, contact) if contact is not None else 0
        removed = _remove_written(settings)
    return ForgottenLeads(leads=leads, removed=removed)


def workbook_path(settings: Settings) -> Path:
    """Where the project's workbook is, unless somebody asked for another place."""
    return settings.project_folder() / WORKLIST


def _can_be_contact(text: str) -> bool:
    return any(normalise(text) for normalise in NORMALISED.values())


def _remove_written(settings: Settings) -> list[str]:
    """Remove the workbook and the reports, which name people; returns their paths."""
    reports = list_folder(settings.project_folder() / "reports", "*.html")
    paths = [workbook_path(settings), *reports]
    written = [path for path in paths if path.exists()]
    for path in written:
        path.unlink()
    return [str(path) for path in written]


def _store(settings: Settings) -> Path:
    return settings.project_folder() / "store"
