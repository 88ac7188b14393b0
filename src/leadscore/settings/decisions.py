"""The sections `tiers`, `qualification` and `actions` of the settings: what a probability leads to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from leadscore.settings.limits import MOST_AMOUNT, MOST_DAYS
from leadscore.settings.sections import FilePath, Frozen, Letter, Share

Tier = Literal["A", "B", "C", "D"]
Verdict = Literal["sales_qualified", "nurture", "needs_answers", "disqualified"]
Action = Literal["call", "demo", "proposal", "revive", "ask for a decision", "close out as stalled"]


class Tiers(Frozen):
    """From which border on a lead is in tier A, B or C; the rest are D."""

    by: Literal["score", "probability", "capacity"] = Field(
        default="score",
        description="the borders are shares of the reference, probabilities, or what can be worked and is worth it",
    )
    a: float = Field(default=90, ge=0, le=100, description="A from this score, or probability, on")
    b: float = Field(default=70, ge=0, le=100, description="B from this score, or probability, on")
    c: float = Field(default=40, ge=0, le=100, description="C from this score, or probability, on")
    margin: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="how far beyond a border a lead must be to change its tier: points of score (default 2), "
        "probability (0.02), or, by capacity, a share of its place (0.05)",
    )
    capacity: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        description="by capacity: leads in A, as many in B, twice as many in C; default: the reps' places",
    )
    touch_cost: float = Field(
        default=0,
        ge=0,
        le=MOST_AMOUNT,
        description="by capacity: a lead whose expected value is not above it is D, always",
    )

    @model_validator(mode="after")
    def _falling(self) -> Tiers:
        if not self.a > self.b > self.c:
            raise ValueError(f"must fall: a > b > c, got {self.a}, {self.b}, {self.c}")
        if self.by == "probability" and self.a > 1:
            raise ValueError(
                f"by = 'probability': a, b and c are probabilities from 0 to 1, got a = {self.a}"
            )
        if self.by != "capacity" and self.capacity is not None:
            raise ValueError("capacity belongs to by = 'capacity'")
        if self.by != "capacity" and self.touch_cost:
            raise ValueError("touch_cost belongs to by = 'capacity'")
        return self

    def margins(self) -> float:
        """The margin, or its default."""
        return (
            {"score": 2.0, "probability": 0.02, "capacity": 0.05}[self.by]
            if self.margin is None
            else self.margin
        )


class Rule(Frozen):
    """A rule of qualification: where all that it states holds, it decides."""

    name: str = Field(description="shown as the reason")
    verdict: Verdict = Field(description="what the lead then is")
    tiers: tuple[Tier, ...] = Field(default=(), description="the tier is one of these")
    min_probability: float | None = Field(
        default=None, ge=0, le=1, description="the win probability is not below it"
    )
    max_probability: float | None = Field(
        default=None, ge=0, le=1, description="the win probability is not above it"
    )
    min_answers: int | None = Field(
        default=None, ge=0, le=4, description="so many BANT questions are answered"
    )
    max_answers: int | None = Field(
        default=None, ge=0, le=4, description="no more BANT questions are answered"
    )
    min_strength: dict[Letter, Share] = Field(
        default={}, description="the answer is known and not weaker"
    )
    max_strength: dict[Letter, Share] = Field(
        default={}, description="the answer is known and not stronger"
    )


DEFAULT_RULES = (
    Rule(
        name="no need, and not promising",
        verdict="disqualified",
        tiers=("D",),
        max_strength={"need": 0.0},
    ),
    Rule(
        name="promising, and enough is answered",
        verdict="sales_qualified",
        tiers=("A", "B"),
        min_answers=2,
    ),
    Rule(name="promising, but too little answered", verdict="needs_answers", tiers=("A", "B")),
    Rule(name="not promising yet", verdict="nurture"),
)


class Qualification(Frozen):
    """Who is qualified: the first rule that holds decides, after what must be known, and overrides win."""

    must_have: tuple[Letter, ...] = Field(
        default=(), description="questions whose answer must be known, and not the weakest one"
    )
    rules: tuple[Rule, ...] = Field(
        default=DEFAULT_RULES, description="in their order; if none holds: nurture"
    )
    overrides: FilePath | None = Field(
        default=None,
        description="a file, relative to input_folder: lead_id, action (exclude, qualify, tier), value, until, by, why",
    )

    def letters(self) -> set[str]:
        """The questions that must-haves and rules of one's own ask for."""
        rules = () if self.rules == DEFAULT_RULES else self.rules
        return {
            *self.must_have,
            *(letter for rule in rules for letter in (*rule.min_strength, *rule.max_strength)),
        }


class Actions(Frozen):
    """What to do next with a lead, by where it stands."""

    by_stage: dict[str, Action] = Field(
        default={}, description="open stage -> action; others by their place among the stages"
    )
    revive_days: float = Field(
        default=30, gt=0, le=MOST_DAYS, description="without any activity for so long: revive"
    )
    stalled_times: float = Field(
        default=3,
        gt=0,
        le=1000,
        description="in a stage for so many times the usual time, and D: close out as stalled",
    )
