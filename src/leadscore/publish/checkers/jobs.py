"""Parts of a job file as a checker may rely on them, whatever a person or program wrote there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from leadscore.publish.checkers.problem import Problem
from leadscore.publish.checkers.typed import Json

LONGEST = 60  # characters of a value in a reason


def object_of(value: Any) -> Json:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """A JSON list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def objects_of(value: Any) -> list[Json]:
    """The objects of a JSON list; an empty one for an item that is none."""
    return [object_of(item) for item in list_of(value)]


def check_value(job: Json, name: str, allowed: Sequence[Any]) -> Iterator[Problem]:
    """The problem of a value of a job, which must be one of those allowed."""
    value = job.get(name)
    if any(value == item and type(value) is type(item) for item in allowed):
        return
    choice = " or ".join(_write(item) for item in allowed)
    yield Problem(0, name, f"{describe_value(value)}; it must be {choice}")


def _write(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def describe_value(value: Any) -> str:
    """What a value is, as the end of a sentence: `is missing`, `is "XML"`."""
    if value is None or value == "":
        return "is missing"
    text = json.dumps(value, ensure_ascii=False)
    return f"is {text}" if len(text) <= LONGEST else f"is {text[:LONGEST]}..."
