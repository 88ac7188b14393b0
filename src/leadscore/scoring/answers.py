"""Which answers leads gave to a question, and the features of a lead that gave one more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LEAST = 30  # answers in a stage; of fewer those of all open leads count
LEVELS = 5  # different answers that are tried


@dataclass(frozen=True)
class Answers:
    """What may be answered, and how often leads of the list gave each answer.

    Attributes:
        strength: (k,) distinct answers, from 0 to 1.
        overall: (k,) share of each.
        by_stage: stage -> (k,) share among the leads in it; of stages with enough answers.
    """

    strength: np.ndarray
    overall: np.ndarray
    by_stage: Mapping[str, np.ndarray]

    def probability(self, stage: np.ndarray) -> np.ndarray:
        """How often (m, k) leads in the same stage gave each answer, of leads in stages (m,)."""
        probability = np.tile(self.overall, (len(stage), 1))
        for name, shares in self.by_stage.items():
            probability[stage == name] = shares
        return probability


def find_answers(strength: np.ndarray, stage: np.ndarray, *, possible: np.ndarray) -> Answers:
    """The answers that leads (n,) gave.

    Args:
        strength: (n,) NaN where there is no answer.
        stage: (n,) text, None where it is not known.
        possible: (k,) the answers that can be given; all alike where nobody gave any.
    """
    is_known = ~np.isnan(strength)
    if not is_known.any():
        alike = np.full(len(possible), 1 / len(possible))
        return Answers(possible, alike, {})
    given = strength[is_known]
    values = np.unique(given)
    if len(values) > LEVELS:  # amounts and dates: the middle of each fifth stands for it
        middles = (np.arange(LEVELS) + 0.5) / LEVELS
        values = np.unique(np.quantile(given, middles))

    differences = given[:, None] - values[None, :]
    distance = np.abs(differences)
    level = distance.argmin(axis=1)
    by_stage = {}
    stage_of_given = stage[is_known]
    for name in set(stage_of_given) - {None}:
        same_stage = level[stage_of_given == name]
        if len(same_stage) >= LEAST:
            by_stage[name] = _compute_shares(same_stage, len(values))
    return Answers(values, _compute_shares(level, len(values)), by_stage)


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


def list_graded(letter: str) -> list[str]:
    """The features that depend on which answer is given; any answer changes the others alike."""
    return [f"bant_{letter}", f"bant_{letter}_mean"]


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
