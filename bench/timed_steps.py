"""Seconds of the steps of a job, taken by wrapping the functions that do them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from importlib import import_module
from inspect import isgeneratorfunction
from typing import Any

# step -> where the function is looked up that does it; a step within another one is part of both
STEPS = {
    "spells": ["leadscore.history.split:build_spells"],
    "features": ["leadscore.scoring.listed:build_parts"],
    "predict": ["leadscore.model.apply:WinModel.log_odds"],
    "contributions": ["leadscore.scoring.encoded:Encoded.contributions"],
    "reasons in words": ["leadscore.scoring.score:explain"],
    "what changed": ["leadscore.scoring.score:describe_change"],
    "decisions": ["leadscore.scoring.score:decide", "leadscore.scoring.score:advise"],
    "routing": ["leadscore.project.scoring:route_list"],
    "files": ["leadscore.project.scoring:write_publication"],
}


@contextmanager
def timed_steps() -> Iterator[dict[str, float]]:
    """The seconds of each of `STEPS` that is done within."""
    seconds = dict.fromkeys(STEPS, 0.0)
    with ExitStack() as patched:
        for step, places in STEPS.items():
            for place in places:
                patched.enter_context(_timed(place, step, seconds))
        yield seconds


@contextmanager
def _timed(place: str, step: str, seconds: dict[str, float]) -> Iterator[None]:
    module_name, _, path = place.partition(":")
    owner: Any = import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    function: Callable[..., Any] = getattr(owner, name)

    def take(call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        before = time.perf_counter()
        try:
            return call(*given, **named)
        finally:
            seconds[step] += time.perf_counter() - before

    @wraps(function)
    def timed(*given: Any, **named: Any) -> Any:
        if isgeneratorfunction(function):
            return _each_timed(function(*given, **named), take)
        return take(function, *given, **named)

    setattr(owner, name, timed)
    try:
        yield
    finally:
        setattr(owner, name, function)


def _each_timed(items: Iterator[Any], take: Callable[..., Any]) -> Iterator[Any]:
    """The items of a generator, which works when each is asked for."""
    end = object()
    while (item := take(next, items, end)) is not end:
        yield item
