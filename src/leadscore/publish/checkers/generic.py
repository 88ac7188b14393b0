"""What a reader of CSV with a Frictionless descriptor refuses."""

from __future__ import annotations

from collections.abc import Callable

from leadscore.publish.checkers.csv_bytes import Table, read_table
from leadscore.publish.checkers.jobs import describe_value, list_of, object_of, objects_of
from leadscore.publish.checkers.problem import Problem
from leadscore.publish.checkers.typed import NUMBER, Json, check_keys, is_date


def check(name: str, data: bytes, job: Json | None, _: Json | None) -> list[Problem]:
    """The problems of a file and its Data Package."""
    if job is None:
        return [Problem(0, "", "there is no Data Package; name it with --job")]
    table = read_table(data, ending="LF", bom=False)
    all_resources = objects_of(job.get("resources"))
    resources = [resource for resource in all_resources if resource.get("path") == name]
    if len(resources) != 1:
        table.refuse(0, "resources", f"must describe {name} once")
        return table.problems
    schema = object_of(resources[0].get("schema"))
    fields = objects_of(schema.get("fields"))
    names = tuple(field.get("name") for field in fields)
    if names != table.header:
        table.refuse(0, "fields", "must name the columns in the order of the file")
        return table.problems
    stated = schema.get("primaryKey")
    names_of_key = [stated] if isinstance(stated, str) else list_of(stated)
    keys = [str(name) for name in names_of_key]
    if keys:
        check_keys(table, keys, refuse=lambda _: "")
    for field in fields:
        _check_column(field, table)
    return table.problems


def _check_column(field: Json, table: Table) -> None:
    is_value = TYPES.get(str(field.get("type")))
    if is_value is None:
        known = ", ".join(TYPES)
        reason = f"has a type that {describe_value(field.get('type'))}; it must be one of {known}"
        table.refuse(0, field["name"], reason)
        return
    for line, value in table.column(field["name"]):
        if value and not is_value(value):
            table.refuse(line, field["name"], f"{value!r} is no {field['type']}")


def _is_moment(text: str) -> bool:
    shape = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"
    is_exact = is_date(text, "%Y-%m-%dT%H:%M:%S.%fZ", rf"{shape}\.\d{{6}}Z")
    return is_exact or is_date(text, "%Y-%m-%dT%H:%M:%SZ", f"{shape}Z")


TYPES: dict[str, Callable[[str], bool]] = {
    "string": lambda _: True,
    "number": lambda text: NUMBER.fullmatch(text) is not None,
    "boolean": lambda text: text in {"true", "false"},
    "datetime": _is_moment,
}
