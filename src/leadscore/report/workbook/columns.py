"""The columns of a sheet of leads: title, width, what one means, and what it shows of a lead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from leadscore.report.workbook.bant import LEGEND
from leadscore.report.workbook.worklist import Worklist
from leadscore.wording import say_action

Row = dict[str, Any]


@dataclass(frozen=True)
class SheetColumn:
    """A column of the sheets.

    Attributes:
        title: in the header.
        width: in characters.
        meaning: in a line, for the summary.
        value: text or number of a lead; None or "" leaves the cell empty.
        style: of the cell: text, small, tier, share or money.
    """

    title: str
    width: float
    meaning: str
    value: Callable[[Row], Any]
    style: str = "text"


def build_columns(worklist: Worklist, *, with_rep: bool) -> list[SheetColumn]:
    """The columns in order; those that are empty for all leads are left out."""
    columns = [*_build_shown(worklist), *_build_numbers(worklist), *_build_texts(worklist)]
    if with_rep and worklist.is_routed:
        columns.append(_build_rep(worklist))
    return columns


def _build_shown(worklist: Worklist) -> list[SheetColumn]:
    """The id, with a link if there is one, and what people see of a lead beside it."""
    meaning = (
        "the lead's id; a click opens it in the CRM" if worklist.has_links else "the lead's id"
    )
    columns = [SheetColumn("Lead", 10, meaning, _column("lead_id"), "link")]
    if worklist.has("name"):
        columns.append(SheetColumn("Name", 15, "what the lead is called", _column("name")))
    if worklist.has("company"):
        columns.append(SheetColumn("Company", 15, "the lead's company", _column("company")))
    if any(worklist.has(key) for key in ("contact", "phone", "email")):
        columns.append(SheetColumn("Contact", 20, "whom to call, and how", _write_contact))
    return columns


def _build_numbers(worklist: Worklist) -> list[SheetColumn]:
    days = worklist.horizon_days
    within = f" within {days} days" if days else ""
    won = f"chance of a win{within}"
    unit = f", {worklist.currency}" if worklist.currency else ""
    amount = "what a win brings; the usual amount where the lead has none"
    average = "chance of a win times amount: what it brings on average; empty if unknown"
    return [
        SheetColumn("Tier", 5, "A is to be worked first, D last", _column("tier"), "tier"),
        SheetColumn("Win", 6, won, _column("win_probability"), "share"),
        SheetColumn(f"Amount{unit}", 9, amount, _round("amount"), "money"),
        SheetColumn(f"Value{unit}", 9, average, _round("expected_value"), "money"),
    ]


def _build_texts(worklist: Worklist) -> list[SheetColumn]:
    return [*_build_reasons(worklist), *_build_steps()]


def _build_reasons(worklist: Worklist) -> list[SheetColumn]:
    """What speaks for and against a lead, and what changed if there is a previous list."""
    columns = [
        SheetColumn("For", 28, "the two strongest reasons for it", _write_reasons, "small"),
        SheetColumn(
            "Against", 20, "the strongest reason against it", _column("reason_down_1"), "small"
        ),
    ]
    if worklist.is_compared:
        changed = "since the previous list, in percentage points"
        columns.append(SheetColumn("What changed", 20, changed, _column("change"), "small"))
    return columns


def _build_steps() -> list[SheetColumn]:
    """What is known of a lead's answers, and what to do next."""
    question = "the question whose answer is most likely to change the next step"
    action = "what to do next; a decision made by hand comes first"
    letters = f"budget, authority, need, timeline: {LEGEND}"
    return [
        SheetColumn("BANT", 13, letters, _column("glance"), "small"),
        SheetColumn("Next question", 22, question, _column("next_question"), "small"),
        SheetColumn("Action", 14, action, _write_action),
    ]


def _write_reasons(row: Row) -> str:
    """The two strongest reasons for a lead, a line each."""
    reasons = [row["reason_up_1"], row["reason_up_2"]]
    return "\n".join(filter(None, reasons))


def _build_rep(worklist: Worklist) -> SheetColumn:
    def write_rep(row: Row) -> str:
        return worklist.name_rep(row["rep_id"]) or row["route_reason"]

    return SheetColumn("Rep", 28, "who calls, or why nobody does", write_rep)


def _column(name: str) -> Callable[[Row], Any]:
    return lambda row: row.get(name)


def _write_contact(row: Row) -> str:
    """Name, telephone number and e-mail address, a line each."""
    lines = [row.get(key) for key in ("contact", "phone", "email")]
    return "\n".join(line for line in lines if line)


def _write_action(row: Row) -> str:
    return str(row["override"] or say_action(row["suggested_action"]))


def _round(name: str) -> Callable[[Row], float | None]:
    """The whole units of an amount."""

    def round_amount(row: Row) -> float | None:
        amount = row[name]
        return None if amount is None else float(round(amount))

    return round_amount
