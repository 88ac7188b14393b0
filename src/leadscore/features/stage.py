"""Stage: where a lead stands in the sales pipeline, how it came there, and how long it has been there."""

from __future__ import annotations

from dataclasses import replace

from leadscore.engine.protocol import literal
from leadscore.features.feature import Feature
from leadscore.features.finish import Amount, Count, DaysSince, DaysSpent, Learned, Text
from leadscore.settings.activities import kind_slug
from leadscore.settings.stages import Stages

PLACE, TIME, MOVES = "stage_place", "stage_time", "stage_moves"  # what reasons speak of once


def build_stage(stages: Stages) -> list[Feature]:
    """The lead's age and spell, and, where the settings declare stages, its way through them."""
    born = {"leads": {"stage_born": "MAX(event_us)"}}
    spell = {"leads": {"stage_spell_n": "MAX(spell - 1)"}}
    age, again = "created {value} ago", "times re-opened: {value}"
    always = [
        Feature("stage_age", born, DaysSince("stage_born"), "days", age, age, "stage_age"),
        Feature(
            "stage_reopenings",
            spell,
            Count("stage_spell_n"),
            "count",
            again,
            again,
            "stage_reopenings",
        ),
    ]
    order = tuple(stages.order())
    way = [*_moves(), *(_days_in(stage, place) for place, stage in enumerate(stages.open, start=1))]
    if not stages.open:
        return always
    named = {"stage_order": order}
    return always + [
        replace(each, rests_on=order, value_names=named.get(each.name, ())) for each in way
    ]


def _days_in(stage: str, place: int) -> Feature:
    """The time spent in a stage, over all visits, the present one up to now."""
    column, until = (
        f"stage_spent_{place}",
        "CASE WHEN next_us IS NULL THEN as_of_us ELSE next_us END",
    )
    spent = {
        "stages": {column: f"SUM(CASE WHEN stage = {literal(stage)} THEN {until} - event_us END)"}
    }
    said = f"in the stage {stage} for {{value}} in all"
    return Feature(
        f"stage_days_in_{place}_{kind_slug(stage)}",
        spent,
        DaysSpent(column),
        "days",
        said,
        said,
        TIME,
    )


def _moves() -> list[Feature]:
    def latest(name: str, column: str) -> dict[str, dict[str, str]]:
        return {"stages": {name: f"MAX(CASE WHEN recency = 1 THEN {column} END)"}}

    def moves(name: str, sign: str) -> dict[str, dict[str, str]]:
        return {"stages": {name: f"COUNT(CASE WHEN stage_order {sign} previous_order THEN 1 END)"}}

    current, order, entered = (
        latest("stage_text", "stage"),
        latest("stage_place", "stage_order"),
        latest("stage_entered", "event_us"),
    )
    ahead, back = moves("stage_ahead", ">"), moves("stage_back", "<")
    days, times = "in its stage for {value}", "in its stage for {value} the usual time"
    forward, backward = (
        "moves forward through the stages: {value}",
        "moves back through the stages: {value}",
    )
    return [
        Feature(
            "stage_current",
            current,
            Text("stage_text"),
            "category",
            "has reached the stage {value}",
            "is still in the stage {value}",
            PLACE,
        ),
        Feature(
            "stage_order",
            order,
            Amount("stage_place"),
            "number",
            "has reached the stage {value}",
            "is still in the stage {value}",
            PLACE,
        ),
        Feature(
            "stage_days_in_current", entered, DaysSince("stage_entered"), "days", days, days, TIME
        ),
        Feature(
            "stage_moves_forward", ahead, Count("stage_ahead"), "count", forward, forward, MOVES
        ),
        Feature("stage_moves_back", back, Count("stage_back"), "count", backward, backward, MOVES),
        Feature(
            "stage_stalled",
            {},
            Learned(),
            "times",
            times,
            times,
            TIME,
            usual_for=("stage_days_in_current", "stage_current"),
        ),
    ]
