"""What making a sample hands over."""

from __future__ import annotations

from leadscore.results.base import Result


class WrittenSample(Result):
    """The files of a sample CRM, how many rows each has, and how many leads are open at its end.

    `mean_truth` is the mean of the true win probabilities of those.
    """

    folder: str
    rows: dict[str, int]
    open: int
    mean_truth: float | None
