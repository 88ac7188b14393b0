"""The tables of docs/settings.md, made from the descriptions in `leadscore.settings`.

    python bench/settings_reference.py          # exit code 1 if the page is out of date
    python bench/settings_reference.py --write  # brings it up to date

A table stands between `<!-- generated: NAME -->` and `<!-- end -->`; everything else is prose.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from leadscore.settings.rules import ALARMS, RULES
from leadscore.settings.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
TYPES = {
    "string": "text",
    "path": "path",
    "date": "date",
    "date-time": "time",
    "boolean": "`true` or `false`",
    "integer": "whole number",
    "number": "number",
    "object": "table",
}
PLURALS = {"table": "tables", "pair": "pairs"}
LARGE = 1e12  # numbers from here on are written as powers of ten

Schema = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """A section of the settings: its key, such as `routing.match`, and what it holds."""

    key: str
    model: type[BaseModel]

    @property
    def prefix(self) -> str:
        """What the names of its keys begin with."""
        return f"{self.key}." if self.key else ""


def find_sections(section: Section) -> Iterator[Section]:
    """A section, then those within it, in the order of the settings."""
    yield section
    for name, field in section.model.model_fields.items():
        inner = find_section(field)
        if inner is not None:
            key = section.prefix + name + _repetition(name, field)
            yield from find_sections(Section(key, inner))


def find_section(field: FieldInfo) -> type[BaseModel] | None:
    """The section in `Section`, `Section | None`, dict[name, Section] or tuple[Section, ...]."""
    for part in (field.annotation, *get_args(field.annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _repetition(name: str, field: FieldInfo) -> str:
    """How a key goes on where it holds several sections."""
    if get_origin(field.annotation) is not dict:
        return ""
    return ".<letter>" if name == "bant" else ".<name>"


def describe_section(section: Section) -> str:
    """A heading, what the section is for, and a table of its keys."""
    schemas = section.model.model_json_schema()["properties"]
    lines = [
        f"### `{section.key}`" if section.key else "### The project",
        "",
        inspect.cleandoc(section.model.__doc__ or ""),
        "",
        "| key | values | default | meaning |",
        "|---|---|---|---|",
    ]
    for name, field in section.model.model_fields.items():
        if field.description is None:  # a section without words of its own has its own table
            continue
        values = describe_values(schemas[name])
        default = describe_default(field)
        lines.append(f"| `{section.prefix}{name}` | {values} | {default} | {field.description} |")
    return "\n".join(lines)


def describe_values(schema: Schema) -> str:
    """What a key may hold, from its JSON schema.

    >>> describe_values({"type": "integer", "minimum": 1, "maximum": 366})
    'whole number, 1 to 366'
    >>> describe_values({"enum": ["dmy", "mdy"], "type": "string"})
    '`"dmy"`, `"mdy"`'
    """
    if "$ref" in schema:
        return "table"
    if "anyOf" in schema:
        parts = [describe_values(part) for part in schema["anyOf"] if part != {"type": "null"}]
        return " or ".join(dict.fromkeys(parts))
    if "enum" in schema:
        return ", ".join(_as_toml(value) for value in schema["enum"])
    if schema["type"] == "array":
        if "items" not in schema:
            return "pair"
        item = describe_values(schema["items"])
        return f"list of {PLURALS.get(item, item)}"
    words = TYPES[str(schema.get("format") or schema["type"])]
    bounds = _describe_bounds(schema)
    return f"{words}, {bounds}" if bounds else words


def _describe_bounds(schema: Schema) -> str:
    """The range of a number, such as "above 0, up to 1"; nothing for other types."""
    if "maximum" not in schema and "exclusiveMaximum" not in schema:
        return ""
    includes_both = "minimum" in schema and "maximum" in schema
    if includes_both:
        return f"{_number(schema['minimum'])} to {_number(schema['maximum'])}"
    low = (
        f"from {_number(schema['minimum'])}"
        if "minimum" in schema
        else f"above {_number(schema['exclusiveMinimum'])}"
    )
    high = (
        f"up to {_number(schema['maximum'])}"
        if "maximum" in schema
        else f"below {_number(schema['exclusiveMaximum'])}"
    )
    return f"{low}, {high}"


def _number(value: float) -> str:
    if abs(value) >= LARGE:
        return f"{value:.0e}".replace("e+", "e")
    return f"{value:,.12g}"


def describe_default(field: FieldInfo) -> str:
    """The value of a key that is left out; nothing where its description says what happens."""
    if field.is_required():
        return "required"
    if field.default in (None, {}) or _holds_sections(field.default):
        return ""
    if field.default == Path():
        return _as_toml(".")
    return _as_toml(field.default)


def _holds_sections(value: object) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value)


def _as_toml(value: object) -> str:
    """A value as it is written in the settings file."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    plain = str(value) if isinstance(value, Path) else value
    return f"`{json.dumps(plain)}`"


def build_settings() -> str:
    """The tables of all sections."""
    sections = find_sections(Section("", Settings))
    return "\n\n".join(describe_section(section) for section in sections)


def build_rules() -> str:
    """The table of the rules that rows must keep."""
    lines = ["| rule | the row | |", "|---|---|---|"]
    for name, rule in RULES.items():
        answer = "refused" if rule.severity == "refuse" else "warned"
        choice = ", to choose" if rule.choosable else ""
        lines.append(f"| `{name}` | {rule.meaning} | {answer}{choice} |")
    return "\n".join(lines)


def build_alarms() -> str:
    """The table of the alarms that compare an export with the one before."""
    lines = ["| alarm | raised when | |", "|---|---|---|"]
    for name, alarm in ALARMS.items():
        answer = "stops" if alarm.answer == "stop" else "warns"
        lines.append(f"| `{name}` | {alarm.meaning} | {answer} |")
    return "\n".join(lines)


BUILDERS: dict[str, Callable[[], str]] = {
    "settings": build_settings,
    "rules": build_rules,
    "alarms": build_alarms,
}


def renew(page: str) -> str:
    """A page with its tables made anew."""

    def build(match: re.Match[str]) -> str:
        begin, name, end = match.groups()
        return f"{begin}\n{BUILDERS[name]()}\n\n{end}"

    return BLOCK.sub(build, page)


def main() -> None:
    """Renew the page, or say that it is out of date."""
    page = PAGE.read_text(encoding="utf-8")
    renewed = renew(page)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(renewed, encoding="utf-8")
    elif renewed != page:
        sys.exit(f"{PAGE} is out of date: run python bench/settings_reference.py --write")


if __name__ == "__main__":
    main()
