"""Who is qualified: declared rules over probability, tier and answers; what people decided by hand wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leadscore.deciding import Qualification, Rule
from leadscore.times import format_us

Strengths = Mapping[str, np.ndarray]


def qualify(
    settings: Qualification, *, tier: np.ndarray, probability: np.ndarray, strengths: Strengths
) -> tuple[np.ndarray, np.ndarray]:
    """The verdict and the rule that decided it, each (n,) text; a disqualified lead is told what would bring it back.

    Args:
        settings: must-haves and rules; the first rule that holds decides.
        tier: (n,) A to D.
        probability: (n,).
        strengths: letter -> (n,) from 0 to 1, NaN where it is not answered; letters that nobody asks are not there.
    """
    n = len(tier)
    verdict, rule = np.full(n, "nurture", dtype=object), np.full(n, "no rule holds", dtype=object)
    open_ = np.ones(n, dtype=bool)

    def decide(which: np.ndarray, what: str, why: str) -> None:
        chosen = open_ & which
        verdict[chosen], rule[chosen] = what, why
        open_[chosen] = False

    for letter in settings.must_have:
        strength = strengths.get(letter, np.full(n, np.nan))
        decide(strength <= 0, "disqualified", f"must have {letter}; back with a better answer on {letter}")
        decide(np.isnan(strength), "needs_answers", f"must have {letter}, which is not known")
    for each in settings.rules:
        said = each.name + (f"; back with {_back_with(each)}" if each.verdict == "disqualified" else "")
        decide(_holds(each, tier, probability, strengths), each.verdict, said)
    return verdict, rule


def _holds(rule: Rule, tier: np.ndarray, probability: np.ndarray, strengths: Strengths) -> np.ndarray:
    """Where all that a rule states holds (n,); of questions that nobody asks the number of answers is not asked."""
    answers = np.sum([~np.isnan(each) for each in strengths.values()], axis=0) if strengths else None
    unknown = np.full(len(tier), np.nan)
    found = np.ones(len(tier), dtype=bool)
    if rule.tiers:
        found &= np.isin(tier, rule.tiers)
    if rule.min_probability is not None:
        found &= probability >= rule.min_probability
    if rule.max_probability is not None:
        found &= probability <= rule.max_probability
    if answers is not None and rule.min_answers is not None:
        found &= answers >= min(rule.min_answers, len(strengths))
    if answers is not None and rule.max_answers is not None:
        found &= answers <= rule.max_answers
    for letter, least in rule.min_strength.items():
        found &= strengths.get(letter, unknown) >= least
    for letter, most in rule.max_strength.items():
        found &= strengths.get(letter, unknown) <= most
    return found


def _back_with(rule: Rule) -> str:
    """What would make a rule hold no longer."""
    ways = [f"a better answer on {letter}" for letter in rule.max_strength]
    ways += [f"a weaker answer on {letter}" for letter in rule.min_strength]
    if rule.tiers and set(rule.tiers) < {"A", "B", "C", "D"}:
        ways.append(f"a tier other than {' or '.join(rule.tiers)}")
    if rule.max_probability is not None:
        ways.append(f"a probability above {rule.max_probability:g}")
    if rule.min_probability is not None:
        ways.append(f"a probability below {rule.min_probability:g}")
    if rule.max_answers is not None:
        ways.append(f"more than {rule.max_answers} questions answered")
    return " or ".join(ways) or "a change of the rules"


def apply_overrides(
    overrides: Sequence[Mapping[str, Any]], *, lead_id: np.ndarray, tier: np.ndarray, verdict: np.ndarray,
    rule: np.ndarray, as_of_us: int,
) -> np.ndarray:  # fmt: skip
    """What people decided, in words (n,), "" where nobody did; `tier`, `verdict` and `rule` are changed in place.

    An override counts until its `until_us`, if it has one; a later row of a lead wins over an earlier one.
    """
    said = np.full(len(lead_id), "", dtype=object)
    place = {lead: at for at, lead in enumerate(lead_id)}
    for each in overrides:
        at = place.get(each["lead_id"])
        if at is None or (each["until_us"] is not None and each["until_us"] <= as_of_us):
            continue
        what = {"exclude": "excluded", "qualify": f"called {each['value']}", "tier": f"put into {each['value']}"}
        until = "" if each["until_us"] is None else f" until {format_us(each['until_us'])[:10]}"
        said[at] = f"{what[each['action']]} by {each['by'] or 'somebody'}{until}" + (
            f": {each['why']}" if each["why"] else ""
        )
        if each["action"] == "tier":
            tier[at] = each["value"]
        else:
            verdict[at] = "disqualified" if each["action"] == "exclude" else each["value"]
            rule[at] = "decided by hand" + ("; back when the override ends" if each["action"] == "exclude" else "")
    return said
