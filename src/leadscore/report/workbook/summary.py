"""The first sheet: what the list holds in total, by tier and by rep, and what its columns mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter.worksheet import Worksheet

from leadscore.report.formats import format_moment
from leadscore.report.workbook.columns import SheetColumn
from leadscore.report.workbook.sheets import set_up_page
from leadscore.report.workbook.styles import Styles
from leadscore.report.workbook.text import cell_text
from leadscore.report.workbook.worklist import Part, Worklist

WIDTHS = (26, 12, 12, 22, 16)
MOVED = 2.0  # percentage points from which a change counts as one


class Summary:
    """The sheet while it is written, line by line."""

    def __init__(self, sheet: Worksheet, worklist: Worklist, styles: Styles) -> None:
        self.sheet = sheet
        self.worklist = worklist
        self.styles = styles
        self.line = 0
        for place, width in enumerate(WIDTHS):
            sheet.set_column(place, place, width)
        set_up_page(sheet)
        sheet.set_portrait()

    def write(
        self,
        parts: Sequence[Part],
        names: Sequence[str],
        columns: Sequence[SheetColumn],
    ) -> None:
        """Write all of it: totals, tiers, sheets by their `names`, meanings."""
        title = self.worklist.settings.project
        if self.worklist.as_of:
            title += f", as of {format_moment(self.worklist.as_of)}"
        self.write_texts(["Leads to work"], "title")
        self.write_texts([title], "plain")
        self.line += 1
        self.write_totals()
        self.write_left_out(parts, names)
        self.write_tiers()
        self.write_parts(parts, names)
        self.write_meanings(columns)

    def write_texts(self, texts: Sequence[str], style: str) -> None:
        """Write a line of texts in one style."""
        look = self.styles[style]
        for place, text in enumerate(texts):
            self.sheet.write_string(self.line, place, cell_text(text), look)
        self.line += 1

    def write_header(self, name: str, *numbers: str) -> None:
        """Write the header of a table of names and numbers."""
        self.sheet.write_string(self.line, 0, name, self.styles["header"])
        for place, title in enumerate(numbers, 1):
            self.sheet.write_string(self.line, place, title, self.styles["number header"])
        self.line += 1

    def write_totals(self) -> None:
        """The headline numbers."""
        scores = self.worklist.scores
        days = self.worklist.horizon_days
        wins = sum_of(scores, "win_probability")
        value = sum_of(scores, "expected_value")
        risen = count_moved(scores, up=True)
        fallen = count_moved(scores, up=False)
        within = f" within {days} days" if days else ""

        self.write_texts(["At a glance", ""], "heading")
        self.write_number("Open leads", scores.num_rows, "count")
        self.write_number(f"Expected wins{within}", wins, "wins")
        self.write_number(self.name_value(), value, "count")
        if self.worklist.is_compared:
            self.write_number("More likely than last time", risen, "count")
            self.write_number("Less likely than last time", fallen, "count")
        else:
            self.write_texts(["Changes", "no previous list"], "plain")
        self.line += 1

    def write_left_out(self, parts: Sequence[Part], names: Sequence[str]) -> None:
        """A line for each sheet that has not all of its leads."""
        shortened = [
            f"{name}: the first {part.listed.num_rows:,} of {part.scores.num_rows:,} leads; "
            "the others are only in the score files"
            for part, name in zip(parts, names, strict=True)
            if part.left_out
        ]
        for line in shortened:
            self.write_texts([line], "note")
        self.line += bool(shortened)

    def name_value(self) -> str:
        """What the column of expected values is called."""
        currency = self.worklist.currency
        return f"Expected value, {currency}" if currency else "Expected value"

    def write_number(self, name: str, number: float, style: str) -> None:
        """Write a name and its number."""
        self.sheet.write_string(self.line, 0, name, self.styles["plain"])
        self.sheet.write_number(self.line, 1, number, self.styles[style])
        self.line += 1

    def write_tiers(self) -> None:
        """A line a tier."""
        self.write_header("Tier", "Leads", "Wins", self.name_value())
        scores = self.worklist.scores
        tiers = pc.unique(scores["tier"]).to_pylist()
        for tier in sorted(tiers):
            is_of_tier = pc.equal(scores["tier"], tier)
            self.sheet.write_string(self.line, 0, tier, self.styles.of_tier(tier))
            self.write_sums(scores.filter(is_of_tier))
            self.line += 1
        self.line += 1

    def write_sums(self, scores: pa.Table) -> None:
        """Write leads, wins and value behind the name on the line."""
        count = self.styles["count"]
        wins = sum_of(scores, "win_probability")
        value = sum_of(scores, "expected_value")
        self.sheet.write_number(self.line, 1, scores.num_rows, count)
        self.sheet.write_number(self.line, 2, wins, self.styles["wins"])
        self.sheet.write_number(self.line, 3, value, count)

    def write_parts(self, parts: Sequence[Part], names: Sequence[str]) -> None:
        """A line a sheet, with a link to it; nothing if there is only one."""
        if len(parts) < 2:
            return
        whose = "Team" if self.worklist.by_team else "Rep"
        self.write_header(whose, "Leads", "Wins", self.name_value(), "of which tier A")
        for part, name in zip(parts, names, strict=True):
            quoted = name.replace("'", "''")
            link = f"internal:'{quoted}'!A1"
            is_in_a = pc.equal(part.scores["tier"], "A")
            leads_in_a = pc.sum(is_in_a).as_py() or 0
            self.sheet.write_url(self.line, 0, link, self.styles["link"], name)
            self.write_sums(part.scores)
            self.sheet.write_number(self.line, 4, leads_in_a, self.styles["count"])
            self.line += 1
        self.line += 1

    def write_meanings(self, columns: Sequence[SheetColumn]) -> None:
        """What the columns mean, in a line each."""
        self.write_texts(["What the columns mean", "", "", "", ""], "heading")
        bold = self.styles["bold"]
        note = self.styles["note"]
        for column in columns:
            self.sheet.write_string(self.line, 0, column.title, bold)
            self.sheet.write_string(self.line, 1, column.meaning, note)
            self.line += 1


def sum_of(scores: pa.Table, name: str) -> float:
    """The sum of a column; unknown values count as 0."""
    total: Any = pc.sum(scores[name]).as_py()
    return float(total or 0.0)


def count_moved(scores: pa.Table, *, up: bool) -> int:
    """How many leads became clearly more, or less, likely to be won since the previous list."""
    points = scores["change_points"]
    moved = pc.greater_equal(points, MOVED) if up else pc.less_equal(points, -MOVED)
    return int(pc.sum(moved).as_py() or 0)
