"""What is known of a delivery from outside its rows, and when its export was made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Delivery:
    """The moment stated with an export and the clock, in UTC microseconds; None if unknown."""

    known_until_us: int | None = None
    clock_us: int | None = None


@dataclass(frozen=True)
class ExportMoment:
    """When an export was made, what says so ("" if nothing is dated), and what is doubtful."""

    us: int
    basis: str
    warnings: tuple[str, ...] = ()
