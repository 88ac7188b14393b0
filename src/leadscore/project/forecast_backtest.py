"""Past months forecast at their starts by what was known then, and their actual results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.errors import TooLittleHistoryError, UserError
from leadscore.funnel.forecast import describe_total, holds, simulate_periods
from leadscore.funnel.naive import guess_month
from leadscore.funnel.periods import Period, list_periods
from leadscore.funnel.wins import read_wins, revenue_between
from leadscore.history.split import History
from leadscore.model.horizon import choose_first_horizon
from leadscore.model.train import fit_model
from leadscore.progress import Progress, silent
from leadscore.project.auditing import doubt_fields
from leadscore.project.opened import open_store
from leadscore.project.outlooks import KnownModel, check_dated, look_ahead
from leadscore.results.past_forecasts import ForecastBacktest, ForecastedMonth, MethodError
from leadscore.settings.settings import Settings
from leadscore.times import format_us
from leadscore.wording import counted

REFIT = 3  # months that a model forecasts before it is trained anew
OURS = "leadscore"


@dataclass(frozen=True)
class _Trained:
    """A model of a past moment, or why there is none."""

    model: KnownModel | None
    why: str = ""


def backtest_forecast(
    settings: Settings,
    *,
    months: int = 12,
    progress: Progress = silent,
) -> ForecastBacktest:
    """The last whole months, each forecast at its start with a model trained by then.

    Models are trained anew every three months, and see nothing later. Months without enough history
    before them are skipped, and the result says why.

    Args:
        settings: of the project.
        months: how many.
        progress: is told how far the work is.

    Raises:
        UserError: nothing is dated, or no month could be forecast.
    """
    check_dated(settings)
    with open_store(settings) as opened:
        history, _, _ = choose_first_horizon(opened, from_us=None)
        past = list_periods(
            history.version.known_until_us,
            by="month",
            count=-months,
            zone=settings.timezone,
        )
        forecasted, skipped = _replay_all(history, past, progress)
    if not forecasted:
        reasons = "; ".join(f"{month}: {why}" for month, why in skipped.items())
        raise UserError(f"no month could be forecast. {reasons}")
    return summarise(settings.project, forecasted, skipped)


def _replay_all(
    history: History,
    past: Sequence[Period],
    progress: Progress,
) -> tuple[list[ForecastedMonth], dict[str, str]]:
    """The months that could be forecast, and why the others could not."""
    forecasted: list[ForecastedMonth] = []
    skipped: dict[str, str] = {}
    trained = _Trained(None)
    for done, month in enumerate(past):
        progress(f"forecast of {month.name}", done, len(past))
        if done % REFIT == 0 or trained.model is None:
            trained = _train(history, known_us=month.start_us)
        if trained.model is None:
            skipped[month.name] = trained.why
            continue
        try:
            forecasted.append(replay_month(history, trained.model, month))
        except UserError as e:
            skipped[month.name] = str(e)
    return forecasted, skipped


def _train(history: History, *, known_us: int) -> _Trained:
    if known_us <= history.version.first_us:
        return _Trained(None, "no lead had arrived")
    try:
        doubted = doubt_fields(history, known_us=known_us)
        result = fit_model(history, known_us=known_us, progress=silent, **doubted)
    except TooLittleHistoryError as e:
        return _Trained(None, str(e))
    name = f"of {format_us(known_us)}"
    return _Trained(KnownModel(result.model, name, known_us))


def replay_month(history: History, model: KnownModel, month: Period) -> ForecastedMonth:
    """A month forecast at its start, beside what is known of it by now."""
    outlook = look_ahead(history, model, as_of_us=month.start_us).outlook
    simulated = simulate_periods(outlook, [month])
    forecast = describe_total(simulated)
    naive = guess_month(history, outlook, month)
    wins = read_wins(history, known_us=history.version.known_until_us)
    came = revenue_between(wins, month.start_us, month.end_us)
    is_known = forecast.revenue is not None and wins["revenue"].notna().any()
    return ForecastedMonth(
        month=month.name,
        model_known_until=format_us(model.known_us),
        wins=forecast.wins,
        won=len(came),
        revenue=forecast.revenue,
        won_revenue=float(came.sum()) if is_known else None,
        naive_wins={name: guess.wins for name, guess in naive.items()},
        naive_revenue={name: guess.revenue for name, guess in naive.items()},
    )


def summarise(
    project: str,
    months: list[ForecastedMonth],
    skipped: dict[str, str],
) -> ForecastBacktest:
    """The back-test of some months: how many the bands held, and how far every method was off."""
    with_revenue = [month for month in months if month.won_revenue is not None]
    held_wins = sum(holds(month.wins, month.won) for month in months)
    held_revenue = sum(holds(month.revenue, month.won_revenue) for month in with_revenue)
    summary = (
        f"actual wins were within the 80% range in {held_wins} of {counted(len(months), 'month')}"
    )
    if with_revenue:
        summary += f", actual revenue in {held_revenue} of {len(with_revenue)}"
    return ForecastBacktest(
        project=project,
        months=months,
        skipped=skipped,
        held_wins=held_wins,
        held_revenue=held_revenue if with_revenue else None,
        errors={name: _measure(months, name) for name in (OURS, *months[0].naive_wins)},
        summary=summary,
    )


def _measure(months: list[ForecastedMonth], name: str) -> MethodError:
    """How far a method was off, over the months of which it says something."""
    wins = []
    revenue = []
    for month in months:
        guess, amount = _guesses_of(month, name)
        if guess is not None:
            wins.append(guess - month.won)
        if amount is not None and month.won_revenue is not None:
            revenue.append(amount - month.won_revenue)
    return MethodError(
        wins=_mean(np.abs(wins)),
        wins_bias=_mean(np.array(wins)),
        revenue=_mean(np.abs(revenue)),
        revenue_bias=_mean(np.array(revenue)),
        months=len(wins),
    )


def _guesses_of(month: ForecastedMonth, name: str) -> tuple[float | None, float | None]:
    """The wins and the revenue that a method expected of a month; None where it says nothing."""
    if name != OURS:
        return month.naive_wins[name], month.naive_revenue[name]
    revenue = None if month.revenue is None else month.revenue.mean
    return month.wins.mean, revenue


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
