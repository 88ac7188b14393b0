"""The fields of a target's files, for machines and for people: what to create, and what they hold."""

from __future__ import annotations

import re
from typing import Any, Literal

from leadscore.publish.targets.columns import COLUMNS
from leadscore.publish.targets.kind import Layout, TargetField
from leadscore.wording import PRODUCTS

LONG_TEXT = 255  # up to here a text is a short one
SALESFORCE_DIGITS = 18
Create = Literal["yes", "no", "if missing"]
NOTHING = "The CRM has all of these fields. Create nothing."
SOME = (
    'Before the first import, create the fields marked "yes", and those marked "if missing" unless '
    "the CRM has them."
)


def describe_fields(layout: Layout, *, example: str | None) -> dict[str, Any]:
    """Every column of the files in their order, with the type that the CRM calls it by.

    Args:
        layout: of the target.
        example: the key of the first lead.
    """
    constants = [_describe_constant(*item, layout) for item in layout.constants.items()]
    fields = [_describe(field, layout) for field in layout.fields]
    return {
        "target": layout.target,
        "kind": layout.kind.name,
        "object": layout.object,
        "bom": layout.bom,
        "key": _describe_key(layout, example),
        "fields": [*constants, *fields],
    }


def _describe_key(layout: Layout, example: str | None) -> dict[str, Any]:
    is_there = layout.is_own_key or layout.key == layout.kind.native_key
    type_ = layout.kind.types["key"]
    is_record_id = layout.is_own_key and not layout.kind.has_fields
    return {
        "field": layout.key,
        "type": "record id" if is_record_id else type_,
        "create": "no" if is_there else "yes",
        "of": "lead_id",
        "prefix": layout.key_prefix,
        "example": example,
        "meaning": _explain_key(layout),
    }


def _explain_key(layout: Layout) -> str:
    """What stands in the key, but for the example."""
    if layout.is_own_key and not layout.kind.has_fields:
        return "the CRM's own id of the record, which is the lead's id (lead_id)"
    content = "the lead's id (lead_id)"
    if layout.key_prefix:
        content = f"{_code(layout.key_prefix)} followed by the lead's id (lead_id)"
    return content + layout.kind.key_note


def _describe_constant(name: str, value: str, layout: Layout) -> dict[str, Any]:
    return {
        "field": name,
        "type": layout.kind.types["key"],
        "create": "no",
        "of": None,
        "meaning": f"the second part of the key, always {_code(value)}",
    }


def _describe(field: TargetField, layout: Layout) -> dict[str, Any]:
    column = COLUMNS[field.column]
    decimals = layout.kind.decimals.get(field.column, column.decimals)
    is_sentence = column.type == "sentence"
    length = layout.text_length if is_sentence else min(layout.text_length, LONG_TEXT)
    words = layout.kind.types[column.type]
    if words.startswith("Text(") and length > LONG_TEXT:
        words = "Long Text Area({length})"
    digits = SALESFORCE_DIGITS - (decimals or 0)
    return {
        "field": field.name,
        "type": words.format(length=length, decimals=decimals, digits=digits),
        "create": _must_create(field, layout),
        "of": field.column,
        "meaning": column.meaning + _explain_codes(field, layout),
    }


def _explain_codes(field: TargetField, layout: Layout) -> str:
    """What stands in the file instead of the words of a column."""
    codes = layout.kind.codes.get(field.column)
    if codes is None:
        return ""
    words = [f"{code} = {value}" for value, code in codes.items()]
    return f"; in the file {', '.join(words)}"


def _must_create(field: TargetField, layout: Layout) -> Create:
    """Whether a field must be created; of one that the settings name, nobody here knows."""
    if layout.kind.fields.get(field.column) != field.name:
        return "if missing"
    return "no" if layout.kind.has_fields else "yes"


def write_fields_page(fields: dict[str, Any]) -> str:
    """The same as Markdown."""
    rows = [fields["key"], *fields["fields"]]
    must_create = any(field["create"] != "no" for field in rows)
    lines = [
        _write_title(fields),
        "",
        SOME if must_create else NOTHING,
        "",
        "| field | type | create it | holds |",
        "|---|---|---|---|",
    ]
    lines += [_write_line(field) for field in rows]
    return "\n".join(lines) + "\n"


def _write_title(fields: dict[str, Any]) -> str:
    if fields["kind"] == "generic":
        return "# Columns of the files"
    return f"# Fields of {_code(fields['object'])} in {PRODUCTS[fields['kind']]}"


def _write_line(field: dict[str, Any]) -> str:
    meaning = field["meaning"]
    example = field.get("example")
    if example is not None:
        meaning += f"; of the first lead: {_code(example)}"
    return f"| {_code(field['field'])} | {field['type']} | {field['create']} | {meaning} |"


def _code(text: str) -> str:
    """Text as code in a cell of a Markdown table."""
    runs = re.findall("`+", text)
    fence = "`" * (1 + max(map(len, runs), default=0))
    blank = " " if runs else ""
    return f"{fence}{blank}{text}{blank}{fence}".replace("|", "\\|")
