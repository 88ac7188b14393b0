"""Stage: where a lead stands in the sales pipeline, how it came there, and since when."""

from __future__ import annotations

from dataclasses import dataclass, replace

from leadscore.engine.protocol import literal
from leadscore.features.feature import Feature
from leadscore.features.finish import Amount, Count, DaysSince, DaysSpent, Learned, Text
from leadscore.features.phrases import Phrase, both
from leadscore.settings.activities import kind_slug
from leadscore.settings.stages import Stages

FEW_DAYS = 14
NOTICEABLY = 1.25  # times the usual
GROUP = "stage"  # one, since its place, its time and its way say much the same


def build_stage(stages: Stages) -> list[Feature]:
    """The lead's age and spell, and, where the settings declare stages, its way through them."""
    if not stages.open:
        return _build_spell()
    order = tuple(stages.order())
    way = _build_place() + _build_moves()
    for place, stage in enumerate(stages.open, start=1):
        way.append(_build_days_in(stage, place))
    return _build_spell() + [_rest_on(order, feature) for feature in way]


def _rest_on(order: tuple[str, ...], feature: Feature) -> Feature:
    """The feature, with the order of the stages as what its values rest on, and as their names."""
    if feature.name != "stage_order":
        return replace(feature, rests_on=order)
    return replace(feature, rests_on=order, phrase=replace(feature.phrase, values=order))


def _build_spell() -> list[Feature]:
    return [
        Feature(
            name="stage_age",
            columns={"leads": {"stage_born": "MAX(event_us)"}},
            finish=DaysSince("stage_born"),
            unit="days",
            phrase=both("age of the lead", "Came in {ago}"),
            group=GROUP,
        ),
        Feature(
            name="stage_reopenings",
            columns={"leads": {"stage_spell_n": "MAX(spell - 1)"}},
            finish=Count("stage_spell_n"),
            unit="count",
            phrase=both(
                "re-openings so far",
                "Re-opened {value} times",
                one="Re-opened once",
                counted=True,
            ),
            group="stage_reopenings",
        ),
    ]


def _build_place() -> list[Feature]:
    return [
        Feature(
            name="stage_current",
            columns=_latest("stage_text", "stage"),
            finish=Text("stage_text"),
            unit="category",
            phrase=Phrase("stage", "Has reached {value}", "Still in {value}"),
            group=GROUP,
        ),
        Feature(
            name="stage_order",
            columns=_latest("stage_place", "stage_order"),
            finish=Amount("stage_place"),
            unit="number",
            phrase=Phrase("stage", "Has reached {value}", "Still in {value}"),
            group=GROUP,
        ),
        Feature(
            name="stage_days_in_current",
            columns=_latest("stage_entered", "event_us"),
            finish=DaysSince("stage_entered"),
            unit="days",
            phrase=_days_in("days in the present stage", "In {stage} for {value}"),
            group=GROUP,
        ),
    ]


def _build_moves() -> list[Feature]:
    return [
        Feature(
            name="stage_moves_forward",
            columns=_count_moves("stage_ahead", ">"),
            finish=Count("stage_ahead"),
            unit="count",
            phrase=Phrase(
                "moves forward through the stages",
                "Moved forward, now in {stage}",
                "Moved forward, now in {stage}",
                counted=True,
                none="Has not moved forward yet",
                named=_moved_forward,
            ),
            group=GROUP,
        ),
        Feature(
            name="stage_moves_back",
            columns=_count_moves("stage_back", "<"),
            finish=Count("stage_back"),
            unit="count",
            phrase=both(
                "moves back through the stages",
                "{value} moves back, now in {stage}",
                one="1 move back, now in {stage}",
                counted=True,
            ),
            group=GROUP,
        ),
        _build_stalled(),
    ]


def _build_stalled() -> Feature:
    return Feature(
        name="stage_stalled",
        columns={},
        finish=Learned(),
        unit="times",
        phrase=Phrase(
            "time in the present stage, compared with the usual",
            "In {stage} for {spent}; usual: {usual}",
            "In {stage} for {spent}; usual: {usual}",
            named=_stalled,
        ),
        group=GROUP,
        usual_for=("stage_days_in_current", "stage_current"),
    )


def _build_days_in(stage: str, place: int) -> Feature:
    """The time spent in a stage, over all visits, the present one up to as_of."""
    column = f"stage_spent_{place}"
    until = "CASE WHEN next_us IS NULL THEN as_of_us ELSE next_us END"
    spent = f"SUM(CASE WHEN stage = {literal(stage)} THEN {until} - event_us END)"
    return Feature(
        name=f"stage_days_in_{place}_{kind_slug(stage)}",
        columns={"stages": {column: spent}},
        finish=DaysSpent(column),
        unit="days",
        phrase=_days_in(f"days in {stage}", f"Spent {{value}} in {stage}", counted=True),
        group=GROUP,
        is_summary=True,
    )


def _moved_forward(moves: float, speaks_for: bool) -> str:
    if speaks_for:
        return "Has moved forward to {stage}"
    times = "once" if moves == 1 else "{value} times"
    return f"Moved forward only {times}, now in {{stage}}"


def _stalled(multiple: float, _speaks_for: bool) -> str:
    """About the usual time is no reason."""
    if 1 / NOTICEABLY <= multiple <= NOTICEABLY:
        return ""
    return "In {stage} for {spent}; usual: {usual}"


def _days_in(subject: str, sentence: str, *, counted: bool = False) -> Phrase:
    """Days in a stage; a few of them, where they speak for a lead, are "only" so many."""
    named = _FewDays(sentence)
    return Phrase(subject, sentence, sentence, counted=counted, named=named)


@dataclass(frozen=True)
class _FewDays:
    sentence: str

    def __call__(self, days: float, speaks_for: bool) -> str:
        is_short = speaks_for and 1 <= days < FEW_DAYS
        return self.sentence.replace("{value}", "only {value}", 1) if is_short else self.sentence


def _latest(name: str, column: str) -> dict[str, dict[str, str]]:
    """A column of the stage that the lead entered last."""
    return {"stages": {name: f"MAX(CASE WHEN recency = 1 THEN {column} END)"}}


def _count_moves(name: str, sign: str) -> dict[str, dict[str, str]]:
    """How many stages were entered from one that is earlier (">") or later ("<")."""
    return {"stages": {name: f"COUNT(CASE WHEN stage_order {sign} previous_order THEN 1 END)"}}
