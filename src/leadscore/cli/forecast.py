"""`leadscore forecast`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from leadscore.cli.options import (
    DEFAULT_CONFIG,
    AsOf,
    Config,
    Json,
    checked_path,
    moment_of,
    number_parser,
    run_command,
)
from leadscore.cli.rendering.forecast import (
    draw_forecast,
    draw_forecast_backtest,
    draw_time_to_win,
)
from leadscore.cli.rendering.pipeline import draw_file
from leadscore.wording import nearest

if TYPE_CHECKING:
    from leadscore.funnel.periods import PeriodKind
    from leadscore.project.project import Project
    from leadscore.results import Forecast, Result

KINDS = ("week", "month", "quarter")
MOST_PERIODS = 52
MOST_MONTHS = 120
MOST_TARGET = 1e15
PERIOD = "What a period is."
SINCE = "Also say why this period's expected revenue changed since this moment."
WINS = "Also say how many new leads it takes to win so many in these periods."
REVENUE = "Also say how many new leads it takes to bring so much in these periods."
TARGET_BY = "With a target, also by a field of leads, such as their source."
PUBLISH = "Also keep it, and once its periods are over show it beside what actually happened."
BACKTEST = "Instead, forecast so many past months at their starts, and show what actually happened."
HTML = "Write it as one HTML page with its charts, and with the past months of --backtest."
ALREADY = "Already published, kept as it was"
LEADS = "Instead, write a CSV file that says when each open lead is likely to be won."


def _checked_period(by: str) -> str:
    """A kind of period; a field of leads is asked for by another option.

    Raises:
        BadParameter: it is none.
    """
    if by in KINDS:
        return by
    near = nearest(by, KINDS)
    hint = f"did you mean {near}?" if near else "with a target, --target-by takes a field of leads"
    raise typer.BadParameter(f"{by!r} is not one of {', '.join(KINDS)}; {hint}")


PARSE_TARGET = number_parser(
    0,
    MOST_TARGET,
    no_number="{text}: write digits only, such as 1800000",
    outside=f"{{text}} is not a number from 0 to {MOST_TARGET:,.0f}",
)

By = Annotated[
    str, typer.Option(callback=_checked_period, metavar=f"[{'|'.join(KINDS)}]", help=PERIOD)
]
Periods = Annotated[
    int, typer.Option(min=1, max=MOST_PERIODS, help="How many, with the current one.")
]
Since = Annotated[str | None, typer.Option(help=SINCE)]
TargetWins = Annotated[
    float | None,
    typer.Option(parser=PARSE_TARGET, min=0, max=MOST_TARGET, metavar="NUMBER", help=WINS),
]
TargetRevenue = Annotated[
    float | None,
    typer.Option(parser=PARSE_TARGET, min=0, max=MOST_TARGET, metavar="NUMBER", help=REVENUE),
]
TargetBy = Annotated[str | None, typer.Option(help=TARGET_BY)]
Backtest = Annotated[int | None, typer.Option(min=1, max=MOST_MONTHS, help=BACKTEST)]
LeadsTo = Annotated[Path | None, typer.Option(callback=checked_path, help=LEADS)]
Html = Annotated[Path | None, typer.Option(callback=checked_path, help=HTML)]
Publish = Annotated[bool, typer.Option("--publish", help=PUBLISH)]


def forecast(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    by: By = "month",
    periods: Periods = 3,
    since: Since = None,
    target_wins: TargetWins = None,
    target_revenue: TargetRevenue = None,
    target_by: TargetBy = None,
    backtest: Backtest = None,
    leads_to: LeadsTo = None,
    html: Html = None,
    publish: Publish = False,
    as_json: Json = False,
) -> None:
    """Forecast wins and revenue by period, from open leads and from those yet to come."""
    of_period = (since, target_wins, target_revenue, target_by, html)
    is_by_period = publish or any(asked is not None for asked in of_period)
    _refuse_mixed(None if html else backtest, leads_to, as_of, is_by_period=is_by_period)
    if _run_instead(None if html else backtest, leads_to, config, as_of, as_json=as_json):
        return
    written: dict[str, Path] = {}

    def run(project: Project) -> tuple[Result, ...]:
        settings = project.settings
        forecasted = project.forecast(
            moment_of(settings, as_of),
            by=cast("PeriodKind", by),
            periods=periods,
            since=moment_of(settings, since),
            target_wins=target_wins,
            target_revenue=target_revenue,
            target_by=target_by,
        )
        written.update(_write_files(project, forecasted, html, backtest, publish=publish))
        return (forecasted,)

    draw = partial(_draw_with_files, written=written)
    run_command(run, draw, config, None, as_json=as_json, writes=html)


def _write_files(
    project: Project,
    forecasted: Forecast,
    html: Path | None,
    backtest: int | None,
    *,
    publish: bool,
) -> dict[str, Path]:
    """The files that a forecast is kept in and drawn to, by what to say of them."""
    written = {}
    if publish:
        name, path = _publish(project, forecasted)
        written[name] = path
    if html is not None:
        _write_page(project, forecasted, html, backtest)
        written["Page"] = html
    return written


def _publish(project: Project, forecasted: Forecast) -> tuple[str, Path]:
    """Keep a forecast; what to say of its file, and where that is."""
    from leadscore.project.forecast_published import is_published

    name = ALREADY if is_published(project.settings, forecasted) else "Published"
    return name, Path(project.publish_forecast(forecasted))


def _run_instead(
    backtest: int | None,
    leads_to: Path | None,
    config: Path,
    as_of: str | None,
    *,
    as_json: bool,
) -> bool:
    """Run what is asked for in place of a forecast by period; whether anything was."""
    if leads_to is not None:
        _write_leads(leads_to, config, as_of, as_json=as_json)
    elif backtest is not None:
        _backtest(backtest, config, as_json=as_json)
    return leads_to is not None or backtest is not None


def _backtest(months: int, config: Path, *, as_json: bool) -> None:
    def run(project: Project) -> tuple[Result, ...]:
        return (project.backtest_forecast(months=months),)

    run_command(run, draw_forecast_backtest, config, None, as_json=as_json)


def _write_leads(to: Path, config: Path, as_of: str | None, *, as_json: bool) -> None:
    def run(project: Project) -> tuple[Result, ...]:
        return (project.time_to_win(moment_of(project.settings, as_of), to=to),)

    run_command(run, draw_time_to_win, config, None, as_json=as_json, writes=to)


def _write_page(project: Project, forecasted: Forecast, html: Path, backtest: int | None) -> None:
    past = project.backtest_forecast(months=backtest) if backtest else None
    project.write_forecast(forecasted, past, to=html)


def _draw_with_files(forecasted: Forecast, *, written: Mapping[str, Path]) -> None:
    draw_forecast(forecasted)
    for name, path in written.items():
        draw_file(name, path)


def _refuse_mixed(
    backtest: int | None,
    leads_to: Path | None,
    as_of: str | None,
    *,
    is_by_period: bool,
) -> None:
    """Refuse options that do not go together, rather than ignore some of them."""
    if backtest is not None and (leads_to or as_of):
        raise typer.BadParameter("--backtest goes with --config and --json alone")
    if (backtest is not None or leads_to) and is_by_period:
        raise typer.BadParameter(
            "--since, --html, --publish and targets go with a forecast by period"
        )
