"""The running intercept of a model: a shift of all its log-odds that follows recent outcomes.

At a moment it is the shift of the calibrated log-odds that best fits what was known then, recent
rows weighing more, with a normal prior around 0. Only held-out predictions enter, and none that a
shift has moved.

A model's JSON keeps it under `times`: its `half_life` and `unit`, the `shift` when trained, and by
hashed key the held-out `log_odds` of the rows that may still weigh, all from `from_us` on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import EvaluationSet
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import WinModel, add_shift, calibrate, logit
from leadscore.model.held_out import HeldOut
from leadscore.model.intercept.past import Past, unit_of
from leadscore.model.intercept.shift import fit_shift


@dataclass(frozen=True)
class Recalled:
    """A past and its calibrated log-odds (n,), by models that had not seen the rows."""

    past: Past
    log_odds: np.ndarray

    def shift(self, moment_us: int, *, half_life: float) -> float:
        """The shift that fits what was known at a moment."""
        known = self.past.known(moment_us, half_life=half_life)
        log_odds = self.log_odds[known.positions]
        return fit_shift(log_odds, known.label, known.weight)


def build_running_intercept(
    past: Past,
    log_odds: np.ndarray,
    *,
    from_us: int,
    known_us: int,
    half_life: float,
) -> dict[str, Any]:
    """The running intercept as JSON for the model's key `times`.

    Args:
        past: held-out rows, all of `from_us` or later.
        log_odds: (n,) calibrated, of these rows.
        from_us: from where on the rows are listed again when the shift is renewed.
        known_us: up to when facts are known.
        half_life: in the past's unit.
    """
    recalled = Recalled(past, log_odds)
    recent = past.may_weigh(known_us, half_life=half_life)
    keys = _hash_keys(past.rows[recent])
    values = log_odds[recent].tolist()
    return {
        "half_life": half_life,
        "unit": unit_of(past.history),
        "shift": recalled.shift(known_us, half_life=half_life),
        "from_us": from_us,
        "log_odds": dict(zip(keys, values, strict=True)),
    }


def _hash_keys(rows: pd.DataFrame) -> list[str]:
    """A short key for each row that does not reveal whose it is."""
    named = rows[["lead_id", "spell", "as_of_us"]]
    hashes = []
    for lead_id, spell, as_of_us in named.itertuples(index=False):
        text = f"{lead_id}\0{spell}\0{as_of_us}"
        key = blake2b(text.encode(), digest_size=8)
        hashes.append(key.hexdigest())
    return hashes


def recall(
    history: History,
    model: WinModel,
    *,
    known_us: int,
    as_of_us: int,
    since_us: int | None = None,
) -> Recalled:
    """The rows before a moment with their log-odds.

    Rows from before the training have the held-out log-odds in the model's JSON; later ones, which
    the model has not seen, are predicted by it.

    Args:
        history: where the leads are.
        model: one with a running intercept.
        known_us: up to when the model has seen facts.
        as_of_us: the moment.
        since_us: the first moment of interest, by default `as_of_us`.
    """
    times = model.document["times"]
    first_us = history.known_us(as_of_us if since_us is None else since_us)
    side = history.side(
        "the running intercept",
        from_us=times["from_us"],
        to_us=as_of_us,
        known_us=history.known_us(as_of_us),
    )
    rows = side.rows.reset_index(drop=True)
    keys = _hash_keys(rows)
    stored = [times["log_odds"].get(key, np.nan) for key in keys]
    log_odds = np.array(stored, dtype=np.float64)
    is_later = (rows["as_of_us"] >= known_us).to_numpy()
    is_new = np.isnan(log_odds) & is_later
    is_new &= Past(history, rows).may_weigh(first_us, half_life=times["half_life"])
    if is_new.any():
        log_odds[is_new] = _predict(history, model, rows[is_new])
    has_log_odds = ~np.isnan(log_odds)
    past = Past(history, rows[has_log_odds].reset_index(drop=True))
    return Recalled(past, log_odds[has_log_odds])


def _predict(history: History, model: WinModel, rows: pd.DataFrame) -> np.ndarray:
    """The model's calibrated log-odds (n,) of rows, without a shift."""
    left_out = frozenset(model.document.get("left_out", ()))
    features = build_features(history.settings, leave_out=left_out)
    matrix = build_matrix(history.snapshot(rows[KEYS]), features)
    log_odds = model.log_odds(matrix.take(rows).columns)
    return logit(model.probability(log_odds))


def shift_at(
    history: History,
    model: WinModel,
    *,
    known_us: int,
    as_of_us: int,
) -> dict[str, Any] | None:
    """The running intercept of a model at a moment, as JSON: shift, half_life and unit.

    None for a model that has none.

    Args:
        history: where the leads are.
        model: the model.
        known_us: up to when it has seen facts.
        as_of_us: the moment, not before `known_us`.
    """
    times: Mapping[str, Any] | None = model.document.get("times")
    if times is None:
        return None
    recalled = recall(history, model, known_us=known_us, as_of_us=as_of_us)
    half_life = times["half_life"]
    shift = recalled.shift(as_of_us, half_life=half_life)
    return {"shift": shift, "half_life": half_life, "unit": times["unit"]}


def shifts_of_rows(
    history: History,
    model: WinModel,
    as_of_us: np.ndarray,
    *,
    known_us: int,
) -> np.ndarray:
    """The shift of a model at each moment (m,), none before `known_us`; 0 if it has none."""
    times = model.document.get("times")
    if times is None or not len(as_of_us):
        return np.zeros(len(as_of_us))

    first_us = int(as_of_us.min())
    last_us = int(as_of_us.max())
    recalled = recall(history, model, known_us=known_us, as_of_us=last_us, since_us=first_us)
    half_life = times["half_life"]
    return recalled.past.running_shifts(recalled.log_odds, as_of_us, half_life=half_life)


def evaluate_with_intercept(
    history: History,
    held_out: Mapping[str, HeldOut],
    calibrator: Mapping[str, Any],
    *,
    half_life: float,
) -> EvaluationSet:
    """The rows of the last split, predicted with the shift of their moments.

    Leads are ranked as without it, since all leads of one list have the same shift.
    """
    before = held_out["before"]
    last = held_out["last"]
    both = [before.side.rows, last.side.rows]
    rows = pd.concat(both, ignore_index=True)
    log_odds = np.concatenate([before.log_odds, last.log_odds])
    calibrated = logit(calibrate(calibrator, log_odds))

    as_of_us = last.side.rows["as_of_us"].to_numpy()
    past = Past(history, rows)
    shifts = past.running_shifts(calibrated, as_of_us, half_life=half_life)
    plain = last.evaluated(calibrator)
    shifted = add_shift(plain.probability, shifts[last.side.observed])
    return replace(plain, probability=shifted, order=plain.probability)
