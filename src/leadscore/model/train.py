"""Training at a moment K: rolling splits, a calibrator chosen out of time, evidence against the base rate.

Only facts known before K are used, so the same function serves training today and a back-test in the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.fields import unlearned_fields
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.labels import Side
from leadscore.history.snapshot import KEYS
from leadscore.history.split import LAST_SHARE, History
from leadscore.model.apply import WinModel, calibrate
from leadscore.model.calibrate import KINDS, fit_calibrator
from leadscore.model.curves import (
    compute_days_to_win,
    compute_distribution,
    compute_lift_curve,
    compute_maturity,
    compute_precision_recall,
    compute_roc,
)
from leadscore.model.encode import FOLDS
from leadscore.model.evaluate import (
    Estimate,
    Judged,
    compute_gain,
    compute_metrics,
    compute_reliability,
    compute_standard_error,
    row_log_loss,
)
from leadscore.model.fit import cross_validate, fit_scorer
from leadscore.progress import Progress

MIN_OUTCOMES = 20  # snapshots won, and as many not won: with fewer nothing can be learned
MIN_JUDGED = 10  # leads won, and as many not won: a resample of fewer looks more certain than it is
MIN_SPLITS = 3  # with fewer there is nothing left to choose a calibrator on
REFERENCE_POINTS = 1000
REPEATS = 5  # of cross-validation where nothing is dated: one deal of the leads is mostly luck


@dataclass(frozen=True)
class FitResult:
    """What a training gave.

    `evaluation` is JSON (see docs/metrics.md). `no_signal` is None, or why there is no model to keep; the model
    that was refused is there all the same, for whoever wants to look at it.
    """

    model: WinModel
    evaluation: dict[str, Any]
    known_us: int
    features: tuple[Feature, ...]
    no_signal: str | None


@dataclass(frozen=True)
class _Unseen:
    """Rows that were predicted by models that had not seen them.

    `raw` is (n,), or (repeats, n) if several did; then each prediction has its share of the row's weight. Intervals
    resample `groups` (n,), by default leads.
    """

    side: Side
    raw: np.ndarray
    groups: np.ndarray | None = None

    @property
    def repeats(self) -> int:
        return len(np.atleast_2d(self.raw))

    def rows(self) -> pd.DataFrame:
        """The rows with a label, once a repeat; raw and group beside them."""
        groups = self.side.rows["lead_id"].to_numpy() if self.groups is None else self.groups
        each = self.side.rows.assign(group=groups, weight=self.side.rows["weight"] / self.repeats)
        every = [each.assign(raw=raw)[self.side.observed] for raw in np.atleast_2d(self.raw)]
        return pd.concat(every, ignore_index=True)

    def judged(self, calibrator: Mapping[str, Any]) -> Judged:
        rows = self.rows()
        probability = calibrate(dict(calibrator), rows["raw"].to_numpy())
        return Judged(probability, *(rows[name].to_numpy() for name in ("label", "weight", "group")))

    def fit_calibrator(self, kind: str) -> dict[str, Any]:
        rows = self.rows()
        raw, label, weight = (rows[name].to_numpy() for name in ("raw", "label", "weight"))
        return fit_calibrator(kind, raw, label, weight, leads=rows["lead_id"].nunique())


def fit_model(
    history: History, *, known_us: int, progress: Progress, leave_out: AbstractSet[str] = frozenset()
) -> FitResult:
    """Train as of `known_us` (K), and judge on the last split, which neither scorer nor calibrator saw.

    The model keeps `leave_out`, the fields that it must not learn from, so that scoring builds the same features.
    Where there is no split, be it for want of history or of any order, cross-validation judges instead.

    Raises:
        FollowUpError: history before K is too short for the horizon.
        TooFewOutcomesError: it has too few wins or losses.
    """
    settings = history.settings
    side = history.earlier_side(known_us)
    side.check(least=MIN_OUTCOMES)
    features = tuple(build_features(settings, leave_out=leave_out))
    moments = history.split_moments(known_us, least=MIN_OUTCOMES)
    earlier = [history.earlier_side(moment) for moment in moments]
    pools = _pools(history, moments, known_us)
    rows = pd.concat([each.rows[KEYS] for each in (side, *earlier, *pools.values())])
    rows = rows.drop_duplicates(["lead_id", "as_of_us"])  # a snapshot's features do not depend on its side
    matrix = build_matrix(history.snapshot(rows), features, progress=progress)
    fit = partial(fit_scorer, matrix, features=features, seed=settings.seed, threads=settings.engine.threads)
    models = []
    for done, each in enumerate([*earlier, side]):
        progress("fitting", done, len(earlier) + 1)
        models.append(fit(each.rows))
    final = models.pop()
    if moments:
        raw = {name: _predict(matrix, pool, moments, models) for name, pool in pools.items()}
    else:
        deals: list[tuple[int, ...]] = [()] if settings.is_dated else [(settings.seed, i) for i in range(REPEATS)]
        pools = {"last": side}
        raw = {"last": np.stack([cross_validate(matrix, side, fit, seed=deal) for deal in deals])}
    unseen = {name: _Unseen(pool, raw[name], matrix.take(pool.rows).groups()) for name, pool in pools.items()}
    calibration = _choose_calibrator(unseen)
    judged = unseen["last"].judged(calibration.judged_by)
    document = final.document | {
        "calibrator": calibration.to_use,
        "reference": _reference(judged),
        "left_out": sorted(leave_out),
    }
    splits = dict(zip(moments, earlier, strict=True))
    evaluation = _evaluate(history, judged, known_us=known_us, side=side, splits=splits, last=unseen["last"].side)
    return FitResult(
        model=WinModel(document, final.booster_text),
        evaluation=evaluation | {"calibrator": calibration.choice},
        known_us=known_us,
        features=features,
        no_signal=evaluation["no_signal"],
    )


def _evaluate(
    history: History, judged: Judged, *, known_us: int, side: Side, splits: dict[int, Side], last: Side
) -> dict[str, Any]:
    """All that is told of a training, as JSON; the opponent is the base rate as known at the last split."""
    settings = history.settings
    opponent = (list(splits.values()) or [side])[-1].base_rate()
    gain = as_json(compute_gain(judged, np.full(len(judged.label), opponent), seed=settings.seed))
    return {
        "basis": _basis(settings.time, by_split=bool(splits)),
        "assumption": settings.assumption(),
        "known_until": history.name(known_us),
        "horizon_days": settings.target.horizon_days if settings.is_dated else None,
        "history": describe_side(side),
        "splits": [{"moment": history.name(moment), **describe_side(each)} for moment, each in splits.items()],
        "judged": describe_side(last),
        "metrics": _metrics(judged, last, settings.seed),
        "base_rate_before": opponent,
        "gain": gain,
        "no_signal": _too_few(judged) or _no_signal(gain["log_loss_gain"], opponent),
        "reliability": compute_reliability(judged, seed=settings.seed).to_dict("records"),
        "curves": {
            "roc": compute_roc(judged),
            "precision_recall": compute_precision_recall(judged),
            "lift": compute_lift_curve(judged),
            "distribution": compute_distribution(judged),
        }
        | ({"maturity": compute_maturity(history.spells(known_us), known_us)} if settings.is_dated else {}),
        "days_to_win": compute_days_to_win(history.spells(known_us), known_us) if settings.is_dated else None,
        "not_learned_from": unlearned_fields(settings, history.changed_fields(known_us)),
    }


def _basis(time: str, *, by_split: bool) -> str:
    """What the judged predictions are; "judged" stands before it."""
    if time == "dated":
        return "out of time" if by_split else "cross-validated by lead"
    if by_split:
        return f"on the last {LAST_SHARE:.0%} by order".replace("%", " %")
    return f"by grouped cross-validation, {REPEATS} x {FOLDS} by identical rows"


def _pools(history: History, moments: list[int], known_us: int) -> dict[str, Side]:
    """Later sides: `last`, of the last split; with enough splits `whole`, of all, and `before`, of all but the last.

    `before` is labelled as known at the last moment, so that what is fitted on it knows nothing of `last`.
    """
    if not moments:
        return {}
    pools = {"last": history.later_side(moments[-1], to_us=known_us, known_us=known_us)}
    if len(moments) >= MIN_SPLITS:
        pools["before"] = history.later_side(moments[0], to_us=moments[-1], known_us=moments[-1])
        pools["whole"] = history.later_side(moments[0], to_us=known_us, known_us=known_us)
    return pools


def _predict(matrix: Matrix, pool: Side, moments: list[int], models: list[WinModel]) -> np.ndarray:
    """Raw log-odds (n,) of a pool's rows, each by the model of the latest moment not after its as_of."""
    at = pool.latest_moment(moments)
    raw = np.zeros(len(pool.rows))
    for i, model in enumerate(models):
        if (at == i).any():
            raw[at == i] = model.raw(matrix.take(pool.rows[at == i]).columns)
    return raw


@dataclass(frozen=True)
class _Calibration:
    """The calibrator to use, the one of the same kind to judge by, and how the kind was chosen."""

    to_use: dict[str, Any]
    judged_by: dict[str, Any]
    choice: dict[str, Any]


def _choose_calibrator(unseen: Mapping[str, _Unseen]) -> _Calibration:
    """Fit candidates on all splits but the last, compare them there by log loss, refit the chosen kind on all.

    The simplest within one standard error of the best is chosen; with too few splits there is no choice.
    """
    last = unseen["last"]
    if "before" not in unseen or not unseen["before"].side.is_watched_enough():
        none = last.fit_calibrator("none")
        why = f"fewer than {MIN_SPLITS} splits are watched long enough on both sides"
        if last.repeats > 1:
            why = "it would have to be chosen on later leads, and nothing says which are later"
        if "before" in unseen:
            why = "the splits before the last one are together not watched long enough"
        return _Calibration(none, none, {"kind": "none", "why": why})
    candidates = {kind: unseen["before"].fit_calibrator(kind) for kind in KINDS}
    judged = {kind: last.judged(calibrator) for kind, calibrator in candidates.items()}
    losses = {kind: row_log_loss(each.probability, each.label) for kind, each in judged.items()}
    weight, lead_id = judged["none"].weight, judged["none"].lead_id
    mean = {kind: float(np.average(loss, weights=weight)) for kind, loss in losses.items()}
    best = min(KINDS, key=lambda kind: mean[kind])

    def is_as_good(kind: str) -> bool:
        return mean[kind] - mean[best] <= compute_standard_error(losses[kind] - losses[best], weight, lead_id)

    kind = next(kind for kind in KINDS if is_as_good(kind))
    return _Calibration(unseen["whole"].fit_calibrator(kind), candidates[kind], {"kind": kind, "log_loss": mean})


def _metrics(judged: Judged, side: Side, seed: int) -> dict[str, Any]:
    """Metrics of all judged rows, and, dated, of leads younger and older than one step of the grid."""
    rows = side.rows[side.observed]
    young = rows["young"].to_numpy()
    parts = {"all": np.ones(len(young), dtype=bool)} | ({"young": young, "older": ~young} if side.target else {})
    found = {}
    for name, chosen in parts.items():
        part = judged.take(np.tile(chosen, len(judged.label) // max(len(rows), 1)))
        if len(np.unique(part.label)) == 2:
            told = {"snapshots": int(chosen.sum()), "leads": int(rows.loc[chosen, "lead_id"].nunique())}
            found[name] = describe_judged(part) | told | as_json(compute_metrics(part, seed=seed))
    return found


def describe_judged(judged: Judged) -> dict[str, Any]:
    """How many rows and leads an evaluation rests on, and their weighted win rate."""
    rate = float(np.average(judged.label, weights=judged.weight))
    return {"snapshots": len(judged.label), "leads": len(np.unique(judged.lead_id)), "win_rate": rate}


def as_json(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    """Estimates by name, as JSON."""
    return {name: estimate.as_json() for name, estimate in estimates.items()}


def describe_side(side: Side) -> dict[str, Any]:
    """What a side consists of, as JSON."""
    rows = side.rows
    return {
        "snapshots": len(rows),
        "leads": int(rows["lead_id"].nunique()),
        "won": int(rows["label"].sum()),
        "censored": int(rows["label"].isna().sum()),
        "base_rate": side.base_rate(),
        "mature_rate": side.mature_rate() if np.isfinite(side.mature_rate()) else None,
        "watched_to_horizon": side.watched,
        "weights_capped": side.capped_share,
        "follow_up_days": side.follow_up_days() if side.target else None,
    }


def _reference(judged: Judged) -> list[float]:
    """The judged probabilities as quantiles, each standing for an equal share of their weight."""
    order = np.argsort(judged.probability, kind="stable")
    p, weight = judged.probability[order], judged.weight[order]
    middle = (np.arange(REFERENCE_POINTS) + 0.5) / REFERENCE_POINTS * weight.sum()
    return [float(x) for x in p[np.minimum(np.searchsorted(np.cumsum(weight), middle), len(p) - 1)]]


def _too_few(judged: Judged) -> str | None:
    """Why there is nobody to judge by, or None."""
    won = len(np.unique(judged.lead_id[judged.label == 1]))
    others = len(np.unique(judged.lead_id[judged.label == 0]))
    if min(won, others) >= MIN_JUDGED:
        return None
    return (
        f"no signal: the model could be judged on {won} won and {others} other leads only; "
        f"at least {MIN_JUDGED} of each are needed, so give more history"
    )


def _no_signal(gain: Mapping[str, float | None], base_rate: float) -> str | None:
    """Why there is no signal, or None; without an interval to show for it there is none."""
    if gain["low"] is not None and gain["low"] > 0:
        return None
    value, low, high = ("unknown" if gain[key] is None else f"{gain[key]:.4f}" for key in ("value", "low", "high"))
    return (
        f"no signal: against giving every lead the base rate of {base_rate:.3f} the model's log loss is better by "
        f"{value}, with a 95 % interval from {low} to {high} that is not wholly above 0"
    )
