"""The section `stages`: the steps of the sales pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import Field, model_validator

from leadscore.settings.base import Days, Frozen, hint


class Stages(Frozen):
    """The stages of the sales pipeline."""

    preset: str | None = Field(
        default=None,
        description="a common sales pipeline, with its actions, over which the keys of this "
        "section and `actions.by_stage` are laid: see "
        "[the sales pipeline](funnel.md#stages-of-your-own)",
    )
    open: tuple[str, ...] = Field(
        default=(), description="open stages in their order; entering one reopens a closed lead"
    )
    won: tuple[str, ...] = Field(default=(), description="stages that close a lead as won")
    lost: tuple[str, ...] = Field(default=(), description="stages that close a lead as lost")
    after_sale: tuple[str, ...] = Field(
        default=(),
        description="stages after the sale, such as onboarding; entering one reopens no lead",
    )
    review: tuple[str, ...] = Field(
        default=(),
        description="stages in which a won or lost lead is reviewed; entering one reopens no lead",
    )
    pipelines: dict[str, tuple[str, ...]] = Field(
        default={},
        description="pipeline -> its open stages, where several stand side by side, as new business "
        "and renewal: each is a run of `open`, and a stage of both has a name in each",
    )
    qualification: tuple[str, ...] = Field(
        default=(),
        description="open stages in which leads are qualified, which the funnel marks",
    )
    moves: dict[str, tuple[str, ...]] = Field(
        default={},
        description="open stage -> open stages that may follow it; the funnel counts other moves, "
        "none is refused; default: any may follow",
    )
    stalled_days: dict[str, Days] = Field(
        default={},
        description="open stage -> days after which a lead in it counts as stalled; default: the "
        "days within which 90% leave the stage",
    )

    @model_validator(mode="after")
    def _no_repeats(self) -> Stages:
        counts = Counter(self.open + self.lost + self.won + self.after_close())
        repeated = [stage for stage, count in counts.items() if count > 1]
        if repeated:
            raise ValueError(f"the stage {repeated[0]!r} is named more than once")
        return self

    @model_validator(mode="after")
    def _only_open_stages(self) -> Stages:
        self._check_open("qualification", self.qualification)
        self._check_open("stalled_days", self.stalled_days)
        self._check_open("moves", self.moves)
        for stage, following in self.moves.items():
            self._check_open(f"moves.{stage}", following)
        return self

    @model_validator(mode="after")
    def _pipelines_are_runs(self) -> Stages:
        in_order = [stage for stages in self.pipelines.values() for stage in stages]
        for name, stages in self.pipelines.items():
            if not name.strip():
                raise ValueError("pipelines: each needs a name")
            if not stages:
                raise ValueError(f"pipelines.{name}: list its open stages")
            self._check_open(f"pipelines.{name}", stages)
        if not self.pipelines or tuple(in_order) == self.open:
            return self
        missing = [repr(stage) for stage in self.open if stage not in in_order]
        if missing:
            raise ValueError(f"pipelines: the open stages {', '.join(missing)} are in none")
        raise ValueError("pipelines: list their stages in the order of `open`, each of them once")

    def _check_open(self, key: str, stages: Iterable[str]) -> None:
        for stage in stages:
            if stage not in self.open:
                raise ValueError(f"{key}: {stage!r} is no open stage{hint(stage, self.open)}")

    def closing(self) -> tuple[str, ...]:
        """The stages that close a lead."""
        return self.won + self.lost

    def after_close(self) -> tuple[str, ...]:
        """The stages that a closed lead may enter without being re-opened."""
        return self.after_sale + self.review

    def order(self) -> dict[str, int]:
        """Each stage's rank: the open ones in their order, then the closing ones, then the rest."""
        stages = self.open + self.lost + self.won + self.after_close()
        return {stage: rank for rank, stage in enumerate(stages)}

    def pipeline_of(self, stage: str) -> str:
        """The pipeline of an open stage; empty where there is only one."""
        for name, stages in self.pipelines.items():
            if stage in stages:
                return name
        return ""

    def begins(self, stage: str) -> bool:
        """Whether an open stage is the first of its pipeline."""
        stages = self.pipelines.get(self.pipeline_of(stage), self.open)
        return stage == stages[0]

    def allows(self, stage: str, following: str) -> bool:
        """Whether a lead may move from an open stage to another one."""
        return stage not in self.moves or following in self.moves[stage]
