"""The section `model`: which model to train, and when it may be promoted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from leadscore.settings.base import Frozen, Share


class ModelSettings(Frozen):
    """Which model to train, how long to search for the best trees, and when it may be promoted."""

    scorer: Literal["auto", "scorecard", "logistic", "boosted", "average"] = Field(
        default="auto",
        description="`auto`: the average of logistic and boosted, or one of them where it is "
        "clearly better; with fewer than 100 won and 100 other leads, the simplest scorer that is "
        "not clearly worse",
    )
    trials: int = Field(
        default=20,
        ge=1,
        le=1000,
        description="sizes of boosted trees to try on the rolling splits; "
        "without dates at most three, on folds; 1 for no search",
    )
    time_limit_s: float | None = Field(
        default=None,
        gt=0,
        le=604_800,
        description="seconds of a training after which no trial begins; "
        "the result then depends on the machine",
    )
    identical_rows: Literal["auto", "together", "apart"] = Field(
        default="auto",
        description="without dates: whether leads that are equal in all fields share a fold, as "
        "copies of one lead must; `auto`: only where no id is mapped and there are fewer leads than "
        "combinations of values",
    )
    max_calibration_error: Share = Field(
        default=0.05,
        description="a model whose calibration error is clearly above this (its whole confidence "
        "interval) is not promoted automatically, but for "
        "[one exception](operate.md#when-a-new-model-takes-over)",
    )
    max_bias: Share = Field(
        default=0.05,
        description="a model whose mean probability is clearly further from the win rate than this "
        "is not promoted automatically, with the same exception",
    )
    segment: str | None = Field(
        default=None,
        description="text field that divides the leads: quality is reported, and promotion "
        "decided, for each of its values",
    )
    segment_models: bool = Field(
        default=False,
        description="whether a segment gets a model of its own where that is clearly better",
    )

    outcome_delay: int | None = Field(
        default=None,
        ge=0,
        le=10**9,
        description='only with `time = "ordered"`: the number of further leads after which an '
        "outcome is known; without it there is no running intercept",
    )

    @model_validator(mode="after")
    def _segment_is_named(self) -> ModelSettings:
        if self.segment_models and not self.segment:
            raise ValueError("segment_models: name the field that divides the leads: segment = ...")
        return self
