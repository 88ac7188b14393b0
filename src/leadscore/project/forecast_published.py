"""Published forecasts and their actual results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pandas as pd

from leadscore.errors import UserError
from leadscore.files import is_there
from leadscore.funnel.forecast import holds
from leadscore.funnel.wins import read_wins, revenue_between
from leadscore.history.split import History
from leadscore.project.trail import record
from leadscore.publish.forecasts import forecast_path, keep_forecast, read_forecasts
from leadscore.results.forecast import Forecast, ForecastPeriod
from leadscore.results.past_forecasts import SettledForecasts, SettledPeriod
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current
from leadscore.times import format_us, parse_moment

FOLDER = "forecasts"  # of a project
DERIVED = {"change": None, "needed": None, "settled": None}  # what is not settled


def publish_forecast(settings: Settings, forecast: Forecast) -> str:
    """Keep a forecast, so that it can be settled once its periods are over; returns its file.

    Repeating it changes nothing.

    Raises:
        UserError: it is one of the past, made by what was known then: that is a replay.
    """
    version = read_current(settings.project_folder() / "store", project=settings.project)
    if _us(forecast.as_of) < version.known_until_us:
        raise UserError(
            f"a forecast as of {forecast.as_of} is a replay, since facts until "
            f"{format_us(version.known_until_us)} are known; publish one without --as-of"
        )
    folder = settings.project_folder() / FOLDER
    path, is_new = keep_forecast(folder, forecast.model_copy(update=DERIVED))
    if is_new:
        record(settings, "published", why="a forecast", forecast=path.stem)
    return str(path)


def is_published(settings: Settings, forecast: Forecast) -> bool:
    """Whether a forecast of this moment and kind of period is kept, so that this one would not be."""
    return is_there(forecast_path(settings.project_folder() / FOLDER, forecast))


def settle_published(history: History, *, by: str, known_us: int) -> SettledForecasts | None:
    """Published forecasts and their actual results, by what was known at a moment; None without any.

    Of each period that is over, the last forecast counts that was published before it began, else
    the first one published in it.

    Args:
        history: where the wins are.
        by: the kind of period.
        known_us: the moment.
    """
    folder = history.settings.project_folder() / FOLDER
    published = [one for one in read_forecasts(folder, by=by) if _us(one.as_of) < known_us]
    if not published:
        return None
    wins = read_wins(history, known_us=known_us)
    periods = _list_over(published, known_us=known_us)
    settled = [_settle(forecast, period, wins) for forecast, period in periods]
    held_revenue = None
    if any(period.won_revenue is not None for period in settled):
        held_revenue = sum(holds(period.revenue, period.won_revenue) for period in settled)
    return SettledForecasts(
        forecasts=len(published),
        first=published[0].as_of,
        periods=settled,
        held_wins=sum(holds(period.wins, period.won) for period in settled),
        held_revenue=held_revenue,
    )


def _list_over(
    published: Sequence[Forecast],
    *,
    known_us: int,
) -> list[tuple[Forecast, ForecastPeriod]]:
    """The periods that are over, rising, each with the forecast that counts."""
    by_start = defaultdict(list)
    for forecast in sorted(published, key=lambda forecast: forecast.as_of):
        for period in forecast.periods:
            if _us(period.end) <= known_us:
                by_start[period.start].append((forecast, period))

    over = []
    for start, rivals in sorted(by_start.items()):
        before = [pair for pair in rivals if _us(pair[0].as_of) <= _us(start)]
        over.append(before[-1] if before else rivals[0])
    return over


def _settle(forecast: Forecast, period: ForecastPeriod, wins: pd.DataFrame) -> SettledPeriod:
    came = revenue_between(wins, _us(period.start), _us(period.end))
    is_known = period.revenue is not None and wins["revenue"].notna().any()
    return SettledPeriod(
        period=period.period,
        as_of=forecast.as_of,
        model_version=forecast.basis.model_version,
        wins=period.wins,
        won=len(came),
        revenue=period.revenue,
        won_revenue=float(came.sum()) if is_known else None,
    )


def _us(moment: str) -> int:
    return parse_moment(moment, zone="UTC")
