"""Reads the list of reps: who they are, how much each can take, and for which leads."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from leadscore.errors import SourceFormatError, TimeFormatError, UserError
from leadscore.files import hash_file
from leadscore.ingest.hand_lists import ListRow, read_hand_list
from leadscore.ingest.mapping.moments import read_moments
from leadscore.ingest.mapping.numbers import read_numbers
from leadscore.settings.routing import RoutingSettings
from leadscore.settings.settings import Settings
from leadscore.tables import CRITERIA, REPS
from leadscore.times import parse_moment
from leadscore.wording import list_problems

COLUMNS = tuple(name for name in REPS.names if name != "line")
NEEDED = {"rep_id", "capacity"}
PERIODS = ("day", "week", "month")
MILLION = 1_000_000


def read_reps(routing: RoutingSettings, settings: Settings) -> tuple[pa.Table, str]:
    """The reps in the shape of `REPS`, by rep_id, and the SHA-256 of their file.

    Values of a list stand between `;` or `|`; an empty list means any. A bare date as `away_from`
    means its begin, as `away_until` its end, in the settings' zone; one without the other means
    since ever, or until further notice.

    Raises:
        UserError: there is no such file, or a row of it is wrong; all such rows are named.
        SourceFormatError: it cannot be read, or names nobody.
        MissingColumnsError: it has no rep_id or capacity.
    """
    reps = read_hand_list(
        "routing.reps",
        routing.reps,
        folder=settings.input_folder,
        columns=COLUMNS,
        needed=NEEDED,
    )
    if not reps.rows and not reps.malformed:
        raise SourceFormatError("routing.reps", reps.file.name, "names nobody")

    counts = Counter(row.values["rep_id"] for row in reps.rows)
    problems = list(reps.malformed)
    read = []
    for row in reps.rows:
        rep = _RepRow(row, routing, zone=settings.timezone)
        times_listed = counts[row.values["rep_id"]]
        read.append(rep.read(times_listed=times_listed))
        problems += [(row.line, problem) for problem in rep.problems]
    if problems:
        raise UserError(f"cannot route with {reps.file.name}: {list_problems(problems)}")

    table = pa.Table.from_pylist(read, schema=REPS).sort_by("rep_id")
    return table, hash_file(reps.file.path)


def read_rep_names(settings: Settings) -> frozenset[str]:
    """Ids and names of all reps; none without a list, or if it is wrong, which scoring reports."""
    if settings.routing is None:
        return frozenset()
    try:
        reps, _ = read_reps(settings.routing, settings)
    except UserError:
        return frozenset()
    names = reps["rep_id"].to_pylist() + reps["name"].to_pylist()
    return frozenset(name for name in names if name)


class _RepRow:
    """A row of the list, and what is wrong with it."""

    def __init__(self, row: ListRow, routing: RoutingSettings, *, zone: str) -> None:
        self.line = row.line
        self.values = row.values
        self.routing = routing
        self.zone = zone
        self.problems: list[str] = []

    def read(self, *, times_listed: int) -> dict[str, Any]:
        """The rep in the shape of `REPS`."""
        rep_id = self._text("rep_id")
        rep = {
            "line": self.line,
            "rep_id": rep_id,
            "name": self._text("name") or None,
            "team": self._text("team") or None,
            "period": self._text("period") or None,
            "capacity": self._leads("capacity"),
            "load": self._leads("load", default=0),
            "min_share": self._share("min_share", default=0.0),
            "max_share": self._share("max_share", default=1.0),
            "away_from": self._moment("away_from"),
            "away_until": self._moment("away_until"),
        }
        rep |= {name: _split_list(self._text(name)) for name in CRITERIA}
        self._check(rep)
        if times_listed > 1:
            self.problems.append(f"rep_id {rep_id!r} is there {times_listed} times")
        return rep

    def _check(self, rep: dict[str, Any]) -> None:
        if not rep["rep_id"]:
            self.problems.append("has no rep_id")
        if rep["period"] not in (None, *PERIODS):
            self.problems.append(f"period must be day, week or month, got {rep['period']!r}")
        self._check_leave(rep["away_from"], rep["away_until"])

        compared = self.routing.match.columns()
        for name in CRITERIA:
            if rep[name] and name not in compared:
                self.problems.append(
                    f"has {name}, but routing.match does not say "
                    "which field of a lead they are compared with"
                )

    def _check_leave(self, begin: int | None, end: int | None) -> None:
        if begin is not None and end is not None and end < begin:
            shown = f"{self._text('away_from')} to {self._text('away_until')}"
            self.problems.append(f"the leave ends before it begins: {shown}")

    def _text(self, name: str) -> str:
        return self.values.get(name, "")

    def _leads(self, name: str, *, default: int | None = None) -> int:
        """A number of leads."""
        text = self._text(name)
        value = _read_number(text, decimals=0) if text else default
        if value is None or value < 0:
            self.problems.append(f"{name} must be a number of leads, 0 or more, got {text!r}")
            return 0
        return value

    def _share(self, name: str, *, default: float) -> float:
        text = self._text(name)
        if not text:
            return default
        millionths = _read_number(text, decimals=6)
        if millionths is None or not 0 <= millionths <= MILLION:
            self.problems.append(f"{name} must be a share from 0 to 1, got {text!r}")
            return default
        return millionths / MILLION

    def _moment(self, name: str) -> int | None:
        """UTC microseconds, or None; `away_from` a bare date is its begin, else its end."""
        text = self._text(name)
        if not text:
            return None
        texts = pa.array([text], pa.string())
        us, ok = read_moments(texts, zone=self.zone, dates=None)
        try:
            if not ok[0]:
                raise TimeFormatError(text)
            if name == "away_from":
                return parse_moment(text, zone=self.zone)
            return int(us[0])
        except TimeFormatError as e:
            self.problems.append(f"{name}: {e}")
            return None


def _split_list(text: str) -> list[str]:
    parts = text.replace("|", ";").split(";")
    words = [word.strip() for word in parts]
    return [word for word in words if word]


def _read_number(text: str, *, decimals: int) -> int | None:
    texts = pa.array([text], pa.string())
    values, ok = read_numbers(texts, decimals=decimals, decimal=".")
    return int(values[0]) if ok[0] else None
