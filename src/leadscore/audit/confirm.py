"""What a person has to confirm before a model scores: that fields were known by then.

No figure can tell a weak leak from a sound field. Where nothing is dated, somebody who knows the
fields is asked.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from leadscore.audit.checks.late_name import confirmed_fields
from leadscore.audit.verdict import FieldVerdict
from leadscore.settings.settings import Settings

STRONGEST = 3  # fields: a leak that matters is among the strongest, or suspect
MOSTLY = 0.5  # of the score: with less, no answer about fields can account for how good a model is
TOO_GOOD = 0.95  # AUC of a whole model, which no honest forecast of what buyers will do reaches


@dataclass(frozen=True)
class Question:
    """A field that has to be confirmed, and why."""

    field: str
    why: str
    label: str | None = None


@dataclass(frozen=True)
class Confirmation:
    """What has to be confirmed before a model is promoted, and the settings that do so."""

    why: str
    questions: tuple[Question, ...]
    lines: str

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self) | {"questions": [asdict(question) for question in self.questions]}


def build_confirmation(
    verdicts: Sequence[FieldVerdict],
    settings: Settings,
    *,
    left_out: Collection[str],
    auc: float | None,
    share_of_fields: float = 1.0,
) -> Confirmation | None:
    """What to ask before a model is promoted.

    None where there is nothing to ask, or all of it is confirmed.

    Args:
        verdicts: on the fields that may be learned from.
        settings: whose `known_from` and `audit.keep` confirm fields.
        left_out: fields that the model does without.
        auc: of the model, on held-out leads.
        share_of_fields: from 0 to 1, how much of the score comes from fields, not from activities
            or stages.
    """
    too_good = auc is not None and auc > TOO_GOOD
    if settings.is_dated and not too_good:
        return None
    if too_good and share_of_fields < MOSTLY:
        return _explain_nothing(auc)

    learned = [verdict for verdict in verdicts if verdict.field not in left_out]
    asked = _once([*_ask_suspects(learned), *_ask_strongest(learned)])
    confirmed = confirmed_fields(settings)
    questions = [question for question in asked if question.field not in confirmed]
    if questions:
        why = _why(questions, auc=auc if too_good else None)
        return Confirmation(why, _labelled(questions, settings), _lines(questions, settings))

    all_confirmed = len(asked) > 0
    return _explain_nothing(auc) if too_good and not all_confirmed else None


def still_to_confirm(asked: Mapping[str, Any] | None, settings: Settings) -> str | None:
    """Why a model that was trained before may not score yet.

    None where all that was asked of it is confirmed by now.

    Args:
        asked: what its training asked, as `Confirmation.as_json` gives it.
        settings: whose `known_from` and `audit.keep` confirm fields.
    """
    if asked is None:
        return None
    fields = {question["field"] for question in asked["questions"]}
    is_confirmed = bool(fields) and fields <= confirmed_fields(settings)
    return None if is_confirmed else str(asked["why"])


def _ask_suspects(learned: Iterable[FieldVerdict]) -> list[Question]:
    return [
        Question(verdict.field, f"suspect: {verdict.in_words()}")
        for verdict in learned
        if verdict.verdict == "suspect"
    ]


def _ask_strongest(learned: Iterable[FieldVerdict]) -> list[Question]:
    """The fields that predict best alone, of those that surely predict anything."""
    aucs = {verdict.field: verdict.auc for verdict in learned if verdict.auc}
    predictive = {field: auc for field, auc in aucs.items() if auc.low > 0.5}
    strongest = sorted(predictive, key=lambda field: (-predictive[field].value, field))[:STRONGEST]
    return [
        Question(field, f"among the strongest: {predictive[field].in_words()}")
        for field in strongest
    ]


def _once(questions: Iterable[Question]) -> list[Question]:
    """Each field's first question."""
    by_field: dict[str, Question] = {}
    for question in questions:
        by_field.setdefault(question.field, question)
    return list(by_field.values())


def _labelled(questions: Iterable[Question], settings: Settings) -> tuple[Question, ...]:
    """The questions with the labels of their fields."""
    labels = {name: field.label for name, field in settings.lead_fields().items()}
    return tuple(replace(question, label=labels.get(question.field)) for question in questions)


def _why(questions: Sequence[Question], *, auc: float | None) -> str:
    fields = ", ".join(question.field for question in questions)
    if auc is None:
        reason = "nothing says when fields were known"
    else:
        reason = (
            f"an AUC of {auc:.3f} is above {TOO_GOOD}, "
            "and most often means that a field tells the outcome"
        )
    action = "confirm in the settings that these were known when their leads were to be scored"
    return f"{reason}; {action}: {fields}"


def _explain_nothing(auc: float | None) -> Confirmation:
    """A model that is too good, where no answer about a field could explain it."""
    why = (
        f"an AUC of {auc:.3f} is above {TOO_GOOD}, and no field accounts for it: "
        "look for activities and stages that are entered with the outcome but dated before it"
    )
    return Confirmation(why, questions=(), lines="")


def _lines(questions: Sequence[Question], settings: Settings) -> str:
    """The lines to paste: a section for each field, or, in a dated project, the fields to keep."""
    names = [question.field for question in questions]
    if not settings.is_dated:
        return "\n\n".join(_section(name, settings) for name in names)
    stated = settings.audit.model_dump(mode="json", exclude_unset=True)
    keep = {"keep": [*settings.audit.keep, *names]}
    return "\n".join(["[audit]", *_entries(stated | keep)])


def _section(name: str, settings: Settings) -> str:
    """The settings of a field, as a TOML section, with `known_from = "creation"` added."""
    stated = settings.lead_fields()[name].model_dump(mode="json", exclude_unset=True)
    return "\n".join([f"[fields.{name}]", *_entries(stated | {"known_from": "creation"})])


def _entries(section: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_as_toml(value)}" for key, value in section.items() if value is not None]


def _as_toml(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON writes the same escapes, but leaves DEL as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
