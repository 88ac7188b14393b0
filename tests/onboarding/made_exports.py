"""Small exports of leads that open and close in a known rhythm, and what `init` takes them for."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadscore.onboarding.exports import find_exports, read_exports
from leadscore.onboarding.profile import Profile
from leadscore.onboarding.roles import Leads, find_roles
from leadscore.project.starting import start
from leadscore.results import Part

BEGIN = datetime(2025, 1, 6)  # noqa: DTZ001 (exports state no zone)
LEADS = 40
Row = Callable[[int, datetime, str], Sequence[object]]


def write_rows(path: Path, header: Sequence[str], row: Row, *, day: str = "%Y-%m-%d") -> Path:
    """A file of leads two days apart, of which every fourth is open; the others close after 20 days.

    A row is made of the lead's number, its creation, and the text of its close.
    """
    lines = [";".join(header)]
    for number in range(LEADS):
        created = BEGIN + timedelta(days=2 * number)
        closed = f"{created + timedelta(days=20):{day}}" if number % 4 else ""
        lines.append(";".join(map(str, row(number, created, closed))))
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def profile_of(path: Path) -> Profile:
    (profile,) = read_exports(find_exports([path]), lambda *_: None).profiles
    return profile


def leads_of(path: Path) -> Leads:
    return find_roles([profile_of(path)]).leads


def start_with(
    path: Path, monkeypatch: pytest.MonkeyPatch, *others: Path
) -> tuple[dict[str, Part], Path]:
    """The parts that `init` names, and the settings, with the store beside them."""
    monkeypatch.chdir(path.parent)
    config = path.with_name("leadscore.toml")
    parts = start([path, *others], config).parts
    return {part.part: part for part in parts}, config


def settings_in(config: Path) -> dict[str, Any]:
    return tomllib.loads(config.read_text(encoding="utf-8"))


def state(number: int) -> str:
    return ("offen", "gewonnen", "verloren", "Dublette")[number % 4]
