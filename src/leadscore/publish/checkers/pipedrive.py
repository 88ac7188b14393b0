"""What Pipedrive's import refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from leadscore.publish.checkers.csv_bytes import read_table
from leadscore.publish.checkers.jobs import describe_value, object_of, objects_of
from leadscore.publish.checkers.problem import Problem
from leadscore.publish.checkers.requests import check_requests
from leadscore.publish.checkers.typed import Json, check_keys, check_types, is_plain_date

MOST_BYTES = 50_000_000
MOST_ROWS = 50_000
PATH = re.compile(r"/api/v2/[a-z]+/[1-9]\d*")


def check(name: str, data: bytes, job: Json | None, fields: Json | None) -> list[Problem]:
    """The problems of a file and the mapping of its columns."""
    if name.endswith(".jsonl"):
        return check_requests(data, _check_request)
    if job is None:
        return [Problem(0, "", "there is no mapping; name it with --job")]
    table = read_table(data, ending="CRLF", bom=None)
    if len(data) > MOST_BYTES:
        table.refuse(0, "", "the file is larger than 50 MB")
    if len(table.records) > MOST_ROWS:
        table.refuse(0, "", f"more than {MOST_ROWS:,} rows")
    mappings = objects_of(job.get("columnMappings"))
    columns = tuple(mapping.get("column") for mapping in mappings)
    if columns != table.header:
        table.refuse(0, "columnMappings", "must name the columns in the order of the file")
    key = job.get("key")
    if isinstance(key, str) and key:
        check_keys(table, [key], refuse=_refuse_id if key == "ID" else lambda _: "")
    else:
        table.refuse(0, "key", f"{describe_value(key)}; it must be the column that finds records")
    is_usual = job.get("dateFormat") == "%Y-%m-%d"
    check_types(table, fields, is_moment=is_plain_date if is_usual else bool)
    return table.problems


def _refuse_id(key: str) -> str:
    is_id = key.isascii() and key.isdigit() and not key.startswith("0")
    return "" if is_id else "no ID, which is a whole number"


def _check_request(request: Json, line: int) -> Iterator[Problem]:
    """The problems of an API request."""
    is_patch = request.get("method") == "PATCH"
    if not is_patch or not PATH.fullmatch(str(request.get("path"))):
        yield Problem(line, "path", "no PATCH of a record, such as /api/v2/deals/12")
    fields = object_of(object_of(request.get("body")).get("custom_fields"))
    if not fields:
        yield Problem(line, "", "no request with custom_fields")
    for name, value in fields.items():
        if isinstance(value, list | dict | bool):
            yield Problem(line, name, "no text, number or null")
