"""Who is qualified: declared rules over tier, probability and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.scoring.tier import TIERS
from leadscore.settings.qualification import Qualification, Rule

Strengths = Mapping[str, np.ndarray]


def qualify(
    settings: Qualification,
    *,
    tier: np.ndarray,
    probability: np.ndarray,
    strengths: Strengths,
) -> tuple[np.ndarray, np.ndarray]:
    """The verdict and the rule that decided it, each (n,) text.

    The rule of a disqualified lead says what would bring it back.

    Args:
        settings: must-haves and rules; the first that holds decides.
        tier: (n,) A to D.
        probability: (n,).
        strengths: letter -> (n,) from 0 to 1, NaN where it is not answered; only letters that are
            asked.
    """
    n = len(tier)
    conditions = list(_list_must_haves(settings.must_have, strengths, rows=n))
    for declared in settings.rules:
        holds = _find_holding(declared, tier, probability, strengths)
        conditions.append(_Condition(holds, declared.verdict, _describe_rule(declared)))

    verdict = np.full(n, "nurture", dtype=object)
    rule = np.full(n, "no rule holds", dtype=object)
    is_open = np.ones(n, dtype=bool)
    for condition in conditions:
        decided = is_open & condition.holds
        verdict[decided] = condition.verdict
        rule[decided] = condition.rule
        is_open[decided] = False
    return verdict, rule


@dataclass(frozen=True)
class _Condition:
    """Where a rule holds (n,), its verdict, and what is shown of it."""

    holds: np.ndarray
    verdict: str
    rule: str


def _list_must_haves(
    letters: Sequence[str],
    strengths: Strengths,
    *,
    rows: int,
) -> Iterator[_Condition]:
    for letter in letters:
        strength = _strength_of(letter, strengths, rows=rows)
        back = f"must have {letter}; back with a better answer on {letter}"
        yield _Condition(strength <= 0, "disqualified", back)
        unknown = f"must have {letter}, which is not known"
        yield _Condition(np.isnan(strength), "needs_answers", unknown)


def _strength_of(letter: str, strengths: Strengths, *, rows: int) -> np.ndarray:
    return strengths.get(letter, np.full(rows, np.nan))


def _find_holding(
    rule: Rule,
    tier: np.ndarray,
    probability: np.ndarray,
    strengths: Strengths,
) -> np.ndarray:
    """Where all conditions of a rule hold (n,)."""
    n = len(tier)
    holds = np.ones(n, dtype=bool)
    if rule.tiers:
        holds &= np.isin(tier, rule.tiers)
    if rule.min_probability is not None:
        holds &= probability >= rule.min_probability
    if rule.max_probability is not None:
        holds &= probability <= rule.max_probability
    holds &= _has_answers(rule, strengths, rows=n)
    for letter, least in rule.min_strength.items():
        holds &= _strength_of(letter, strengths, rows=n) >= least
    for letter, most in rule.max_strength.items():
        holds &= _strength_of(letter, strengths, rows=n) <= most
    return holds


def _has_answers(
    rule: Rule,
    strengths: Strengths,
    *,
    rows: int,
) -> np.ndarray:
    """Where the number of answers is within the rule (n,); everywhere if no letter is asked."""
    holds = np.ones(rows, dtype=bool)
    if not strengths:
        return holds
    is_known = [~np.isnan(strength) for strength in strengths.values()]
    answers = np.sum(is_known, axis=0)
    if rule.min_answers is not None:
        holds &= answers >= min(rule.min_answers, len(strengths))
    if rule.max_answers is not None:
        holds &= answers <= rule.max_answers
    return holds


def _describe_rule(rule: Rule) -> str:
    """The name of a rule; if it disqualifies, with what would bring a lead back."""
    if rule.verdict != "disqualified":
        return rule.name
    return f"{rule.name}; back with {_describe_way_back(rule)}"


def _describe_way_back(rule: Rule) -> str:
    ways = [f"a better answer on {letter}" for letter in rule.max_strength]
    ways += [f"a weaker answer on {letter}" for letter in rule.min_strength]
    if rule.tiers and set(rule.tiers) < set(TIERS):
        ways.append(f"a tier other than {' or '.join(rule.tiers)}")
    if rule.max_probability is not None:
        ways.append(f"a probability above {rule.max_probability:g}")
    if rule.min_probability is not None:
        ways.append(f"a probability below {rule.min_probability:g}")
    if rule.max_answers is not None:
        ways.append(f"more than {rule.max_answers} questions answered")
    return " or ".join(ways) or "a change of the rules"
