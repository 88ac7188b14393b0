"""The settings of a project: frozen, and strict about unknown keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from leadscore.errors import TimeFormatError
from leadscore.settings.actions import Actions
from leadscore.settings.activities import Activities
from leadscore.settings.audit import AuditSettings
from leadscore.settings.bant import BantLetter
from leadscore.settings.base import FilePath, Frozen, Letter, Name, Zone
from leadscore.settings.check_mapping import DATED, OTHER_DURATIONS, check_mapping
from leadscore.settings.check_references import check_references
from leadscore.settings.check_sources import check_sources
from leadscore.settings.customers import CustomerSettings, check_customers
from leadscore.settings.engine import EngineSettings
from leadscore.settings.environment import environment_tracking_uri
from leadscore.settings.fields import LeadField
from leadscore.settings.limits import LONGEST_PROJECT, MOST_DAYS, MOST_SEED, OURS, PROJECT
from leadscore.settings.list_order import ListOrder
from leadscore.settings.mapping import BEFORE, Mapping
from leadscore.settings.memory import Memory, check_memory, lead_keys
from leadscore.settings.model import ModelSettings
from leadscore.settings.moment import OLD_KEYS, check_moment, check_readable, refuse_old_keys
from leadscore.settings.money import Money
from leadscore.settings.publication import PublicationSettings
from leadscore.settings.qualification import Qualification
from leadscore.settings.registry import RegistrySettings
from leadscore.settings.retraining import RetrainingSettings
from leadscore.settings.routing import RoutingSettings
from leadscore.settings.scorecard import Scorecard
from leadscore.settings.show import ShowSettings, check_show
from leadscore.settings.source import Reading, Source
from leadscore.settings.stages import Stages
from leadscore.settings.target import AUTO, Target
from leadscore.settings.targets import TargetSettings
from leadscore.settings.tiers import Tiers
from leadscore.settings.validation import Validation
from leadscore.settings.view import View
from leadscore.tables import ACTORS, DEFAULT_ACTOR
from leadscore.times import parse_moment
from leadscore.wording import listed

# on this machine, and where a list goes once it is made
PLACES = {"input_folder", "data_folder", "models_folder", "registry", "targets"}


class Settings(Frozen):
    """Everything that a project can set."""

    project: str = Field(
        pattern=PROJECT,
        max_length=LONGEST_PROJECT,
        description="name of the project, and of its folders under `data_folder` and "
        "`models_folder`; at most 64 characters",
    )
    preset: str | None = Field(
        default=None,
        description="settings for a known CRM, over which all others are laid: see [presets](presets.md)",
    )
    time: Literal["dated", "ordered", "none"] = Field(
        default="dated",
        description="`ordered` if only the order of the leads is known, `none` if not even that: "
        "see [time modes](#time-modes)",
    )
    timezone: Zone = Field(
        default="UTC",
        description="time zone of dates and times that state none, and of the midnights at which "
        "snapshots are taken",
    )
    input_folder: FilePath = Field(
        default=Path(),
        description="folder of the sources, relative to the settings file; `--data` overrides it",
    )
    data_folder: FilePath = Field(
        default=Path("data"),
        description="folder of the store and the scores, relative to the working directory",
    )
    models_folder: FilePath = Field(
        default=Path("models"),
        description="folder of the models, relative to the working directory",
    )
    known_until: datetime | date | str | None = Field(
        default=None,
        description="moment of an export that no other will follow, such as an archive; "
        "default: [each delivery states it](#when-an-export-was-made)",
    )
    known_until_file: FilePath | None = Field(
        default=None,
        description="file that comes with each export and holds its moment, "
        "relative to `input_folder`",
    )
    max_staleness_hours: float = Field(
        default=36,
        ge=0,
        le=24 * MOST_DAYS,
        description="how far an `as_of`, or the clock of a scheduled run, may lie past "
        "`known_until`, in hours",
    )
    seed: int = Field(default=0, ge=0, le=MOST_SEED, description="seed of every random choice")
    target: Target = Target()
    engine: EngineSettings = EngineSettings()
    sources: dict[Name, Source] = Field(description="the exported files, by a name of your choice")
    views: dict[Name, View] = Field(
        default={}, description="SQL that prepares rows of sources: see [views](views.md)"
    )
    mapping: tuple[Mapping, ...] = Field(description="how their rows become tables")
    fields: dict[Name, LeadField] = Field(
        default={}, description="the attributes of leads, by a name of your choice"
    )
    bant: dict[Letter, BantLetter] = Field(
        default={}, description="which fields answer budget, authority, need and timeline"
    )
    stages: Stages = Stages()
    kinds: dict[str, str] = Field(
        default={}, description="kind of activity -> what people call it, in the plural"
    )
    activities: Activities = Activities()
    memory: Memory = Memory()
    customers: CustomerSettings = CustomerSettings()
    tiers: Tiers = Tiers()
    qualification: Qualification = Qualification()
    actions: Actions = Actions()
    validation: Validation = Validation()
    money: Money | None = Field(
        default=None, description="converts amounts into one currency; default: none is converted"
    )
    show: ShowSettings | None = Field(
        default=None,
        description="what people see of a lead, beside its id: see "
        "[the list for people](worklist.md)",
    )
    audit: AuditSettings = AuditSettings()
    scorecard: Scorecard = Scorecard()
    model: ModelSettings = ModelSettings()
    retraining: RetrainingSettings = RetrainingSettings()
    registry: RegistrySettings = RegistrySettings()
    list: ListOrder = ListOrder()
    publication: PublicationSettings = PublicationSettings()
    targets: dict[Name, TargetSettings] = Field(
        default={},
        description="the CRMs and databases that a published list is written for, by a name of "
        "your choice: see [targets](targets.md)",
    )
    routing: RoutingSettings | None = Field(
        default=None, description="gives leads to reps: see [routing.md](routing.md)"
    )

    @field_validator("project")
    @classmethod
    def _not_ours(cls, value: str) -> str:
        if value in OURS:
            raise ValueError(
                f"{value!r} is a name that leadscore uses itself; "
                f"choose another one than {listed(OURS)}"
            )
        return value

    @field_validator("known_until", mode="before")
    @classmethod
    def _not_a_number(cls, value: object) -> object:
        if isinstance(value, int | float):  # pydantic would take it for seconds since 1970
            raise ValueError(str(TimeFormatError(value)))
        return value

    @model_validator(mode="before")
    @classmethod
    def _no_old_keys(cls, raw: object) -> object:
        refuse_old_keys(raw)
        return raw

    @model_validator(mode="after")
    def _sections_fit_together(self) -> Settings:
        check_moment(self)
        check_mapping(self)
        check_readable(self)
        check_references(self)
        check_memory(self)
        check_customers(self)
        check_show(self)
        check_sources(self)
        return self

    @property
    def is_dated(self) -> bool:
        """Whether facts have dates, so that the past can be seen as it was known then."""
        return self.time == "dated"

    def assumption(self) -> str | None:
        """What the metrics take for granted where nothing is dated, or None."""
        if self.is_dated:
            return None
        return (
            f"time = {self.time}: it is not known when fields were filled in; "
            "the metrics assume that every mapped field was known when the lead was scored"
        )

    def origins(self) -> dict[str, Reading]:
        """What mapping entries can read, sources and views, and how their values are read."""
        return {**self.sources, **self.views}

    def entries(self, table: str) -> Sequence[Mapping]:
        """The mapping entries that fill a table."""
        return [entry for entry in self.mapping if entry.table == table]

    def tables(self) -> set[str]:
        """The tables that the mapping fills."""
        return {entry.table for entry in self.mapping}

    def columns_read(self, source: str) -> set[str]:
        """The columns of a source or a view that the settings name."""
        named: set[str] = set()
        for entry in self.mapping:
            if entry.source == source:
                named |= entry.sources()
        origin = self.origins()[source]
        for match in origin.ignore.values():
            named |= set(match)
        if origin.known_until_column:
            named.add(origin.known_until_column)
        if origin.keep:
            named.add(origin.keep.column)
        return named | set(self.shown_columns(source).values())

    def shown_columns(self, source: str) -> dict[str, str]:
        """What people see of the leads of a source or a view, and its column for it."""
        feeds_leads = any(entry.source == source for entry in self.entries("leads"))
        if self.show is None or not feeds_leads:
            return {}
        return self.show.columns_of(source)

    def identical_rows(self) -> str:
        """Which rows with equal features share a fold: "together" all, "apart" none, "copies" likely copies.

        Only without dates and without an id can an equal row be the same lead again.
        """
        if self.is_dated:
            return "apart"
        if self.model.identical_rows != "auto":
            return self.model.identical_rows
        entries = self.entries("leads")
        has_id = all("lead_id" in entry.targets() for entry in entries)
        return "apart" if has_id else "copies"

    def ordered_by_line(self, source: str) -> bool:
        """Whether the order of a source's leads is the order of its lines."""
        entries = [entry for entry in self.entries("leads") if entry.source == source]
        have_sequence = all("sequence" in entry.targets() for entry in entries)
        return self.time == "ordered" and not have_sequence

    def lead_fields(self) -> dict[str, LeadField]:
        """The declared fields and the two that every lead may have."""
        built_in = {"owner_id": LeadField(label="owner"), "amount": LeadField(type="number")}
        return built_in | self.fields

    def mapped_of_leads(self) -> set[str]:
        """The columns of `leads` that the mapping fills."""
        return {name for entry in self.entries("leads") for name in entry.targets()}

    def fields_of_leads(self) -> set[str]:
        """The fields whose value in `leads` the model may learn from.

        With dates, those known from creation; without dates, all that are mapped.
        """
        fields = self.lead_fields()
        if not self.is_dated:
            return self.mapped_of_leads() & set(fields)
        return {name for name, field in fields.items() if field.known_from == "creation"}

    def changing_fields(self) -> set[str]:
        """The fields and keys whose history the mapping can give."""
        entries = self.entries("changes")
        if any("field" in entry.columns for entry in entries):
            return set(self.lead_fields()) | set(lead_keys(self))
        return {name for entry in entries for name in entry.values_of("field")}

    def gives_before(self, table: str) -> bool:
        """Whether rows of a table also say what was before them."""
        needed = BEFORE[table]
        return any(needed in entry.targets() for entry in self.entries(table))

    def activity_kinds(self) -> Sequence[str]:
        """Every kind of activity that the mapping can give, sorted."""
        entries = self.entries("activities")
        mapped = {kind for entry in entries for kind in entry.values_of("kind")}
        return sorted(mapped | set(self.kinds))

    def activity_columns(self) -> frozenset[str]:
        """The columns of `activities` that the mapping fills; a duration in whatever unit."""
        targets = {name for entry in self.entries("activities") for name in entry.targets()}
        if targets & set(OTHER_DURATIONS):
            targets.add("duration_s")
        return frozenset(targets)

    def activity_actors(self) -> frozenset[str]:
        """Every actor that the mapping can give."""
        actors: set[str] = set()
        for entry in self.entries("activities"):
            actors |= entry.values_of("actor")
            if "actor" in entry.columns:
                actors |= set(ACTORS)
            elif "actor" not in entry.constants:
                actors.add(DEFAULT_ACTOR)
        return frozenset(actors)

    def known_until_us(self) -> int | None:
        """The stated `known_until` in UTC microseconds, or None."""
        if self.known_until is None:
            return None
        return parse_moment(self.known_until, zone=self.timezone)

    def tracking_uri(self) -> str:
        """Where MLflow keeps runs and models. It may hold a password, so it is never shown."""
        stated = self.registry.tracking_uri or environment_tracking_uri()
        database = (self.models_folder / "mlflow.db").resolve()
        return stated or f"sqlite:///{database}"

    def artifact_location(self) -> str | None:
        """Where MLflow keeps files, or None if its server decides."""
        is_server = self.tracking_uri().startswith(("http:", "https:"))
        if self.registry.artifacts or is_server:
            return self.registry.artifacts
        return str((self.models_folder / "artifacts").resolve())

    def project_folder(self) -> Path:
        """Where the project's store, scores and back-tests are."""
        return self.data_folder / self.project

    def public(self) -> dict[str, Any]:
        """The settings as JSON, without the places on this machine."""
        return self.model_dump(mode="json", exclude=PLACES)

    def restore(self, saved: dict[str, Any]) -> Settings:
        """The settings that `public` saved earlier, with the present places on this machine."""
        dropped = OLD_KEYS if saved["time"] == "dated" else OLD_KEYS | DATED
        values = {name: value for name, value in saved.items() if name not in dropped}
        target = values.get("target")
        if target and target["horizon_days"] == AUTO:  # how earlier versions saved "auto"
            values["target"] = target | {"horizon_days": "auto"}
        places = {name: getattr(self, name) for name in PLACES}
        return Settings.model_validate(values | places)
