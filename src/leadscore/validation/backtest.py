"""The past replayed: train on what was known then, score what was open then, settle by what is known now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from leadscore.errors import AsOfError, FollowUpError, TooFewOutcomesError
from leadscore.evaluation.metrics import EvaluationSet, compute_reliability
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.labels import Side, build_side
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import add_shift
from leadscore.model.intercept.running import shifts_of_rows
from leadscore.model.train import fit_model
from leadscore.progress import Progress, silent
from leadscore.times import DAY_US, local_midnights
from leadscore.validation.baselines import predict_baselines
from leadscore.validation.comparison import OURS, compute_table

BACKTESTED = 0.4, 0.9  # shares of ordered leads between which back-tests begin


@dataclass(frozen=True)
class BacktestResult:
    """`report` is JSON: dates (each with notes, and metrics by model), pooled metrics by model, skipped dates.

    `predictions` has a row for each open lead of each date: lead_id, as_of_us, label, weight, without_times (our
    probability without the running intercept), and a column of probabilities for each model.
    """

    report: dict[str, Any]
    predictions: pd.DataFrame


def run_backtest(
    history: History,
    as_of_us: Sequence[int],
    *,
    progress: Progress,
    doubted: Callable[[int], Mapping[str, AbstractSet[str]]] = lambda _: {},
) -> BacktestResult:
    """Replay training and scoring at each date; dates that cannot be learned from or settled are skipped in words.

    `doubted` says which fields a training at a date would have been told to do without (see `fit_model`).
    """
    dates, skipped, predictions = [], [], []
    ends = [*as_of_us[1:], history.version.known_until_us]
    for done, (moment, end) in enumerate(zip(as_of_us, ends, strict=True)):
        progress(f"as of {history.name(moment).partition('T')[0]}", done, len(as_of_us))
        try:
            date, rows = _replay(
                history, _settled(history, moment, to_us=end), moment, doubted(moment)
            )
        except (FollowUpError, TooFewOutcomesError) as e:
            skipped.append({"as_of": history.name(moment), "why": str(e)})
            continue
        dates.append(date)
        predictions.append(rows)
    report: dict[str, Any] = {
        "known_until": history.name(history.version.known_until_us),
        "horizon_days": history.settings.target.horizon_days if history.settings.is_dated else None,
        "dates": dates,
        "skipped": skipped,
    }
    if not predictions:
        return BacktestResult(report, pd.DataFrame())
    pooled = pd.concat(predictions, ignore_index=True)
    seed = history.settings.seed
    block = np.repeat(np.arange(len(predictions)), [len(rows) for rows in predictions])
    report["pooled"] = _metrics(pooled, seed=seed, block=block)
    report["reliability"] = compute_reliability(_judged(pooled, OURS)).to_dict("records")
    return BacktestResult(report, pooled)


def _settled(history: History, as_of_us: int, *, to_us: int) -> Side:
    """The leads open at a moment, or those whose places are from there up to `to_us`, as they ended."""
    until = history.version.known_until_us
    if not history.settings.is_dated:
        return history.later_side(as_of_us, to_us=to_us, known_us=until)
    return build_side(
        f"leads open at {history.name(as_of_us)}",
        history.open_list(as_of_us).assign(grid_weight=1.0, young=False),
        history.spells(until),
        known_us=until,
        target=history.settings.target,
    )


def _replay(
    history: History, settled: Side, as_of_us: int, doubted: Mapping[str, AbstractSet[str]]
) -> tuple[dict[str, Any], pd.DataFrame]:
    settled.check()
    result = fit_model(history, known_us=as_of_us, progress=silent, **doubted)
    earlier = history.earlier_side(as_of_us)
    rows = settled.rows[settled.observed]
    both = pd.concat([earlier.rows[KEYS], rows[KEYS]])
    features = build_features(history.settings, leave_out=doubted.get("leave_out", frozenset()))
    matrix = build_matrix(history.snapshot(both), features)  # yardsticks may learn from clocks
    plain = result.model.probability(result.model.log_odds(matrix.take(rows).columns))
    shift = shifts_of_rows(history, result.model, rows["as_of_us"].to_numpy(), known_us=as_of_us)
    table = rows[["lead_id", "as_of_us", "label", "weight"]].assign(
        without_times=plain,
        **{OURS: add_shift(plain, shift) if shift.any() else plain},
        **predict_baselines(matrix, earlier, rows, features, scorecard=history.settings.scorecard),
    )
    splits = len(result.evaluation["splits"])
    why = result.evaluation["calibrator"].get("why")
    notes = [f"{splits} admissible splits, the calibrator is none: {why}"] if why else []
    notes += [result.no_signal] if result.no_signal else []
    date = {
        "as_of": history.name(as_of_us),
        "open": len(settled.rows),
        "settled": len(rows),
        "won": int(rows["label"].sum()),
        "trained_on": result.evaluation["history"]["snapshots"],
        "splits": splits,
        "calibrator": result.evaluation["calibrator"]["kind"],
        "shift": float(shift.mean()),
        "notes": notes,
        "models": _metrics(table, seed=history.settings.seed),
    }
    return date, table.reset_index(drop=True)


def _metrics(table: pd.DataFrame, *, seed: int, block: np.ndarray | None = None) -> dict[str, Any]:
    """Metrics of each model's column, as `compute_table` gives them; `block` (n,) is the replay of each row."""
    names = table.columns.drop(["lead_id", "as_of_us", "label", "weight", "without_times"])
    evaluated = replace(_judged(table, OURS), block=block, order=table["without_times"].to_numpy())
    return compute_table(evaluated, {name: table[name].to_numpy() for name in names}, seed=seed)


def _judged(table: pd.DataFrame, name: str) -> EvaluationSet:
    return EvaluationSet(
        *(table[column].to_numpy() for column in (name, "label", "weight", "lead_id"))
    )


def spread_dates(
    history: History, *, from_us: int | None, to_us: int | None, dates: int
) -> list[int]:
    """`dates` moments of the grid's kind (local midnights), evenly spread over [from_us, to_us].

    By default from twice the horizon after the first lead, so that there is something to learn from, to a horizon
    before `known_until`, so that all can be settled. Of ordered leads they are places, with 40 to 90 % of the closed
    leads before them.

    Raises:
        AsOfError: leads are not dated, and a date is given, or they are not even ordered.
    """
    if not history.settings.is_dated:
        return _spread_places(history, dates=dates, dated=(from_us, to_us) != (None, None))
    horizon_us = history.settings.target.horizon_days * DAY_US
    first = from_us if from_us is not None else history.version.first_us + 2 * horizon_us
    last = to_us if to_us is not None else history.version.known_until_us - horizon_us
    midnights = [us for _, us in local_midnights(first, last + 1, zone=history.settings.timezone)]
    at = np.unique(
        np.linspace(0, len(midnights) - 1, min(dates, len(midnights))).round().astype(int)
    )
    return [midnights[i] for i in at]


def _spread_places(history: History, *, dates: int, dated: bool) -> list[int]:
    time = history.settings.time
    if time == "none":
        raise AsOfError(
            "time = none: nothing says which leads came first, so there is no past to replay; see `train`"
        )
    if dated:
        raise AsOfError(
            f"time = {time}: leads have places and no dates, so leave out --from and --to"
        )
    until = history.version.known_until_us
    return history.places(until, shares=np.linspace(*BACKTESTED, dates).tolist())
