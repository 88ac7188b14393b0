"""What a person has to confirm before a model scores: that fields were known by then.

No figure can tell a weak leak from a sound field. Where nothing is dated, somebody who knows the
fields is asked.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from leadscore.audit.checks.late_name import confirmed_fields
from leadscore.audit.verdict import FieldVerdict
from leadscore.results import Confirmation, Question
from leadscore.settings.settings import Settings

STRONGEST = 3  # fields: a leak that matters is among the strongest, or suspect
MOSTLY = 0.5  # of the score: with less, no answer about fields can account for how good a model is
TOO_GOOD = 0.95  # AUC of a whole model, which no honest forecast of what buyers will do reaches


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
    asked = _list_asked(learned)
    confirmed = confirmed_fields(settings)
    questions = [question for question in asked if question.field not in confirmed]
    if questions:
        return Confirmation(
            why=_why(questions, auc=auc if too_good else None),
            questions=_labelled(questions, settings),
            lines=_lines(questions, settings),
        )

    all_confirmed = len(asked) > 0
    return _explain_nothing(auc) if too_good and not all_confirmed else None


def _list_asked(learned: Sequence[FieldVerdict]) -> list[Question]:
    """The suspect fields, and the strongest ones; a field that is both counts as suspect."""
    suspects = _ask_suspects(learned)
    strongest = _ask_strongest(learned)
    return _once([*suspects, *strongest])


def still_to_confirm(asked: Confirmation | None, settings: Settings) -> str | None:
    """Why a model that was trained before may not score yet.

    None where all that was asked of it is confirmed by now.

    Args:
        asked: what its training asked.
        settings: whose `known_from` and `audit.keep` confirm fields.
    """
    if asked is None:
        return None
    fields = {question.field for question in asked.questions}
    is_confirmed = bool(fields) and fields <= confirmed_fields(settings)
    return None if is_confirmed else asked.why


def _ask_suspects(learned: Iterable[FieldVerdict]) -> list[Question]:
    suspects = [verdict for verdict in learned if verdict.verdict == "suspect"]
    questions = []
    for verdict in suspects:
        why = f"suspect: {verdict.in_words()}"
        questions.append(Question(field=verdict.field, why=why))
    return questions


def _ask_strongest(learned: Iterable[FieldVerdict]) -> list[Question]:
    """The fields that predict best alone, of those that surely predict anything."""
    aucs = {verdict.field: verdict.auc for verdict in learned if verdict.auc}
    predictive = [(field, auc) for field, auc in aucs.items() if auc.low > 0.5]
    strongest_first = sorted(predictive, key=lambda pair: (-pair[1].value, pair[0]))
    questions = []
    for field, auc in strongest_first[:STRONGEST]:
        why = f"among the strongest: {auc.in_words()}"
        questions.append(Question(field=field, why=why))
    return questions


def _once(questions: Iterable[Question]) -> list[Question]:
    """Each field's first question."""
    by_field: dict[str, Question] = {}
    for question in questions:
        by_field.setdefault(question.field, question)
    return list(by_field.values())


def _labelled(questions: Iterable[Question], settings: Settings) -> list[Question]:
    """The questions with the labels of their fields."""
    fields = settings.lead_fields()
    labelled = []
    for question in questions:
        field = fields.get(question.field)
        label = None if field is None else field.label
        labelled.append(question.model_copy(update={"label": label}))
    return labelled


def _why(questions: Sequence[Question], *, auc: float | None) -> str:
    fields = ", ".join(question.field for question in questions)
    if auc is None:
        reason = "it is not known when fields were filled in"
    else:
        reason = (
            f"an AUC of {auc:.3f} is above {TOO_GOOD}, "
            "and usually means that a field reveals the outcome"
        )
    action = "confirm in the settings that these were known when their leads were to be scored"
    return f"{reason}; {action}: {fields}"


def _explain_nothing(auc: float | None) -> Confirmation:
    """A model that is too good, where no answer about a field could explain it."""
    why = (
        f"an AUC of {auc:.3f} is above {TOO_GOOD}, and no field accounts for it: "
        "look for activities and stages that are entered with the outcome but dated before it"
    )
    return Confirmation(why=why, questions=[], lines="")


def _lines(questions: Sequence[Question], settings: Settings) -> str:
    """The lines to paste: a section for each field, or, in a dated project, the fields to keep."""
    names = [question.field for question in questions]
    if not settings.is_dated:
        sections = [_section_of_field(name, settings) for name in names]
        return "\n\n".join(sections)
    stated = settings.audit.model_dump(mode="json", exclude_unset=True)
    stated["keep"] = [*settings.audit.keep, *names]
    return _section("audit", stated)


def _section_of_field(name: str, settings: Settings) -> str:
    """The settings of a field, as a TOML section, with `known_from = "creation"` added."""
    field = settings.lead_fields()[name]
    stated = field.model_dump(mode="json", exclude_unset=True)
    stated["known_from"] = "creation"
    return _section(f"fields.{name}", stated)


def _section(header: str, entries: Mapping[str, Any]) -> str:
    """A TOML section, without the entries that are None."""
    lines = [f"[{header}]"]
    for key, value in entries.items():
        if value is not None:
            lines.append(f"{key} = {_as_toml(value)}")
    return "\n".join(lines)


def _as_toml(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    """A TOML basic string; JSON writes the same escapes, but leaves DEL as it is."""
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted.replace("\x7f", "\\u007f")
