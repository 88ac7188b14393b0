"""The learning curve: how good the same scorer is when fewer leads have closed, and what more of them would bring."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.matrix import Matrix
from leadscore.history.labels import Side
from leadscore.model.apply import WinModel, sigmoid
from leadscore.model.evaluate import compute_standard_error, row_log_loss

PARTS = (0.125, 0.25, 0.5, 1.0)


def compute_learning(
    matrix: Matrix, earlier: Side, last: Side, fit: Callable[[pd.DataFrame], WinModel], *, seed: int
) -> dict[str, Any] | None:
    """Log loss on the last split when learned from an eighth, a quarter, half and all of the leads before it.

    Args:
        matrix: has the features of both sides.
        earlier: what could be learned at the last split.
        last: what judges.
        fit: makes an uncalibrated model from rows.
        seed: of which leads are in a part; each part holds the smaller ones.

    Returns:
        `points` (leads, log_loss) and what is `said` of them, or None if a part has one outcome only.
    """
    rows, place = earlier.rows[earlier.observed], None
    place = rows["lead_id"].map({lead: _place(lead, seed) for lead in rows["lead_id"].unique()}).to_numpy()
    judged = last.rows[last.observed]
    label, weight = judged["label"].to_numpy(), judged["weight"].to_numpy()
    columns = matrix.take(judged).columns
    points, losses = [], []
    for part in PARTS:
        chosen = rows[place < part]
        if chosen["label"].nunique() < 2:
            return None
        loss = row_log_loss(sigmoid(fit(chosen).raw(columns)), label)
        points.append({"leads": int(chosen["lead_id"].nunique()), "log_loss": float(np.average(loss, weights=weight))})
        losses.append(loss)
    error = compute_standard_error(losses[-2] - losses[-1], weight, judged["lead_id"].to_numpy())
    return {"points": points, "said": _say(points, error)}


def _place(lead_id: str, seed: int) -> float:
    """Where in [0, 1) a lead stands, by hash, so that a part of the leads is the same in any order of rows."""
    return int(hashlib.sha256(f"{seed}:{lead_id}".encode()).hexdigest()[:13], 16) / 16**13


def _say(points: Sequence[Mapping[str, Any]], error: float) -> str:
    """What twice as many closed leads would bring, if log loss falls with the square root of their number."""
    gain = points[-2]["log_loss"] - points[-1]["log_loss"]
    if gain <= error:
        return "more closed leads of the same kind would change little"
    low, high = (max(gain + sign * 1.96 * error, 0) / np.sqrt(2) for sign in (-1, 1))
    return (
        f"twice as many closed leads ({2 * points[-1]['leads']:,}) would lower the log loss by about "
        f"{gain / np.sqrt(2):.4f} ({low:.4f} to {high:.4f})"
    )
