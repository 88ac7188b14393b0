"""Which cases of a table every run tries, and which only `make test-all`."""

from collections.abc import Iterable
from typing import Any

import pytest


def first_quick(cases: Iterable[Any], *, quick: int = 1) -> list[Any]:
    """The cases of a table, all but the first few marked slow."""
    return [
        case if place < quick else pytest.param(case, marks=pytest.mark.slow)
        for place, case in enumerate(cases)
    ]
