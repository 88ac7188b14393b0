"""What making a sample hands over."""

from __future__ import annotations

from leadscore.results.base import Result


class WrittenSample(Result):
    """The files of a sample CRM, how many rows each has, and how many leads are open at its end."""

    folder: str
    rows: dict[str, int]
    open: int
