"""The learning curve: how good a scorer is with fewer closed leads, and what more would bring."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.special import expit

from leadscore.evaluation.metrics import compute_standard_error, row_log_loss
from leadscore.evaluation.sums import weighted_mean
from leadscore.history.side import Side
from leadscore.results import Learning, LearningPoint

PARTS = (0.125, 0.25, 0.5)
Z = 1.96  # of a 95% interval
DIGITS = 13  # hexadecimal, 52 bits: a float holds them all


def compute_learning(
    earlier: Side,
    last: Side,
    *,
    log_odds: np.ndarray,
    learn: Callable[[pd.DataFrame], np.ndarray],
    seed: int,
) -> Learning | None:
    """Log loss on the last split of a scorer fitted on 1/8, 1/4, 1/2 and all of the leads before.

    Args:
        earlier: what could be learned at the last split.
        last: the held-out rows.
        log_odds: (n,) of the rows of `last`, by the scorer fitted on all earlier leads.
        learn: rows -> the log-odds (observed rows of `last`) of the same scorer fitted on them.
        seed: of which leads are in a part; larger parts hold the smaller ones.

    Returns:
        The points, and a sentence about them. Parts of one outcome only are left out; None if that
        leaves no part but the whole.
    """
    parts = _parts(earlier.rows[earlier.observed], seed)
    if len(parts) < 2:
        return None
    held_out = last.rows[last.observed]
    label = held_out["label"].to_numpy()
    weight = held_out["weight"].to_numpy()

    predictions = [learn(part) for part in parts[:-1]]
    predictions.append(log_odds[last.observed])
    losses = [row_log_loss(expit(prediction), label) for prediction in predictions]

    points = _list_points(parts, losses, weight)
    last_gain = losses[-2] - losses[-1]
    lead_id = held_out["lead_id"].to_numpy()
    error = compute_standard_error(last_gain, weight, lead_id)
    return Learning(points=points, summary=describe_learning(points, error))


def _list_points(
    parts: Sequence[pd.DataFrame],
    losses: Sequence[np.ndarray],
    weight: np.ndarray,
) -> list[LearningPoint]:
    """How many leads each part has, and the mean log loss of what was learned from it."""
    points = []
    for part, loss in zip(parts, losses, strict=True):
        leads = int(part["lead_id"].nunique())
        log_loss = weighted_mean(loss, weight)
        points.append(LearningPoint(leads=leads, log_loss=log_loss))
    return points


def _parts(rows: pd.DataFrame, seed: int) -> list[pd.DataFrame]:
    """The rows of 1/8, 1/4, 1/2 of the leads where both outcomes occur, and all rows."""
    leads = rows["lead_id"].unique()
    place_of = {lead: _place(lead, seed) for lead in leads}
    place = rows["lead_id"].map(place_of).to_numpy()

    parts = []
    for share in PARTS:
        part = rows[place < share]
        has_both = part["label"].nunique() == 2
        if has_both and len(part) < len(rows):
            parts.append(part)
    return [*parts, rows]


def _place(lead_id: str, seed: int) -> float:
    """A number in [0, 1) by hash, so that a part has the same leads in any order of the rows."""
    text = f"{seed}:{lead_id}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    number = int(digest[:DIGITS], base=16)
    return float(number / 16**DIGITS)


def describe_learning(points: Sequence[LearningPoint], error: float) -> str:
    """What twice as many closed leads would bring, in a sentence.

    If log loss falls with the square root of the number of leads, the next doubling brings
    1 / sqrt(2) of what the last one did. `error` is the standard error of that last gain.
    """
    gain = points[-2].log_loss - points[-1].log_loss
    if gain <= error:
        return "more closed leads of the same kind would change little"
    margin = Z * error
    next_gain = gain / math.sqrt(2)
    low = max(gain - margin, 0) / math.sqrt(2)
    high = max(gain + margin, 0) / math.sqrt(2)
    leads = 2 * points[-1].leads
    return (
        f"twice as many closed leads ({leads:,}) would lower the log loss by "
        f"about {next_gain:.4f} ({low:.4f} to {high:.4f})"
    )
