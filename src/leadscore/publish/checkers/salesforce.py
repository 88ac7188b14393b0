"""What Salesforce's Bulk API 2.0 refuses."""

from __future__ import annotations

import re

from leadscore.publish.checkers.csv_bytes import ENDINGS, Table, read_table
from leadscore.publish.checkers.jobs import check_value, describe_value
from leadscore.publish.checkers.problem import Problem
from leadscore.publish.checkers.typed import (
    Json,
    check_keys,
    check_length,
    check_owner,
    check_types,
    is_date,
    is_plain_date,
)

DELIMITERS = {
    "COMMA": ",",
    "SEMICOLON": ";",
    "TAB": "\t",
    "PIPE": "|",
    "CARET": "^",
    "BACKQUOTE": "`",
}
JOB_KEYS = {
    "object", "operation", "contentType", "columnDelimiter", "lineEnding", "externalIdFieldName",
    "assignmentRuleId",
}  # fmt: skip
OPERATIONS = ("upsert", "update")
API_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)?")
USER_ID = re.compile(r"00[5G][A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?|#N/A")
RECORD_ID = re.compile(r"[A-Za-z0-9]{15}|[A-Za-z0-9]{18}")
MOST_BYTES = 100_000_000
MOST_FIELDS = 5_000
MOST_ROW = 400_000
MOST_VALUE = 32_000
NULL = "#N/A"


def check(name: str, data: bytes, job: Json | None, fields: Json | None) -> list[Problem]:
    """The problems of a file and the job that loads it."""
    problems = _check_job(job)
    if job is None or problems:
        return problems
    if len(data) > MOST_BYTES:
        problems.append(Problem(0, "", f"{name} is larger than 100 MB"))
    table = read_table(
        data,
        ending=job["lineEnding"],
        bom=bool((fields or {}).get("bom")),
        delimiter=DELIMITERS[job["columnDelimiter"]],
    )
    _check_table(table, job)
    check_types(table, fields, is_moment=_is_moment, blanks=("", NULL))
    return [*problems, *table.problems]


def _check_job(job: Json | None) -> list[Problem]:
    if job is None:
        return [Problem(0, "", "there is no job; name it with --job")]
    allowed = {
        "contentType": ("CSV",),
        "lineEnding": tuple(ENDINGS),
        "columnDelimiter": tuple(DELIMITERS),
        "operation": OPERATIONS,
    }
    problems: list[Problem] = []
    for key, values in allowed.items():
        problems += check_value(job, key, values)
    unknown = sorted(set(job) - JOB_KEYS)
    problems += [Problem(0, key, "is no key of a job; delete it") for key in unknown]
    problems += _check_name(job, "object", "such as Lead")
    if job.get("operation") == "upsert":
        problems += _check_name(job, "externalIdFieldName", "as an upsert needs it")
    return problems


def _check_name(job: Json, key: str, words: str) -> list[Problem]:
    value = job.get(key)
    if isinstance(value, str) and API_NAME.fullmatch(value):
        return []
    return [Problem(0, key, f"{describe_value(value)}; it must be an API name, {words}")]


def _check_table(table: Table, job: Json) -> None:
    if len(table.header) > MOST_FIELDS:
        table.refuse(1, "", f"more than {MOST_FIELDS:,} fields")
    for column in table.header:
        if not API_NAME.fullmatch(column):
            table.refuse(1, column, "no API name of a field")
    is_update = job["operation"] == "update"
    key = "Id" if is_update else job["externalIdFieldName"]
    check_keys(table, [key], refuse=_find_id_problem if key == "Id" else _find_key_problem)
    check_length(table, most=MOST_VALUE)
    check_owner(table, "OwnerId", USER_ID, words="id of a user (005...) or a queue (00G...)")
    for record in table.records:
        if sum(map(len, record.values)) > MOST_ROW:
            table.refuse(record.line, "", f"more than {MOST_ROW:,} characters")


def _find_key_problem(key: str) -> str:
    return "the key is null" if key == NULL else ""


def _find_id_problem(key: str) -> str:
    return "" if RECORD_ID.fullmatch(key) else "no record id of 15 or 18 characters"


def _is_moment(text: str) -> bool:
    shape = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z"
    return is_plain_date(text) or is_date(text, "%Y-%m-%dT%H:%M:%S.%fZ", shape)
