"""The section `qualification`: whether a lead is ready for sales, and what must be asked first."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadscore.settings.base import FilePath, Frozen, Letter, Share
from leadscore.settings.tiers import Tier

Verdict = Literal["sales_qualified", "nurture", "needs_answers", "disqualified"]


class Rule(Frozen):
    """A rule of qualification: it decides where all its conditions hold."""

    name: str = Field(description="name of the rule, shown as the reason")
    verdict: Verdict = Field(description="what a lead is if the rule holds")
    tiers: tuple[Tier, ...] = Field(default=(), description="the tier is one of these")
    min_probability: Share | None = Field(
        default=None, description="the win probability is at least this"
    )
    max_probability: Share | None = Field(
        default=None, description="the win probability is at most this"
    )
    min_answers: int | None = Field(
        default=None, ge=0, le=4, description="at least so many BANT questions are answered"
    )
    max_answers: int | None = Field(
        default=None, ge=0, le=4, description="at most so many BANT questions are answered"
    )
    min_strength: dict[Letter, Share] = Field(
        default={}, description="letter -> strength; the answer is known and at least as strong"
    )
    max_strength: dict[Letter, Share] = Field(
        default={}, description="letter -> strength; the answer is known and at most as strong"
    )

    def letters(self) -> set[str]:
        """The letters of BANT whose answers the rule looks at."""
        return {*self.min_strength, *self.max_strength}


DEFAULT_RULES = (
    Rule(
        name="no need, and not promising",
        verdict="disqualified",
        tiers=("D",),
        max_strength={"need": 0.0},
    ),
    Rule(
        name="promising, but states no need",
        verdict="needs_answers",
        tiers=("A", "B"),
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
    """How a lead is qualified: overrides come first, then required answers, then the first rule that holds."""

    must_have: tuple[Letter, ...] = Field(
        default=(), description="letters of BANT whose answer must be known, and not the weakest"
    )
    rules: tuple[Rule, ...] = Field(
        default=DEFAULT_RULES,
        description="the rules in their order; if none holds, the lead is `nurture`",
    )
    overrides: FilePath | None = Field(
        default=None,
        description="file of decisions made by hand, relative to `input_folder`, with the columns "
        "lead_id, action (exclude, qualify, tier), value, until, by, why",
    )

    def letters(self) -> set[str]:
        """The letters of BANT that `must_have` and the project's own rules ask for."""
        letters: set[str] = set(self.must_have)
        for rule in self.own_rules():
            letters |= rule.letters()
        return letters

    def own_rules(self) -> tuple[Rule, ...]:
        """The rules that the project states itself."""
        return () if self.rules == DEFAULT_RULES else self.rules
