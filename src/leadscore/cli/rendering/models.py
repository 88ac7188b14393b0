"""Back-tests, and the models in the registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import (
    auc_in_words,
    command,
    draw_metrics,
    escaped,
    number,
    out,
    short,
    table_of,
    until,
)
from leadscore.cli.rendering.trained import draw_promotion

if TYPE_CHECKING:
    from leadscore.results import (
        Backtested,
        Compared,
        EvaluatedVersion,
        Interval,
        Metrics,
        Moved,
        ReplayedDate,
        Shown,
        Versions,
    )

COLUMNS = {  # of the table of all models; the rest is in the report
    "auc": "AUC",
    "pooled_auc": "pooled AUC",
    "log_loss": "log loss",
    "brier": "Brier",
    "calibration_error": "cal. error",
}


def draw_backtest(report: Backtested) -> None:
    """How good the models of the past were."""
    for skipped in report.skipped:
        out.print(f"[yellow]skipped[/] {short(skipped.as_of)}: {escaped(skipped.why)}")
    if not report.dates:
        return
    if report.horizon_why:
        out.print(f"Horizon: {report.horizon_days} days, since {escaped(report.horizon_why)}")
    moment = "place" if report.horizon_days is None else "date"
    _draw_dates(report.dates, moment=moment)
    _draw_pooled(report, moment=moment)
    out.print(f"Written to {escaped(report.folder)}", soft_wrap=True)


def _draw_dates(dates: Sequence[ReplayedDate], *, moment: str) -> None:
    measures = ("AUC", "Brier", "skill", "mean p - won")
    table = table_of(f"By {moment}", "as of", "calibrator", "open", "won", *measures, text=2)
    for date in dates:
        ours = date.models["leadscore"]
        values = (ours.auc, ours.brier, ours.brier_skill, ours.bias)
        cells = [number(value, interval=False) for value in values]
        counts = (f"{date.open:,}", f"{date.won:,}")
        table.add_row(short(date.as_of), date.calibrator, *counts, *cells)
    out.print(table)
    for date in dates:
        for note in date.notes:
            out.print(f"{short(date.as_of)}: {escaped(note)}")


def _draw_pooled(report: Backtested, *, moment: str) -> None:
    ours = report.pooled["leadscore"]
    scores = f"{ours.snapshots:,} scores of {ours.leads:,} leads at {len(report.dates)} {moment}s"
    table = table_of(f"Pooled: {scores}, 95% intervals over leads", "model", *COLUMNS.values())
    for name, model in report.pooled.items():
        intervals = model.intervals()
        cells = [_stacked(intervals.get(column)) for column in COLUMNS]
        table.add_row(name.replace("_", " "), *cells)
    out.print(table)
    words = auc_in_words(ours)
    if words:
        out.print(words)


def _stacked(interval: Interval | None) -> str:
    """A number above its interval."""
    if interval is None or interval.value is None or interval.low is None:
        return number(interval)
    return f"{interval.value:.3f}\n[dim]{interval.low:.3f}..{interval.high:.3f}[/]"


def draw_models(models: Versions) -> None:
    """The versions, and the moves of their aliases."""
    if not models.versions:
        train = command("train")
        name = models.registered_model
        out.print(f"{name} has no version yet; run {train}", soft_wrap=True)
        return
    columns = ("number", "version", "known until", "aliases")
    table = table_of(models.registered_model, *columns, text=4)
    for version in models.versions:
        words = (version.version, version.known_until, ", ".join(version.aliases))
        table.add_row(str(version.number), *map(escaped, words))
    out.print(table)

    table = table_of(
        "Alias changes, the newest first",
        "when",
        "alias",
        "from",
        "to",
        "by",
        "why",
        text=6,
    )
    for move in models.moves:
        was = "-" if move.was is None else str(move.was)
        cells = (f"{move.at[:19]}Z", move.alias, was, move.now, move.by, move.why)
        table.add_row(*map(escaped, cells))
    out.print(table)


def draw_shown(shown: Shown) -> None:
    """Versions side by side, as they were evaluated when they were trained."""
    for version in shown.versions:
        _draw_version(version)
    first, *others = shown.versions
    if others:
        versions = shown.versions
        overall = [(version.number, version.evaluation.overall) for version in versions]
        parts = {f"version {number}": metrics for number, metrics in overall if metrics}
    else:
        parts = first.evaluation.metrics
    draw_metrics("Evaluated when trained", parts)
    if any(version.known_until != first.known_until for version in others):
        out.print(
            "They were evaluated on different dates, which accounts for part of the differences."
        )


def _draw_version(version: EvaluatedVersion) -> None:
    evaluation = version.evaluation
    aliases = f" ({escaped(', '.join(version.aliases))})" if version.aliases else ""
    gain = number(evaluation.gain.log_loss_gain)
    out.print(
        f"Version [bold]{version.number}[/]{aliases}, {escaped(version.version)}, "
        f"{escaped(until(version.known_until))}: evaluated {evaluation.basis} on "
        f"{_evaluated_on(evaluation.overall)}; gain in log loss over the base rate {gain}"
    )


def _evaluated_on(metrics: Metrics | None) -> str:
    """How many leads an evaluation rests on."""
    if metrics is None:
        return "too few leads to evaluate"
    leads = f"{metrics.leads:,} leads, {metrics.win_rate:.1%} won"
    if metrics.snapshots == metrics.leads:
        return leads
    return f"{metrics.snapshots:,} snapshots of {leads}"


def draw_compared(compared: Compared) -> None:
    """Two versions side by side, and what would be decided about the second."""
    draw_shown(compared)
    evidence = compared.promotion.evidence
    if evidence:
        first, second = (version.number for version in compared.versions)
        recipes = f"Recipes of version {first} (as champion) and {second}"
        out.print(f"\n{recipes}, evaluated {evidence.judged_on}:")
    draw_promotion(compared.promotion)


def draw_moved(moved: Moved) -> None:
    """Which version scores now."""
    version = f"Version [bold]{moved.number}[/] ({escaped(moved.version)})"
    out.print(f"{version} is the champion and scores from now on")
    for name, (was, now) in moved.changes.items():
        words = f"{name.replace('_', ' ')}: {escaped(was)} -> {escaped(now)}"
        out.print(f"  {words}", highlight=False)
