"""Past months of the sample forecast at their starts, beside the actual results and naive methods.

The last twelve months of two samples, so that every month has a year of history before it. Models are trained anew
every three months, with the logistic scorer alone, on what was known by then.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from leadscore.cli.rendering.forecast import draw_forecast_backtest
from leadscore.project.forecast_backtest import backtest_forecast, summarise
from leadscore.results import ForecastBacktest, ForecastedMonth
from sample_project import build_sample

LEADS, SEEDS, MONTHS = 3000, (1, 2), 12


def main() -> None:
    """Print the months of both samples, and the errors of all methods over them."""
    with ProcessPoolExecutor() as processes:
        samples = list(processes.map(forecast_sample, SEEDS))
    months = []
    for seed, sample in zip(SEEDS, samples, strict=True):
        months += [_name_seed(month, seed) for month in sample.months]
    draw_forecast_backtest(summarise("two samples", months, {}))


def _name_seed(month: ForecastedMonth, seed: int) -> ForecastedMonth:
    return month.model_copy(update={"month": f"{month.month}, seed {seed}"})


def forecast_sample(seed: int) -> ForecastBacktest:
    """The back-test of a sample's last year."""
    with tempfile.TemporaryDirectory() as name:
        settings = build_sample(Path(name), leads=LEADS, seed=seed)
        model = settings.model.model_copy(update={"scorer": "logistic"})
        return backtest_forecast(settings.model_copy(update={"model": model}), months=MONTHS)


if __name__ == "__main__":
    main()
