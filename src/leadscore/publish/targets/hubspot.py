"""HubSpot: a file with its import request, and batch calls that clear properties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leadscore.publish.targets.kind import Json, Kind, Layout, Part, Row
from leadscore.publish.targets.names import name_fields

TYPES = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5", "leads": "0-136"}
BATCH = 100  # records of a call


def build_request(layout: Layout, part: Part) -> Json:
    """The import request of a file, which updates and never creates."""
    object_type = find_type(layout)
    mappings = [_map_column(name, layout, object_type) for name in part.columns]
    page = {"hasHeader": True, "columnMappings": mappings}
    file = {"fileName": part.name, "fileFormat": "CSV", "fileImportPage": page}
    return {
        "name": f"leadscore {layout.target} {part.name}",
        "importOperations": {object_type: "UPDATE"},
        "dateFormat": "YEAR_MONTH_DAY",
        "files": [file],
    }


def _map_column(name: str, layout: Layout, object_type: str) -> Json:
    mapping: Json = {
        "columnObjectTypeId": object_type,
        "columnName": name,
        "propertyName": name,
    }
    if name == layout.key:
        mapping["columnType"] = "HUBSPOT_OBJECT_ID" if layout.is_own_key else "HUBSPOT_ALTERNATE_ID"
    return mapping


def find_type(layout: Layout) -> str:
    """The id of the type of object, such as 0-1."""
    return TYPES.get(layout.object, layout.object)


def build_batches(layout: Layout, rows: Sequence[Row]) -> Iterator[Json]:
    """Calls of batch/update that clear the empty properties of rows, 100 records a call."""
    path = f"/crm/v3/objects/{find_type(layout)}/batch/update"
    for start in range(0, len(rows), BATCH):
        inputs = [_write_record(layout, row) for row in rows[start : start + BATCH]]
        yield {"method": "POST", "path": path, "body": {"inputs": inputs}}


def _write_record(layout: Layout, row: Row) -> Json:
    properties = {name: text or "" for name, text in row.written(layout)}
    record: Json = {"id": row.key, "properties": properties}
    if not layout.is_own_key:
        record["idProperty"] = layout.key
    return record


def find_key_problem(layout: Layout, key: str) -> str:
    """Why a key names no record, or ""."""
    is_number = key.isascii() and key.isdigit() and not key.startswith("0")
    if layout.is_own_key and not is_number:
        return "no Record ID of HubSpot, which has digits only and does not begin with 0"
    return ""


HUBSPOT = Kind(
    name="hubspot",
    object="contacts",
    preset_object="deals",
    key="leadscore_id",
    own_key="hs_object_id",
    fields=name_fields("win_probability", "leadscore_{}"),
    types={
        "key": "Single-line text, unique values required",
        "number": "Number",
        "money": "Number (currency)",
        "text": "Single-line text",
        "sentence": "Multi-line text",
        "moment": "Date picker",
        "flag": "Single checkbox",
    },
    job=build_request,
    text_length=1000,
    empty_erases=False,
    moment="%Y-%m-%d",
    is_dated=True,
    max_rows=1_048_575,  # and the header
    max_bytes=512_000_000,
    requests=build_batches,
    key_problem=find_key_problem,
)
