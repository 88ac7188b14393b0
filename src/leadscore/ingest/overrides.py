"""Reads what people decided by hand: leads that are excluded, qualified, or put into a tier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from leadscore.errors import TimeFormatError, UserError
from leadscore.ingest.hand_lists import read_hand_list
from leadscore.settings.qualification import Verdict
from leadscore.settings.settings import Settings
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
DATE_LENGTH = len("2026-01-01")


def read_overrides(settings: Settings) -> list[dict[str, Any]]:
    """The rows of the file that `qualification.overrides` names, if any, in its order.

    `until` is as written; `until_us` is its end in UTC microseconds: a bare date counts whole, in
    the settings' zone.

    Raises:
        UserError: there is no such file, or a row of it is wrong; all such rows are named.
        MissingColumnsError: it has no lead_id or action.
    """
    path = settings.qualification.overrides
    if path is None:
        return []

    overrides = read_hand_list(
        "qualification.overrides",
        path,
        folder=settings.input_folder,
        columns=COLUMNS,
        needed=NEEDED,
    )
    problems = list(overrides.malformed)
    read = []
    for row in overrides.rows:
        override = _Row(row.values, zone=settings.timezone)
        read.append(override.read())
        problems += [(row.line, problem) for problem in override.problems]
    if problems:
        raise UserError(f"{overrides.file.name} cannot be followed: {list_problems(problems)}")
    return read


class _Row:
    """A row of the file, and what is wrong with it."""

    def __init__(self, values: Mapping[str, str], *, zone: str) -> None:
        self.values = values
        self.zone = zone
        self.problems: list[str] = []

    def read(self) -> dict[str, Any]:
        if not self.values["lead_id"]:
            self.problems.append("has no lead_id")
        return {
            "lead_id": self.values["lead_id"],
            "action": self.values["action"],
            "value": self._value(),
            "until_us": self._until_us(),
            "until": self.values.get("until") or None,
            "by": self.values.get("by") or None,
            "why": self.values.get("why") or None,
        }

    def _value(self) -> str:
        action = self.values["action"]
        value = self.values.get("value", "")
        if action == "qualify" and not value:
            value = "sales_qualified"

        if action not in VALUES:
            self.problems.append(f"action must be {', '.join(VALUES)}, got {action!r}")
        elif VALUES[action] and value not in VALUES[action]:
            allowed = ", ".join(VALUES[action])
            self.problems.append(f"the value of {action} must be one of {allowed}, got {value!r}")
        return value

    def _until_us(self) -> int | None:
        until = self.values.get("until", "")
        if not until:
            return None
        try:
            moment = parse_moment(until, zone=self.zone)
        except TimeFormatError as e:
            self.problems.append(f"until: {e}")
            return None
        return moment + DAY_US if len(until) == DATE_LENGTH else moment
