"""API requests read from bytes: one JSON object a line, every line whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from leadscore.publish.checkers.jobs import object_of
from leadscore.publish.checkers.problem import Problem
from leadscore.publish.checkers.typed import Json

Check = Callable[[Json, int], Iterator[Problem]]


def check_requests(data: bytes, check: Check) -> list[Problem]:
    """The problems of a file of requests.

    Args:
        data: the file.
        check: the problems of one request, with its line.
    """
    if not data.strip():
        return [Problem(0, "", "the file is empty")]
    problems: list[Problem] = []
    lines = data.removesuffix(b"\n").split(b"\n")
    for line, text in enumerate(lines, start=1):
        request = _parse(text)
        if isinstance(request, str):
            problems.append(Problem(line, "", request))
        else:
            problems.extend(check(request, line))
    if not data.endswith(b"\n"):
        problems.append(Problem(len(lines), "", "the last line does not end; the file may be cut"))
    return problems


def _parse(text: bytes) -> Json | str:
    """A request, or why it is none."""
    try:
        request = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as e:
        return f"not UTF-8: byte 0x{text[e.start]:02x}"
    except (ValueError, RecursionError):
        return "no JSON"
    return object_of(request) or "no request with a body"


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
