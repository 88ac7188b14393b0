"""Generic: CSV as RFC 4180 has it, numbers in full precision, with a Frictionless descriptor."""

from __future__ import annotations

from leadscore.publish.targets.columns import COLUMNS
from leadscore.publish.targets.kind import Json, Kind, Layout, Part
from leadscore.settings.targets import COLUMNS as NAMES

TYPES = {
    "number": "number",
    "money": "number",
    "text": "string",
    "sentence": "string",
    "moment": "datetime",
    "flag": "boolean",
}


def build_package(layout: Layout, part: Part) -> Json:
    """The Data Package of a file: every column with its type, and the key."""
    column_of = {field.name: field.column for field in layout.fields}
    fields = [_describe(name, column_of.get(name)) for name in part.columns]
    resource = {
        "name": part.name.removesuffix(".csv"),
        "path": part.name,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\n", "doubleQuote": True},
        "schema": {"fields": fields, "primaryKey": [layout.key], "missingValues": [""]},
    }
    return {"name": layout.target.replace("_", "-"), "resources": [resource]}


def _describe(name: str, column: str | None) -> Json:
    if column is None:
        return {"name": name, "type": "string", "constraints": {"required": True, "unique": True}}
    known = COLUMNS[column]
    field: Json = {"name": name, "type": TYPES[known.type], "description": known.meaning}
    if known.type == "moment":
        field["format"] = "%Y-%m-%dT%H:%M:%S.%fZ"
    return field


GENERIC = Kind(
    name="generic",
    object="leads",
    preset_object="leads",
    key="lead_id",
    own_key="",
    fields={name: name for name in NAMES if name not in {"win_percent", "reasons"}},
    types={"key": "text", **TYPES},
    job=build_package,
    text_length=32_000,
    moment="%Y-%m-%dT%H:%M:%S.%fZ",
    decimals=dict.fromkeys(NAMES),
    max_bytes=512_000_000,
    key_note="",
)
