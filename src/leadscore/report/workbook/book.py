"""Writes a workbook: the same list gives the same bytes, and memory does not grow with its length."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from leadscore.report.workbook.columns import build_columns
from leadscore.report.workbook.customers import write_customers
from leadscore.report.workbook.sheets import write_leads
from leadscore.report.workbook.styles import Styles
from leadscore.report.workbook.summary import Summary
from leadscore.report.workbook.text import name_sheets
from leadscore.report.workbook.worklist import NOBODY, Worklist

SUMMARY = "Summary"
CUSTOMERS = "Customers"
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


def write_workbook(path: Path, worklist: Worklist, *, scratch: Path) -> None:
    """Write the workbook of a list to `path`.

    Args:
        path: the file.
        worklist: the list.
        scratch: a folder for temporary files, which hold what people see of leads.
    """
    parts = worklist.parts
    names = name_sheets([SUMMARY, *(part.title for part in parts), CUSTOMERS])
    with xlsxwriter.Workbook(path, OPTIONS | {"tmpdir": str(scratch)}) as workbook:
        _set_properties(workbook, worklist)
        styles = Styles(workbook)
        summary = Summary(workbook.add_worksheet(names[0]), worklist, styles)
        summary.write(parts, names[1:-1], build_columns(worklist, with_rep=True))
        for part, name in zip(parts, names[1:-1], strict=True):
            has_several_reps = worklist.by_team or part.title == NOBODY
            columns = build_columns(worklist, with_rep=has_several_reps)
            sheet = workbook.add_worksheet(name)
            write_leads(sheet, part, columns, worklist=worklist, styles=styles)
        if worklist.customers:
            write_customers(workbook.add_worksheet(names[-1]), worklist, styles)


def _set_properties(workbook: xlsxwriter.Workbook, worklist: Worklist) -> None:
    """Name the list, and give the file its date rather than that of the clock."""
    created = UNDATED
    if worklist.as_of is not None:
        created = datetime.fromtimestamp(worklist.as_of_us // 1_000_000, UTC)
    workbook.set_properties(
        {
            "title": f"Leads to work: {worklist.settings.project}",
            "created": created.replace(tzinfo=None),
        }
    )
