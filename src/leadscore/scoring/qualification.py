"""Who is qualified: declared rules over probability, tier and answers; what people decided by hand wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from leadscore.settings.qualification import Qualification, Rule
from leadscore.settings.settings import Settings

Strengths = Mapping[str, np.ndarray]
Override = Mapping[str, Any]  # a row as `ingest.overrides` reads it


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
        decide(
            strength <= 0,
            "disqualified",
            f"must have {letter}; back with a better answer on {letter}",
        )
        decide(np.isnan(strength), "needs_answers", f"must have {letter}, which is not known")
    for each in settings.rules:
        said = each.name + (
            f"; back with {_back_with(each)}" if each.verdict == "disqualified" else ""
        )
        decide(_holds(each, tier, probability, strengths), each.verdict, said)
    return verdict, rule


def _holds(
    rule: Rule, tier: np.ndarray, probability: np.ndarray, strengths: Strengths
) -> np.ndarray:
    """Where all that a rule states holds (n,); of questions that nobody asks the number of answers is not asked."""
    answers = (
        np.sum([~np.isnan(each) for each in strengths.values()], axis=0) if strengths else None
    )
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


def read_strengths(columns: Mapping[str, np.ndarray], settings: Settings) -> Strengths:
    """The strengths that a matrix has, of the letters that the settings ask."""
    return {
        str(letter): columns[f"bant_{letter}"]
        for letter in settings.bant
        if f"bant_{letter}" in columns
    }


def overrides_in_force(overrides: Sequence[Override], *, as_of_us: int) -> list[Override]:
    """The overrides that have not ended; of a lead's tiers, and of its other ones, the last row counts."""
    there = [each for each in overrides if each["until_us"] is None or each["until_us"] > as_of_us]
    return list({(each["lead_id"], each["action"] == "tier"): each for each in there}.values())


def override_tiers(
    overrides: Sequence[Override], lead_id: np.ndarray, tier: np.ndarray
) -> np.ndarray:
    """The tiers (n,), those of people in place of the model's."""
    told = {each["lead_id"]: each["value"] for each in overrides if each["action"] == "tier"}
    return np.array(
        [told.get(lead, given) for lead, given in zip(lead_id, tier, strict=True)], dtype=object
    )


def override_verdicts(
    overrides: Sequence[Override], lead_id: np.ndarray, verdict: np.ndarray, rule: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Verdict, rule and, "" where nobody decided anything, what people decided in words; each (n,) text."""
    verdict, rule, said = verdict.copy(), rule.copy(), np.full(len(lead_id), "", dtype=object)
    place = {lead: at for at, lead in enumerate(lead_id)}
    for each in overrides:
        at = place.get(each["lead_id"])
        if at is None:
            continue
        said[at] = "; ".join(filter(None, (said[at], _in_words(each))))
        if each["action"] == "exclude":
            verdict[at], rule[at] = "disqualified", "decided by hand; back when the override ends"
        elif each["action"] == "qualify":
            verdict[at], rule[at] = each["value"], "decided by hand"
    return verdict, rule, said


def decided_by_hand(
    overrides: Sequence[Override], lead_id: np.ndarray, *, tier: bool
) -> np.ndarray:
    """Which leads (n,) a person put into a tier, or else qualified or excluded."""
    leads = {each["lead_id"] for each in overrides if (each["action"] == "tier") == tier}
    return np.array([lead in leads for lead in lead_id], dtype=bool)


def _in_words(override: Override) -> str:
    what = {
        "exclude": "excluded",
        "qualify": f"called {override['value']}",
        "tier": f"put into {override['value']}",
    }
    until = f" until {override['until']}" if override["until"] else ""
    why = f": {override['why']}" if override["why"] else ""
    return f"{what[override['action']]} by {override['by'] or 'somebody'}{until}{why}"
