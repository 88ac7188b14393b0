"""The sections of the settings, each frozen, described, and checked by itself; `config.py` puts them together."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from leadscore.errors import listed, nearest, shortened
from leadscore.settings.limits import (
    CURRENCY,
    LONGEST_WORD,
    MOST_AMOUNT,
    MOST_DAYS,
    MOST_POINTS,
    NAME,
    path_problem,
)
from leadscore.settings.rules import ALARMS, RULES, Answer, Severity
from leadscore.tables import PERSONAL

Name = Annotated[
    str,
    Field(pattern=NAME, max_length=LONGEST_WORD, description="lower-case letters, digits and _"),
]
Match = dict[
    str, Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)]
]
TIMES = ("event_at", "available_at", "event_us", "available_us", "sequence")
STAGED = {
    "part",
    "line",
    "extra",
    "from_us",
    "same_id",
    "copy",
    "broken_rule",
    *(f"{name}_hash" for name in PERSONAL),
}
RESERVED = {
    "lead_id",
    "currency",
    "spell",
    "seq",
    *TIMES,
    *STAGED,
}  # taken by us, so no field is called so
Amount = Annotated[float, Field(ge=-MOST_AMOUNT, le=MOST_AMOUNT)]
Days = Annotated[float, Field(ge=0, le=MOST_DAYS)]
Points = Annotated[float, Field(ge=0, le=MOST_POINTS)]
Share = Annotated[float, Field(ge=0, le=1)]
Letter = Literal["budget", "authority", "need", "timeline"]
TimeMode = Literal["dated", "ordered", "none"]
UNDATED_TABLES = ("leads", "outcomes")  # the rest tells when something happened


def _possible(path: Path) -> Path:
    if problem := path_problem(path):
        raise ValueError(problem)
    return path


FilePath = Annotated[Path, AfterValidator(_possible)]


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
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:  # OSError: no file can be called so
        raise ValueError(
            f"no such time zone: {shortened(value)}; an example is 'Europe/Berlin'"
        ) from e
    return value


class Frozen(BaseModel):
    """A section that cannot be changed, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Source(Frozen):
    """Files that an export left; what is not stated of how they are written is detected, and said."""

    path: FilePath = Field(
        description="a file, a folder or a pattern like 'events/2026-*.csv.gz', relative to input_folder; "
        "files end in .csv, .tsv (both also with .gz), .xlsx or .parquet"
    )
    sheet: str | None = Field(
        default=None, description="of an Excel file, by name; needed where it has several"
    )
    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="between the values of a text file; default: detected",
    )
    encoding: str | None = Field(
        default=None, description="of a text file, like 'cp1252'; default: detected"
    )
    header: bool | None = Field(
        default=None,
        description="whether the first row holds the names; without one they are '1', '2', ...",
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="the decimal mark; default: detected"
    )
    dates: Literal["dmy", "mdy"] | None = Field(
        default=None, description="the order in dates like 03/04/2025; without it they are refused"
    )
    timezone: str | None = Field(
        default=None, description="of times without a zone; default: the settings' zone"
    )
    known_until_column: str | None = Field(
        default=None,
        description="a column that holds the moment of the export; its latest value counts",
    )
    ignore: dict[Name, Match] = Field(
        default={}, description="rows to leave out, by name: column -> values"
    )

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        return None if value is None else checked_zone(value)

    @field_validator("delimiter")
    @classmethod
    def _parts_values(cls, value: str | None) -> str | None:
        if value is not None and value in "\"'\r\n\0":
            raise ValueError(f"{value!r} cannot stand between values; an example is ';'")
        return value

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                "".encode(value)
        except (LookupError, ValueError) as e:
            raise ValueError(
                f"no such encoding: {value!r}; examples are 'utf-8', 'cp1252' and 'utf-16'"
            ) from e
        return value


class Mapping(Frozen):
    """How rows of a source become rows of a table.

    In `where`, `where_not` and `values` a value may end in `*` for "begins with"; "" stands for a missing one.
    """

    source: str = Field(description="the name of a source")
    table: Literal["leads", "changes", "activities", "stages", "outcomes"] = Field(
        description="what the rows are"
    )
    columns: dict[str, str] = Field(description="our column -> the source's column")
    where: Match = Field(default={}, description="select rows: column -> values; all must hold")
    where_not: Match = Field(
        default={}, description="but not those: column -> values; none may hold"
    )
    values: dict[str, dict[str, dict[str, str]]] = Field(
        default={}, description="source column -> value -> our columns and the values they take"
    )
    constants: dict[str, str] = Field(
        default={}, description="our column -> the value it takes in every row"
    )

    def targets(self) -> set[str]:
        """Our columns that this entry fills."""
        mapped = {
            name
            for by_value in self.values.values()
            for targets in by_value.values()
            for name in targets
        }
        return set(self.columns) | set(self.constants) | mapped

    def sources(self) -> set[str]:
        """The source's columns that this entry reads."""
        return {*self.columns.values(), *self.where, *self.where_not, *self.values}


class LeadField(Frozen):
    """An attribute of a lead."""

    type: Literal["text", "number", "date"] = Field(
        default="text", description="how its values are read"
    )
    decimals: int = Field(
        default=2, ge=0, le=9, description="kept behind the point of a number; more are rounded"
    )
    known_from: Literal["creation", "export"] | None = Field(
        default=None,
        description="'creation' if its value in leads was known then, 'export' if from the first export that shows it "
        "on; else only its rows in changes are learned",
    )
    minimum: Amount | None = Field(
        default=None, description="a number below it breaks the rule `range`"
    )
    maximum: Amount | None = Field(
        default=None, description="a number above it breaks the rule `range`"
    )
    label: str | None = Field(default=None, description="what a person calls it; default: its name")
    learn: bool | None = Field(
        default=None,
        description="whether to learn from it; default: yes, but for fields that name our own people, such as owner_id",
    )


class BantLetter(Frozen):
    """How the field behind one letter of BANT becomes a strength from 0 to 1; exactly one way is given."""

    field: str = Field(description="the field that answers it")
    levels: tuple[str, ...] = Field(
        default=(), description="answers from weakest to strongest, evenly spaced"
    )
    titles: tuple[tuple[str, Share], ...] = Field(
        default=(),
        description="(pattern with *, strength); the first that matches counts, upper or lower case",
    )
    full_amount: float | None = Field(
        default=None, gt=0, le=MOST_AMOUNT, description="the amount at which the strength is 1"
    )
    within_days: tuple[Days, Days] | None = Field(
        default=None,
        description="(days ahead up to which a date has strength 1, days from which it has 0)",
    )

    @model_validator(mode="after")
    def _one_way(self) -> BantLetter:
        ways = [self.levels, self.titles, self.full_amount, self.within_days]
        if sum(bool(way) for way in ways) != 1:
            raise ValueError("give exactly one of levels, titles, full_amount, within_days")
        if len(self.levels) == 1 or len(set(self.levels)) < len(self.levels):
            raise ValueError("levels must be two or more different answers")
        if self.within_days and not 0 <= self.within_days[0] < self.within_days[1]:
            raise ValueError(
                "within_days must be two rising numbers of days, the first not negative"
            )
        return self

    def field_type(self) -> str:
        """Which type of field the chosen way can read."""
        return "number" if self.full_amount else "date" if self.within_days else "text"


class Stages(Frozen):
    """The sales pipeline's stages."""

    open: tuple[str, ...] = Field(
        default=(), description="in their order; entering one re-opens a closed lead"
    )
    won: tuple[str, ...] = Field(default=(), description="entering one closes the lead as won")
    lost: tuple[str, ...] = Field(default=(), description="entering one closes the lead as lost")

    @model_validator(mode="after")
    def _once_each(self) -> Stages:
        counts = Counter(self.open + self.lost + self.won)
        if twice := [stage for stage, n in counts.items() if n > 1]:
            raise ValueError(f"the stage {twice[0]!r} is named more than once")
        return self

    def closing(self) -> tuple[str, ...]:
        """The stages that close a lead."""
        return self.won + self.lost

    def order(self) -> dict[str, int]:
        """Each stage's place: open ones in their order, then the closing ones."""
        return {stage: i for i, stage in enumerate(self.open + self.lost + self.won)}


def _days_or_auto(value: object) -> object:
    """0 for "auto", until a history says how many; 0 itself is no number of days."""
    if value == 0:
        raise ValueError('must be 1 or more, or "auto"')
    return 0 if value == "auto" else value


class Target(Frozen):
    """What is predicted, and on which snapshots it is learned."""

    horizon_days: Annotated[int, BeforeValidator(_days_or_auto)] = Field(
        default=30,
        ge=0,
        le=3650,
        description="a win within so many days counts; 'auto': within which 90 % of wins arrive",
    )
    cadence_days: int = Field(
        default=1,
        ge=1,
        le=366,
        description="how often open leads are scored, hence the grid of snapshots",
    )
    max_per_lead: int = Field(default=6, ge=1, le=1000, description="snapshots kept of one spell")
    weight_cap: float = Field(
        default=10.0,
        ge=1,
        le=1000,
        description="the most that a snapshot can weigh for censored ones",
    )
    correction_days: float = Field(
        default=7,
        ge=0,
        le=366,
        description="a close within so many days of a spell's first one corrects its outcome",
    )
    undated_close: Literal["last_activity", "last_stage"] | None = Field(
        default=None,
        description="what stands for a close date that is missing or after the export: when the lead had its last "
        "activity, or entered its last stage; default: nothing, and what rests on that date is not learned from",
    )

    @field_serializer("horizon_days", when_used="json")
    def _days_or_auto_again(self, value: int) -> int | str:
        """What the settings said, so that they can be read again."""
        return value or "auto"


class Validation(Frozen):
    """How strictly exported rows are judged."""

    severity: dict[str, Severity] = Field(
        default={}, description="by rule: refuse the row, or keep it and warn"
    )
    alarms: dict[str, Answer] = Field(default={}, description="by alarm: stop, or warn")
    max_refused: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="stop if more than this share of a file's or a table's rows is refused",
    )
    max_shrink: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="alarm if more than this share of the leads, or of a table, is gone",
    )
    max_vanished: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="alarm if more than this share of a table's past facts is gone",
    )
    max_added: float = Field(
        default=0.05,
        ge=0,
        le=1000,
        description="alarm if a table's past facts are more than this share more than before",
    )
    max_closes_vanished: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="alarm if more than this share of the closed leads is open again",
    )

    @field_validator("severity", "alarms")
    @classmethod
    def _known(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        known = (
            sorted(ALARMS)
            if info.field_name == "alarms"
            else sorted(n for n, r in RULES.items() if r.choosable)
        )
        for name in value:
            if name not in known:
                raise ValueError(f"there is no choice for {name!r}{hint(name, known)}")
        return value

    def severity_of(self, rule: str) -> Severity:
        """What happens to a row that breaks a rule."""
        return self.severity.get(rule, RULES[rule].severity)

    def answer_to(self, alarm: str) -> Answer:
        """What happens when an alarm is raised."""
        return self.alarms.get(alarm, ALARMS[alarm].answer)


class Money(Frozen):
    """The one currency in which amounts are kept, and fixed rates into it."""

    currency: str = Field(pattern=CURRENCY, description="the currency that amounts are kept in")
    rates: dict[
        Annotated[str, Field(pattern=CURRENCY)], Annotated[Decimal, Field(gt=0, le=10**9)]
    ] = Field(default={}, description="currency -> what one unit of it is worth")

    def rate(self, currency: str) -> Decimal | None:
        """What a unit of a currency is worth; None if nobody says."""
        return Decimal(1) if currency == self.currency else self.rates.get(currency)


class AuditSettings(Frozen):
    """When a field looks too good to be true, and which fields are trusted all the same."""

    keep: tuple[str, ...] = Field(
        default=(), description="leaking fields to learn from nevertheless"
    )
    leak_auc: float = Field(
        default=0.85, gt=0.5, le=1, description="a field surely above it, alone, is a leak"
    )
    suspect_auc: float = Field(
        default=0.75, gt=0.5, le=1, description="a field surely above it, alone, is suspect"
    )


class Scorecard(Frozen):
    """Points of the scorecard, in log-odds: a lead that is e-times as likely to be won has one point more."""

    base_rate: float = Field(
        default=0.2, gt=0, lt=1, description="the share of leads you expect to win in the horizon"
    )
    budget: Points = Field(default=1.5, description="from the weakest to the strongest answer")
    authority: Points = Field(default=1.5, description="from the weakest to the strongest answer")
    need: Points = Field(default=1.5, description="from the weakest to the strongest answer")
    timeline: Points = Field(default=1.5, description="from the weakest to the strongest answer")
    recency: Points = Field(
        default=0.4, description="for an activity today rather than 1.7 days ago"
    )
    activity: Points = Field(
        default=0.25, description="for 1.7 activities in 30 days, and for e-times as many"
    )
    response: Points = Field(
        default=1.0, description="from all activities by the rep to all by the lead"
    )


class ModelSettings(Frozen):
    """Which scorer to use, and how long to search for the best trees."""

    scorer: Literal["auto", "scorecard", "logistic", "boosted", "average"] = Field(
        default="auto",
        description="'auto': the average of logistic and boosted, or one of them where it is clearly better; with "
        "fewer than 100 won and 100 other leads the simplest that is not clearly worse",
    )
    trials: int = Field(
        default=20,
        ge=1,
        le=1000,
        description="sizes of boosted trees that are tried on the rolling splits, or, undated, on folds",
    )
    time_limit_s: float | None = Field(
        default=None,
        gt=0,
        le=604_800,
        description="no trial begins after so many seconds of a training; the result then depends on the machine",
    )
    identical_rows: Literal["auto", "together", "apart"] = Field(
        default="auto",
        description="undated: whether leads of equal fields share a fold, as copies of one lead must; 'auto': only "
        "where no id is mapped, and there are fewer leads than combinations of values",
    )
    max_calibration_error: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="a model whose error is surely above it does not score by itself",
    )
    max_bias: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="nor one whose mean probability is surely further from the win rate",
    )
    segment: str | None = Field(
        default=None,
        description="a text field that divides the leads: quality is told, and promotion judged, for each",
    )
    segment_models: bool = Field(
        default=False,
        description="whether a segment gets a model of its own where that is clearly better",
    )

    outcome_delay: int | None = Field(
        default=None,
        ge=0,
        le=10**9,
        description="in time = 'ordered': after how many further leads an outcome is known; without it there is no "
        "running intercept",
    )

    @model_validator(mode="after")
    def _names_a_segment(self) -> ModelSettings:
        if self.segment_models and not self.segment:
            raise ValueError("segment_models: name the field that divides the leads: segment = ...")
        return self


def hint(word: str, known: list[str]) -> str:
    """The nearest known word for a mistyped one, else all that are known, to end a sentence with."""
    near = nearest(word, known)
    return (
        f"; did you mean {shortened(near, most=100)}?" if near else f"; known are {listed(known)}"
    )
