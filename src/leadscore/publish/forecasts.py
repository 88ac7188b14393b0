"""Published forecasts, kept as they were when they were published, to be settled later."""

from __future__ import annotations

import logging
from pathlib import Path

from leadscore.atomic import write_bytes
from leadscore.errors import DamagedFileError, TimeFormatError
from leadscore.files import is_there
from leadscore.json_files import canonical_json, read_result
from leadscore.results.forecast import Forecast
from leadscore.times import parse_moment

logger = logging.getLogger(__name__)
CURE = "it is left out; remove the file"


def forecast_path(folder: Path, forecast: Forecast) -> Path:
    """The file in `folder` of a forecast, one for each moment and kind of period."""
    stamp = forecast.as_of.replace("-", "").replace(":", "")
    return folder / f"{stamp}-{forecast.by}.json"


def keep_forecast(folder: Path, forecast: Forecast) -> tuple[Path, bool]:
    """Write a forecast to its file in `folder`; the path, and whether it is new.

    What was published stays: a later forecast of the same moment and kind of period is not written.

    Raises:
        UnavailableError: the file cannot be written.
    """
    path = forecast_path(folder, forecast)
    is_new = not is_there(path)
    if is_new:
        write_bytes(path, canonical_json(forecast.to_dict()))
    return path, is_new


def read_forecasts(folder: Path, *, by: str) -> list[Forecast]:
    """The published forecasts of a kind of period, the oldest first.

    Damaged files are left out with a warning.
    """
    forecasts = []
    for path in sorted(folder.glob(f"*-{by}.json")):
        try:
            forecasts.append(_read(path))
        except DamagedFileError as e:
            logger.warning("a published forecast is left out: %s", e)
    return forecasts


def _read(path: Path) -> Forecast:
    forecast = read_result(path, Forecast, cure=CURE)
    moments = [forecast.as_of]
    for period in forecast.periods:
        moments += [period.start, period.end]
    for moment in moments:
        try:
            parse_moment(moment, zone="UTC")
        except TimeFormatError as e:
            raise DamagedFileError(path, f"{moment!r} is no time", cure=CURE) from e
    return forecast
