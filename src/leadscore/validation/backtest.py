"""The past replayed: train on what was known, score what was open, settle by what is known now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from leadscore.errors import TooLittleHistoryError
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.reliability import compute_reliability
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.labels import build_side
from leadscore.history.side import Side
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import add_shift
from leadscore.model.intercept.running import shifts_of_rows
from leadscore.model.train import FitResult, fit_model
from leadscore.progress import Progress, silent
from leadscore.results import BacktestReport, ModelMetrics, ReplayedDate, SkippedDate
from leadscore.validation.baselines import predict_baselines
from leadscore.validation.comparison import OURS, compute_table

LeftOut = Mapping[str, AbstractSet[str]]  # the fields that `fit_model` is to do without
NOT_MODELS = ("lead_id", "as_of_us", "label", "weight", "without_times")


@dataclass(frozen=True)
class BacktestResult:
    """A finished back-test.

    Attributes:
        report: the dates, metrics of them pooled, and skipped dates.
        predictions: a row for each open lead of each date: lead_id, as_of_us, label, weight,
            without_times (our probability without the running intercept), and a column of
            probabilities for each model.
    """

    report: BacktestReport
    predictions: pd.DataFrame


@dataclass(frozen=True)
class _Replay:
    """One date replayed: its part of the report, and its predictions."""

    date: ReplayedDate
    rows: pd.DataFrame


def _leave_nothing_out(_known_us: int) -> LeftOut:
    return {}


def run_backtest(
    history: History,
    as_of_us: Sequence[int],
    *,
    progress: Progress,
    doubted: Callable[[int], LeftOut] = _leave_nothing_out,
) -> BacktestResult:
    """Training and scoring replayed at each date.

    Dates that cannot be learned from, or not be settled, are skipped, and the report says why.

    Args:
        history: where the leads are.
        as_of_us: the dates, rising.
        progress: is told how far the work is.
        doubted: date -> the fields that a training then would do without (see `fit_model`).
    """
    replays: list[_Replay] = []
    skipped: list[SkippedDate] = []
    ends = [*as_of_us[1:], history.version.known_until_us]
    spans = zip(as_of_us, ends, strict=True)
    for done, (moment, end) in enumerate(spans):
        progress(f"as of {_name_day(history, moment)}", done, len(as_of_us))
        try:
            settled = _settle(history, moment, to_us=end)
            replays.append(_replay(history, settled, moment, doubted(moment)))
        except TooLittleHistoryError as e:
            date = SkippedDate(as_of=history.name(moment), why=str(e))
            skipped.append(date)

    settings = history.settings
    report = BacktestReport(
        known_until=history.name(history.version.known_until_us),
        horizon_days=settings.target.horizon_days if settings.is_dated else None,
        dates=[replay.date for replay in replays],
        skipped=skipped,
    )
    if not replays:
        return BacktestResult(report, pd.DataFrame())
    return _pool(report, replays, seed=settings.seed)


def _pool(report: BacktestReport, replays: Sequence[_Replay], *, seed: int) -> BacktestResult:
    """The result of some dates, with metrics of all their predictions."""
    tables = [replay.rows for replay in replays]
    rows = pd.concat(tables, ignore_index=True)
    sizes = [len(replay.rows) for replay in replays]
    block = np.repeat(np.arange(len(replays)), sizes)
    pooled = {
        "pooled": _compute_metrics(rows, seed=seed, block=block),
        "reliability": compute_reliability(_as_evaluation_set(rows)),
    }
    return BacktestResult(report.model_copy(update=pooled), rows)


def _name_day(history: History, moment_us: int) -> str:
    day, _, _ = history.name(moment_us).partition("T")
    return day


def _settle(history: History, as_of_us: int, *, to_us: int) -> Side:
    """The leads open at a date with outcomes; of ordered leads, those up to the next place."""
    until = history.version.known_until_us
    if not history.settings.is_dated:
        return history.later_side(as_of_us, to_us=to_us, known_us=until)
    open_list = history.open_list(as_of_us)
    return build_side(
        f"leads open at {history.name(as_of_us)}",
        open_list.assign(grid_weight=1.0, young=False),
        history.spells(until),
        known_us=until,
        target=history.settings.target,
    )


def _replay(history: History, settled: Side, as_of_us: int, left_out: LeftOut) -> _Replay:
    """Train as of a date, and predict the leads that were open then by all models."""
    settled.check(tables=history.settings.tables())
    result = fit_model(history, known_us=as_of_us, progress=silent, **left_out)
    rows = settled.rows[settled.observed]
    row_us = rows["as_of_us"].to_numpy()
    shift = shifts_of_rows(history, result.model, row_us, known_us=as_of_us)
    leave_out = left_out.get("leave_out", frozenset())
    table = _predict(history, result, rows, shift, leave_out=leave_out)

    evaluation = result.evaluation
    date = ReplayedDate(
        as_of=history.name(as_of_us),
        open=len(settled.rows),
        settled=len(rows),
        won=int(rows["label"].sum()),
        trained_on=evaluation.history.snapshots,
        splits=len(evaluation.splits),
        calibrator=evaluation.calibrator.kind,
        shift=float(shift.mean()),
        notes=_describe_notes(result),
        models=_compute_metrics(table, seed=history.settings.seed),
    )
    return _Replay(date, table.reset_index(drop=True))


def _predict(
    history: History,
    result: FitResult,
    rows: pd.DataFrame,
    shift: np.ndarray,
    *,
    leave_out: AbstractSet[str],
) -> pd.DataFrame:
    """The predictions of some rows, with the running intercept's `shift` (n,) of ours.

    The baselines may learn from proxies for time.
    """
    earlier = history.earlier_side(result.known_us)
    features = build_features(history.settings, leave_out=leave_out)
    both = pd.concat([earlier.rows[KEYS], rows[KEYS]])
    matrix = build_matrix(history.snapshot(both), features)

    log_odds = result.model.log_odds(matrix.take(rows).columns)
    without_times = result.model.probability(log_odds)
    ours = add_shift(without_times, shift) if shift.any() else without_times
    baselines = predict_baselines(
        matrix,
        earlier,
        rows,
        features,
        scorecard=history.settings.scorecard,
    )
    columns = {"without_times": without_times, OURS: ours, **baselines}
    columns_of_rows = rows[["lead_id", "as_of_us", "label", "weight"]]
    return columns_of_rows.assign(**columns)


def _describe_notes(result: FitResult) -> list[str]:
    """What a reader of the date should know: why it is not calibrated, why it has no signal."""
    notes = []
    why = result.evaluation.calibrator.why
    if why:
        splits = len(result.evaluation.splits)
        notes.append(f"{splits} admissible splits, the calibrator is none: {why}")
    if result.no_signal:
        notes.append(result.no_signal)
    return notes


def _compute_metrics(
    table: pd.DataFrame,
    *,
    seed: int,
    block: np.ndarray | None = None,
) -> dict[str, ModelMetrics]:
    """Metrics by model, as `compute_table` gives them; `block` (n,) is the replay of each row."""
    without_times = table["without_times"].to_numpy()
    evaluated = replace(_as_evaluation_set(table), block=block, order=without_times)
    predictions = {}
    for name in table.columns.drop(list(NOT_MODELS)):
        predictions[name] = table[name].to_numpy()
    return compute_table(evaluated, predictions, seed=seed)


def _as_evaluation_set(table: pd.DataFrame) -> EvaluationSet:
    """Our predictions with outcomes."""
    return EvaluationSet(
        probability=table[OURS].to_numpy(),
        label=table["label"].to_numpy(),
        weight=table["weight"].to_numpy(),
        lead_id=table["lead_id"].to_numpy(),
    )
