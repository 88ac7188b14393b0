"""Work on threads whose result does not depend on their number.

Linear algebra stays on one: sums over several threads differ in their last bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, TypeVar

import scipy.linalg  # noqa: F401  (loads its own linear algebra, which the controller must see)
import sklearn.linear_model  # noqa: F401  (loads OpenMP)
from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Made = TypeVar("Made")


def one_thread() -> AbstractContextManager[Any]:
    """A context in which NumPy, SciPy and scikit-learn use one thread."""
    limit: AbstractContextManager[Any] = _controller().limit(limits=1)
    return limit


@cache
def _controller() -> ThreadpoolController:
    """The controller, made once: to look for the libraries takes as long as a small fit."""
    return ThreadpoolController()


def map_in_threads(
    make: Callable[[Item], Made],
    items: Sequence[Item],
    *,
    threads: int,
) -> list[Made]:
    """What `make` gives for each item, in order, by so many threads at a time.

    For work that leaves Python's lock, such as fits by LightGBM; `make` must not use `one_thread`,
    which is of the whole process.
    """
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(make, items))
