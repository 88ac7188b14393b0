"""Names of what a forecast is made of, and its findings as sentences, for the page and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.report.funnel.sentences import write_percent
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import Band, ForecastChange, LeadsNeeded, SettledForecasts, Views

UNKNOWN = "-"
AVERAGES = (
    "Averages over the simulations, to the cent so that the causes add up; the table of periods shows "
    "the middle of the range."
)
LEAST_CHANCE = 0.01  # fewer draws than this tell little more
SOURCE_COLUMNS = ("share, %", "expected", "needed", "won, %", "alone")
PART_WORDS = {
    "new_leads": "new leads",
    "won": "won",
    "lost": "lost or gone",
    "slipped_out": "slipped out of the period",
    "pulled_in": "pulled into the period",
    "amount": "amount changed",
    "facts": "probability changed by new facts",
    "time": "probability changed by time alone",
    "model": "probability changed by the model or the pace of wins",
    "corrected": "corrections of earlier closes",
    "yet_to_come": "leads yet to come",
}
METHOD_WORDS = {
    "leadscore": "leadscore",
    "run_rate": "mean of the last 3 months",
    "last_year": "same month of last year",
    "stage_weighted": "open leads weighted by stage",
}


def name_part(part: str, change: ForecastChange) -> str:
    """What a part of a change is called; where another model predicted then, with both versions.

    >>> from leadscore.results import ForecastChange
    >>> change = ForecastChange(
    ...     since="2026-03-01T00:00:00Z", period="2026-03", before=0, after=0, parts={}, leads={},
    ...     model_then=2, model_now=1)
    >>> name_part("model", change)
    'probability changed by another model (version 2 then, version 1 now)'
    """
    then, now = change.model_then, change.model_now
    if part == "model" and then != now:
        return f"probability changed by another model (version {then} then, version {now} now)"
    return PART_WORDS[part]


def write_band(band: Band | None) -> str:
    """The middle of a band with its ends.

    >>> from leadscore.results import Band
    >>> write_band(Band(mean=31, low=25, middle=30.6, high=36)), write_band(None)
    ('31 (25-36)', '-')
    >>> write_band(Band(mean=-7, low=-9, middle=-7, high=-4))
    '-7 (-9 to -4)'
    """
    if band is None:
        return UNKNOWN
    to = "-" if band.low >= 0 else " to "
    return f"{band.middle:,.0f} ({band.low:,.0f}{to}{band.high:,.0f})"


def write_money_band(band: Band | None) -> str:
    """The same of simulated money, whose later digits are chance.

    >>> from leadscore.results import Band
    >>> write_money_band(Band(mean=0, low=1_201_455, middle=1_402_847, high=1_650_500))
    '1,400,000 (1,200,000-1,650,000)'
    """
    if band is None:
        return UNKNOWN
    ends = {"low": band.low, "middle": band.middle, "high": band.high}
    rounded = {name: round_expected(end) for name, end in ends.items()}
    return write_band(band.model_copy(update=rounded))


def round_expected(amount: float) -> float:
    """Simulated money to three digits, which is as exact as a simulation is.

    >>> round_expected(1_402_847.0), round_expected(-12.34)
    (1400000.0, -12.3)
    """
    return float(f"{amount:.3g}")


def write_expected(amount: float | None) -> str:
    """Simulated money in whole units to three digits, or a dash."""
    return UNKNOWN if amount is None else f"{round_expected(amount):,.0f}"


def write_amount(amount: float | None) -> str:
    """An amount in whole units, or a dash."""
    return UNKNOWN if amount is None else f"{amount:,.0f}"


def write_cents(cents: int, sign: str = "") -> str:
    """An amount in cents as units with two decimals; with the sign "+" also that of a gain."""
    return f"{cents / 100:{sign},.2f}"


def write_settled(settled: SettledForecasts) -> str:
    """How many published forecasts there are, and how many periods their ranges held.

    >>> from leadscore.results import SettledForecasts
    >>> write_settled(SettledForecasts(
    ...     forecasts=2, first="2026-03-01T00:00:00Z", periods=[], held_wins=0, held_revenue=None))
    '2 forecasts published since 2026-03-01; none of their periods is over yet.'
    """
    since = settled.first.partition("T")[0]
    words = f"{counted(settled.forecasts, 'forecast')} published since {since}"
    over = len(settled.periods)
    if not over:
        return f"{words}; none of their periods is over yet."
    held = (
        f"actual wins were within the 80% range in {settled.held_wins} of {counted(over, 'period')}"
    )
    if settled.held_revenue is not None:
        held += f", actual revenue in {settled.held_revenue}"
    return f"{words}; {held}."


def write_views(views: Views, currency: str | None) -> str:
    """Commit, likely, best case, the pipeline and its coverage."""
    commit = write_expected(views.commit)
    likely = write_expected(views.likely)
    best_case = write_expected(views.best_case)
    coverage = UNKNOWN if views.coverage is None else f"{views.coverage:.1f}"
    return (
        f"All periods, {currency or 'revenue'}: commit {commit} (reached in 9 of 10 "
        f"simulations), likely {likely}, best case {best_case} (1 of 10); open pipeline "
        f"{write_expected(views.pipeline)}. Pipeline coverage: {coverage} times the revenue expected "
        "from it in these periods"
    )


def write_needed(needed: LeadsNeeded) -> list[str]:
    """The leads that a target takes, and what more of them would bring."""
    unit = needed.unit
    date = needed.by.partition("T")[0]
    lines = [
        f"Target: {needed.target:,.0f} {unit} by {date}, of which {needed.won:,.0f} have been won. The "
        f"chance of missing it is {_write_chance(needed.chance_of_missing)}. {_write_leads(needed)} "
        f"{needed.arriving:,.0f} are expected."
    ]
    if needed.visits:
        stages = ", ".join(f"{stage} {visits:,}" for stage, visits in needed.visits.items())
        lines.append(f"At the rates of the last year these leads make this many visits: {stages}.")
    if needed.coverage is not None:
        lines.append(
            f"The open pipeline is {needed.coverage:.1f} times what the target still lacks."
        )
    lines.append(f"{_write_more(needed)} {needed.assumption}")
    return lines


def write_leads_range(low: int | None, middle: int | None, high: int | None) -> str:
    """How many leads give an even chance, with those for one and for nine chances in ten.

    >>> write_leads_range(50, 70, 95), write_leads_range(50, 70, None), write_leads_range(None, None, None)
    ('70 (50-95)', '70 (50-∞)', '-')
    """
    if low is None or middle is None:
        return UNKNOWN
    most = "∞" if high is None else f"{high:,}"
    return f"{middle:,} ({low:,}-{most})"


def write_sources(needed: LeadsNeeded) -> list[list[str]]:
    """A row of cells a source (see `SOURCE_COLUMNS`)."""
    return [
        [
            source.source,
            f"{100 * source.share:.0f}",
            f"{source.arriving:,.0f}",
            write_leads_range(source.leads_low, source.leads, source.leads_high),
            write_percent(source.won).removesuffix("%"),
            write_leads_range(source.alone_low, source.alone, source.alone_high),
        ]
        for source in needed.sources
    ]


def explain_sources(needed: LeadsNeeded) -> str:
    """What the columns of the sources mean."""
    days = f"{needed.sources[0].within_days:g}"
    return (
        "New leads for an even chance to reach the target, in brackets those for one and for nine "
        "chances in ten. Needed: if the sources' shares of the last half-year stay. Alone: if all new "
        f"leads came from this source, and were won within {days} days as often as its leads of the "
        "last year; there may not be that many. Won counts a re-opened lead once more each time, as the "
        "forecast does, so it differs from `funnel --by`, which counts each lead once, by its first "
        "close."
    )


def _write_chance(chance: float) -> str:
    """A chance that was simulated, which is never quite none nor certain.

    >>> _write_chance(0.0), _write_chance(0.321), _write_chance(0.996)
    ('under 1%', '32%', 'over 99%')
    """
    if chance < LEAST_CHANCE:
        return "under 1%"
    if chance > 1 - LEAST_CHANCE:
        return "over 99%"
    return f"{100 * chance:.0f}%"


def _write_leads(needed: LeadsNeeded) -> str:
    if needed.leads is None:
        return "No number of new leads gives an even chance."
    even = f"{counted(needed.leads, 'new lead')} would give an even chance"
    if needed.leads_high is None:
        return f"{even}, and no number a chance of nine in ten."
    return f"{even}, and {needed.leads_high:,} a chance of nine in ten."


def _write_more(needed: LeadsNeeded) -> str:
    """What 100 more leads, one more rep and a better win rate would bring, in one sentence."""
    more_leads = write_expected(needed.of_100_more)
    more_wins = write_expected(needed.of_a_tenth_more)
    begin = f"By then, 100 more leads would add {more_leads} {needed.unit}."
    rate = f"10% higher win rate (relative) would add {more_wins}."
    if needed.of_one_more_rep is None:
        return f"{begin} A {rate}"
    leads = counted(round(needed.leads_per_rep or 0), "lead")
    more_reps = write_expected(needed.of_one_more_rep)
    rep = f"One more rep, taking {leads} like the others, would add {more_reps} {needed.unit}"
    return f"{begin} {rep}; a {rate}"
