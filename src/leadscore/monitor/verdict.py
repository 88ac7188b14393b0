"""What the judgement of a score means, in sentences for a sales leader."""

from __future__ import annotations

from leadscore.results import Interval
from leadscore.results.judged import Judged, TopShare
from leadscore.wording import whole_percent

PEEKING = {
    "peeks": "It peeks: its values follow the outcome around the close. Figures computed from its last "
    "values are worthless; those above use what it said before each list, and may still flatter it.",
    "suspect": "It may peek: read the checks below before you trust its figures.",
    "no sign": "There is no sign that it peeks at outcomes.",
    "not known": "Too few leads closed to say whether it peeks at outcomes.",
}


def describe(judged: Judged) -> list[str]:
    """What was judged, who ranks better, what that is worth, calibration, and peeking."""
    counts = judged.counts
    sentences = [
        f"{judged.name} was compared with leadscore on {counts.leads:,} leads of {counts.lists:,} "
        "lists, by what both had said of a lead before its close.",
        _describe_ranking(judged),
    ]
    if judged.tops:
        sentences.append(_describe_top(judged.tops[0], judged.unit))
    sentences += _describe_calibration(judged)
    return [*sentences, PEEKING[judged.peeks]]


def _describe_ranking(judged: Judged) -> str:
    ours, theirs = judged.auc.ours, judged.auc.theirs
    difference = judged.auc.difference
    figures = (
        f"of a won and a lost lead on one list, leadscore puts the won one first in {_percent(ours)} "
        f"of cases, {judged.name} in {_percent(theirs)}"
    )
    if difference.low is not None and difference.low > 0:
        return f"leadscore ranks better: {figures}."
    if difference.high is not None and difference.high < 0:
        return f"{judged.name} ranks better: {figures}."
    return f"Neither clearly ranks better: {figures}."


def _percent(interval: Interval) -> str:
    return "?" if interval.value is None else f"{whole_percent(interval.value)}%"


def _describe_top(top: TopShare, unit: str) -> str:
    calls = (
        f"Calling the first {top.called:.0f} leads of an average list (as many as tier {top.tiers})"
    )
    wins = (
        f"wins {top.wins_theirs:.1f} of {top.wins:.1f} in its order and {top.wins_ours:.1f} in "
        "leadscore's"
    )
    if unit == "wins":
        return f"{calls} {wins}."
    left = top.left
    bounds = f"{left.low:,.0f} to {left.high:,.0f}"
    worth = f"{unit} {top.value_theirs:,.0f} against {top.value_ours:,.0f}"
    return f"{calls} {wins}: {worth}. The difference is {unit} {left.value:,.0f} ({bounds}) a list."


def _describe_calibration(judged: Judged) -> list[str]:
    sentences = []
    words = {
        "theirs, as it is": "Read as a probability, as it stands",
        "theirs, mapped": f"Mapped to win rates by lists before {(judged.mapped_from or '')[:10]}",
    }
    for name, begin in words.items():
        metrics = judged.calibration.get(name)
        if metrics is not None:
            ours = judged.calibration["ours"].calibration_error
            sentences.append(
                f"{begin}, it is off by {_points(metrics.calibration_error)} on average; leadscore "
                f"by {_points(ours)}."
            )
    return sentences


def _points(interval: Interval) -> str:
    return "?" if interval.value is None else f"{100 * max(interval.value, 0.0):.1f} points"
