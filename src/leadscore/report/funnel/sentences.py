"""The funnel's findings as sentences, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadscore.features.phrases import capitalised
from leadscore.report.formats import format_percent
from leadscore.wording import ACTIVITY, counted

if TYPE_CHECKING:
    from leadscore.results import (
        ContactTimes,
        Improvement,
        Interval,
        Pattern,
        ShareChange,
        StageFlow,
        Untouched,
        Velocity,
        WaitingLead,
    )

FEWEST = 10  # leads on which a share that is shown rests
FEW = 5  # findings that are listed where there is little room
MOST_CUT_OFF = 0.1  # of leads still open when last observed, before the rates are called too low
BY_CHANCE = 0.05  # the share of false ones that is accepted among the findings shown
UNKNOWN = "-"
WAY_NAMES = {
    "forward": "moved on",
    "won": "won",
    "lost": "lost",
    "back": "moved back",
    "other_pipeline": "moved into another pipeline",
}


def write_percent(share: Interval) -> str:
    """A share in percent with half the width of its interval, or a dash.

    >>> from leadscore.results import Interval
    >>> write_percent(Interval(value=0.2, low=0.15, high=0.25)), write_percent(Interval(value=None))
    ('20 ± 5%', '-')
    """
    if share.value is None or share.low is None or share.high is None:
        return UNKNOWN
    half = max(share.value - share.low, share.high - share.value)
    return f"{100 * share.value:.0f} ± {100 * half:.0f}%"


def write_days(stage: StageFlow) -> str:
    """The median of the days in a stage, and in brackets those of the fastest and slowest tenths."""
    if stage.fast_days is None:
        return UNKNOWN
    days = (stage.median_days, stage.fast_days, stage.slow_days)
    median, fast, slow = (UNKNOWN if day is None else f"{day:.0f}" for day in days)
    if stage.slow_days is None:
        return f"{median} (from {fast})"
    return f"{median} ({fast}-{slow})"


def write_velocity(velocity: Velocity) -> str:
    """What the open leads bring a day, with its parts, and beside it what was won."""
    value, per_day, days = velocity.value, velocity.per_day, velocity.cycle_days
    if value is None or per_day is None or days is None:
        needed = "amounts in one currency, and enough leads for a win rate"
        return f"Pipeline velocity: not known; it takes {needed}."
    currency = f"{velocity.currency or ''} ".lstrip()
    return (
        f"Pipeline velocity: {currency}{per_day:,.0f} a day = {counted(velocity.leads, 'open lead')} "
        f"x {currency}{value:,.0f} a win x {write_percent(velocity.win_rate)} won / {days:.0f} days "
        f"to a close. Won in the period, by leads of any age: {currency}{velocity.won_per_day:,.0f} a "
        f"day.{_warn_cut_off(velocity)}"
    )


def _warn_cut_off(velocity: Velocity) -> str:
    """That the rates are cut off, where many leads had not closed when they could last be observed."""
    still_open = velocity.still_open or 0.0
    if still_open <= MOST_CUT_OFF:
        return ""
    return (
        f" The period is shorter than the usual time to close: {100 * still_open:.0f}% of the leads "
        f"are still open after the {velocity.within_days:.0f} days that could be observed, so the win "
        "rate and the days to a close are too low. Choose a longer period."
    )


def warn_cut_off_stages(stages: Sequence[StageFlow]) -> str:
    """That improvements rest on rates that are cut off; empty where no stage has many open visits."""
    slowest = max(stages, key=lambda stage: stage.staying or 0.0, default=None)
    if slowest is None or (slowest.staying or 0.0) <= MOST_CUT_OFF:
        return ""
    staying = slowest.staying or 0.0
    return (
        f"These figures are too low: {100 * staying:.0f}% of the visits to {slowest.stage} have not "
        f"ended after the {slowest.within_days:.0f} days that could be observed. Choose a longer period."
    )


def clear_changes(changes: Sequence[ShareChange]) -> list[ShareChange]:
    """The changes that stand out after the correction for how many were tested, the clearest first."""
    clear = [change for change in changes if change.adjusted < BY_CHANCE]
    return sorted(clear, key=lambda change: change.p_value)


def explain_changes(changes: Sequence[ShareChange]) -> str:
    """What the clear changes are, which follow if there are any."""
    if not changes:
        return "Too few visits in the period before to compare with."
    if not clear_changes(changes):
        return (
            f"Against the period before: none of {len(changes)} shares has changed by more than "
            "chance would explain."
        )
    return "Against the period before, by more than chance would explain:"


def write_change(change: ShareChange) -> str:
    """How a share of a stage changed against the period before."""
    width = (change.difference.high or 0.0) - (change.difference.low or 0.0)
    points = f"{100 * (change.now - change.before):+.0f} ± {50 * width:.0f} points"
    return (
        f"{change.stage}, {WAY_NAMES[change.way]}: {100 * change.now:.0f}%, before "
        f"{100 * change.before:.0f}% ({points}; p = {change.p_value:.2g})"
    )


def write_contact(contact: ContactTimes) -> str:
    """How soon new leads are contacted."""
    shares = [
        f"{write_percent(share)} within {counted(int(days), 'day')}"
        for days, share in contact.contacted.items()
    ]
    median = "not yet half of them"
    if contact.median_days is not None:
        median = f"half of them within {contact.median_days:.1f} days"
    new_leads = counted(contact.leads, "new lead")
    return f"First contact of {new_leads}: {', '.join(shares)}; {median}."


def write_untouched(untouched: Untouched) -> str:
    """How many open leads no rep has touched."""
    words = f"Untouched: {untouched.leads:,} of {untouched.of_open:,} open leads"
    if untouched.median_days is None:
        return f"{words}."
    longest = untouched.longest[0]
    return (
        f"{words}; half of them have waited for more than {untouched.median_days:.0f} days, the "
        f"longest, {longest.lead_id}, {longest.days:.0f} days."
    )


def write_stalled(lead: WaitingLead) -> str:
    """A stalled lead, and how unusual its age is."""
    words = f"{lead.lead_id}: {lead.days:.0f} days in {lead.stage}"
    if lead.lasted_longer is None:
        return words
    if lead.longer_than_any:
        return f"{words}; longer than any completed visit in this period"
    share = format_percent(lead.lasted_longer)
    about = "fewer than 1%" if share == "<1%" else f"about {share}"
    return f"{words}; {about} of {lead.visits:,} visits take longer"


def write_undecided(undecided: Sequence[WaitingLead]) -> str:
    """The leads in indecision."""
    named = ", ".join(lead.lead_id for lead in undecided[:FEW])
    rest = " and others" if len(undecided) > FEW else ""
    return f"Stalled but still engaging: {named}{rest}. Ask for a decision, either way."


def list_buyers(patterns: Sequence[Pattern]) -> list[Pattern]:
    """Of clear patterns those for prospecting: what is known before a lead does anything, and wins more."""
    return [
        pattern
        for pattern in clear_patterns(patterns)
        if pattern.field != ACTIVITY and (pattern.lift or 0) > 1
    ]


def write_improvement(improvement: Improvement) -> str:
    """What more visits that move on would bring a quarter.

    >>> from leadscore.results import Improvement
    >>> write_improvement(Improvement(
    ...     stage="Negotiation", points=0.05, visits=200, wins=10, value=210_400, currency="EUR"))
    'Negotiation: +5 points = EUR 210,000 a quarter (10.0 wins)'
    """
    wins = f"{improvement.wins:.1f} wins"
    begin = f"{improvement.stage}: +{100 * improvement.points:.2g} points"
    if improvement.value is None:
        return f"{begin} = {wins} a quarter"
    currency = f"{improvement.currency or ''} ".lstrip()
    value = round_money(improvement.value)
    return f"{begin} = {currency}{value:,.0f} a quarter ({wins})"


def round_money(value: float) -> float:
    """An amount to two digits, as exact as such arithmetic can be.

    >>> round_money(589_940.4)
    590000.0
    """
    return float(f"{value:.2g}")


def clear_patterns(patterns: Sequence[Pattern]) -> list[Pattern]:
    """The patterns that stand out after the correction for how many were tested."""
    return [pattern for pattern in patterns if pattern.adjusted < BY_CHANCE]


def explain_patterns(patterns: Sequence[Pattern]) -> str:
    """How many patterns were tested, and how many of them stand out."""
    if not patterns:
        return "Not enough time has passed to compare patterns in a period this short."
    clear = len(clear_patterns(patterns))
    stand = "stands" if clear == 1 else "stand"
    return (
        f"Of {counted(len(patterns), 'pattern')} tested, {clear:,} {stand} out after correcting for "
        "the number of tests (at most 5% of those shown are expected to be due to chance). They need "
        "not be causes."
    )


def name_pattern(pattern: Pattern) -> str:
    """What the leads of a pattern have in common, as "Channel: Demo request"."""
    return f"{capitalised(pattern.field.replace('_', ' '))}: {pattern.value}"


def write_pattern(pattern: Pattern) -> str:
    """A pattern with its n, and what it is compared with."""
    what = name_pattern(pattern)
    won = write_percent(pattern.won)
    lift = "" if pattern.lift is None else f", {pattern.lift:.1f} times the usual"
    return (
        f"{what}; {won} of {pattern.leads:,} won within {pattern.within_days:g} days{lift}; "
        f"others {write_percent(pattern.others)}"
    )
