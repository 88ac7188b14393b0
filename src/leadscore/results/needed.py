"""How many new leads a target takes, as a part of `Project.forecast` returns it."""

from __future__ import annotations

from pydantic import Field

from leadscore.results.base import Interval, Result


class LeadsFromSource(Result):
    """New leads of one source that a target takes, at today's rates.

    Attributes:
        source: the value of the field that leads are told apart by.
        share: of the new leads of the last 26 weeks.
        arriving: how many will arrive by the date, at today's rate.
        leads: of those that give one chance in two, if the sources' shares stay as they are; None
            if no number is enough.
        leads_low: the same for one chance in ten.
        leads_high: the same for nine chances in ten.
        won: the share of its leads of the last year that were won within `within_days`.
        alone: how many it takes for one chance in two, if all new leads come from this source;
            None where its win rate is not known or 0, or if no number is enough.
        alone_low: the same for one chance in ten.
        alone_high: the same for nine chances in ten.
    """

    source: str
    share: float
    arriving: float
    leads: int | None
    leads_low: int | None
    leads_high: int | None
    won: Interval
    within_days: float
    alone: int | None
    alone_low: int | None
    alone_high: int | None


class LeadsNeeded(Result):
    """What it takes to reach a target by a date, at today's rates.

    Attributes:
        target: of wins or revenue.
        unit: "wins", or the currency.
        by: the date.
        won: of it by now, in the periods of the forecast.
        chance_of_missing: the share of the futures that stay below the target.
        leads: how many new leads have to arrive by the date for one chance in two; None if no
            number is enough.
        leads_low: the same for one chance in ten.
        leads_high: the same for nine chances in ten.
        arriving: how many will arrive, at today's rate.
        of_100_more: what 100 more leads bring by the date.
        leads_per_rep: new leads that a rep gets by the date, if as many as of late; None where no
            owners are known.
        of_one_more_rep: what one more rep with as many leads brings by the date.
        visits: to each stage that `leads` make in the end, at the rates of the last year; empty
            where these are not known.
        coverage: the amounts of all open leads as a multiple of what the target still lacks; None
            for wins, and where nothing lacks.
        of_a_tenth_more: what it brings if a tenth more of all leads are won, open ones and new.
        assumption: the sentence that goes with these numbers.
        source_field: what leads are told apart by, where that was asked for.
        sources: the leads by source, most new leads first.
    """

    target: float
    unit: str
    by: str
    won: float
    chance_of_missing: float
    leads: int | None
    leads_low: int | None
    leads_high: int | None
    arriving: float
    of_100_more: float
    of_a_tenth_more: float
    assumption: str
    leads_per_rep: float | None = None
    of_one_more_rep: float | None = None
    coverage: float | None = None
    visits: dict[str, int] = Field(default_factory=dict)
    source_field: str | None = None
    sources: list[LeadsFromSource] = Field(default_factory=list)
