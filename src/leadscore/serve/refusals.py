"""Why a request is no question, in words for whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from leadscore.settings.base import hint
from leadscore.wording import cut

OF_VALUES = ("str", "int", "float", "bool")  # what pydantic adds to a place for each kind it tried
WORDS = {  # how pydantic's types of problems begin -> what is asked for
    "missing": "is missing",
    "string_too_long": "has more than {max_length} characters",
    "string_too_short": "is empty",
    "too_long": "has more than {max_length:,} rows",
    "string": "must be text",
    "list": "must be a list of rows",
    "model": "must be an object, like {{...}}",
    "dict": "must be an object, like {{...}}",
    "finite": "must be a finite number",
    "json": "is not JSON: {error}",
    "value_error": "{error}",
}
ANY_VALUE = "must be text, a number, true, false or null"


def describe_refusal(problems: Sequence[Mapping[str, Any]], question: type[BaseModel]) -> str:
    """One sentence for each place that is wrong.

    Args:
        problems: pydantic's.
        question: what the body should have been.
    """
    sentences: dict[str, str] = {}
    for problem in problems:
        location = [part for part in problem["loc"] if part != "body"]
        is_value = len(location) > 1 and location[-1] in OF_VALUES
        words = ANY_VALUE if is_value else _describe(problem, location, question)
        parts = location[:-1] if is_value else location
        place = ".".join(cut(str(part), most=100) for part in parts)
        sentences.setdefault(place, _name_place(problem, place) + words)
    return "; ".join(sentences.values())


def _name_place(problem: Mapping[str, Any], place: str) -> str:
    """How the sentence about a problem begins; what is wrong with several parts is a whole one."""
    if problem["type"] == "json_invalid":  # its place is a number of characters
        return "the body "
    if place:
        return f"{place} "
    return "" if problem["type"] == "value_error" else "the body "


def _describe(
    problem: Mapping[str, Any],
    location: Sequence[str | int],
    question: type[BaseModel],
) -> str:
    kind = problem["type"]
    if kind == "extra_forbidden":
        known = _names_beside(location, question)
        return "is unknown" + hint(str(location[-1]), known)
    context = problem.get("ctx", {})
    for beginning, words in WORDS.items():
        if kind.startswith(beginning):
            return words.format(**context)
    return "cannot be read"


def _names_beside(location: Sequence[str | int], question: type[BaseModel]) -> list[str]:
    """The names that would be known in place of the last part of a location."""
    form = question
    for part in location[:-1]:
        if isinstance(part, str):
            form = _form_of(form.model_fields[part].annotation)
    return list(form.model_fields)


def _form_of(annotation: Any) -> type[BaseModel]:
    """The form in an annotation: `Form | None` or `list[Form]`."""
    parts = get_args(annotation)
    return next(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))
