"""What a check of an installation and a project hands over."""

from __future__ import annotations

from typing import Literal

from leadscore.results.base import Result


class Check(Result):
    """One thing that was looked at, what was seen, and how to mend it."""

    name: str
    state: Literal["ok", "warning", "problem"]
    seen: str
    cure: str | None = None


class Checkup(Result):
    """All checks, in the order in which they depend on each other."""

    checks: list[Check]

    @property
    def is_well(self) -> bool:
        """Whether nothing stops leadscore from working."""
        return all(check.state != "problem" for check in self.checks)
