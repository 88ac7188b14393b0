"""What a list says of one lead, a label and words each; the terminal and the page of `explain` show the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.report.formats import format_count, format_interval
from leadscore.wording import say_action


def describe_score(row: Mapping[str, Any], reps: Mapping[str, str]) -> dict[str, str]:
    """Label -> words of a row of scores, in the order to read them; what is empty is left out.

    Args:
        row: of the scores.
        reps: rep_id -> name, as far as they are known.

    >>> row = {"win_probability": 0.62, "probability_low": 0.5, "probability_high": 0.7}
    >>> describe_score(row | {"score": 97.2, "tier": "A"}, {})["win probability"]
    '62.0% (leads like this: 50 to 70%)'
    """
    words = {
        "win probability": _describe_probability(row),
        "score": f"{row['score']:.0f} of 100, tier {row['tier']}",
        "amount": _describe_amount(row),
        "expected value": _count(row.get("expected_value")),
        "next action": say_action(row.get("suggested_action") or ""),
        "ask": row.get("next_question"),
        "BANT": row.get("bant"),
        "qualification": _describe_verdict(row),
        "by hand": row.get("override"),
        "rep": _name_rep(row.get("rep_id"), reps),
        "why this rep" if row.get("rep_id") else "why no rep": row.get("route_reason"),
        "change": row.get("change"),
    }
    return {label: text for label, text in words.items() if text}


def _describe_probability(row: Mapping[str, Any]) -> str:
    win = 100 * row["win_probability"]
    interval = format_interval(row["probability_low"], row["probability_high"])
    return f"{win:.1f}% (leads like this: {interval})"


def _describe_amount(row: Mapping[str, Any]) -> str:
    amount = _count(row.get("amount"))
    return f"{amount} (estimated)" if amount and row.get("amount_estimated") else amount


def _name_rep(rep_id: str | None, reps: Mapping[str, str]) -> str:
    """The name of a rep, and the id in brackets; without a name the id."""
    if not rep_id:
        return ""
    name = reps.get(rep_id)
    return f"{name} ({rep_id})" if name else rep_id


def _count(value: float | None) -> str:
    return "" if value is None else format_count(value)


def _describe_verdict(row: Mapping[str, Any]) -> str:
    verdict = row.get("qualification", "").replace("_", " ")
    rule = row.get("qualification_rule", "")
    return f"{verdict} ({rule})" if verdict and rule else verdict
