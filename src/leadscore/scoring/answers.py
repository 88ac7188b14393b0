"""Which answers leads gave to a question, and the features of a lead that gave one more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LEAST = 30  # answers in a stage; of fewer those of all open leads count
LEVELS = 5  # different answers that are tried


@dataclass(frozen=True)
class Answers:
    """What may be answered.

    Attributes:
        strength: (k,) distinct answers, from 0 to 1.
        probability: (m, k) how often leads in the same stage gave each.
    """

    strength: np.ndarray
    probability: np.ndarray


def find_answers(
    strength: np.ndarray,
    stage: np.ndarray | None,
    missing: np.ndarray,
    *,
    possible: np.ndarray,
) -> Answers:
    """The answers that leads (n,) gave, and how often leads like those at `missing` (m,) gave them.

    Args:
        strength: (n,) NaN where there is no answer.
        stage: (n,) text or None, if stages are known.
        missing: (m,) positions of leads without an answer.
        possible: (k,) the answers that can be given; all alike where nobody gave any.
    """
    is_known = ~np.isnan(strength)
    if not is_known.any():
        shape = (len(missing), len(possible))
        alike = np.full(shape, 1 / len(possible))
        return Answers(possible, alike)
    given = strength[is_known]
    values = np.unique(given)
    if len(values) > LEVELS:  # amounts and dates: the middle of each fifth stands for it
        middles = (np.arange(LEVELS) + 0.5) / LEVELS
        values = np.unique(np.quantile(given, middles))

    differences = given[:, None] - values[None, :]
    distance = np.abs(differences)
    level = distance.argmin(axis=1)
    overall = _compute_shares(level, len(values))
    probability = np.tile(overall, (len(missing), 1))
    if stage is not None:
        for name in set(stage[missing]) - {None}:
            same_stage = level[stage[is_known] == name]
            if len(same_stage) >= LEAST:
                asked = stage[missing] == name
                probability[asked] = _compute_shares(same_stage, len(values))
    return Answers(values, probability)


def _compute_shares(level: np.ndarray, levels: int) -> np.ndarray:
    return np.bincount(level, minlength=levels) / len(level)


def give_answer(
    columns: Mapping[str, np.ndarray],
    letter: str,
    strength: float,
) -> dict[str, np.ndarray]:
    """The columns that change for leads (m,) that gave one more answer to the question `letter`."""
    name = f"bant_{letter}"
    rows = len(columns[name])
    answered = {
        name: np.full(rows, strength),
        f"{name}_known": np.ones(rows),
        "bant_completeness": columns["bant_completeness"] + 1,
    }
    if f"{name}_mean" in columns:
        mean = columns[f"{name}_mean"]
        number = columns[f"{name}_answers"]
        answered[f"{name}_mean"] = _add_to_mean(mean, number, strength)
        answered[f"{name}_answers"] = number + 1
    return answered


def _add_to_mean(
    mean: np.ndarray,
    number: np.ndarray,
    strength: float,
) -> np.ndarray:
    """The mean (m,) of `number` (m,) answers and one more; NaN is the mean of none."""
    at_least_one = np.maximum(number, 1.0)
    count = np.where(np.isnan(mean), 0.0, at_least_one)
    total = count * np.nan_to_num(mean) + strength
    return np.asarray(total / (count + 1))
