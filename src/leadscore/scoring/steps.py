"""A change of a probability in steps, and each step in parts by feature; both add up exactly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadscore.model.apply import WinModel

STEEPEST = 2.0  # times the slope; a calibrator's jump would otherwise give parts without bound
FLAT = 1e-9  # log-odds; a smaller total has no proportion


def compute_steps(
    old: WinModel,
    new: WinModel,
    before: np.ndarray,
    earlier: Sequence[np.ndarray],
    log_odds: np.ndarray,
    *,
    shifts: tuple[float, float] = (0.0, 0.0),
) -> dict[str, np.ndarray]:
    """The change of calibrated log-odds (k,) by step; the steps add up to that of the probability.

    Each step changes one thing and keeps the rest. Time: the lead as of now, by what was known
    then. Facts: by what is known now, corrections of the past included. The old model scores both.
    Then the new scorer is calibrated as before, and then anew. Last comes the change of the running
    intercept.

    Args:
        old: the model of then.
        new: the model of now.
        before: (k,) the probability that was published.
        earlier: log-odds (k,) by the old model: then, now by what was known then, and now.
        log_odds: (k,) by the new model.
        shifts: the running intercept, then and now.
    """
    then, later, now = (log_odds_of(old.probability(one)) for one in earlier)
    shift_then, shift_now = shifts
    corrections = then + shift_then - log_odds_of(before)
    old_calibrator = log_odds_of(old.probability(log_odds))
    new_calibrator = log_odds_of(new.probability(log_odds))
    return {
        "time": later - then,
        "facts": now - later + corrections,
        "scorer": old_calibrator - now,
        "calibrator": new_calibrator - old_calibrator,
        "times": np.full(len(log_odds), shift_now - shift_then),
    }


def log_odds_of(probability: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)), with p kept 1e-9 off 0 and 1."""
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(p / (1 - p)))


def slope_between(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """How much the probability (k,) changes for each log-odds on the way from `before` to `after`.

    Where they are equal it is the derivative, p (1 - p).
    """
    difference = log_odds_of(after) - log_odds_of(before)
    is_flat = np.abs(difference) < FLAT
    derivative = before * (1 - before)
    secant = (after - before) / np.where(is_flat, 1.0, difference)
    return np.asarray(np.where(is_flat, derivative, secant))


def apportion(
    whole: np.ndarray | float,
    added: np.ndarray,
    *,
    slope: np.ndarray | float,
) -> np.ndarray:
    """The part of each feature (..., features) in changes, in their unit; the parts add up to them.

    They are in proportion to what each feature added to the log-odds. Where features all but cancel
    out, or the calibrator jumps, that proportion would have no bound, or the wrong sign. So it is
    kept between 0 and `STEEPEST` times the slope, and the rest is spread by the size of what each
    added.

    Args:
        whole: (...) the changes to apportion.
        added: (..., features) log-odds; not all 0.
        slope: (...) the change for each log-odds.
    """
    total = added.sum(axis=-1)
    is_flat = np.abs(total) <= FLAT
    plain = whole / np.where(is_flat, 1.0, total)
    steepest = STEEPEST * np.asarray(slope)
    proportion = np.where(is_flat, slope, np.clip(plain, 0, steepest))
    rest = whole - proportion * total

    size = np.abs(added)
    all_sizes = size.sum(axis=-1, keepdims=True)
    of_rest = rest[..., None] * size / all_sizes
    return np.asarray(proportion[..., None] * added + of_rest)
