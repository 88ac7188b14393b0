"""How cells look: fonts, colours of tiers, formats of numbers."""

from __future__ import annotations

from typing import Any

import xlsxwriter
from xlsxwriter.format import Format

FONT = {"font_name": "Calibri", "font_size": 10, "valign": "top"}
# marks text as text, so that editing a cell that begins with = does not make a formula of it
TEXT = FONT | {"text_wrap": True, "quote_prefix": True}
LINE = {"bottom": 1, "bottom_color": "#D9D9D9"}
HEADER = FONT | {"bold": True, "bg_color": "#22313F", "font_color": "#FFFFFF"}
TIERS = {  # tier -> background and letter, readable without colour, too
    "A": {"bg_color": "#1B7F3B", "font_color": "#FFFFFF"},
    "B": {"bg_color": "#A9DDB5", "font_color": "#10381C"},
    "C": {"bg_color": "#FBE3A6", "font_color": "#4A3500"},
    "D": {"bg_color": "#E3E5E8", "font_color": "#3A3F45"},
}
STYLES: dict[str, dict[str, Any]] = {
    "text": TEXT | LINE,
    # indented, else it touches the number before it
    "small": TEXT | LINE | {"font_size": 8, "align": "left", "indent": 1},
    "link": TEXT | LINE | {"font_color": "#0B57D0", "underline": 1},
    "share": FONT | LINE | {"num_format": '[<0.005]"<1%";0%', "align": "right"},
    "money": FONT | LINE | {"num_format": "#,##0", "align": "right"},
    "header": HEADER | {"text_wrap": True},
    "number header": HEADER | {"align": "right"},
    "title": {"font_name": "Calibri", "font_size": 18, "bold": True},
    "heading": {"font_name": "Calibri", "font_size": 12, "bold": True, "bottom": 1},
    "plain": TEXT | {"text_wrap": False},
    "note": TEXT | {"text_wrap": False},
    "bold": TEXT | {"bold": True},
    "count": FONT | {"num_format": "#,##0", "align": "right"},
    "wins": FONT | {"num_format": "#,##0.0", "align": "right"},
}


class Styles:
    """The formats of a workbook, by name."""

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self._formats: dict[str, Format] = {}
        for name, style in STYLES.items():
            self._formats[name] = workbook.add_format(style)
        for tier, colours in TIERS.items():
            style = FONT | LINE | {"bold": True, "align": "center"} | colours
            self._formats[f"tier {tier}"] = workbook.add_format(style)

    def __getitem__(self, name: str) -> Format:
        return self._formats[name]

    def of_tier(self, tier: str) -> Format:
        """The format of a tier's cell; that of text for a tier of another release."""
        return self._formats.get(f"tier {tier}", self._formats["text"])
