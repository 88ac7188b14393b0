"""What is decided for each lead of a list: tier, value, qualification, question and action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.scoring.action import suggest_actions
from leadscore.scoring.bant_answers import describe_unlearned
from leadscore.scoring.change import Previous
from leadscore.scoring.effects import Standing
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.listed import Listed
from leadscore.scoring.overrides import (
    Override,
    decided_by_hand,
    override_tiers,
    override_verdicts,
    overrides_in_force,
)
from leadscore.scoring.qualification import qualify
from leadscore.scoring.question import ask_next
from leadscore.scoring.tier import (
    Outlook,
    build_outlook,
    earlier_tiers,
    find_borders,
    measure_by,
)
from leadscore.scoring.value import Amounts, complete_amounts
from leadscore.scoring.what_if import compute_what_if
from leadscore.settings.settings import Settings
from leadscore.settings.tiers import Tiers
from leadscore.tables import RECEIPTS
from leadscore.times import FOREVER_US


@dataclass(frozen=True)
class Request:
    """How a list is to be decided.

    Attributes:
        as_of_us: its date.
        shift: the running intercept, in log-odds.
        tiers: how tiers are decided.
        overrides: what people decided by hand, ended or not.
        previous: the previous list.
    """

    as_of_us: int
    shift: float
    tiers: Tiers
    overrides: Sequence[Override]
    previous: Previous | None

    @property
    def receipts(self) -> pa.Table:
        """What the previous list published; nothing without one."""
        return RECEIPTS.empty_table() if self.previous is None else self.previous.receipts


@dataclass(frozen=True)
class Decisions:
    """What is decided of the leads (n,) of a list by what all of them are compared by.

    Attributes:
        columns: of the list, each (n,).
        standing: where the leads stand.
        facts: `what_if`, `currency` and `warnings` as JSON.
    """

    columns: dict[str, np.ndarray]
    standing: Standing
    facts: dict[str, Any]


def decide(model: WinModel, listed: Listed, request: Request, settings: Settings) -> Decisions:
    """Probability, score, tier, value and qualification of all leads of a list.

    Args:
        model: what scores them.
        listed: the leads (n,).
        request: how the list is to be decided.
        settings: of the project.
    """
    amounts = complete_amounts(listed.amount, listed.market)
    tiers = _comparable(request.tiers, amounts)
    outlook = build_outlook(model, listed.log_odds, amounts.amount, shift=request.shift)
    everyone = np.arange(len(listed.log_odds))
    measure = measure_by(tiers, outlook, listed=outlook, at=everyone)
    earlier = earlier_tiers(listed.lead_id, request.receipts)
    tier = find_borders(tiers).decide(measure, earlier).astype(object)
    chosen = _choose(listed, tier, outlook, request=request, settings=settings)
    standing = _stand(chosen, outlook, amounts, tiers=tiers, listed=listed)
    facts = _build_facts(standing, amounts, measure)
    return Decisions(
        columns={**_build_columns(standing, amounts), **chosen.columns()},
        standing=standing,
        facts=facts | {"warnings": _list_warnings(settings, amounts, listed)},
    )


def advise(
    encoded: Encoded,
    listed: Listed,
    standing: Standing,
    settings: Settings,
    *,
    at: np.ndarray,
) -> dict[str, np.ndarray]:
    """The answers, the next question and the action (m,) of some leads of a list.

    Args:
        encoded: these leads, and what scores them.
        listed: all leads (n,).
        standing: where all of them stand.
        settings: of the project.
        at: (m,) positions of the leads.
    """
    actions = suggest_actions(
        encoded.model,
        encoded.matrix,
        settings,
        tier=standing.tier[at],
        verdict=standing.verdict[at],
    )
    return {
        **ask_next(encoded, standing, settings, at=at),
        "bant": listed.answers.in_words(at),
        "suggested_action": actions,
    }


def _comparable(tiers: Tiers, amounts: Amounts) -> Tiers:
    """The tiers without their cost where no lead has an amount: a probability is no match for it."""
    if amounts.has_any:
        return tiers
    return tiers.model_copy(update={"touch_cost": 0.0})


@dataclass(frozen=True)
class _Choice:
    """Tier and qualification (n,), by the model and its rules or by hand.

    Attributes:
        tier: A to D.
        verdict: the qualification.
        rule: what decided it.
        override: what a person decided, "" if nobody did.
        tier_by_hand: whose tier a person decided.
        verdict_by_hand: whose qualification a person decided.
    """

    tier: np.ndarray
    verdict: np.ndarray
    rule: np.ndarray
    override: np.ndarray
    tier_by_hand: np.ndarray
    verdict_by_hand: np.ndarray

    def columns(self) -> dict[str, np.ndarray]:
        """The columns of the qualification."""
        return {
            "qualification": self.verdict,
            "qualification_rule": self.rule,
            "override": self.override,
        }


def _choose(
    listed: Listed,
    tier: np.ndarray,
    outlook: Outlook,
    *,
    request: Request,
    settings: Settings,
) -> _Choice:
    """The tiers (n,) of the model and the verdicts of the rules, unless a person decided others."""
    lead_id = listed.lead_id
    by_hand = overrides_in_force(request.overrides, as_of_us=request.as_of_us)
    tier = override_tiers(by_hand, lead_id, tier)
    verdict, rule = qualify(
        settings.qualification,
        tier=tier,
        probability=outlook.win_probability,
        strengths=listed.answers.strengths,
    )
    verdict, rule, override = override_verdicts(by_hand, lead_id, verdict, rule)
    return _Choice(
        tier,
        verdict,
        rule,
        override,
        tier_by_hand=decided_by_hand(by_hand, lead_id, tier=True),
        verdict_by_hand=decided_by_hand(by_hand, lead_id, tier=False),
    )


def _stand(
    chosen: _Choice,
    outlook: Outlook,
    amounts: Amounts,
    *,
    tiers: Tiers,
    listed: Listed,
) -> Standing:
    return Standing(
        tier=chosen.tier,
        amount=amounts.amount,
        outlook=outlook,
        tiers=tiers,
        verdict=chosen.verdict,
        tier_by_hand=chosen.tier_by_hand,
        verdict_by_hand=chosen.verdict_by_hand,
        currency=amounts.currency,
        strengths=listed.answers.strengths,
        stage=listed.stage,
    )


def _build_facts(
    standing: Standing,
    amounts: Amounts,
    measure: np.ndarray,
) -> dict[str, Any]:
    probability = standing.outlook.win_probability
    value = probability * amounts.amount if amounts.has_any else None
    return {
        "what_if": compute_what_if(measure, standing.tier, probability, value),
        "currency": amounts.currency,
    }


def _build_columns(standing: Standing, amounts: Amounts) -> dict[str, Any]:
    """The columns of probability, tier and value, each (n,)."""
    outlook = standing.outlook
    probability = outlook.win_probability
    return {
        "log_odds": outlook.log_odds,
        "win_probability": probability,
        "score": outlook.score,
        "tier": standing.tier,
        "amount": amounts.amount,
        "amount_estimated": amounts.estimated,
        "expected_value": probability * amounts.amount,
    }


def _list_warnings(settings: Settings, amounts: Amounts, listed: Listed) -> list[str]:
    """What the settings ask for and this list cannot give."""
    warnings = [amounts.warning] if amounts.warning else []
    has_cost = settings.tiers.touch_cost and len(amounts.amount)
    if has_cost and not amounts.has_any:
        warnings.append(
            "no lead has an amount, so tiers.touch_cost is left out, "
            "and leads are ranked by probability"
        )
    return warnings + describe_unlearned(listed.answers, settings)


def list_unknown(history: History, overrides: Sequence[Override]) -> list[str]:
    """A warning if overrides name leads that the store does not have."""
    if not overrides:
        return []
    named = {override["lead_id"] for override in overrides}
    among = pa.array(named, pa.string())
    unknown = sorted(named - history.facts.lead_ids(FOREVER_US, among=among))
    if not unknown:
        return []
    count = len(unknown)
    return [f"leads of the overrides that are not in the store: {count}, like {unknown[0]!r}"]
