"""What upkeep of the store hands over."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from leadscore.results.base import Result


class StoreVersion(Result):
    """A version of the store, and whether something was published or trained from it."""

    version: str
    known_until: str
    known_until_us: int
    rows: dict[str, int]
    quarantined: list[str]
    damaged: list[str]
    current: bool
    referred: bool


class StoreVersions(Result):
    """All versions, the latest known_until first."""

    versions: list[StoreVersion]


class StoreRollback(Result):
    """The version that counts again."""

    version: str
    known_until: str


class PrunedLists(Result):
    """Which lists were removed, which stay, and their size in bytes."""

    removed: list[str] = Field(default_factory=list)
    kept: list[str] = Field(default_factory=list)
    size: int = 0


class Pruned(Result):
    """What was removed, or would be, and what stays."""

    removed: list[str]
    kept: list[str]
    files: int
    bytes: int
    really: bool
    lists: PrunedLists
    asked: dict[str, Any]


class ForgottenLeads(Result):
    """How many leads lost the texts that people saw of them, and which files were removed."""

    leads: int
    removed: list[str]
