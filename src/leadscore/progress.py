"""How long work tells how far it is, without knowing who watches."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[
    [str, int, int], None
]  # what is being done, how many steps are done, of how many


def silent(_what: str, _done: int, _total: int) -> None:
    """A progress that nobody watches."""
