"""Reads what people decided by hand: leads that are excluded, qualified, or put into a tier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from leadscore.errors import MissingColumnsError, TimeFormatError, UserError
from leadscore.ingest.readers.sources import detect_dialect, find_files, read_file
from leadscore.settings.qualification import Verdict
from leadscore.settings.settings import Settings
from leadscore.settings.source import Source
from leadscore.settings.tiers import Tier
from leadscore.times import DAY_US, parse_moment
from leadscore.wording import list_problems

COLUMNS = ("lead_id", "action", "value", "until", "by", "why")
NEEDED = {"lead_id", "action"}
VALUES: Mapping[str, tuple[str, ...]] = {
    "exclude": (),
    "qualify": get_args(Verdict),
    "tier": get_args(Tier),
}


def read_overrides(settings: Settings) -> list[dict[str, Any]]:
    """The rows of the file that `qualification.overrides` names, in its order; none if it names none.

    `until` is as written, `until_us` when it ends in UTC microseconds: a bare date counts whole, in the settings' zone.

    Raises:
        UserError: there is no such file, or a row of it is wrong; all such rows are named.
        MissingColumnsError: it has no lead_id or action.
    """
    if settings.qualification.overrides is None:
        return []
    source = Source(path=settings.qualification.overrides)
    file = find_files("qualification.overrides", source, folder=settings.input_folder)[0]
    dialect = detect_dialect(file, source)
    try:
        batches = list(read_file(file, source, columns=list(COLUMNS), dialect=dialect))
    except MissingColumnsError as e:
        if NEEDED & set(e.missing):
            raise
        there = [name for name in COLUMNS if name not in e.missing]
        batches = list(read_file(file, source, columns=there, dialect=dialect))
    problems = [(line, problem) for batch in batches for line, problem in batch.malformed]
    found = []
    for batch in batches:
        for line, row in zip(batch.lines.tolist(), batch.columns.to_pylist(), strict=True):
            override, wrong = _read(row, zone=settings.timezone)
            problems += [(line, each) for each in wrong]
            found.append(override)
    if problems:
        raise UserError(f"{file.name} cannot be followed: {list_problems(problems)}")
    return found


def _read(row: Mapping[str, str], *, zone: str) -> tuple[dict[str, Any], list[str]]:
    """An override, and what is wrong with it."""
    wrong = []
    action, value = row["action"], row.get("value", "")
    if action == "qualify" and not value:
        value = "sales_qualified"
    if not row["lead_id"]:
        wrong.append("has no lead_id")
    if action not in VALUES:
        wrong.append(f"action must be {', '.join(VALUES)}, got {action!r}")
    elif VALUES[action] and value not in VALUES[action]:
        wrong.append(
            f"the value of {action} must be one of {', '.join(VALUES[action])}, got {value!r}"
        )
    until_us = None
    if until := row.get("until", ""):
        try:
            until_us = parse_moment(until, zone=zone) + (
                DAY_US if len(until) == len("2026-01-01") else 0
            )
        except TimeFormatError as e:
            wrong.append(f"until: {e}")
    kept = {name: row.get(name) or None for name in ("until", "by", "why")}
    return {
        "lead_id": row["lead_id"],
        "action": action,
        "value": value,
        "until_us": until_us,
        **kept,
    }, wrong
