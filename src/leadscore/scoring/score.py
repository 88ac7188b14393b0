"""Scores every lead that was open at a moment, by what was known then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from leadscore.errors import AsOfError, ModelMismatchError
from leadscore.features.feature import Feature
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.reference import compute_score, decide_tier
from leadscore.scoring.change import Previous, describe_change
from leadscore.scoring.explain import REASONS, explain
from leadscore.times import format_us

REASON_COLUMNS = [f"reason_{side}_{place}" for side in ("up", "down") for place in range(1, REASONS + 1)]
SCORES = pa.schema(
    [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("as_of", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("raw", pa.float64(), nullable=False),
        pa.field("win_probability", pa.float64(), nullable=False),
        pa.field("probability_low", pa.float64(), nullable=False),
        pa.field("probability_high", pa.float64(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("tier", pa.string(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False) for name in REASON_COLUMNS),
        pa.field("change", pa.string(), nullable=False),
        pa.field("change_points", pa.float64()),
        pa.field("trend", pa.string(), nullable=False),
    ]
)


def score_open_leads(
    history: History, model: WinModel, *, model_version: str, known_us: int, as_of_us: int,
    previous: Previous | None = None,
) -> pa.Table:  # fmt: skip
    """One row for each lead open at `as_of_us`, in the shape of `SCORES`, the most promising first.

    Where the list has no date, its as_of is 1970-01-01T00:00:00Z.

    Args:
        history: where the leads are.
        model: what to score with.
        model_version: its name, for messages.
        known_us: up to when the model has seen facts.
        as_of_us: the moment to score at.
        previous: the list before, to say what changed.

    Raises:
        AsOfError: the model has seen facts from after `as_of_us`.
        ModelMismatchError: the settings declare other features than the model learned from.
    """
    if known_us > as_of_us:
        raise AsOfError(
            f"model {model_version} has learned from facts up to {history.name(known_us)}, after the as_of "
            f"{history.name(as_of_us)}: it would know the future; "
            + (f"train with --as-of {format_us(as_of_us)} first" if history.settings.is_dated else "train again first")
        )
    left_out = frozenset(model.document.get("left_out", ()))  # models from before the audit do not say
    features = build_features(history.settings, leave_out=left_out)
    _check_features(model, features, model_version)
    matrix = build_matrix(history.snapshot(history.open_list(as_of_us)), features)
    raw = model.raw(matrix.columns)
    probability = model.probability(raw)
    interval = model.interval(raw)
    score = compute_score(probability, model.document["reference"])
    lead_id = matrix.keys["lead_id"].to_numpy(dtype=object)
    columns = {
        "lead_id": lead_id,
        "as_of": np.full(len(raw), history.published_us(as_of_us) or 0),
        "raw": raw,
        "win_probability": probability,
        "probability_low": interval[:, 0],
        "probability_high": interval[:, 1],
        "score": score,
        "tier": decide_tier(score, history.settings.tiers),
        **explain(model, matrix, features),
        **describe_change(history, model, lead_id=lead_id, raw=raw, as_of_us=as_of_us, previous=previous),
    }
    order = pa.array(np.lexsort((lead_id, -raw, -probability)))
    return pa.table([pa.array(columns[f.name]).cast(f.type).take(order) for f in SCORES], schema=SCORES)


def _check_features(model: WinModel, features: Sequence[Feature], model_version: str) -> None:
    learned = [(feature["name"], feature["fingerprint"]) for feature in model.document["features"]]
    present = [(feature.name, feature.fingerprint()) for feature in features]
    if learned != present:
        differing = {name for name, _ in set(learned) ^ set(present)} or {"their order"}
        raise ModelMismatchError(model_version, sorted(differing))
