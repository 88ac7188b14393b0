"""Scores every lead that was open at a moment, by what was known then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from leadscore.errors import AsOfError, UserError
from leadscore.evaluation.reference import compute_score
from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.intercept.running import shift_at
from leadscore.proposals import propose
from leadscore.scoring.change import Previous, describe_change
from leadscore.scoring.qualification import (
    Strengths,
    decided_by_hand,
    override_tiers,
    override_verdicts,
    overrides_in_force,
    qualify,
    read_strengths,
)
from leadscore.scoring.question import Standing, ask_next, suggest_actions
from leadscore.scoring.reasons import REASONS, explain
from leadscore.scoring.tier import Outlook, compute_what_if, earlier_tiers, find_borders, measure_by
from leadscore.scoring.value import Amounts, read_amounts
from leadscore.settings.tiers import Tiers
from leadscore.times import FOREVER_US, format_us
from leadscore.wording import listed

REASON_COLUMNS = [
    f"reason_{side}_{place}" for side in ("up", "down") for place in range(1, REASONS + 1)
]
TEXT, NUMBER = pa.string(), pa.float64()
SCORES = pa.schema(
    [
        pa.field("lead_id", TEXT, nullable=False),
        pa.field("as_of", pa.timestamp("us", tz="UTC"), nullable=False),
        *(
            pa.field(name, NUMBER, nullable=False)
            for name in ("win_probability", "probability_low", "probability_high", "score")
        ),
        pa.field("tier", TEXT, nullable=False),
        pa.field("amount", NUMBER),
        pa.field("amount_estimated", pa.bool_(), nullable=False),
        pa.field("expected_value", NUMBER),
        *(
            pa.field(name, TEXT, nullable=False)
            for name in ("qualification", "qualification_rule", "override", "next_question")
        ),
        pa.field("next_question_gain", NUMBER, nullable=False),
        pa.field("suggested_action", TEXT, nullable=False),
        *(pa.field(name, TEXT, nullable=False) for name in REASON_COLUMNS),
        pa.field("change", TEXT, nullable=False),
        pa.field("change_points", NUMBER),
        pa.field("trend", TEXT, nullable=False),
        pa.field("log_odds", NUMBER, nullable=False),
    ]
)


@dataclass(frozen=True)
class Scored:
    """The list in the shape of `SCORES`, and beside it `what_if`, `currency`, `warnings` and `times`, as JSON."""

    scores: pa.Table
    facts: dict[str, Any]


def score_open_leads(
    history: History,
    model: WinModel,
    *,
    model_version: str,
    known_us: int,
    as_of_us: int,
    previous: Previous | None = None,
    overrides: Sequence[Mapping[str, Any]] = (),
    tiers: Tiers | None = None,
) -> Scored:
    """One row for each lead open at `as_of_us`, the most promising first.

    Where the list has no date, its as_of is 1970-01-01T00:00:00Z.

    Args:
        history: where the leads are.
        model: what to score with.
        model_version: its name, for messages.
        known_us: up to when the model has seen facts.
        as_of_us: the moment to score at.
        previous: the list before, to say what changed and to keep tiers that are near their border.
        overrides: what people decided by hand, as `ingest.overrides` reads it.
        tiers: how tiers are decided, by default as the settings say.

    Raises:
        AsOfError: the model has seen facts from after `as_of_us`.
        UserError: the settings declare other features than the model learned from.
    """
    if known_us > as_of_us:
        raise AsOfError(
            f"model {model_version} has learned from facts up to {history.name(known_us)}, after the as_of "
            f"{history.name(as_of_us)}, so its scores would use later facts; "
            + (
                f"train with --as-of {format_us(as_of_us)} first"
                if history.settings.is_dated
                else "train again first"
            )
        )
    left_out = frozenset(
        model.document.get("left_out", ())
    )  # models from before the audit do not say
    features = build_features(history.settings, leave_out=left_out)
    _check_features(model, features, model_version)
    matrix = build_matrix(history.snapshot(history.open_list(as_of_us)), features)
    log_odds = model.log_odds(matrix.columns)
    times = shift_at(history, model, known_us=known_us, as_of_us=as_of_us)
    shift = times["shift"] if times else 0.0
    lead_id = matrix.keys["lead_id"].to_numpy(dtype=object)
    decided, facts = _decide(
        history,
        model,
        matrix,
        log_odds,
        shift=shift,
        as_of_us=as_of_us,
        previous=previous,
        overrides=overrides,
        tiers=tiers or history.settings.tiers,
    )
    columns = decided | {
        "lead_id": lead_id,
        "as_of": np.full(len(log_odds), history.published_us(as_of_us) or 0),
        **explain(model, matrix, features, shift=shift),
        **describe_change(
            history,
            model,
            lead_id=lead_id,
            log_odds=log_odds,
            shift=shift,
            as_of_us=as_of_us,
            previous=previous,
        ),
    }
    order = pa.array(np.lexsort((lead_id, -log_odds, -decided["win_probability"])))
    arrays = [pa.array(columns[f.name], from_pandas=True).cast(f.type).take(order) for f in SCORES]
    return Scored(pa.table(arrays, schema=SCORES), facts | {"times": times})


def _decide(
    history: History,
    model: WinModel,
    matrix: Matrix,
    log_odds: np.ndarray,
    *,
    shift: float,
    as_of_us: int,
    previous: Previous | None,
    overrides: Sequence[Mapping[str, Any]],
    tiers: Tiers,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Probability, score, tier, value, qualification, question and action, by column; and what is told beside."""
    settings = history.settings
    lead_id = matrix.keys["lead_id"].to_numpy(dtype=object)
    amounts = read_amounts(history, lead_id, as_of_us=as_of_us)
    has_amounts = bool(np.isfinite(amounts.amount).any())
    if not has_amounts:  # no cost can be held against a chance alone
        tiers = tiers.model_copy(update={"touch_cost": 0.0})
    outlook = _look_ahead(model, log_odds, amounts, shift=shift)
    probability, interval = outlook.win_probability, model.interval(log_odds, shift)
    measure = measure_by(tiers, outlook, listed=outlook, at=np.arange(len(log_odds)))
    earlier = (
        {}
        if previous is None
        else dict(
            zip(
                previous.receipts["lead_id"].to_pylist(),
                previous.receipts["tier"].to_pylist(),
                strict=True,
            )
        )
    )
    decided = find_borders(tiers).decide(measure, earlier_tiers(lead_id, earlier)).astype(object)
    in_force = overrides_in_force(overrides, as_of_us=as_of_us)
    tier = override_tiers(in_force, lead_id, decided)
    strengths = read_strengths(matrix.columns, settings)
    verdict, rule = qualify(
        settings.qualification, tier=tier, probability=probability, strengths=strengths
    )
    verdict, rule, said = override_verdicts(in_force, lead_id, verdict, rule)
    standing = Standing(
        tier,
        amounts.amount,
        outlook,
        tiers,
        verdict,
        tier_by_hand=decided_by_hand(in_force, lead_id, tier=True),
        verdict_by_hand=decided_by_hand(in_force, lead_id, tier=False),
        currency=amounts.currency,
    )
    asked = ask_next(model, matrix, standing, settings)
    action = suggest_actions(model, matrix, settings, tier=tier, verdict=verdict)
    what_if = compute_what_if(
        measure, tier, probability, probability * amounts.amount if has_amounts else None
    )
    columns = {
        "log_odds": log_odds,
        "win_probability": probability,
        "probability_low": interval[:, 0],
        "probability_high": interval[:, 1],
        "score": outlook.score,
        "tier": tier,
        "amount": amounts.amount,
        "amount_estimated": amounts.estimated,
        "expected_value": probability * amounts.amount,
        "qualification": verdict,
        "qualification_rule": rule,
        "override": said,
        **asked,
        "suggested_action": action,
    }
    return columns, {
        "what_if": what_if,
        "currency": amounts.currency,
        "warnings": _warn(history, amounts, overrides, strengths=strengths),
    }


def _look_ahead(
    model: WinModel, log_odds: np.ndarray, amounts: Amounts, *, shift: float
) -> Outlook:
    """What tiers are decided by; where no lead has an amount, each is worth its chance."""
    probability = model.probability(log_odds)
    worth = np.where(np.isfinite(amounts.amount), amounts.amount, 1.0)
    return Outlook(
        compute_score(probability, model.document["reference"]),
        probability,
        probability * worth,
        log_odds,
        shift,
    )


def _warn(
    history: History,
    amounts: Amounts,
    overrides: Sequence[Mapping[str, Any]],
    *,
    strengths: Strengths,
) -> list[str]:
    """What the settings and the overrides ask for that this list cannot give, in words."""
    found = [amounts.warning] if amounts.warning else []
    if (
        history.settings.tiers.touch_cost
        and len(amounts.amount)
        and not np.isfinite(amounts.amount).any()
    ):
        found.append(
            "no lead has an amount, so tiers.touch_cost is left out, and leads are ranked by probability"
        )
    found += [
        f"qualification asks for {letter}, which is not learned from (see leadscore audit): taken as not answered"
        for letter in sorted(history.settings.qualification.letters() - set(strengths))
    ]
    if overrides:
        stored = history.facts.lead_ids(FOREVER_US)
        if unknown := sorted({each["lead_id"] for each in overrides} - stored):
            found.append(
                f"leads of the overrides that are not in the store: {len(unknown)}, like {unknown[0]!r}"
            )
    return found


def _check_features(model: WinModel, features: Sequence[Feature], model_version: str) -> None:
    learned = [(feature["name"], feature["fingerprint"]) for feature in model.document["features"]]
    present = [(feature.name, feature.fingerprint()) for feature in features]
    if learned != present:
        differing = {name for name, _ in set(learned) ^ set(present)} or {"their order"}
        raise UserError(
            f"model {model_version} was trained on other features than the settings now declare "
            f"({listed(sorted(differing))}); run `{propose('train')}` again"
        )
