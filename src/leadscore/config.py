"""The settings: one TOML file, read once, frozen, and refused with the nearest right key where it is mistyped."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from leadscore.errors import SettingsError, TimeFormatError, listed, nearest
from leadscore.tables import TABLES
from leadscore.times import parse_moment

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="lower-case letters, digits and _")]
Match = dict[str, Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]]
TIMES = ("event_at", "available_at", "event_us", "available_us")
RESERVED = {"lead_id", "currency", "spell", "seq", "source", "line", "row_hash", "from_us", "copy", "same_id", *TIMES}
Letter = Literal["budget", "authority", "need", "timeline"]


def kind_slug(kind: str) -> str:
    """A kind of activity as part of a feature's name.

    >>> kind_slug("E-mail")
    'e_mail'
    """
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in kind.lower())


def checked_zone(value: str) -> str:
    """`value`, if there is a time zone of that name."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as e:
        raise ValueError(f"no such time zone: {value!r}; an example is 'Europe/Berlin'") from e
    return value


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Frozen):
    """A file that an export left."""

    path: Path = Field(description="the file, relative to input_folder; it ends in .csv, .csv.gz or .parquet")
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="between the values of a CSV")
    timezone: str | None = Field(default=None, description="of times without a zone; default: the settings' zone")
    ignore: dict[Name, Match] = Field(default={}, description="rows to leave out, by name: column -> values")

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        return None if value is None else checked_zone(value)


class Mapping(_Frozen):
    """How rows of a source become rows of a table.

    In `where`, `where_not` and `values` a value may end in `*` for "begins with"; "" stands for a missing one.
    """

    source: str = Field(description="the name of a source")
    table: Literal["leads", "changes", "activities", "stages", "outcomes"] = Field(description="what the rows are")
    columns: dict[str, str] = Field(description="our column -> the source's column")
    where: Match = Field(default={}, description="select rows: column -> values; all must hold")
    where_not: Match = Field(default={}, description="but not those: column -> values; none may hold")
    values: dict[str, dict[str, dict[str, str]]] = Field(
        default={}, description="source column -> value -> our columns and the values they take"
    )
    constants: dict[str, str] = Field(default={}, description="our column -> the value it takes in every row")

    def targets(self) -> set[str]:
        """Our columns that this entry fills."""
        mapped = {name for by_value in self.values.values() for targets in by_value.values() for name in targets}
        return set(self.columns) | set(self.constants) | mapped

    def sources(self) -> set[str]:
        """The source's columns that this entry reads."""
        return {*self.columns.values(), *self.where, *self.where_not, *self.values}


class LeadField(_Frozen):
    """An attribute of a lead."""

    type: Literal["text", "number", "date"] = Field(default="text", description="how its values are read")
    decimals: int = Field(default=2, ge=0, le=9, description="kept behind the point of a number; more are rounded")
    known_from: Literal["creation"] | None = Field(
        default=None,
        description="'creation' if its value in leads was known then; else only its changes are learned",
    )
    label: str | None = Field(default=None, description="what a person calls it; default: its name")


class BantLetter(_Frozen):
    """How the field behind one letter of BANT becomes a strength from 0 to 1; exactly one way is given."""

    field: str = Field(description="the field that answers it")
    levels: tuple[str, ...] = Field(default=(), description="answers from weakest to strongest, evenly spaced")
    titles: tuple[tuple[str, float], ...] = Field(
        default=(),
        description="(pattern with *, strength); the first that matches counts, upper or lower case",
    )
    full_amount: float | None = Field(default=None, gt=0, description="the amount at which the strength is 1")
    within_days: tuple[float, float] | None = Field(
        default=None, description="(days ahead up to which a date has strength 1, days from which it has 0)"
    )

    @model_validator(mode="after")
    def _one_way(self) -> BantLetter:
        ways = [self.levels, self.titles, self.full_amount, self.within_days]
        if sum(bool(way) for way in ways) != 1:
            raise ValueError("give exactly one of levels, titles, full_amount, within_days")
        if len(self.levels) == 1 or len(set(self.levels)) < len(self.levels):
            raise ValueError("levels must be two or more different answers")
        if any(not 0 <= strength <= 1 for _, strength in self.titles):
            raise ValueError("a title's strength must lie from 0 to 1")
        if self.within_days and not 0 <= self.within_days[0] < self.within_days[1]:
            raise ValueError("within_days must be two rising numbers of days, the first not negative")
        return self

    def field_type(self) -> str:
        """Which type of field the chosen way can read."""
        return "number" if self.full_amount else "date" if self.within_days else "text"


class Stages(_Frozen):
    """The sales pipeline's stages."""

    open: tuple[str, ...] = Field(default=(), description="in their order; entering one re-opens a closed lead")
    won: tuple[str, ...] = Field(default=(), description="entering one closes the lead as won")
    lost: tuple[str, ...] = Field(default=(), description="entering one closes the lead as lost")

    @model_validator(mode="after")
    def _once_each(self) -> Stages:
        counts = Counter(self.open + self.lost + self.won)
        if twice := [stage for stage, n in counts.items() if n > 1]:
            raise ValueError(f"the stage {twice[0]!r} is named more than once")
        return self

    def order(self) -> dict[str, int]:
        """Each stage's place: open ones in their order, then the closing ones."""
        return {stage: i for i, stage in enumerate(self.open + self.lost + self.won)}


class Target(_Frozen):
    """What is predicted, and on which snapshots it is learned."""

    horizon_days: int = Field(default=30, ge=1, description="a win within so many days counts")
    cadence_days: int = Field(
        default=1, ge=1, description="how often open leads are scored, hence the grid of snapshots"
    )
    max_per_lead: int = Field(default=6, ge=1, description="snapshots kept of one spell")
    weight_cap: float = Field(default=10.0, ge=1, description="the most that a snapshot can weigh for censored ones")


class EngineSettings(_Frozen):
    """What the SQL engine and the learner may use."""

    memory_limit_mb: int = Field(default=2048, ge=128, description="above it the engine spills to disk")
    threads: int = Field(default=2, ge=1, description="used by the engine and the learner")
    chunk_snapshots: int = Field(default=100_000, ge=1, description="snapshots joined to events at a time")


class Tiers(_Frozen):
    """From which score on a lead is in tier A, B or C; the rest are D."""

    a: float = Field(default=90, ge=0, le=100, description="A from this score on")
    b: float = Field(default=70, ge=0, le=100, description="B from this score on")
    c: float = Field(default=40, ge=0, le=100, description="C from this score on")

    @model_validator(mode="after")
    def _falling(self) -> Tiers:
        if not self.a > self.b > self.c:
            raise ValueError(f"must fall: a > b > c, got {self.a}, {self.b}, {self.c}")
        return self


class Scorecard(_Frozen):
    """Points of the scorecard, in log-odds: a lead that is e-times as likely to be won has one point more."""

    base_rate: float = Field(default=0.2, gt=0, lt=1, description="the share of leads you expect to win in the horizon")
    budget: float = Field(default=1.5, ge=0, description="from the weakest to the strongest answer")
    authority: float = Field(default=1.5, ge=0, description="from the weakest to the strongest answer")
    need: float = Field(default=1.5, ge=0, description="from the weakest to the strongest answer")
    timeline: float = Field(default=1.5, ge=0, description="from the weakest to the strongest answer")
    recency: float = Field(default=0.4, ge=0, description="for an activity today rather than 1.7 days ago")
    activity: float = Field(default=0.25, ge=0, description="for 1.7 activities in 30 days, and for e-times as many")
    response: float = Field(default=1.0, ge=0, description="from all activities by the rep to all by the lead")


class ModelSettings(_Frozen):
    """How long to search for the best model."""

    trials: int = Field(default=20, ge=1, description="sizes of boosted trees that are tried on the rolling splits")
    time_limit_s: float | None = Field(
        default=None, gt=0, description="no trial begins after so many seconds; the result then depends on the machine"
    )


class RegistrySettings(_Frozen):
    """Where MLflow keeps runs and models."""

    tracking_uri: str | None = Field(
        default=None,
        description="MLflow's server or database; default: MLFLOW_TRACKING_URI, else SQLite in models_folder",
    )
    artifacts: str | None = Field(
        default=None, description="where a database's files are kept; default: artifacts in models_folder"
    )

    @field_validator("tracking_uri")
    @classmethod
    def _no_password(cls, value: str | None) -> str | None:
        if value and (urlsplit(value).password or "password" in parse_qs(urlsplit(value).query)):
            raise ValueError("holds a password; leave it out here and set the environment variable MLFLOW_TRACKING_URI")
        return value


class Settings(_Frozen):
    """All that a project chooses."""

    project: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="names the data and model folders")
    timezone: str = Field(default="UTC", description="of bare dates and of the grid's midnights")
    input_folder: Path = Field(default=Path(), description="where the sources lie, relative to this file")
    data_folder: Path = Field(default=Path("data"), description="store and scores, relative to the working directory")
    models_folder: Path = Field(default=Path("models"), description="models, relative to the working directory")
    known_until: datetime | date | str | None = Field(
        default=None, description="the moment of the export; default: just after its latest fact"
    )
    max_staleness_days: float = Field(default=0, ge=0, description="how far an as_of may lie past known_until")
    seed: int = Field(default=0, ge=0, lt=2**63, description="of every random choice")
    target: Target = Target()
    engine: EngineSettings = EngineSettings()
    sources: dict[Name, Source] = Field(description="the exported files, by name")
    mapping: tuple[Mapping, ...] = Field(description="how their rows become tables")
    fields: dict[Name, LeadField] = Field(default={}, description="the leads' attributes")
    bant: dict[Letter, BantLetter] = Field(
        default={}, description="which fields answer budget, authority, need, timeline"
    )
    stages: Stages = Stages()
    kinds: dict[str, str] = Field(default={}, description="kind of activity -> how a person says it, in the plural")
    tiers: Tiers = Tiers()
    scorecard: Scorecard = Scorecard()
    model: ModelSettings = ModelSettings()
    registry: RegistrySettings = RegistrySettings()

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return checked_zone(value)

    @field_validator("known_until", mode="before")
    @classmethod
    def _no_number(cls, value: object) -> object:
        if isinstance(value, int | float):  # pydantic would take it for seconds since 1970
            raise ValueError(str(TimeFormatError(value)))
        return value

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Settings:
        for number, entry in enumerate(self.mapping, 1):
            self._check_entry(f"mapping entry {number} ({entry.source} -> {entry.table})", entry)
        for letter, bant in self.bant.items():
            if bant.field not in self.lead_fields():
                raise ValueError(f"bant.{letter}: field {bant.field!r} is not declared under fields")
            if (is_of := self.lead_fields()[bant.field].type) != (needed := bant.field_type()):
                raise ValueError(f"bant.{letter}: field {bant.field!r} is of type {is_of!r}, {needed!r} is needed")
        if not any(entry.table == "leads" for entry in self.mapping):
            raise ValueError("no mapping entry fills the table leads")
        if unread := [name for name in self.sources if all(entry.source != name for entry in self.mapping)]:
            raise ValueError(f"no mapping entry reads the source {unread[0]!r}")
        if taken := sorted(set(self.fields) & RESERVED):
            raise ValueError(
                f"fields.{taken[0]}: the name is taken, choose another one; "
                f"taken are {listed(sorted(RESERVED), most=99)}"
            )
        slugs = Counter([kind_slug("activities"), *map(kind_slug, self.activity_kinds())])
        if alike := [slug for slug, n in slugs.items() if n > 1]:
            raise ValueError(
                f"two kinds of activity would both be called {alike[0]!r}; 'activities' stands for all kinds"
            )
        try:
            self.known_until_us()
        except TimeFormatError as e:
            raise ValueError(f"known_until: {e}") from e
        return self

    def _check_entry(self, where: str, entry: Mapping) -> None:
        if entry.source not in self.sources:
            raise ValueError(f"{where}: no source is called {entry.source!r}{_hint(entry.source, list(self.sources))}")
        columns = {column.name: column for column in TABLES[entry.table].columns}
        known = [*columns, "event_at", "available_at", *(self.fields if entry.table == "leads" else ())]
        for name in sorted(entry.targets()):
            if name not in known:
                raise ValueError(f"{where}: {entry.table} has no column {name!r}{_hint(name, known)}")
        mapped = {name for by_value in entry.values.values() for targets in by_value.values() for name in targets}
        if twice := sorted(set(entry.columns) & (set(entry.constants) | mapped)):
            raise ValueError(f"{where}: {listed(twice)} is given by columns and by constants or values too; choose one")
        needed = {name for name, column in columns.items() if column.required}
        needed |= set() if entry.table == "leads" else {"event_at"}
        if missing := sorted(needed - entry.targets()):
            raise ValueError(f"{where}: nothing fills {listed(missing)}")

    def lead_fields(self) -> dict[str, LeadField]:
        """Declared fields and the two that every lead may have."""
        return {"owner_id": LeadField(label="owner"), "amount": LeadField(type="number"), **self.fields}

    def changing_fields(self) -> set[str]:
        """The fields whose history the mapping can give."""
        entries = [entry for entry in self.mapping if entry.table == "changes"]
        if any("field" in entry.columns for entry in entries):
            return set(self.lead_fields())
        mapped = {t["field"] for e in entries for by in e.values.values() for t in by.values() if "field" in t}
        return mapped | {e.constants["field"] for e in entries if "field" in e.constants}

    def activity_kinds(self) -> list[str]:
        """Every kind of activity that the mapping can give, in order."""
        entries = [entry for entry in self.mapping if entry.table == "activities"]
        mapped = {t["kind"] for e in entries for by in e.values.values() for t in by.values() if "kind" in t}
        return sorted(mapped | {e.constants["kind"] for e in entries if "kind" in e.constants} | set(self.kinds))

    def known_until_us(self) -> int | None:
        """The stated known_until in UTC microseconds, or None."""
        return None if self.known_until is None else parse_moment(self.known_until, zone=self.timezone)

    def tracking_uri(self) -> str:
        """Where MLflow keeps runs and models; it may hold a password, so it is shown to nobody."""
        stated = self.registry.tracking_uri or os.environ.get("MLFLOW_TRACKING_URI")
        return stated or f"sqlite:///{(self.models_folder / 'mlflow.db').resolve()}"

    def artifact_location(self) -> str | None:
        """Where MLflow keeps files, or None if its server decides."""
        if self.registry.artifacts or self.tracking_uri().startswith(("http:", "https:")):
            return self.registry.artifacts
        return str((self.models_folder / "artifacts").resolve())

    def public(self) -> dict[str, Any]:
        """The settings as JSON, without the places on this machine."""
        return self.model_dump(mode="json", exclude={"input_folder", "data_folder", "models_folder", "registry"})

    def project_folder(self) -> Path:
        """Where the project's store, scores and back-tests lie."""
        return self.data_folder / self.project


@contextmanager
def environment_kept() -> Iterator[None]:
    """Undo what is done to the environment within; MLflow notes there what it was told, and would find it again."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def set_environment(**more: str) -> None:
    """Choose what Prefect and MLflow read from the environment, where it does not say so already.

    Nothing phones home, and no pickle is read. `more` are further variables and their values.
    """
    quiet = {
        "DO_NOT_TRACK": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # seven keep a user waiting for four minutes
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    for name, value in (quiet | more).items():
        os.environ.setdefault(name, value)


def read_settings(path: Path, *, input_folder: Path | None = None) -> Settings:
    """Settings from a TOML file; `input_folder` overrides where the sources lie.

    Raises:
        SettingsError: there is no such file, or it is no TOML, or a key or value in it is wrong.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as e:
        raise SettingsError(path, ["there is no such file; name it with --config"]) from e
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise SettingsError(path, [f"is no readable TOML: {e}"]) from e
    try:
        folder = input_folder or path.parent / Path(raw.get("input_folder", "."))
    except TypeError as e:
        raise SettingsError(path, [f"input_folder: must be text, got {raw['input_folder']!r}"]) from e
    try:
        return Settings.model_validate({**raw, "input_folder": folder})
    except (ValidationError, TypeError) as e:
        raise SettingsError(path, _problems(e)) from e


def _problems(error: ValidationError | TypeError) -> list[str]:
    if isinstance(error, TypeError):
        return [str(error)]
    found = []
    for problem in error.errors():
        loc = [str(part) for part in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            found.append(f"unknown key {'.'.join(loc)}{_hint(loc[-1], _keys_beside(problem['loc']))}")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            found.append(f"{'.'.join(loc)}: {message}" if loc else message)
    return found


def _hint(word: str, known: list[str]) -> str:
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near else f"; known are {listed(known)}"


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that are right where the last part of `loc` was found."""
    here: Any = Settings
    for part in loc[:-1]:
        if isinstance(here, type) and issubclass(here, BaseModel):
            here = here.model_fields[str(part)].annotation
        else:  # dict[name, Model] or tuple[Model, ...]
            here = next(arg for arg in get_args(here) if isinstance(arg, type) and issubclass(arg, BaseModel))
    return list(here.model_fields)
