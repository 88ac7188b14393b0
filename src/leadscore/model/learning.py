"""The learning curve: how good a scorer is when fewer leads have closed, and what more of them would bring."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.matrix import Matrix
from leadscore.history.labels import Side
from leadscore.model.apply import WinModel, sigmoid
from leadscore.model.evaluate import compute_standard_error, row_log_loss

PARTS = (0.125, 0.25, 0.5)
FURTHEST = 10  # times as many leads as there are: beyond that a curve of so few points says nothing


@dataclass(frozen=True)
class Candidate:
    """A kind of scorer: `fit` makes an uncalibrated model from rows.

    `whole` are its raw log-odds (n,) of the rows of the last split when learned from all leads before it.
    """

    kind: str
    fit: Callable[[pd.DataFrame], WinModel]
    whole: np.ndarray


def compute_learning(
    matrix: Matrix, earlier: Side, last: Side, chosen: Candidate, *, richer: Candidate | None = None, seed: int
) -> dict[str, Any] | None:
    """Log loss on the last split when learned from an eighth, a quarter, half and all of the leads before it.

    Args:
        matrix: has the features of both sides.
        earlier: what could be learned at the last split.
        last: what judges.
        chosen: the scorer in use.
        richer: the next one, which more leads might let take over; it costs one more fit.
        seed: of which leads are in a part; each part holds the smaller ones.

    Returns:
        `points` (leads, log_loss), what is `said` of them, and of the richer scorer as `next`, or None. Parts of one
        outcome are left out; all is None if half of the leads have one.
    """
    parts = _parts(earlier.rows[earlier.observed], seed)
    if len(parts) < 2:
        return None
    judged = last.rows[last.observed]
    label, weight, lead_id = (judged[name].to_numpy() for name in ("label", "weight", "lead_id"))
    columns = matrix.take(judged).columns

    def losses(candidate: Candidate, smaller: Sequence[pd.DataFrame]) -> list[np.ndarray]:
        raws = [candidate.fit(part).raw(columns) for part in smaller]
        return [row_log_loss(sigmoid(raw), label) for raw in (*raws, candidate.whole[last.observed])]

    found = losses(chosen, parts[:-1])
    leads = [int(part["lead_id"].nunique()) for part in parts]
    means = [float(np.average(loss, weights=weight)) for loss in found]
    points = [{"leads": n, "log_loss": mean} for n, mean in zip(leads, means, strict=True)]
    said = say_learning(points, compute_standard_error(found[-2] - found[-1], weight, lead_id))
    if not richer:
        return {"points": points, "said": said, "next": None}
    half, whole = (theirs - ours for theirs, ours in zip(losses(richer, parts[-2:-1]), found[-2:], strict=True))
    needed = leads_to_overtake(half, whole, leads=(leads[-2], leads[-1]), weight=weight, lead_id=lead_id)
    return {"points": points, "said": said, "next": say_overtaking(richer.kind, needed, leads=leads[-1])}


def _parts(rows: pd.DataFrame, seed: int) -> list[pd.DataFrame]:
    """The rows of an eighth, a quarter, half and all of the leads, less parts of one outcome or of all leads."""
    place = rows["lead_id"].map({lead: _place(lead, seed) for lead in rows["lead_id"].unique()}).to_numpy()
    parts = [rows[place < part] for part in PARTS]
    return [*(part for part in parts if part["label"].nunique() == 2 and len(part) < len(rows)), rows]


def _place(lead_id: str, seed: int) -> float:
    """Where in [0, 1) a lead stands, by hash, so that a part of the leads is the same in any order of rows."""
    return int(hashlib.sha256(f"{seed}:{lead_id}".encode()).hexdigest()[:13], 16) / 16**13


def leads_to_overtake(
    half: np.ndarray, whole: np.ndarray, *, leads: tuple[int, int], weight: np.ndarray, lead_id: np.ndarray
) -> float | None:
    """How many leads to learn from make a richer scorer better than another by more than one standard error.

    The log loss of each is taken to be a + b / sqrt(leads), through the two last points of its curve, and the standard
    error to shrink likewise; None if at the end of both curves the richer one is not better by as much.

    Args:
        half: its log loss less the other's (n,), when learned from the first number of `leads`.
        whole: the same of the second number.
        leads: how many the two were learned from, the smaller first.
        weight: of the rows (n,).
        lead_id: whose rows they are (n,).
    """
    fewer, more = leads
    end = whole + (whole - half) / (np.sqrt(more / fewer) - 1)  # a of the difference, row by row
    now, at_the_end = (float(np.average(each, weights=weight)) for each in (whole, end))
    if at_the_end + compute_standard_error(end, weight, lead_id) >= 0:
        return None
    error = compute_standard_error(whole, weight, lead_id)
    return float(more * (max(now - at_the_end + error, 0.0) / -at_the_end) ** 2)


def say_overtaking(kind: str, needed: float | None, *, leads: int) -> str:
    """In words when a richer scorer would take over, having learned from so many leads until now."""
    if needed is None or needed > FURTHEST * leads:
        return f"nothing says that more of them alone would make the {kind} one clearly better"
    if needed <= leads:
        return f"on the last split the {kind} one is clearly better already, which is for the next training to confirm"
    return f"with about {float(f'{needed - leads:.2g}'):,.0f} more the {kind} one would be clearly better"


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
