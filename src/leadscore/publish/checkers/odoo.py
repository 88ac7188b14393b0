"""What Odoo's import refuses, or takes for something else than a score."""

from __future__ import annotations

import re

from leadscore.publish.checkers.csv_bytes import Table, read_table
from leadscore.publish.checkers.jobs import check_value, describe_value, list_of, object_of
from leadscore.publish.checkers.problem import Problem
from leadscore.publish.checkers.typed import NUMBER, Json, check_keys, check_types, is_date

TECHNICAL = re.compile(r"(?:\.id|id|[a-z_][a-z0-9_]*(?:/\.?id)?)")
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_]+\.[A-Za-z0-9_-]+")
MODEL = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)*")
RELATIONS = ("user_id", "team_id", "partner_id", "stage_id", "company_id")
READ_ONLY = {"automated_probability", "create_date", "write_date"}
KEYS = ("id", ".id")
OPTIONS = {
    "separator": ",",
    "quoting": '"',
    "encoding": "utf-8",
    "has_headers": True,
    "float_decimal_separator": ".",
}
LOWEST, HIGHEST = 0.01, 99.99


def check(_: str, data: bytes, job: Json | None, fields: Json | None) -> list[Problem]:
    """The problems of a file and the arguments of its import."""
    if job is None:
        return [Problem(0, "", "there are no arguments of execute_import; name them with --job")]

    table = read_table(data, ending="LF", bom=False)
    pattern = _check_job(job, table)
    _check_header(table)
    key = next((name for name in KEYS if name in table.header), "id")
    refuse = _refuse_external if key == "id" else _refuse_number
    check_keys(table, [key], refuse=refuse)
    for line, value in table.column("probability"):
        _check_probability(table, line, value)
    for name in table.header:
        if name.partition("/")[0] in RELATIONS:
            _check_relation(table, name)
    is_usual = pattern == "%Y-%m-%d %H:%M:%S"
    check_types(table, fields, is_moment=_is_moment if is_usual else bool)
    return table.problems


def _check_job(job: Json, table: Table) -> str:
    """The format of times, after a check of model, fields and options."""
    model = job.get("model")
    if not isinstance(model, str) or not MODEL.fullmatch(model):
        reason = f"{describe_value(model)}; it must be the technical name of a model: crm.lead"
        table.refuse(0, "model", reason)
    names = tuple(list_of(job.get("fields")))
    if names != table.header:
        table.refuse(0, "fields", "must name the columns in the order of the file")
    options = object_of(job.get("options"))
    for name, value in OPTIONS.items():
        table.problems += check_value(options, name, [value])
    return str(options.get("datetime_format"))


def _check_header(table: Table) -> None:
    if all(name in table.header for name in KEYS):
        table.refuse(1, "id", "id and .id are both there")
    for name in table.header:
        if not TECHNICAL.fullmatch(name):
            table.refuse(1, name, "no technical name of a field")
        if name in READ_ONLY:
            table.refuse(1, name, "the field is read-only")
        if name in RELATIONS:
            table.refuse(1, name, f"a relation needs {name}/id or {name}/.id")


def _check_probability(table: Table, line: int, value: str) -> None:
    if not NUMBER.fullmatch(value):
        table.refuse(line, "probability", "empty or no number, which is read as 0")
    elif not LOWEST <= float(value) <= HIGHEST:
        table.refuse(line, "probability", "100 marks a lead as won, and 0 as lost")


def _check_relation(table: Table, name: str) -> None:
    for line, value in table.column(name):
        if not value:
            table.refuse(line, name, "an empty cell erases it; leave the column out instead")


def _refuse_external(key: str) -> str:
    if EXTERNAL_ID.fullmatch(key):
        return ""
    return "no External ID with a prefix of its own, such as leadscore.lead_1"


def _refuse_number(key: str) -> str:
    is_whole = key.isascii() and key.isdigit() and not key.startswith("0")
    return "" if is_whole else "no database id"


def _is_moment(text: str) -> bool:
    return is_date(text, "%Y-%m-%d %H:%M:%S", r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
