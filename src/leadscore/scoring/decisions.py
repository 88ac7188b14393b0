"""What is decided for each lead of a list: tier, value, qualification, question and action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.features.matrix import Matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.scoring.action import suggest_actions
from leadscore.scoring.overrides import (
    Override,
    decided_by_hand,
    override_tiers,
    override_verdicts,
    overrides_in_force,
)
from leadscore.scoring.qualification import Strengths, qualify, read_strengths
from leadscore.scoring.question import Standing, ask_next
from leadscore.scoring.tier import build_outlook, earlier_tiers, find_borders, measure_by
from leadscore.scoring.value import Amounts, read_amounts
from leadscore.scoring.what_if import compute_what_if
from leadscore.settings.settings import Settings
from leadscore.settings.tiers import Tiers
from leadscore.times import FOREVER_US


@dataclass(frozen=True)
class Request:
    """How a list is to be decided.

    Attributes:
        as_of_us: its date.
        shift: the running intercept, in log-odds.
        tiers: how tiers are decided.
        overrides: what people decided by hand, ended or not.
        earlier: lead_id -> tier on the previous list.
    """

    as_of_us: int
    shift: float
    tiers: Tiers
    overrides: Sequence[Override]
    earlier: Mapping[str, str]


@dataclass(frozen=True)
class Decisions:
    """Columns of the list (n,), and the facts `what_if`, `currency` and `warnings` as JSON."""

    columns: dict[str, Any]
    facts: dict[str, Any]


def decide(
    history: History,
    model: WinModel,
    matrix: Matrix,
    log_odds: np.ndarray,
    request: Request,
) -> Decisions:
    """Probability, score, tier, value, qualification, question and action of the leads (n,)."""
    settings = history.settings
    lead_id = matrix.keys["lead_id"].to_numpy(dtype=object)
    amounts = read_amounts(history, lead_id, as_of_us=request.as_of_us)
    tiers = request.tiers
    if not amounts.has_any:  # a cost cannot be compared with a probability
        tiers = tiers.model_copy(update={"touch_cost": 0.0})
    outlook = build_outlook(model, log_odds, amounts.amount, shift=request.shift)
    measure = measure_by(
        tiers,
        outlook,
        listed=outlook,
        at=np.arange(len(log_odds)),
    )

    earlier = earlier_tiers(lead_id, request.earlier)
    by_model = find_borders(tiers).decide(measure, earlier).astype(object)
    by_hand = overrides_in_force(request.overrides, as_of_us=request.as_of_us)
    tier = override_tiers(by_hand, lead_id, by_model)
    rules = settings.qualification
    strengths = read_strengths(matrix.columns, settings)
    chance = outlook.win_probability
    verdict, rule = qualify(rules, tier=tier, probability=chance, strengths=strengths)
    verdict, rule, override = override_verdicts(by_hand, lead_id, verdict, rule)
    standing = Standing(
        tier=tier,
        amount=amounts.amount,
        outlook=outlook,
        tiers=tiers,
        verdict=verdict,
        tier_by_hand=decided_by_hand(by_hand, lead_id, tier=True),
        verdict_by_hand=decided_by_hand(by_hand, lead_id, tier=False),
        currency=amounts.currency,
    )
    columns = {
        **_build_columns(model, standing, amounts),
        "qualification": verdict,
        "qualification_rule": rule,
        "override": override,
        **ask_next(model, matrix, standing, settings),
        "suggested_action": suggest_actions(model, matrix, settings, tier=tier, verdict=verdict),
    }
    warnings = _list_warnings(history, amounts, request.overrides, strengths=strengths)
    return Decisions(columns, _build_facts(standing, amounts, measure, warnings))


def _build_facts(
    standing: Standing,
    amounts: Amounts,
    measure: np.ndarray,
    warnings: list[str],
) -> dict[str, Any]:
    probability = standing.outlook.win_probability
    value = probability * amounts.amount if amounts.has_any else None
    return {
        "what_if": compute_what_if(measure, standing.tier, probability, value),
        "currency": amounts.currency,
        "warnings": warnings,
    }


def _build_columns(
    model: WinModel,
    standing: Standing,
    amounts: Amounts,
) -> dict[str, Any]:
    """The columns of probability, tier and value, each (n,)."""
    outlook = standing.outlook
    probability = outlook.win_probability
    interval = model.interval(outlook.log_odds, outlook.shift)
    return {
        "log_odds": outlook.log_odds,
        "win_probability": probability,
        "probability_low": interval[:, 0],
        "probability_high": interval[:, 1],
        "score": outlook.score,
        "tier": standing.tier,
        "amount": amounts.amount,
        "amount_estimated": amounts.estimated,
        "expected_value": probability * amounts.amount,
    }


def _list_warnings(
    history: History,
    amounts: Amounts,
    overrides: Sequence[Override],
    *,
    strengths: Strengths,
) -> list[str]:
    """What the settings and the overrides ask for and this list cannot give."""
    settings = history.settings
    warnings = [amounts.warning] if amounts.warning else []
    if settings.tiers.touch_cost and len(amounts.amount) and not amounts.has_any:
        warnings.append(
            "no lead has an amount, so tiers.touch_cost is left out, "
            "and leads are ranked by probability"
        )
    warnings += _list_unlearned(settings, strengths)
    warnings += _list_unknown(history, overrides)
    return warnings


def _list_unlearned(settings: Settings, strengths: Strengths) -> list[str]:
    """A warning for each letter that qualification asks for and no feature has."""
    letters = settings.qualification.letters() - set(strengths)
    return [
        f"qualification asks for {letter}, which is not learned from (see leadscore audit): "
        "taken as not answered"
        for letter in sorted(letters)
    ]


def _list_unknown(history: History, overrides: Sequence[Override]) -> list[str]:
    """A warning if overrides name leads that the store does not have."""
    if not overrides:
        return []
    named = {override["lead_id"] for override in overrides}
    unknown = sorted(named - history.facts.lead_ids(FOREVER_US))
    if not unknown:
        return []
    count = len(unknown)
    return [f"leads of the overrides that are not in the store: {count}, like {unknown[0]!r}"]
