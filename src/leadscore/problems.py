"""What is wrong with settings, in words: each problem with the place of its key, and the keys that are right there."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from leadscore.sections import hint


def describe_problems(error: ValidationError | TypeError, root: type[BaseModel]) -> list[str]:
    """A line for each problem that validating `root` found."""
    if isinstance(error, TypeError):
        return [str(error)]
    found = []
    for problem in error.errors():
        loc = [str(part) for part in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            found.append(f"unknown key {'.'.join(loc)}{hint(loc[-1], _keys_beside(problem['loc'], root))}")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            found.append(f"{'.'.join(loc)}: {message}" if loc else message)
    return found


def _keys_beside(loc: tuple[int | str, ...], root: type[BaseModel]) -> list[str]:
    """The keys that are right where the last part of `loc` was found."""
    here = root
    for part in loc[:-1]:
        inside = here.model_fields.get(str(part))  # None: `part` is a name or a number within the section `here`
        here = here if inside is None else _section(inside.annotation)
    return list(here.model_fields)


def _section(annotation: Any) -> type[BaseModel]:
    """The section in an annotation: itself, or in `Section | None`, dict[name, Section] or tuple[Section, ...]."""
    parts = (annotation, *get_args(annotation))
    return next(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))
