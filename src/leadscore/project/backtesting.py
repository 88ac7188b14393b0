"""The past replayed, and the evidence written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leadscore.atomic import write_folder
from leadscore.errors import UserError
from leadscore.files import hash_bytes
from leadscore.history.split import History
from leadscore.json_files import canonical_json
from leadscore.model.horizon import choose_first_horizon
from leadscore.progress import Progress, silent
from leadscore.project.auditing import doubt_fields
from leadscore.project.opened import checked_as_of, open_store
from leadscore.report.figures.build import build_date_figures
from leadscore.results import Backtested
from leadscore.settings.settings import Settings
from leadscore.times import format_us
from leadscore.validation.backtest import BacktestResult, run_backtest
from leadscore.validation.dates import find_limits, spread_dates

NO_PLACE = "there is no place to back-test at: no lead has closed"


def backtest(
    settings: Settings,
    *,
    from_us: int | None = None,
    to_us: int | None = None,
    dates: int = 6,
    progress: Progress = silent,
) -> Backtested:
    """Training and scoring replayed at past dates and settled by what is known by now; the evidence is written.

    Raises:
        UserError: there is no date to replay.
    """
    with open_store(settings) as opened:
        history, from_us, horizon_why = choose_first_horizon(opened, from_us=from_us)
        moments = spread_dates(history, from_us=from_us, to_us=to_us, dates=dates)
        if not moments:
            raise UserError(_describe_no_date(history, from_us, to_us))
        if settings.is_dated:
            for moment in moments:
                checked_as_of(history, moment)

        def doubted(moment: int) -> dict[str, frozenset[str]]:
            return doubt_fields(history, known_us=moment)

        result = run_backtest(history, moments, progress=progress, doubted=doubted)
    report = {
        **result.report.to_dict(),
        "project": settings.project,
        "store_version": history.version.id,
        "horizon_why": horizon_why,
    }
    folder = _write(settings, report, result)
    return Backtested.from_dict({**report, "folder": folder})


def _describe_no_date(history: History, from_us: int | None, to_us: int | None) -> str:
    if not history.settings.is_dated:
        return NO_PLACE
    first, last = find_limits(history, from_us=from_us, to_us=to_us)
    return (
        f"there is no date to back-test at from {format_us(first)} to {format_us(last)}; by default "
        "dates run from two horizons after the first lead to one horizon before known_until"
    )


def _write(settings: Settings, report: Mapping[str, Any], result: BacktestResult) -> str:
    """Write the report, the predictions and the figures; the folder."""
    data = canonical_json(report)
    folder = settings.project_folder() / "backtests" / hash_bytes(data)[:16]
    predictions = result.predictions.to_csv(index=False, lineterminator="\n")
    files = {"backtest.json": data, "predictions.csv": predictions.encode()}
    for name, svg in build_date_figures(result.report.dates).items():
        files[name] = svg.encode()
    write_folder(folder, files)
    return str(folder)
