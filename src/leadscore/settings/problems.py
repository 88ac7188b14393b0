"""What is wrong with settings, in words: each problem with the place of its key, and the keys that are right there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from leadscore.errors import cut, nearest, shortened
from leadscore.settings.limits import PATTERNS
from leadscore.settings.sections import hint

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
BOUNDS = {
    "greater_than_equal": ("ge", "must be at least"),
    "greater_than": ("gt", "must be more than"),
    "less_than_equal": ("le", "must be at most"),
    "less_than": ("lt", "must be less than"),
}


class UndeclaredError(ValueError):
    """Attributes of leads that are mapped and not declared."""

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        self.names = tuple(names)
        near = {name: nearest(name, known) for name in names}
        shown = (
            f"{name!r} (did you mean {word!r}?)" if word else repr(name)
            for name, word in near.items()
        )
        super().__init__(
            f"leads has no column {', '.join(shown)}, and the settings declare no such field"
        )


def describe_problems(error: ValidationError | TypeError, root: type[BaseModel]) -> list[str]:
    """A line for each problem that validating `root` showed; of a value that fits none of several kinds, one."""
    if isinstance(error, TypeError):
        return [str(error)]
    lines: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        loc = [str(part) for part in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            place = ".".join(cut(part, most=100) for part in loc)
            lines[place] = f"unknown key {place}{hint(loc[-1], _keys_beside(problem['loc'], root))}"
        else:
            place = _place(problem["loc"])
            words = describe_problem(problem)
            lines.setdefault(place or words, f"{place}: {words}" if place else words)
    return list(lines.values())


def describe_problem(problem: Any) -> str:
    """What one of pydantic's problems asks for, and what was there."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return "is missing"
    asked = _asked(kind, context)
    if problem["loc"][:1] == ("registry",):  # an address may hold a secret
        return asked
    return f"{asked}, got {shortened(problem['input'])}"


def _asked(kind: str, context: dict[str, Any]) -> str:
    if kind in BOUNDS:
        name, words = BOUNDS[kind]
        return f"{words} {_number(context[name])}"
    if kind == "string_pattern_mismatch":
        return PATTERNS[context["pattern"]]
    if kind == "literal_error":
        return f"must be {context['expected']}"
    if kind in {"string_too_long", "string_too_short"}:
        words = "at most" if kind == "string_too_long" else "at least"
        length = context.get("max_length", context.get("min_length"))
        return f"must have {words} {length} characters"
    if kind in {"too_long", "too_short"}:
        words = "at most" if kind == "too_long" else "at least"
        length = context.get("max_length", context.get("min_length"))
        return f"must have {words} {length} entries"
    return KINDS.get(kind.partition("_")[0], "cannot be read")


def _number(value: Any) -> str:
    return f"{value:,.12g}"


def what_to_paste(error: ValidationError | TypeError) -> list[str]:
    """The lines that declare what is not declared, or none."""
    if isinstance(error, TypeError):
        return []
    causes = [problem.get("ctx", {}).get("error") for problem in error.errors(include_url=False)]
    names = [name for cause in causes if isinstance(cause, UndeclaredError) for name in cause.names]
    return (
        ["To declare them, paste this into the file:", *(f"[fields.{name}]" for name in names)]
        if names
        else []
    )


def _place(loc: tuple[int | str, ...]) -> str:
    """The key that a problem is of, without what pydantic adds: the kind that it tried, "[key]" for a name."""
    if loc[:1] == ("known_until",):
        return "known_until"
    return ".".join(cut(str(part), most=100) for part in loc if part != "[key]")


def _keys_beside(loc: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    """The keys that are right where the last part of `loc` was found."""
    here = root
    for part in loc[:-1]:
        inside = here.model_fields.get(
            str(part)
        )  # None: `part` is a name or a number within the section `here`
        here = here if inside is None else _section(inside.annotation)
    return list(here.model_fields)


def _section(annotation: Any) -> type[BaseModel]:
    """The section in an annotation: itself, or in `Section | None`, dict[name, Section] or tuple[Section, ...]."""
    parts = (annotation, *get_args(annotation))
    return next(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))
