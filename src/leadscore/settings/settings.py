"""The settings: one TOML file, read once, frozen, and refused with the nearest right key where it is mistyped."""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from leadscore.errors import SettingsError, TimeFormatError, cut, listed
from leadscore.settings.decisions import Actions, Qualification, Tiers
from leadscore.settings.limits import (
    DEEP_KEY,
    LONGEST_PROJECT,
    MOST_DAYS,
    MOST_SEED,
    NAME,
    OURS,
    PROJECT,
)
from leadscore.settings.machine import EngineSettings, RegistrySettings
from leadscore.settings.moment import OLD_KEYS, check_one_moment, refuse_old_keys
from leadscore.settings.problems import UndeclaredError, describe_problems, what_to_paste
from leadscore.settings.publication import PublicationSettings
from leadscore.settings.routing import RoutingSettings
from leadscore.settings.sections import (
    RESERVED,
    UNDATED_TABLES,
    AuditSettings,
    BantLetter,
    FilePath,
    Frozen,
    LeadField,
    Letter,
    Mapping,
    ModelSettings,
    Money,
    Name,
    Scorecard,
    Source,
    Stages,
    Target,
    TimeMode,
    Validation,
    checked_zone,
    hint,
    kind_slug,
)
from leadscore.tables import PERSONAL, TABLES
from leadscore.times import parse_moment

TOO_DEEP = "is nested too deeply; settings are a few levels deep"
DATED = {
    "target",
    "stages",
    "kinds",
    "max_staleness_hours",
    "known_until_file",
}  # what only dates give a meaning
PLACES = {"input_folder", "data_folder", "models_folder", "registry"}  # on this machine


class Settings(Frozen):
    """All that a project chooses."""

    project: str = Field(
        pattern=PROJECT, max_length=LONGEST_PROJECT, description="names the data and model folders"
    )
    time: TimeMode = Field(
        default="dated",
        description="'dated'; 'ordered' if only the order of the leads is known; 'none' if not even that",
    )
    timezone: str = Field(default="UTC", description="of bare dates and of the grid's midnights")
    input_folder: FilePath = Field(
        default=Path(), description="where the sources lie, relative to this file"
    )
    data_folder: FilePath = Field(
        default=Path("data"), description="store and scores, relative to the working directory"
    )
    models_folder: FilePath = Field(
        default=Path("models"), description="models, relative to the working directory"
    )
    known_until: datetime | date | str | None = Field(
        default=None,
        description="the moment of an export that no other will follow, as of an archive",
    )
    known_until_file: FilePath | None = Field(
        default=None,
        description="a file that comes with each export and holds its moment, relative to input_folder",
    )
    max_staleness_hours: float = Field(
        default=36,
        ge=0,
        le=24 * MOST_DAYS,
        description="how far an as_of, or the clock of a scheduled run, may lie past known_until",
    )
    seed: int = Field(default=0, ge=0, le=MOST_SEED, description="of every random choice")
    target: Target = Target()
    engine: EngineSettings = EngineSettings()
    sources: dict[Name, Source] = Field(description="the exported files, by name")
    mapping: tuple[Mapping, ...] = Field(description="how their rows become tables")
    fields: dict[Name, LeadField] = Field(default={}, description="the leads' attributes")
    bant: dict[Letter, BantLetter] = Field(
        default={}, description="which fields answer budget, authority, need, timeline"
    )
    stages: Stages = Stages()
    kinds: dict[str, str] = Field(
        default={}, description="kind of activity -> how a person says it, in the plural"
    )
    tiers: Tiers = Tiers()
    qualification: Qualification = Qualification()
    actions: Actions = Actions()
    validation: Validation = Validation()
    money: Money | None = Field(default=None, description="converts amounts into one currency")
    pass_through: tuple[Literal["email", "phone", "company", "contact"], ...] = Field(
        default=(),
        description="personal columns that are stored as they are, for a worklist that does not exist yet: "
        "nothing shows them; else only their salted hash is kept",
    )
    audit: AuditSettings = AuditSettings()
    scorecard: Scorecard = Scorecard()
    model: ModelSettings = ModelSettings()
    registry: RegistrySettings = RegistrySettings()
    publication: PublicationSettings = PublicationSettings()
    routing: RoutingSettings | None = Field(default=None, description="gives leads to reps")

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        return checked_zone(value)

    @field_validator("project")
    @classmethod
    def _not_ours(cls, value: str) -> str:
        if value in OURS:
            raise ValueError(
                f"{value!r} is a name that leadscore uses itself; choose another one than {listed(OURS)}"
            )
        return value

    @field_validator("known_until", mode="before")
    @classmethod
    def _no_number(cls, value: object) -> object:
        if isinstance(value, int | float):  # pydantic would take it for seconds since 1970
            raise ValueError(str(TimeFormatError(value)))
        return value

    @model_validator(mode="before")
    @classmethod
    def _old_keys(cls, raw: object) -> object:
        refuse_old_keys(raw)
        return raw

    @model_validator(mode="after")
    def _states_one_moment(self) -> Settings:
        columns = [name for name, source in self.sources.items() if source.known_until_column]
        check_one_moment(self.known_until, self.known_until_file, columns, dated=self.is_dated)
        return self

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Settings:
        self._check_fields_are_declared()
        for number, entry in enumerate(self.mapping, 1):
            self._check_entry(f"mapping entry {number} ({entry.source} -> {entry.table})", entry)
        if not self.is_dated:
            self._check_undated()
        if self.time != "ordered" and self.model.outcome_delay is not None:
            raise ValueError(
                f"time = {self.time!r}: model.outcome_delay counts leads in their order, so it needs time = 'ordered'; "
                "leave it out"
            )
        if not any(entry.table == "leads" for entry in self.mapping):
            raise ValueError("no mapping entry fills the table leads")
        if unread := [
            name for name in self.sources if all(entry.source != name for entry in self.mapping)
        ]:
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

    @model_validator(mode="after")
    def _names_known_fields(self) -> Settings:
        known = list(self.lead_fields())
        for letter, bant in self.bant.items():
            if bant.field not in known:
                raise ValueError(
                    f"bant.{letter}: field {bant.field!r} is not declared under fields"
                )
            if (is_of := self.lead_fields()[bant.field].type) != (needed := bant.field_type()):
                raise ValueError(
                    f"bant.{letter}: field {bant.field!r} is of type {is_of!r}, {needed!r} is needed"
                )
        if unknown := [name for name in self.audit.keep if name not in known]:
            raise ValueError(
                f"audit.keep: there is no field {unknown[0]!r}{hint(unknown[0], known)}"
            )
        if self.model.segment is not None:
            self._check_text_field("model.segment", self.model.segment)
            known_from = self.lead_fields()[self.model.segment].known_from
            learned = self.fields_of_leads() | self.changing_fields()
            if known_from != "export" and self.model.segment not in learned:
                raise ValueError(
                    f"model.segment: nothing says when {self.model.segment!r} became known; give its history, or "
                    "known_from"
                )
        for criterion, name in (self.routing.match.columns() if self.routing else {}).items():
            self._check_text_field(f"routing.match.{criterion}", name)
        return self

    @model_validator(mode="after")
    def _decides_by_what_exists(self) -> Settings:
        if wrong := [stage for stage in self.actions.by_stage if stage not in self.stages.open]:
            raise ValueError(
                f"actions.by_stage: {wrong[0]!r} is no open stage{hint(wrong[0], list(self.stages.open))}"
            )
        if self.tiers.by == "capacity" and self.tiers.capacity is None and self.routing is None:
            raise ValueError(
                "tiers.by = 'capacity': give tiers.capacity, or the list of reps under routing"
            )
        if unasked := sorted(self.qualification.letters() - set(self.bant)):
            raise ValueError(
                f"qualification asks for {unasked[0]}, and no field answers it: declare bant.{unasked[0]}"
            )
        return self

    def _check_fields_are_declared(self) -> None:
        """Refuse attributes of leads that are mapped and not declared, all at once."""
        known = self._known_columns("leads")
        mapped = {
            name for entry in self.mapping if entry.table == "leads" for name in entry.targets()
        }
        if strange := [
            name for name in sorted(mapped - RESERVED - set(known)) if re.fullmatch(NAME, name)
        ]:
            raise UndeclaredError(strange, known)

    def _check_text_field(self, where: str, name: str) -> None:
        known = self.lead_fields()
        if name not in known:
            raise ValueError(f"{where}: there is no field {name!r}{hint(name, list(known))}")
        if (is_of := known[name].type) != "text":
            raise ValueError(f"{where}: field {name!r} is of type {is_of!r}, 'text' is needed")

    def _check_entry(self, where: str, entry: Mapping) -> None:
        if entry.source not in self.sources:
            raise ValueError(
                f"{where}: no source is called {entry.source!r}{hint(entry.source, list(self.sources))}"
            )
        columns = {column.name: column for column in TABLES[entry.table].columns}
        known = self._known_columns(entry.table)
        if wrong := [
            f"{name!r}{hint(name, known)}" for name in sorted(entry.targets()) if name not in known
        ]:
            raise ValueError(
                "; ".join(f"{where}: {entry.table} has no column {each}" for each in wrong)
            )
        mapped = {
            name
            for by_value in entry.values.values()
            for targets in by_value.values()
            for name in targets
        }
        if twice := sorted(set(entry.columns) & (set(entry.constants) | mapped)):
            raise ValueError(
                f"{where}: {listed(twice)} is given by columns and by constants or values too; choose one"
            )
        needed = {name for name, column in columns.items() if column.required}
        if self.is_dated:
            needed |= set() if entry.table == "leads" else {"event_at"}
        elif entry.table in UNDATED_TABLES:
            needed -= {"lead_id"}
        if missing := sorted(needed - entry.targets()):
            raise ValueError(f"{where}: nothing fills {listed(missing)}")

    def _known_columns(self, table: str) -> list[str]:
        """What an entry may fill in a table."""
        attributes = (*self.fields, *PERSONAL) if table == "leads" else ()
        return [
            *(column.name for column in TABLES[table].columns),
            *self._times(table),
            *attributes,
        ]

    def _times(self, table: str) -> tuple[str, ...]:
        """What an entry may say of when its rows happened."""
        if self.is_dated:
            return "event_at", "available_at"
        return ("sequence",) if self.time == "ordered" and table == "leads" else ()

    def _check_undated(self) -> None:
        """Refuse what needs dates, and leads and outcomes that could not find each other."""
        mode = f"time = {self.time!r}"
        if dated := sorted(DATED & self.model_fields_set):
            raise ValueError(f"{mode}: nothing is dated, so leave out {listed(dated)}")
        if dates := [name for name, field in self.fields.items() if field.type == "date"]:
            raise ValueError(
                f"{mode}: the field {dates[0]!r} is a date, which says nothing without an as_of"
            )
        if dated := [entry.table for entry in self.mapping if entry.table not in UNDATED_TABLES]:
            raise ValueError(
                f"{mode}: rows of {dated[0]} need dates; only leads and outcomes can be mapped"
            )
        leads = [entry for entry in self.mapping if entry.table == "leads"]
        by_line = {entry.source for entry in leads if "lead_id" not in entry.targets()}
        for entry in self.mapping:
            if (entry.source in by_line) != ("lead_id" not in entry.targets()):
                raise ValueError(
                    f"{mode}: {entry.source} -> {entry.table}: either leads and outcomes of one source all have a "
                    "lead_id, or none has, and then they are called by source and line"
                )
        by_place = all("sequence" in entry.targets() for entry in leads)
        if self.time == "ordered" and len({entry.source for entry in leads}) > 1 and not by_place:
            raise ValueError(
                f"{mode}: lines of several sources have no common order; map a column to sequence"
            )

    @property
    def is_dated(self) -> bool:
        """Whether facts have dates, so that the past can be looked at as it was known."""
        return self.time == "dated"

    def identical_rows(self) -> str:
        """Which rows of equal features share a fold: "together" all, "apart" none, "copies" those that may be copies.

        Only without dates and without an id can an equal row be the same lead again.
        """
        if self.is_dated:
            return "apart"
        if self.model.identical_rows != "auto":
            return self.model.identical_rows
        leads = [entry for entry in self.mapping if entry.table == "leads"]
        has_id = all("lead_id" in entry.targets() for entry in leads)
        return "apart" if has_id else "copies"

    def assumption(self) -> str | None:
        """What the metrics take for granted where nothing is dated, or None."""
        return (
            None
            if self.is_dated
            else (
                f"time = {self.time}: nothing says when things were known; "
                "the metrics assume that every mapped field was known when the lead was scored"
            )
        )

    def fields_of_leads(self) -> set[str]:
        """The fields whose value in `leads` may be learned from: those known from creation; undated, all mapped."""
        if self.is_dated:
            return {
                name for name, field in self.lead_fields().items() if field.known_from == "creation"
            }
        mapped = {
            name for entry in self.mapping if entry.table == "leads" for name in entry.targets()
        }
        return mapped & set(self.lead_fields())

    def ordered_by_line(self, source: str) -> bool:
        """Whether the lines of a source are the places of its leads."""
        entries = [
            entry for entry in self.mapping if (entry.source, entry.table) == (source, "leads")
        ]
        return self.time == "ordered" and any(
            "sequence" not in entry.targets() for entry in entries
        )

    def lead_fields(self) -> dict[str, LeadField]:
        """Declared fields and the two that every lead may have."""
        return {
            "owner_id": LeadField(label="owner"),
            "amount": LeadField(type="number"),
            **self.fields,
        }

    def changing_fields(self) -> set[str]:
        """The fields whose history the mapping can give."""
        entries = [entry for entry in self.mapping if entry.table == "changes"]
        if any("field" in entry.columns for entry in entries):
            return set(self.lead_fields())
        mapped = {
            t["field"]
            for e in entries
            for by in e.values.values()
            for t in by.values()
            if "field" in t
        }
        return mapped | {e.constants["field"] for e in entries if "field" in e.constants}

    def activity_kinds(self) -> list[str]:
        """Every kind of activity that the mapping can give, in order."""
        entries = [entry for entry in self.mapping if entry.table == "activities"]
        mapped = {
            t["kind"]
            for e in entries
            for by in e.values.values()
            for t in by.values()
            if "kind" in t
        }
        return sorted(
            mapped
            | {e.constants["kind"] for e in entries if "kind" in e.constants}
            | set(self.kinds)
        )

    def known_until_us(self) -> int | None:
        """The stated known_until in UTC microseconds, or None."""
        return (
            None if self.known_until is None else parse_moment(self.known_until, zone=self.timezone)
        )

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
        return self.model_dump(mode="json", exclude=PLACES)

    def of_then(self, told: dict[str, Any]) -> Settings:
        """What `public` told once, with the places of now."""
        unsaid = set() if told["time"] == "dated" else DATED
        kept = {name: value for name, value in told.items() if name not in unsaid | OLD_KEYS}
        if (target := kept.get("target")) and target[
            "horizon_days"
        ] == 0:  # so "auto" was written once
            kept["target"] = target | {"horizon_days": "auto"}
        return Settings.model_validate(kept | {name: getattr(self, name) for name in PLACES})

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
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # a machine may read what a command prints
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # it would show a token, and mix with JSON
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # seven keep a user waiting for four minutes
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    for name, value in (quiet | more).items():
        os.environ.setdefault(name, value)


def _read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        SettingsError: there is no such file, or it is no TOML.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if DEEP_KEY.search(text):
            raise SettingsError(path, [TOO_DEEP])
        return tomllib.loads(text)
    except FileNotFoundError as e:
        raise SettingsError(path, ["there is no such file; name it with --config"]) from e
    except OSError as e:
        raise SettingsError(
            path, [f"cannot be read: {e.strerror}; name the file with --config"]
        ) from e
    except UnicodeDecodeError as e:
        raise SettingsError(path, ["is not UTF-8 text, as TOML must be; save it as UTF-8"]) from e
    except tomllib.TOMLDecodeError as e:
        raise SettingsError(path, [f"is not valid TOML: {cut(str(e))}"]) from e
    except ValueError as e:  # a NUL in the path, or what int() refuses
        problem = (
            "holds a number of thousands of digits"
            if "digits" in str(e)
            else f"is not valid TOML: {cut(str(e))}"
        )
        raise SettingsError(path, [problem]) from e
    except RecursionError as e:
        raise SettingsError(path, [TOO_DEEP]) from e


def read_settings(path: Path, *, input_folder: Path | None = None) -> Settings:
    """Settings from a TOML file; `input_folder` overrides where the sources lie.

    Raises:
        SettingsError: there is no such file, or it is no TOML, or a key or value in it is wrong.
    """
    raw = _read_toml(path)
    try:
        folder = input_folder or path.parent / Path(raw.get("input_folder", "."))
    except TypeError as e:
        raise SettingsError(
            path, [f"input_folder: must be text, got {raw['input_folder']!r}"]
        ) from e
    try:
        return Settings.model_validate({**raw, "input_folder": folder})
    except (ValidationError, TypeError) as e:
        raise SettingsError(path, describe_problems(e, Settings), cure=what_to_paste(e)) from e
    except RecursionError as e:
        raise SettingsError(path, [TOO_DEEP]) from e
