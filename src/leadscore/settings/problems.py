"""What is wrong with settings, in words: for each problem the key, what is asked for, and the nearest right key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from leadscore.settings.base import hint
from leadscore.settings.limits import PATTERNS
from leadscore.wording import cut, nearest, shortened

KINDS = {  # how pydantic's types of problems begin -> what the value must be
    "int": "must be a whole number",
    "float": "must be a number",
    "finite": "must be a number",
    "decimal": "must be a number",
    "bool": "must be true or false",
    "string": 'must be text, in "quotes"',
    "path": 'must be text, in "quotes"',
    "date": "must be a date, like 2024-05-31",
    "datetime": "must be a date, like 2024-05-31",
    "tuple": "must be a list, like [1, 2]",
    "list": "must be a list, like [1, 2]",
    "dict": 'must be a table, like { key = "value" }',
    "model": 'must be a table, like { key = "value" }',
}
BOUNDS = {  # pydantic's type of problem -> the bound in its context, and the words
    "greater_than_equal": ("ge", "must be at least"),
    "greater_than": ("gt", "must be more than"),
    "less_than_equal": ("le", "must be at most"),
    "less_than": ("lt", "must be less than"),
}
LENGTHS = {
    "string_too_long": ("max_length", "at most", "characters"),
    "string_too_short": ("min_length", "at least", "characters"),
    "too_long": ("max_length", "at most", "entries"),
    "too_short": ("min_length", "at least", "entries"),
}

Location = tuple[int | str, ...]
OF_PYDANTIC = re.compile(r"\[key\]$|constrained-|(dict|list|tuple)\[")  # not a part of a key


class UndeclaredError(ValueError):
    """Attributes of leads that are mapped and not declared.

    Attributes:
        names: the attributes.
    """

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        self.names = tuple(names)
        shown = ", ".join(_with_suggestion(name, known) for name in names)
        super().__init__(f"leads has no column {shown}, and the settings declare no such field")


def _with_suggestion(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    return f"{name!r} (did you mean {near!r}?)" if near else repr(name)


def describe_problems(error: ValidationError | TypeError, root: type[BaseModel]) -> list[str]:
    """A line for each key that is wrong when `root` is validated.

    A value that fits none of several types is several problems for pydantic, and one line here.
    """
    if isinstance(error, TypeError):
        return [str(error)]
    lines: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        location = problem["loc"]
        if problem["type"] == "extra_forbidden":
            parts = [cut(str(part), most=100) for part in location]
            key = ".".join(parts)
            near = hint(str(location[-1]), _keys_beside(location, root))
            lines[key] = f"unknown key {key}{near}"
        else:
            key = _key(location)
            words = describe_problem(problem)
            lines.setdefault(key or words, f"{key}: {words}" if key else words)
    return list(lines.values())


def describe_problem(problem: Any) -> str:
    """What one of pydantic's problems asks for, and the value it got."""
    kind = problem["type"]
    context = problem.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return "is missing"
    requirement = _requirement(kind, context)
    if problem["loc"][:1] == ("registry",):  # an address may hold a secret
        return requirement
    return f"{requirement}, got {shortened(problem['input'])}"


def _requirement(kind: str, context: dict[str, Any]) -> str:
    """What a value must be, such as "must be at most 5"."""
    if kind in BOUNDS:
        name, words = BOUNDS[kind]
        return f"{words} {context[name]:,.12g}"
    if kind in LENGTHS:
        name, words, unit = LENGTHS[kind]
        return f"must have {words} {context[name]} {unit}"
    if kind == "string_pattern_mismatch":
        return PATTERNS[context["pattern"]]
    if kind == "literal_error":
        return f"must be {context['expected']}"
    return KINDS.get(kind.partition("_")[0], "cannot be read")


def lines_to_paste(error: ValidationError | TypeError) -> list[str]:
    """The lines that declare the undeclared fields, or none."""
    if isinstance(error, TypeError):
        return []
    names: list[str] = []
    for problem in error.errors(include_url=False):
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, UndeclaredError):
            names += cause.names
    if not names:
        return []
    return [
        "To declare them, paste this into the file:",
        *(f"[fields.{name}]" for name in names),
    ]


def _key(location: Location) -> str:
    """The key that has a problem, without what pydantic adds: the type it tried, and "[key]"."""
    if location[:1] == ("known_until",):
        return "known_until"
    parts = [part for part in location if not OF_PYDANTIC.match(str(part))]
    return ".".join(cut(str(part), most=100) for part in parts)


def _keys_beside(location: Location, root: type[BaseModel]) -> list[str]:
    """The keys that would be right in place of the last part of a location."""
    section = root
    for part in location[:-1]:
        field = section.model_fields.get(str(part))
        if field is not None:  # else `part` is a name or a number within the section
            section = _section(field.annotation)
    return list(section.model_fields)


def _section(annotation: Any) -> type[BaseModel]:
    """The section in an annotation: `Section`, `Section | None`, dict[name, Section] or tuple[Section, ...]."""
    parts = (annotation, *get_args(annotation))
    classes = (part for part in parts if isinstance(part, type))
    return next(part for part in classes if issubclass(part, BaseModel))
