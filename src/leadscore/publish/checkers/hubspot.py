"""What HubSpot's import, and its batch calls, refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from leadscore.publish.checkers.csv_bytes import Table, read_table
from leadscore.publish.checkers.jobs import check_value, list_of, object_of, objects_of
from leadscore.publish.checkers.problem import Problem
from leadscore.publish.checkers.requests import check_requests
from leadscore.publish.checkers.typed import (
    Json,
    check_keys,
    check_owner,
    check_types,
    is_plain_date,
)

MOST_COLUMNS = 999
MOST_ROWS = 1_048_576
MOST_BYTES = 512_000_000
MOST_INPUTS = 100
MOST_TEXT = 65_536
OWNER_ID = re.compile(r"[1-9][0-9]*")
PROPERTY = re.compile(r"[a-z][a-z0-9_]*")
OBJECT_TYPE = re.compile(r"\d+-\d+")
CALL = re.compile(r"/crm/v3/objects/\d+-\d+/batch/update")
READ_ONLY = {
    "createdate", "closedate_timestamp", "lastmodifieddate", "hs_createdate",
    "hs_lastmodifieddate", "hs_object_source", "hs_created_by_user_id",
}  # fmt: skip
KEY_TYPES = ("HUBSPOT_OBJECT_ID", "HUBSPOT_ALTERNATE_ID")


def check(name: str, data: bytes, job: Json | None, fields: Json | None) -> list[Problem]:
    """The problems of a file and its import request."""
    if name.endswith(".jsonl"):
        own_key = fields["key"]["field"] if fields else None
        return check_requests(data, lambda call, line: _check_call(call, line, own_key))
    if job is None:
        return [Problem(0, "", "there is no import request; name it with --job")]

    table = read_table(data, ending="LF", bom=None)
    _check_size(data, table)
    key = _check_request(name, job, table)
    if key is not None:
        is_record_id = key["columnType"] == "HUBSPOT_OBJECT_ID"
        refuse = _is_id if is_record_id else _is_any
        check_keys(table, [key["columnName"]], refuse=refuse)
    check_types(table, fields, is_moment=is_plain_date)
    check_owner(table, "hubspot_owner_id", OWNER_ID, words="number of a user")
    return table.problems


def _check_size(data: bytes, table: Table) -> None:
    if len(data) > MOST_BYTES:
        table.refuse(0, "", "the file is larger than 512 MB")
    if len(table.records) + 1 > MOST_ROWS:
        table.refuse(0, "", f"more than {MOST_ROWS:,} rows")
    if len(table.header) > MOST_COLUMNS:
        table.refuse(1, "", "1,000 columns or more")


def _check_request(name: str, job: Json, table: Table) -> Json | None:
    """The mapping of the key, after a check of the request."""
    operations = job.get("importOperations")
    if not isinstance(operations, dict) or list(operations.values()) != ["UPDATE"]:
        table.refuse(0, "importOperations", "must be UPDATE of one type, or records are created")
        return None
    (object_type,) = operations
    if not OBJECT_TYPE.fullmatch(object_type):
        reason = f"names {object_type!r}, which is no type id such as 0-1"
        table.refuse(0, "importOperations", reason)
    table.problems += check_value(job, "dateFormat", ["YEAR_MONTH_DAY"])

    files = objects_of(job.get("files"))
    if len(files) != 1 or files[0].get("fileName") != name:
        table.refuse(0, "files", f"must name one file, {name}")
        return None
    (file,) = files
    table.problems += check_value(file, "fileFormat", ["CSV"])
    page = object_of(file.get("fileImportPage"))
    table.problems += check_value(page, "hasHeader", [True])
    mappings = objects_of(page.get("columnMappings"))
    return _check_mappings(mappings, object_type, table)


def _check_mappings(mappings: list[Json], object_type: str, table: Table) -> Json | None:
    names = tuple(mapping.get("columnName") for mapping in mappings)
    if names != table.header:
        table.refuse(0, "columnMappings", "must name the columns in the order of the file")
        return None
    for mapping in mappings:
        _check_property(str(mapping.get("propertyName")), table)
        table.problems += check_value(mapping, "columnObjectTypeId", [object_type])

    keys = [mapping for mapping in mappings if "columnType" in mapping]
    if len(keys) != 1 or keys[0]["columnType"] not in KEY_TYPES:
        types = " or ".join(KEY_TYPES)
        table.refuse(0, "columnType", f"must make one column the key, by {types}")
        return None
    return keys[0]


def _check_property(name: str, table: Table) -> None:
    if not PROPERTY.fullmatch(name):
        table.refuse(0, name, "is no internal name of a property: lower case, digits and _")
    if name in READ_ONLY:
        table.refuse(0, name, "is a read-only property")


def _is_id(key: str) -> str:
    is_id = key.isascii() and key.isdigit() and not key.startswith("0")
    return "" if is_id else "no Record ID, which is a whole number"


def _is_any(_: str) -> str:
    return ""


def _check_call(call: Json, line: int, own_key: str | None) -> Iterator[Problem]:
    """The problems of a batch call.

    Args:
        call: the call.
        line: of the file.
        own_key: the property that finds records, by the list of fields; None without one.
    """
    if call.get("method") != "POST" or not CALL.fullmatch(str(call.get("path"))):
        yield Problem(line, "path", "no POST to .../batch/update")
    body = object_of(call.get("body"))
    inputs = list_of(body.get("inputs"))
    if not 1 <= len(inputs) <= MOST_INPUTS:
        yield Problem(line, "inputs", f"{len(inputs)} records; a call takes 1 to {MOST_INPUTS}")
    records = objects_of(inputs)
    ids = [str(record.get("id")) for record in records]
    if len(set(ids)) < len(ids):
        yield Problem(line, "id", "a record is there twice")
    for record in records:
        yield from _check_id(record, line, own_key)
        yield from _check_properties(object_of(record.get("properties")), line)


def _check_id(record: Json, line: int, own_key: str | None) -> Iterator[Problem]:
    key = record.get("id")
    if not isinstance(key, str) or not key:
        yield Problem(line, "id", "a record without id")
    elif "idProperty" not in record and _is_id(key):
        yield Problem(line, "id", f"{key!r} is {_is_id(key)}")
    if "idProperty" not in record:
        return
    name = record["idProperty"]
    if name == "email":
        yield Problem(line, "idProperty", "a part of a record cannot be written by email")
    elif not isinstance(name, str) or not PROPERTY.fullmatch(name):
        yield Problem(line, "idProperty", "no internal name of a property")
    elif own_key is not None and name != own_key:
        yield Problem(line, "idProperty", f"{name!r} is not the key, which is {own_key!r}")


def _check_properties(properties: Json, line: int) -> Iterator[Problem]:
    if not properties:
        yield Problem(line, "properties", "a record without properties")
    for name, value in properties.items():
        if not PROPERTY.fullmatch(name) or name in READ_ONLY:
            yield Problem(line, name, "no property that can be written")
        if not isinstance(value, str) or len(value) > MOST_TEXT:
            yield Problem(line, name, 'must be text; "" clears')
