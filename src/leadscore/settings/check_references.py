"""Checks of sections that name fields, stages or questions declared in another section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.settings.base import hint
from leadscore.settings.memory import stored_fields

if TYPE_CHECKING:
    from leadscore.settings.settings import Settings


def check_references(settings: Settings) -> None:
    """Raise ValueError, in words for the user, where a section names what is not declared."""
    _check_zero(settings)
    _check_bant(settings)
    _check_audit(settings)
    _check_segment(settings)
    _check_routing(settings)
    _check_decisions(settings)


def _check_zero(settings: Settings) -> None:
    for name, field in settings.fields.items():
        if field.zero and name != "amount":
            raise ValueError(f"fields.{name}.zero: only amount can have it")


def _check_bant(settings: Settings) -> None:
    fields = settings.lead_fields()
    for letter, bant in settings.bant.items():
        if bant.field not in fields:
            raise ValueError(f"bant.{letter}: field {bant.field!r} is not declared under fields")
        declared = fields[bant.field].type
        needed = bant.field_type()
        if declared != needed:
            raise ValueError(
                f"bant.{letter}: field {bant.field!r} is of type {declared!r}, {needed!r} is needed"
            )


def _check_audit(settings: Settings) -> None:
    known = list(stored_fields(settings))
    for name in settings.audit.keep:
        if name not in known:
            raise ValueError(f"audit.keep: there is no field {name!r}{hint(name, known)}")


def _check_segment(settings: Settings) -> None:
    if settings.model.segment is not None:
        check_segment(settings, settings.model.segment, place="model.segment")


def check_segment(settings: Settings, name: str, *, place: str) -> None:
    """Refuse a segment that is no text field, or that the model may not know in time.

    Raises:
        ValueError: in words for the user; `place` is where they wrote the name.
    """
    _check_text_field(settings, place, name)
    known_from = settings.lead_fields()[name].known_from
    learned = settings.fields_of_leads() | settings.changing_fields()
    if known_from != "export" and name not in learned:
        raise ValueError(
            f"{place}: nothing says when {name!r} became known; give its history, or known_from"
        )


def _check_routing(settings: Settings) -> None:
    if settings.routing is None:
        return
    for criterion, name in settings.routing.match.columns().items():
        _check_text_field(settings, f"routing.match.{criterion}", name)


def _check_text_field(settings: Settings, place: str, name: str) -> None:
    known = settings.lead_fields()
    if name not in known:
        raise ValueError(f"{place}: there is no field {name!r}{hint(name, list(known))}")
    declared = known[name].type
    if declared != "text":
        raise ValueError(f"{place}: field {name!r} is of type {declared!r}, 'text' is needed")


def _check_decisions(settings: Settings) -> None:
    """Refuse actions for unknown stages, a capacity that nobody states, and unanswered questions."""
    stages = list(settings.stages.open)
    for stage in settings.actions.by_stage:
        if stage not in stages:
            raise ValueError(f"actions.by_stage: {stage!r} is no open stage{hint(stage, stages)}")

    tiers = settings.tiers
    if tiers.by == "capacity" and tiers.capacity is None and settings.routing is None:
        raise ValueError(
            "tiers.by = 'capacity': give tiers.capacity, or the list of reps under routing"
        )

    own_rules = settings.qualification.own_rules()
    if not settings.bant and any(rule.verdict == "needs_answers" for rule in own_rules):
        raise ValueError(
            "qualification: a rule gives needs_answers, and there is no question to ask: declare "
            "bant.budget, bant.authority, bant.need or bant.timeline"
        )

    unanswered = sorted(settings.qualification.letters() - set(settings.bant))
    if unanswered:
        letter = unanswered[0]
        raise ValueError(
            f"qualification asks for {letter}, and no field answers it: declare bant.{letter}"
        )
