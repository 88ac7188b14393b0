"""Odoo: a file for the import of a model, with the arguments of `execute_import`."""

from __future__ import annotations

import re

from leadscore.publish.targets.kind import Json, Kind, Layout, Part
from leadscore.publish.targets.names import name_fields

EXTERNAL_ID = re.compile(r"[A-Za-z0-9_]+\.[A-Za-z0-9_-]+")


def build_request(layout: Layout, part: Part) -> Json:
    """Model, fields and options of the import of a file."""
    options = {
        "has_headers": True,
        "encoding": "utf-8",
        "separator": ",",
        "quoting": '"',
        "date_format": "%Y-%m-%d",
        "datetime_format": layout.moment,
        "float_decimal_separator": ".",
        "float_thousand_separator": "",
    }
    columns = list(part.columns)
    return {
        "model": layout.object,
        "fields": columns,
        "columns": columns,
        "options": options,
        "dryrun": False,
    }


def find_key_problem(layout: Layout, key: str) -> str:
    """Why a key names no record, or ""."""
    if layout.key == ".id":
        is_number = key.isascii() and key.isdigit() and not key.startswith("0")
        return "" if is_number else "no database id of Odoo, which is a whole number"
    if layout.key == "id" and not EXTERNAL_ID.fullmatch(key):
        return "no External ID of Odoo: one dot, letters, digits, _ and -"
    return ""


ODOO = Kind(
    name="odoo",
    object="crm.lead",
    preset_object="crm.lead",
    key="id",
    own_key=".id",
    fields=name_fields("win_percent", "x_leadscore_{}"),
    types={
        "key": "External ID",
        "number": "Float",
        "money": "Float",
        "text": "Char",
        "sentence": "Char",
        "moment": "Datetime",
        "flag": "Boolean",
    },
    job=build_request,
    text_length=1000,
    moment="%Y-%m-%d %H:%M:%S",
    limits={"probability": (0.01, 99.99)},  # 100 would win a lead, and 0 lose an archived one
    max_bytes=50_000_000,
    key_problem=find_key_problem,
    native_key="id",
)
