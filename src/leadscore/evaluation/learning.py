"""The learning curve: how good a scorer is when fewer leads have closed, and what more of them would bring."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from leadscore.evaluation.metrics import compute_standard_error, row_log_loss
from leadscore.history.labels import Side

PARTS = (0.125, 0.25, 0.5)


def compute_learning(
    earlier: Side,
    last: Side,
    *,
    log_odds: np.ndarray,
    learn: Callable[[pd.DataFrame], np.ndarray],
    seed: int,
) -> dict[str, Any] | None:
    """Log loss on the last split when learned from an eighth, a quarter, half and all of the leads before it.

    Args:
        earlier: what could be learned at the last split.
        last: the held-out rows.
        log_odds: (n,) of the rows of `last`, learned from all of the earlier leads.
        learn: the log-odds (observed rows of `last`) that the same scorer gives, learned from fewer rows.
        seed: of which leads are in a part; larger parts hold the smaller ones.

    Returns:
        `points` (leads, log_loss) and `said`, a sentence about them. Parts with one outcome only are left out; None
        if half of the leads have one outcome.
    """
    parts = _parts(earlier.rows[earlier.observed], seed)
    if len(parts) < 2:
        return None
    held_out = last.rows[last.observed]
    label, weight, lead_id = (held_out[name].to_numpy() for name in ("label", "weight", "lead_id"))

    predictions = [*(learn(part) for part in parts[:-1]), log_odds[last.observed]]
    losses = [row_log_loss(expit(prediction), label) for prediction in predictions]
    points = [
        {
            "leads": int(part["lead_id"].nunique()),
            "log_loss": float(np.average(loss, weights=weight)),
        }
        for part, loss in zip(parts, losses, strict=True)
    ]
    error_of_doubling = compute_standard_error(losses[-2] - losses[-1], weight, lead_id)
    return {"points": points, "said": say_learning(points, error_of_doubling)}


def _parts(rows: pd.DataFrame, seed: int) -> list[pd.DataFrame]:
    """The rows of an eighth, a quarter, half and all of the leads, less parts of one outcome or of all leads."""
    place = (
        rows["lead_id"]
        .map({lead: _place(lead, seed) for lead in rows["lead_id"].unique()})
        .to_numpy()
    )
    parts = [rows[place < part] for part in PARTS]
    return [
        *(part for part in parts if part["label"].nunique() == 2 and len(part) < len(rows)),
        rows,
    ]


def _place(lead_id: str, seed: int) -> float:
    """Where in [0, 1) a lead stands, by hash, so that a part of the leads is the same in any order of rows."""
    return int(hashlib.sha256(f"{seed}:{lead_id}".encode()).hexdigest()[:13], 16) / 16**13


def say_learning(points: Sequence[Mapping[str, Any]], error: float) -> str:
    """What twice as many closed leads would bring, if log loss falls with the square root of their number.

    `error` is the standard error of what the last doubling brought.
    """
    gain = points[-2]["log_loss"] - points[-1]["log_loss"]
    if gain <= error:
        return "more closed leads of the same kind would change little"
    low, high = (max(gain + sign * 1.96 * error, 0) / np.sqrt(2) for sign in (-1, 1))
    return (
        f"twice as many closed leads ({2 * points[-1]['leads']:,}) would lower the log loss by about "
        f"{gain / np.sqrt(2):.4f} ({low:.4f} to {high:.4f})"
    )
