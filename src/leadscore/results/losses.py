"""Where and why leads are lost, which wait, and what winners have in common: parts of a `Funnel`."""

from __future__ import annotations

from leadscore.results.base import Interval, Result


class StageLoss(Result):
    """The visits to a stage that ended as lost for one stated reason.

    `share` is theirs among all losses of the stage, with Wilson's interval.
    """

    stage: str
    reason: str
    visits: int
    of_losses: int
    share: Interval


class ContactBand(Result):
    """Leads by when a rep first contacted them, and how many of them were won afterwards.

    `won` is the share won within `ContactTimes.within_days`; its value is None while too few were
    followed for so long.
    """

    first_contact: str
    leads: int
    won: Interval


class ContactTimes(Result):
    """How soon new leads are contacted, and how that goes with winning. It is a relation, no effect.

    Attributes:
        leads: that came in during the period.
        median_days: until a rep first did something; a lead that closed before was never contacted.
        contacted: share contacted within 1, 3 and 7 days.
        compared: leads that were still open after `from_day` days; only these are in `bands`.
        from_day: from when wins count: a lead contacted late must have stayed open until then, and
            would otherwise seem to win more often.
        within_days: after `from_day`, in which wins count.
        bands: by first contact up to `from_day`, the soonest first.
    """

    leads: int
    median_days: float | None
    contacted: dict[str, Interval]
    compared: int
    from_day: int
    within_days: float
    bands: list[ContactBand]


class WaitingLead(Result):
    """An open lead that has waited for so many days: stalled in its stage, or untouched.

    `lasted_longer` is the share of past visits to the stage that took longer still, estimated from
    `visits`; None for untouched leads, and where too few visits were followed. Where the lead has
    waited `longer_than_any` visit that has ended, that share is only an upper bound.
    """

    lead_id: str
    stage: str
    days: float
    lasted_longer: float | None = None
    visits: int = 0
    longer_than_any: bool = False


class Untouched(Result):
    """Open leads about which no rep has done anything yet; the longest waiting are named."""

    leads: int
    of_open: int
    median_days: float | None
    longest: list[WaitingLead]


class Improvement(Result):
    """What it would bring if more visits to a stage moved on, or were won in the last one.

    It is arithmetic at unchanged rates: as many leads come in, and all other rates and the value of
    a win stay as they are. It does not say that anything would cause it.

    Attributes:
        points: of the visits, lost so far, that would move on: 0.05, or fewer if fewer are lost.
        visits: to the stage in a quarter.
        wins: more in a quarter.
        value: more in a quarter, in `currency`; None where amounts are not known.
    """

    stage: str
    points: float
    visits: float
    wins: float
    value: float | None
    currency: str | None


class Pattern(Result):
    """Leads that had something in common early on, and how many of them were won.

    Attributes:
        field: what they have in common, or the kind of activity.
        value: of the field.
        leads: that have it.
        won: their share won within `within_days`.
        others: the share won of all other leads.
        lift: won / the share of all leads.
        p_value: two-sided, of the difference between won and others.
        adjusted: Benjamini and Hochberg's, over all patterns.
    """

    field: str
    value: str
    leads: int
    within_days: float
    won: Interval
    others: Interval
    lift: float | None
    p_value: float
    adjusted: float
