"""Pipedrive: a file for its import, with the mapping of its columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leadscore.publish.targets.kind import Json, Kind, Layout, Part, Row
from leadscore.publish.targets.names import COMMON


def build_request(layout: Layout, part: Part) -> Json:
    """What the import of a file must be set to."""
    return {
        "object": layout.object,
        "key": layout.key,
        "operation": "merge",
        "encoding": "utf-8",
        "delimiter": ",",
        "lineEnding": "CRLF",
        "dateFormat": layout.moment,
        "columnMappings": [{"column": name, "field": name} for name in part.columns],
    }


def build_patches(layout: Layout, rows: Sequence[Row]) -> Iterator[Json]:
    """API requests that clear the empty custom fields of rows."""
    for row in rows:
        fields = dict(row.written(layout))
        yield {
            "method": "PATCH",
            "path": f"/api/v2/{layout.object}/{row.key}",
            "body": {"custom_fields": fields},
        }


def find_key_problem(layout: Layout, key: str) -> str:
    """Why a key names no record, or ""."""
    is_number = key.isascii() and key.isdigit() and not key.startswith("0")
    if layout.is_own_key and not is_number:
        return "no ID of Pipedrive, which has digits only and does not begin with 0"
    return ""


def _name(column: str) -> str:
    return f"Leadscore {column.removeprefix('score_').replace('_', ' ')}"


PIPEDRIVE = Kind(
    name="pipedrive",
    object="deals",
    preset_object="deals",
    key="Leadscore ID",
    own_key="ID",
    fields={column: _name(column) for column in ("win_percent", *COMMON)},
    types={
        "key": "Text",
        "number": "Numerical",
        "money": "Monetary",
        "text": "Text",
        "sentence": "Large text",
        "moment": "Date",
        "flag": "Single option",
    },
    job=build_request,
    moment="%Y-%m-%d",
    is_dated=True,
    max_bytes=50_000_000,
    max_rows=50_000,
    requests=build_patches,
    key_problem=find_key_problem,
)
