"""JSON files of ours: the same bytes for equal values, and a check of their shape when they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from leadscore.errors import DamagedFileError
from leadscore.files import read_if_there
from leadscore.results import Result

CURE = "run again what wrote it"

SomeResult = TypeVar("SomeResult", bound=Result)


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """The same bytes for equal values: sorted keys, two spaces, UTF-8, no NaN."""
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def read_json(
    path: Path,
    shape: Mapping[str, Any] | None = None,
    *,
    cure: str = CURE,
) -> dict[str, Any]:
    """The object in a JSON file, which has the keys and types of `shape` and may have more.

    Args:
        path: the file.
        shape: key -> a type, several types, a list of one shape, or a mapping like this one; the
            key `str` stands for every key.
        cure: what to do if the file is damaged, for the message.

    Raises:
        DamagedFileError: the file is gone, cut, or something else.
        UserError: the file exists and cannot be read.
    """
    data = read_if_there(path)
    if data is None:
        raise DamagedFileError(path, "it is gone", cure=cure)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise DamagedFileError(path, "it is not JSON", cure=cure) from e
    problem = next(_find_mismatches(value, shape or {}, "it"), None)
    if problem is not None:
        raise DamagedFileError(path, problem, cure=cure)
    return dict(value)


def read_result(path: Path, kind: type[SomeResult], *, cure: str = CURE) -> SomeResult:
    """The result of a kind that `Result.to_dict` wrote to a JSON file, at whatever release.

    Raises:
        DamagedFileError: the file is gone, cut, or something else.
        UserError: the file exists and cannot be read.
    """
    document = read_json(path, cure=cure)
    try:
        return kind.from_dict(document)
    except ValidationError as e:
        raise DamagedFileError(path, _describe_invalid(e), cure=cure) from e


def _describe_invalid(error: ValidationError) -> str:
    """The first thing that is wrong with a document, in words."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"it has no {place!r}"
    return f"{place!r} is {json.dumps(first['input'], default=str)[:40]}"


def _find_mismatches(value: Any, shape: Any, name: str) -> Iterator[str]:
    """Where a value differs from a shape, in words."""
    if isinstance(shape, list):
        yield from _find_in_list(value, shape[0], name)
    elif isinstance(shape, Mapping):
        yield from _find_in_object(value, shape, name)
    elif not _has_type(value, shape):
        yield f"{name} is {json.dumps(value)[:40]}"


def _has_type(value: Any, kind: Any) -> bool:
    """Whether a value is of a type; true and false are no numbers, as they are in Python."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind)


def _find_in_list(value: Any, shape: Any, name: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{name} is no list"
        return
    for item in value:
        yield from _find_mismatches(item, shape, f"an item of {name}")


def _find_in_object(value: Any, shape: Mapping[Any, Any], name: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{name} is no object"
        return
    shapes = dict.fromkeys(value, shape[str]) if str in shape else shape
    for key in shapes:
        if key not in value:
            yield f"{name} has no {key!r}"
    for key, inner in shapes.items():
        yield from _find_mismatches(value.get(key), inner, repr(key))


def toml_text(text: str) -> str:
    """Text as TOML writes it, in double quotes.

    >>> toml_text("Süd")
    '"Süd"'
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
