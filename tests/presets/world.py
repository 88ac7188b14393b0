"""A made-up sales team whose deals every CRM's export shows in its own way, with known truth."""

from __future__ import annotations

import csv
import re
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import histories
from leadscore import project as jobs
from leadscore.results import Ingested
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current
from leadscore.times import parse_moment

Row = dict[str, object]

BEGIN = datetime(2024, 1, 1, 8, tzinfo=UTC)
END = BEGIN + timedelta(days=540)  # the moment of the export
OPEN_STAGES = 4
QUICK = '[model]\nscorer = "logistic"\n[target]\ncadence_days = 14\nmax_per_lead = 2\n[engine]\nthreads = 1\n'
LENIENT = "[validation]\nmax_refused = 1.0\n"
PAGE = Path(__file__).parents[2] / "docs" / "presets.md"


@dataclass(frozen=True)
class Activity:
    """Something done for a deal; `seconds` of a call, `by_person` if only its person is linked."""

    at: datetime
    kind: str  # call, meeting, email
    seconds: int
    by_person: bool


@dataclass(frozen=True)
class Deal:
    """A deal as it truly went: places of the stages it entered, then perhaps "won" or "lost"."""

    number: int
    created: datetime
    entries: tuple[tuple[datetime, int], ...]
    outcome: str | None
    closed: datetime | None
    amounts: tuple[tuple[datetime, int], ...]
    activities: tuple[Activity, ...]
    owner: int

    def expected_close(self) -> str:
        """What the forecast says: months off, as forecasts are."""
        return day_text(self.created + timedelta(days=90 + self.number % 60))

    def stages(self, names: Sequence[str]) -> list[tuple[object, ...]]:
        """When it entered which stage, as the store has it."""
        return [(moment_us(moment), names[place]) for moment, place in self.entries]

    def closes(self) -> list[tuple[object, ...]]:
        """When it closed and how, as the store has it."""
        return [(moment_us(self.closed), self.outcome)] if self.closed else []

    def amount_changes(self) -> list[tuple[object, object]]:
        """When it had which amount, as the store has it: text in minor units."""
        return [(moment_us(moment), str(100 * amount)) for moment, amount in self.amounts]


@cache
def build_deals(count: int, *, seed: int = 1) -> tuple[Deal, ...]:
    """Deals whose larger number of long calls makes a win likelier."""
    rng = np.random.default_rng(seed)
    return tuple(_build_deal(number, rng) for number in range(count))


def _build_deal(number: int, rng: np.random.Generator) -> Deal:
    created = BEGIN + timedelta(minutes=int(rng.uniform(0, 520 * 24 * 60)))
    warmth = rng.normal()
    days = 4 + rng.exponential(35)
    will_win = rng.random() < 1 / (1 + np.exp(-1.6 * warmth))
    ends = created + timedelta(minutes=int(days * 24 * 60))
    last_stage = int(rng.integers(1, OPEN_STAGES)) if not will_win else OPEN_STAGES - 1
    steps = sorted(rng.uniform(0.02, 0.95, size=last_stage))
    entries = [(created, 0)]
    entries += [(_between(created, ends, share), i + 1) for i, share in enumerate(steps)]

    activities = _build_activities(created, ends, warmth, rng)
    amount = int(rng.lognormal(8, 0.6))
    amounts = [(created, amount), (_between(created, ends, 0.5), amount + 500)]
    has_closed = ends < END
    return Deal(
        number=number,
        created=created,
        entries=tuple(entry for entry in entries if entry[0] < END),
        outcome=("won" if will_win else "lost") if has_closed else None,
        closed=ends if has_closed else None,
        amounts=tuple(change for change in amounts if change[0] < END),
        activities=tuple(activity for activity in activities if activity.at < END),
        owner=int(rng.integers(3)),
    )


def _build_activities(
    created: datetime, ends: datetime, warmth: float, rng: np.random.Generator
) -> list[Activity]:
    activities = []
    for _ in range(rng.poisson(np.exp(1.3 + 0.5 * warmth))):
        is_long = rng.random() < 1 / (1 + np.exp(-warmth))
        activity = Activity(
            at=_between(created, ends, float(rng.uniform(0.01, 0.99))),
            kind=("call", "call", "meeting", "email")[int(rng.integers(4))],
            seconds=int(rng.integers(60, 900)) if is_long else int(rng.integers(1, 10)),
            by_person=bool(rng.random() < 0.5),
        )
        activities.append(activity)
    return sorted(activities, key=lambda activity: activity.at)


def _between(begin: datetime, end: datetime, share: float) -> datetime:
    """A whole second between two moments."""
    seconds = int((end - begin).total_seconds() * share)
    return begin + timedelta(seconds=seconds)


def day_text(moment: datetime) -> str:
    """The day of a moment, as 2024-01-31."""
    return moment.strftime("%Y-%m-%d")


def time_text(moment: datetime) -> str:
    """A moment as most exports write it: in UTC, without a zone."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


class Tables:
    """What a CRM exports: the rows of its tables, as CSV files."""

    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = {}

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(map(len, self.tables.values()))

    def add(self, table: str, **row: object) -> None:
        """A row of a table."""
        self.tables.setdefault(table, []).append(row)

    def write(self, folder: Path, *, without: Sequence[str] = ()) -> None:
        """Write all tables but some into a folder."""
        for name, rows in self.tables.items():
            if name not in without:
                columns = list(dict.fromkeys(column for row in rows for column in row))
                write_table(folder / f"{name}.csv", rows, columns)


def write_table(path: Path, rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> None:
    """A CSV file; what a row does not have is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def documented_settings(preset: str) -> str:
    """The leadscore.toml that docs/presets.md shows for a preset."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    whole = [block for block in blocks if tomllib.loads(block).get("preset") == preset]
    return str(whole[0])


@dataclass(frozen=True)
class Export:
    """An export in a folder, with the settings that the docs show for it."""

    settings: Settings
    ingested: Ingested

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The stored rows of a table."""
        folder = self.settings.project_folder() / "store"
        version = read_current(folder, project=self.settings.project)
        parts = [pq.read_table(path) for path in version.files(table)]
        return pa.concat_tables(parts).to_pylist() if parts else []

    def of_lead(self, table: str, lead_id: str) -> list[dict[str, Any]]:
        """The stored rows of a lead, in their order."""
        rows = [row for row in self.rows(table) if row["lead_id"] == lead_id]
        return sorted(rows, key=lambda row: (row["event_us"], row.get("seq", 0)))

    def columns_of(self, table: str, lead_id: str, *columns: str) -> list[tuple[object, ...]]:
        """Some columns of a lead's rows, in their order."""
        rows = self.of_lead(table, lead_id)
        return [tuple(row[column] for column in columns) for row in rows]

    def changes_of(self, lead_id: str, field: str) -> list[tuple[object, object]]:
        """When a field of a lead changed, and to what."""
        rows = self.of_lead("changes", lead_id)
        return [(row["event_us"], row["value"]) for row in rows if row["field"] == field]

    def keys(self, name: str) -> dict[str, str | None]:
        """The hash of every lead's account or contact, as last known."""
        known = {row["lead_id"]: row[name] for row in self.rows("leads")}
        changes = self.rows("observed") + self.rows("changes")
        moves = [row for row in changes if row["field"] == name]
        for row in sorted(moves, key=lambda row: (row["event_us"], row["seq"])):
            known[row["lead_id"]] = row["value"]
        return known

    def group_of(self, lead_id: str, name: str) -> set[str]:
        """All leads with the account, or the contact, of one; only its hash is stored."""
        keys = self.keys(name)
        hashed = str(keys[lead_id])
        assert hashed.startswith("hash:")
        return {other for other, key in keys.items() if key == hashed}

    def rejected(self) -> dict[str, set[str | None]]:
        """Rule -> values that broke it."""
        first = jobs.list_rejects(self.settings, per_rule=1000).first
        return {rule: {row["value"] for row in rows} for rule, rows in first.items()}


def unsalted(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with hashes numbered as they come: every store has a salt of its own."""
    numbers: dict[str, str] = {}
    plain = []
    for row in rows:
        copy = dict(row)
        for name, value in row.items():
            if isinstance(value, str) and value.startswith("hash:"):
                copy[name] = numbers.setdefault(value, f"hash {len(numbers)}")
        plain.append(copy)
    return plain


def settings_in(folder: Path, preset: str, *, more: str = "") -> Settings:
    """The settings of the docs, for the files of a folder; `more` is TOML to add."""
    path = folder / "leadscore.toml"
    path.write_text(documented_settings(preset) + more, encoding="utf-8")
    settings = read_settings(path, input_folder=folder)
    places = {"data_folder": folder / "data", "models_folder": folder / "models"}
    return settings.model_copy(update=places)


def ingest_folder(folder: Path, preset: str, *, more: str = "") -> Export:
    """Ingest the files of a folder as of the end of the made-up world."""
    settings = settings_in(folder, preset, more=more)
    ingested = jobs.ingest(settings, known_until_us=parse_moment(END, zone="UTC"))
    return Export(settings, ingested)


class Writes(Protocol):
    """Something that a CRM exports."""

    def write(self, folder: Path) -> None:
        """Write it as files into a folder."""


def ingest_made(made: Writes, preset: str) -> Export:
    """Write an export into a folder of its own, and ingest it."""
    folder = Path(tempfile.mkdtemp(dir=histories.scratch()))
    made.write(folder)
    return ingest_folder(folder, preset)


def moment_us(moment: datetime) -> int:
    """A moment as the store keeps it."""
    return parse_moment(moment, zone="UTC")


def check_training(export: Export, *, least_auc: float = 0.7) -> None:
    """Train and score: the long calls that decide must be seen, and every open lead be listed."""
    trained = jobs.train(export.settings)
    assert trained.evaluation.metrics["all"].auc.value > least_auc

    jobs.register(export.settings, Path(trained.folder), who=histories.WHO, promote=True)
    listed = set(jobs.score(export.settings).to_pandas()["lead_id"])

    closed = {row["lead_id"] for row in export.rows("outcomes")}
    leads = {row["lead_id"] for row in export.rows("leads")}
    assert leads - closed <= listed
