"""What the import wizard of Dynamics 365 and its table of scores refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from leadscore.publish.checkers.csv_bytes import Table, read_table
from leadscore.publish.checkers.jobs import check_value, object_of, objects_of
from leadscore.publish.checkers.problem import Problem
from leadscore.publish.checkers.requests import check_requests
from leadscore.publish.checkers.typed import Json, check_keys, count_utf16, is_plain_date

MOST_BYTES = 8_000_000
KEYS = ("msdyn_entityid", "msdyn_entitytype")
ENTITY_TYPES = {"lead", "opportunity"}
COLUMN = re.compile(r"[a-z][a-z0-9_]*")
MOST_REASONS = 2_000
WHOLE = {"msdyn_score", "msdyn_grade", "msdyn_scoretrend"}
REQUEST = re.compile(
    r"/api/data/v9\.\d/msdyn_predictivescores"
    r"\(msdyn_entityid='[^'\s]+',msdyn_entitytype='[a-z]+'\)"
)


def check(name: str, data: bytes, job: Json | None, fields: Json | None) -> list[Problem]:
    """The problems of a file and the settings of its import."""
    if name.endswith(".jsonl"):
        return check_requests(data, _check_request)
    if job is None:
        return [Problem(0, "", "there is no import request; name it with --job")]

    has_bom = job.get("encoding") == "utf-8-bom"
    table = read_table(data, ending="CRLF", bom=has_bom)
    if len(data) > MOST_BYTES:
        table.refuse(0, "", "the file is larger than 8 MB")
    _check_job(job, table)
    check_keys(table, KEYS, refuse=lambda _: "")
    for line, value in table.column("msdyn_entitytype"):
        if value not in ENTITY_TYPES:
            table.refuse(line, "msdyn_entitytype", f"{value!r} is no type that has scores")
    _check_columns(table, is_usual=job.get("dateFormat") == "%Y-%m-%d")
    _check_names(table, fields)
    return table.problems


def _check_columns(table: Table, *, is_usual: bool) -> None:
    """Refuse values that a column of the table cannot hold; dates only in the usual format."""
    for column, refuse in COLUMNS.items():
        if column == "msdyn_scoredon" and not is_usual:
            continue
        for line, value in table.column(column):
            problem = refuse(value) if value else ""
            if problem:
                table.refuse(line, column, problem)


def _check_names(table: Table, fields: Json | None) -> None:
    known = set(KEYS)
    if fields:
        known |= {field["field"] for field in fields["fields"]}
    for column in table.header:
        is_undeclared = bool(fields) and column not in known
        if is_undeclared or not COLUMN.fullmatch(column):
            table.refuse(1, column, "no column of the table of scores")


def _check_job(job: Json, table: Table) -> None:
    table.problems += check_value(job, "operation", ["upsert"])
    if job.get("alternateKey") != list(KEYS):
        table.refuse(0, "alternateKey", f"must be {' and '.join(KEYS)}")
    mappings = objects_of(job.get("columnMappings"))
    names = tuple(mapping.get("source") for mapping in mappings)
    if names != table.header:
        table.refuse(0, "columnMappings", "must name the columns in the order of the file")


def _whole(low: int, high: int) -> Callable[[str], str]:
    def refuse(value: str) -> str:
        is_whole = value.isascii() and value.isdigit() and low <= int(value) <= high
        return "" if is_whole else f"{value!r} is no whole number from {low} to {high}"

    return refuse


def _refuse_date(value: str) -> str:
    return "" if is_plain_date(value) else f"{value!r} is no date as 2026-03-01"


def _refuse_long(value: str) -> str:
    is_long = count_utf16(value) > MOST_REASONS
    return f"longer than {MOST_REASONS:,} characters" if is_long else ""


COLUMNS: dict[str, Callable[[str], str]] = {
    "msdyn_score": _whole(0, 100),
    "msdyn_grade": _whole(0, 3),
    "msdyn_scoretrend": _whole(0, 3),
    "msdyn_scoredon": _refuse_date,
    "msdyn_scorereasons": _refuse_long,
}


def _check_request(request: Json, line: int) -> Iterator[Problem]:
    """The problems of a Web API request."""
    if request.get("method") != "PATCH" or not REQUEST.fullmatch(str(request.get("path"))):
        yield Problem(line, "path", "no PATCH of a row of the table of scores")
    if request.get("headers") != {"If-Match": "*"}:
        yield Problem(line, "headers", "without If-Match: * a row would be created")
    body = object_of(request.get("body"))
    if not body:
        yield Problem(line, "body", "names no column to write")
    for name, value in body.items():
        problem = _find_value_problem(name, value)
        if problem:
            yield Problem(line, name, problem)


def _find_value_problem(name: str, value: object) -> str:
    """Why a column cannot be given a JSON value, or ""."""
    if not COLUMN.fullmatch(name):
        return "no column of the table of scores"
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return "no text, whole number or null"
    if name not in COLUMNS:
        return ""
    must_be_number = name in WHOLE
    if isinstance(value, int) != must_be_number:
        return "must be a whole number" if must_be_number else "must be text"
    refuse = COLUMNS[name]
    return refuse(str(value))
