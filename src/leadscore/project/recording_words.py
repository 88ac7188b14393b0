"""What a history is good for, in plain words."""

from __future__ import annotations

from leadscore.results import FieldHistory, OutcomeCounts
from leadscore.wording import counted


def describe(field: FieldHistory, *, since: str | None, least: int, is_ruled_out: bool) -> str:
    """Since when there is a history, what is lost, and from when it is enough, in sentences.

    Args:
        field: the facts.
        since: the day on which it began.
        least: how many leads of either outcome it takes.
        is_ruled_out: whether the settings keep the model from learning from the field.
    """
    if field.state == "creation":
        return "known from creation, so no history is needed: learned from now"
    if field.state == "missing":
        return _describe_missing(field)
    sentences = [_describe_start(field, since), _describe_lost(field)]
    if is_ruled_out:
        sentences.append("not learned from: it names your own people, or the settings rule it out")
    else:
        sentences.append(_describe_use(field, least))
    return "; ".join(filter(None, sentences))


def _describe_missing(field: FieldHistory) -> str:
    if field.kind != "field":
        return "no row yet: map its history"
    return (
        "no history, and no export showed a value yet: map its history to the table changes, or "
        "map its column in leads and run leadscore ingest every night"
    )


def _describe_start(field: FieldHistory, since: str | None) -> str:
    if field.origin == "mapped":
        return f"history from {since} on, of {counted(field.leads, 'lead')}"
    changed = f"{counted(field.changed, 'lead')} changed" if field.changed else "none changed"
    return f"recorded by your exports since {since}: {counted(field.leads, 'lead')}, {changed}"


def _describe_lost(field: FieldHistory) -> str:
    """What can never be known. A mapped history may simply begin with its first event."""
    lost = field.lost or OutcomeCounts(won=0, not_won=0)
    parts = []
    if lost.won or lost.not_won:
        closed = counted(lost.won + lost.not_won, "lead")
        parts.append(f"{closed} closed before ({lost.won:,} won)")
    if field.open_before and field.origin == "recorded":
        parts.append(f"{counted(field.open_before, 'lead')} open then, as they were before")
    return f"lost for good: {' and '.join(parts)}" if parts else ""


def _describe_use(field: FieldHistory, least: int) -> str:
    """Whether it can be learned from, or from when."""
    step = f"; write {field.line}" if field.line else ""
    if field.state == "learned":
        return "learned from now"
    if field.state == "ready":
        return f"enough to learn from now{step}"
    have = field.labelled or OutcomeCounts(won=0, not_won=0)
    progress = f"{_of(have.won, least)} won and {_of(have.not_won, least)} not won so far"
    if field.enough_from is None:
        return f"no date can be given, since no such lead closed in the last year: {progress}{step}"
    return f"enough from about {field.enough_from} on: {progress}{step}"


def _of(count: int, least: int) -> str:
    return f"{min(count, least)} of {least}"
