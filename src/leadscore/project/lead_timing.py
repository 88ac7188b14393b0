"""When each open lead is won: the probability by several dates, and when, if it is won."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa

from leadscore.funnel.outlook import Outlook
from leadscore.funnel.periods import list_periods
from leadscore.history.losses import read_open_visits
from leadscore.history.split import History
from leadscore.history.visits import Span
from leadscore.project.opened import checked_as_of
from leadscore.project.outlooks import look_ahead, open_for_forecast
from leadscore.results.forecast import LeadTiming, TimeToWin
from leadscore.settings.settings import Settings
from leadscore.spreadsheet import write_csv_for_people
from leadscore.times import DAY_US, format_local_day, format_us

DAYS = (30, 60, 90)
SHOWN_DIGITS = 4


def time_to_win(
    settings: Settings, *, as_of_us: int | None = None, to: Path | None = None
) -> TimeToWin:
    """For every open lead the probability of a win by several dates, and when, if it is won.

    The dates are 30, 60 and 90 days ahead, the horizon, and the ends of this quarter and the next.

    Args:
        settings: of the project.
        as_of_us: the moment, by what was known then; default known_until.
        to: a CSV file to write, a row a lead.

    Raises:
        UserError: nothing is dated, no model scores, or too few wins are known.
    """
    with open_for_forecast(settings) as (history, known):
        moment = checked_as_of(history, as_of_us)
        outlook = look_ahead(history, known, as_of_us=moment).outlook
        timing = time_leads(outlook, read_where(history, as_of_us=moment))
    if to is not None:
        write_timing(timing, to)
    return timing


def write_timing(timing: TimeToWin, path: Path) -> None:
    """Write when each open lead is won to a CSV file, a row a lead."""
    rows = timing.to_pandas().round(SHOWN_DIGITS)
    columns = {name: rows[name].tolist() for name in rows}
    write_csv_for_people(path, pa.table(columns))


def read_where(history: History, *, as_of_us: int) -> pd.DataFrame:
    """Whose each lead is, and in which stage, as known at a moment: owner_id and stage by lead_id.

    Empty text where that is not known.
    """
    known_us = history.known_us(as_of_us)
    owners = history.known_values(["owner_id"], as_of_us=known_us).to_pandas()
    visits = read_open_visits(history, Span(known_us, known_us))
    stages = visits.drop_duplicates("lead_id", keep="last")[["lead_id", "stage"]]
    where: pd.DataFrame = owners.merge(stages, on="lead_id", how="left").set_index("lead_id")
    return where.fillna("")


def time_leads(outlook: Outlook, where: pd.DataFrame) -> TimeToWin:
    """When the open leads of an outlook are won.

    Args:
        outlook: at a moment.
        where: as `read_where` returns it.
    """
    dates = _list_dates(outlook)
    return TimeToWin(
        as_of=format_us(outlook.as_of_us),
        horizon_days=outlook.horizon_days,
        by_features=outlook.pace.is_known,
        dates={name: format_us(us) for name, us in dates.items()},
        leads=_describe_leads(outlook, where, dates),
    )


def _list_dates(outlook: Outlook) -> dict[str, int]:
    """The dates by name, rising."""
    dates = {f"{days}_days": _after(outlook, days) for days in {*DAYS, outlook.horizon_days}}
    quarters = list_periods(outlook.as_of_us, by="quarter", count=2, zone=outlook.zone)
    for name, quarter in zip(("this_quarter", "next_quarter"), quarters, strict=True):
        dates[name] = quarter.end_us
    return dict(sorted(dates.items(), key=lambda date: date[1]))


def _after(outlook: Outlook, days: float) -> int:
    return outlook.as_of_us + round(days * DAY_US)


def _describe_leads(
    outlook: Outlook,
    where: pd.DataFrame,
    dates: dict[str, int],
) -> list[LeadTiming]:
    """A row a lead, the most promising first."""
    within = {name: outlook.win_by(us) for name, us in dates.items()}
    rows = outlook.leads[["lead_id", "probability", "amount"]].assign(
        early=outlook.close_us(0.1),
        usual=outlook.close_us(0.5),
        late=outlook.close_us(0.9),
        owner_id=outlook.leads["lead_id"].map(where["owner_id"]),
        stage=outlook.leads["lead_id"].map(where["stage"]),
        place=range(len(outlook.leads)),
    )
    in_order = rows.sort_values(["probability", "lead_id"], ascending=[False, True])
    return [
        LeadTiming(
            lead_id=row["lead_id"],
            owner_id=row["owner_id"],
            stage=row["stage"],
            amount=None if pd.isna(row["amount"]) else row["amount"],
            win_probability=row["probability"],
            within={name: float(values[row["place"]]) for name, values in within.items()},
            close_if_won=format_local_day(row["usual"], zone=outlook.zone),
            close_if_won_earliest=format_local_day(row["early"], zone=outlook.zone),
            close_if_won_latest=format_local_day(row["late"], zone=outlook.zone),
        )
        for row in in_order.to_dict("records")
    ]
