"""Where leads are lost, which wait, and what winners have in common, of an opened history."""

from __future__ import annotations

from typing import Any

import pandas as pd

from leadscore.funnel.contact import describe_contact
from leadscore.funnel.early import list_segments
from leadscore.funnel.landmark import list_followed
from leadscore.funnel.losses import describe_losses
from leadscore.funnel.patterns import describe_patterns
from leadscore.funnel.spells import count_endings
from leadscore.funnel.waiting import (
    describe_stalled,
    describe_undecided,
    describe_untouched,
    find_stalled,
)
from leadscore.history.losses import read_open_visits
from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.results.funnel import StageFlow
from leadscore.results.losses import Pattern


def measure_losses(
    history: History,
    span: Span,
    *,
    visits: pd.DataFrame,
    spells: pd.DataFrame,
    flows: list[StageFlow],
    within_days: float,
) -> dict[str, Any]:
    """The parts of a `Funnel` about losses, waiting leads and patterns, by their names.

    Args:
        history: of the project.
        span: the period.
        visits: as `count_visits_by_reason` returns them.
        spells: as `list_endings` returns them.
        flows: the stages.
        within_days: in which wins count.
    """
    open_visits = read_open_visits(history, span)
    stalled = find_stalled(open_visits, visits, flows)
    responded = history.facts.last_active(span.known_us, actors=("lead",))
    parts: dict[str, Any] = {
        "losses": describe_losses(visits, history.settings.stages.open),
        "stalled": describe_stalled(stalled),
        "undecided": describe_undecided(stalled, responded, known_us=span.known_us),
        "patterns": _describe_patterns(history, list_followed(spells, span), within_days),
    }
    if "rep" in history.settings.activity_actors():
        worked = history.facts.first_worked(span.known_us)
        parts["contact"] = describe_contact(spells, worked, span, within_days=within_days)
        parts["untouched"] = describe_untouched(spells, open_visits, worked)
    return parts


def _describe_patterns(
    history: History,
    followed: pd.DataFrame,
    within_days: float,
) -> list[Pattern]:
    if followed.empty:
        return []
    segments = list_segments(history, followed)
    return describe_patterns(count_endings(followed), segments, within_days=within_days)
