"""Alarms that were raised, and which of them stop a delivery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Raised:
    """An alarm by name, with what was seen as a sentence."""

    name: str
    seen: str


@dataclass(frozen=True)
class Alarms:
    """Everything that was raised for a delivery.

    Attributes:
        raised: The alarms, in a fixed order; a name may come more than once.
        only_warn: Names of alarms that the settings turn into warnings.
        accept: Names of alarms that are accepted for this delivery.
    """

    raised: tuple[Raised, ...]
    only_warn: frozenset[str]
    accept: frozenset[str] = frozenset()

    @property
    def stopping(self) -> dict[str, list[str]]:
        """What stops the delivery, by alarm."""
        return self._by_name(lambda name: name not in self.only_warn | self.accept)

    @property
    def accepted(self) -> dict[str, list[str]]:
        """What would have stopped it and was accepted, by alarm."""
        return self._by_name(lambda name: name in self.accept - self.only_warn)

    @property
    def words(self) -> list[str]:
        """Every alarm as a line of text."""
        return [f"{alarm.name}: {alarm.seen}" for alarm in self.raised]

    def _by_name(self, is_wanted: Callable[[str], bool]) -> dict[str, list[str]]:
        seen: dict[str, list[str]] = {}
        for alarm in self.raised:
            if is_wanted(alarm.name):
                seen.setdefault(alarm.name, []).append(alarm.seen)
        return seen
