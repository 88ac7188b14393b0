"""A field that is named like what is written after the outcome: a reason to ask, and no more."""

from __future__ import annotations

from collections.abc import Collection

from leadscore.audit.checks.outcome import OwnAuc
from leadscore.audit.finding import Finding
from leadscore.audit.names import late_words
from leadscore.settings.settings import Settings

NAMED_AUC = (
    0.51  # surely, before a name is a reason to ask: a field that tells nothing does no harm
)


def confirmed_fields(settings: Settings) -> set[str]:
    """The fields that the settings vouch for: kept by name, or, undated, known from creation.

    Where leads are dated, `known_from` is needed to learn from a field at all: it was stated before
    the evidence.
    """
    confirmed = set(settings.audit.keep)
    if not settings.is_dated:
        fields = settings.lead_fields()
        confirmed |= {name for name, field in fields.items() if field.known_from == "creation"}
    return confirmed


def check_late_name(
    field: str,
    auc: OwnAuc | None,
    *,
    names: Collection[str],
    settings: Settings,
) -> Finding | None:
    """A field that predicts the outcome, named like what follows it, known nobody says when.

    Where leads are dated there is no need to ask: a field has a history, or the settings say since
    when it is known, or it is not learned from.
    """
    if settings.is_dated or field in confirmed_fields(settings):
        return None
    words = late_words(names)
    if not words or auc is None or auc.low < NAMED_AUC:
        return None
    evidence = f"its name contains {', '.join(words)}: was it filled in after the outcome?"
    numbers = {"words": list(words), "auc": auc.value, "low": auc.low}
    return Finding("late_name", "suspect", evidence, numbers)
