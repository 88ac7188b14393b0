"""The past replayed: train on what was known then, score what was open then, settle by what is known now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from leadscore.errors import FollowUpError, TooFewOutcomesError
from leadscore.features.matrix import build_matrix
from leadscore.history.labels import build_side
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.evaluate import Judged, compute_gain, compute_metrics, compute_reliability
from leadscore.model.train import as_json, describe_judged, fit_model
from leadscore.model.yardstick import predict_yardsticks
from leadscore.progress import Progress, silent
from leadscore.times import DAY_US, format_us, local_midnights

OURS = "leadscore"


@dataclass(frozen=True)
class BacktestResult:
    """`report` is JSON: dates (each with notes, and metrics by model), pooled metrics by model, skipped dates.

    `predictions` has a row for each open lead of each date: lead_id, as_of_us, label, weight, and a column of
    probabilities for each model.
    """

    report: dict[str, Any]
    predictions: pd.DataFrame


def run_backtest(
    history: History,
    as_of_us: Sequence[int],
    *,
    progress: Progress,
    leave_out: Callable[[int], AbstractSet[str]] = lambda _: frozenset(),
) -> BacktestResult:
    """Replay training and scoring at each date; dates that cannot be learned from or settled are skipped in words.

    `leave_out` says which fields a training at a date would not have learned from.
    """
    dates, skipped, predictions = [], [], []
    for done, moment in enumerate(as_of_us):
        progress(f"as of {format_us(moment)[:10]}", done, len(as_of_us))
        try:
            date, rows = _replay(history, moment, leave_out)
        except (FollowUpError, TooFewOutcomesError) as e:
            skipped.append({"as_of": format_us(moment), "why": str(e)})
            continue
        dates.append(date)
        predictions.append(rows)
    report = {
        "known_until": format_us(history.version.known_until_us),
        "horizon_days": history.settings.target.horizon_days,
        "dates": dates,
        "skipped": skipped,
    }
    if not predictions:
        return BacktestResult(report, pd.DataFrame())
    pooled = pd.concat(predictions, ignore_index=True)
    seed = history.settings.seed
    report["pooled"] = _metrics(pooled, seed=seed)
    report["reliability"] = compute_reliability(_judged(pooled, OURS)).to_dict("records")
    return BacktestResult(report, pooled)


def _replay(
    history: History, as_of_us: int, leave_out: Callable[[int], AbstractSet[str]]
) -> tuple[dict[str, Any], pd.DataFrame]:
    asked = history.open_list(as_of_us)
    until = history.version.known_until_us
    settled = build_side(
        f"leads open at {format_us(as_of_us)}",
        asked.assign(grid_weight=1.0, young=False),
        history.spells(until),
        known_us=until,
        target=history.settings.target,
    )
    settled.check()
    result = fit_model(history, known_us=as_of_us, progress=silent, leave_out=leave_out(as_of_us))
    earlier = history.earlier_side(as_of_us)
    rows = settled.rows[settled.observed]
    both = pd.concat([earlier.rows[KEYS], rows[KEYS]])
    matrix = build_matrix(history.snapshot(both), result.features)
    table = rows[["lead_id", "as_of_us", "label", "weight"]].assign(
        **{OURS: result.model.probability(result.model.raw(matrix.take(rows).columns))},
        **predict_yardsticks(matrix, earlier, rows, result.features),
    )
    splits = len(result.evaluation["splits"])
    why = result.evaluation["calibrator"].get("why")
    notes = [f"{splits} admissible splits, the calibrator is none: {why}"] if why else []
    notes += [result.no_signal] if result.no_signal else []
    date = {
        "as_of": format_us(as_of_us),
        "open": len(asked),
        "settled": len(rows),
        "won": int(rows["label"].sum()),
        "trained_on": result.evaluation["history"]["snapshots"],
        "splits": splits,
        "calibrator": result.evaluation["calibrator"]["kind"],
        "notes": notes,
        "models": _metrics(table, seed=history.settings.seed),
    }
    return date, table.reset_index(drop=True)


def _metrics(table: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """Metrics, and gain over the base rate, of each model's column."""
    base = table["base_rate"].to_numpy()
    found = {}
    for name in table.columns.drop(["lead_id", "as_of_us", "label", "weight"]):
        judged = _judged(table, name)
        gain = compute_gain(judged, base, seed=seed)
        found[name] = describe_judged(judged) | as_json(compute_metrics(judged, seed=seed)) | as_json(gain)
    return found


def _judged(table: pd.DataFrame, name: str) -> Judged:
    return Judged(*(table[column].to_numpy() for column in (name, "label", "weight", "lead_id")))


def spread_dates(history: History, *, from_us: int | None, to_us: int | None, dates: int) -> list[int]:
    """`dates` moments of the grid's kind (local midnights), evenly spread over [from_us, to_us].

    By default from twice the horizon after the first lead, so that there is something to learn from, to a horizon
    before `known_until`, so that all can be settled.
    """
    horizon_us = history.settings.target.horizon_days * DAY_US
    first = from_us if from_us is not None else history.version.first_us + 2 * horizon_us
    last = to_us if to_us is not None else history.version.known_until_us - horizon_us
    midnights = [us for _, us in local_midnights(first, last + 1, zone=history.settings.timezone)]
    at = np.unique(np.linspace(0, len(midnights) - 1, min(dates, len(midnights))).round().astype(int))
    return [midnights[i] for i in at]
