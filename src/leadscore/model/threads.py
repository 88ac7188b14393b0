"""Linear algebra on one thread: sums over several threads differ in their last bits."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import scipy.linalg  # noqa: F401  (loads its own linear algebra, which the controller must see)
import sklearn.linear_model  # noqa: F401  (loads OpenMP)
from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """A context in which NumPy, SciPy and scikit-learn use one thread."""
    limit: AbstractContextManager[Any] = _controller().limit(limits=1)
    return limit


@cache
def _controller() -> ThreadpoolController:
    """The controller, made once: to look for the libraries takes as long as a small fit."""
    return ThreadpoolController()
