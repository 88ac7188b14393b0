"""Stage: where a lead stands in the sales pipeline, how it came there, and how long it has been there."""

from __future__ import annotations

from leadscore.features.feature import Feature
from leadscore.features.finish import Amount, Count, DaysSince, Learned, Text


def build_stage(*, has_stages: bool) -> list[Feature]:
    """The lead's age and spell, and, where the settings declare stages, its way through them."""
    born = {"stage_born": "MAX(event_us)"}
    spell = {"stage_spell_n": "MAX(spell - 1)"}
    always = [
        Feature("stage_age", {"leads": born}, DaysSince(*born), "days", "created {value} ago", "created {value} ago"),
        Feature("stage_reopenings", {"leads": spell}, Count(*spell), "count",
                "re-opened: {value} times", "re-opened: {value} times"),
    ]  # fmt: skip
    return always + (_moves() if has_stages else [])


def _moves() -> list[Feature]:
    current = {"stage_current_text": "MAX(CASE WHEN recency = 1 THEN stage END)"}
    order = {"stage_order_n": "MAX(CASE WHEN recency = 1 THEN stage_order END)"}
    entered = {"stage_entered": "MAX(CASE WHEN recency = 1 THEN event_us END)"}
    ahead = {"stage_forward_n": "COUNT(CASE WHEN stage_order > previous_order THEN 1 END)"}
    back = {"stage_back_n": "COUNT(CASE WHEN stage_order < previous_order THEN 1 END)"}
    return [
        Feature("stage_current", {"stages": current}, Text(*current), "category",
                "has reached the stage {value}", "is still in the stage {value}"),
        Feature("stage_order", {"stages": order}, Amount(*order), "number",
                "has come to stage {value} of the pipeline", "is only at stage {value} of the pipeline"),
        Feature("stage_days_in_current", {"stages": entered}, DaysSince(*entered), "days",
                "in its stage for {value}", "in its stage for {value}"),
        Feature("stage_moves_forward", {"stages": ahead}, Count(*ahead), "count",
                "{value} moves forward", "{value} moves forward"),
        Feature("stage_moves_back", {"stages": back}, Count(*back), "count", "{value} moves back", "{value} moves back"),
        Feature("stage_stalled", {}, Learned(), "number",
                "in its stage for {value} times the usual time", "in its stage for {value} times the usual time",
                usual_for=("stage_days_in_current", "stage_current")),
    ]  # fmt: skip
