"""A sheet of customers to follow up, beside those of leads."""

from __future__ import annotations

from xlsxwriter.worksheet import Worksheet

from leadscore.report.workbook.sheets import set_up_table
from leadscore.report.workbook.styles import Styles
from leadscore.report.workbook.text import cell_text
from leadscore.report.workbook.worklist import Worklist
from leadscore.results.customers import Customer

MOST_ROWS = 1_000_000  # Excel takes 1,048,576
COLUMNS = {  # title -> width in characters
    "Last won lead": 14,
    "Customer": 28,
    "Due": 6,
    "Quiet days": 10,
    "Next lead": 10,
    "Wins": 7,
    "Won in all": 12,
    "Last won": 12,
    "Open leads": 10,
}


def write_customers(sheet: Worksheet, worklist: Worklist, styles: Styles) -> None:
    """Write the customers in the order to work: those due for a follow-up first."""
    customers = worklist.customers[:MOST_ROWS]
    set_up_table(sheet, list(COLUMNS.values()), rows=len(customers))
    for place, title in enumerate(COLUMNS):
        sheet.write_string(0, place, title, styles["header"])
    for line, customer in enumerate(customers, start=1):
        _write_customer(sheet, line, customer, worklist, styles)


def _write_customer(
    sheet: Worksheet,
    line: int,
    customer: Customer,
    worklist: Worklist,
    styles: Styles,
) -> None:
    shown = worklist.shown.get(customer.lead_id, {})
    called = shown.get("company") or shown.get("name")
    texts = {
        0: customer.lead_id,
        1: called or "",
        2: "yes" if customer.is_due else "",
        7: customer.last_won.partition("T")[0],
    }
    numbers = {
        3: ("money", customer.quiet_days),
        4: ("share", customer.next_lead),
        5: ("money", customer.wins),
        6: ("money", customer.revenue),
        8: ("money", customer.open_leads),
    }
    for place, text in texts.items():
        sheet.write_string(line, place, cell_text(text), styles["text"])
    for place, (style, number) in numbers.items():
        if number is None:
            sheet.write_blank(line, place, None, styles[style])
        else:
            sheet.write_number(line, place, number, styles[style])
