"""Figures of the sales pipeline: what becomes of visits, how long they stay, months, losses, patterns."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from leadscore.report.figures.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    PALE,
    WIDTH,
    Words,
    card_style,
    count_ticks,
    draw_key,
    draw_missing,
    new_figure,
    percent,
    percent_ticks,
    round_up,
    write_note,
    write_svg,
)
from leadscore.report.figures.probabilities import ROW_MIDDLE, draw_bars, draw_rows, shorten
from leadscore.report.figures.records import LARGEST
from leadscore.report.funnel.sentences import FEWEST, name_pattern
from leadscore.results import Cohort, Pattern, StageFlow, StageLoss, StayCurve

ENDS = {  # how visits ended -> colour
    "moved on": BLUE,
    "won": INK,
    "moved back or still there": PALE,
    "lost": ORANGE,
}
# Lines are told apart by colour and by dashes, for print and for the colour-blind.
LINES = (
    (BLUE, "-"),
    (ORANGE, "--"),
    (INK, "-."),
    (GREY, "-"),
    ("#007a5a", (0, (8, 2))),
    ("#a3487f", (0, (3, 1, 1, 1))),
)
MOST_STAGES = 8
MOST_MONTHS = 12
MOST_REASONS = 6
MOST_PATTERNS = 7
BAR = 0.34  # height of a bar in a row of height 1
LETTER = 7.5  # units that a letter of a name takes, with its share of the margins
LEAST_ROOM = 0.24  # of the width, for the names of rows
MOST_ROOM = 0.55


@card_style()
def plot_funnel(flows: Sequence[StageFlow]) -> str:
    """The visits to each stage, as a bar of how they ended."""
    flows = flows[:MOST_STAGES]
    sentences = [f"{flow.stage}: {flow.visits:,} visits" for flow in flows]
    words = Words(
        "funnel",
        "What happens to leads in each stage?",
        "Visits to each stage that began in the period, by how they ended.",
        "; ".join(sentences),
    )
    most = max((flow.visits for flow in flows), default=0)
    if not 0 < most <= LARGEST:
        return draw_missing(words)

    figure, axes = new_figure(words, x_title="visits")
    heights = [place + ROW_MIDDLE for place in range(len(flows))]
    begins = [0] * len(flows)
    for name, colour in ENDS.items():
        widths = [_count_ended(flow, name) for flow in flows]
        axes.barh(heights, widths, BAR, left=begins, color=colour, label=name)
        begins = [begin + width for begin, width in zip(begins, widths, strict=True)]
    for place, flow in enumerate(flows):
        above = (0, 1 - (place + ROW_MIDDLE - BAR / 2) / len(flows))
        write_note(axes, f"{shorten(flow.stage)}: {flow.visits:,}", above, offset=(6, 5))
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1.02), ncols=len(ENDS))
    axes.set(xlim=(0, round_up(most)), ylim=(len(flows), 0), yticks=[])
    axes.xaxis.set_major_formatter(count_ticks())
    return write_svg(figure, words)


def _count_ended(flow: StageFlow, name: str) -> int:
    """The visits to a stage that ended so."""
    ways = flow.ways
    if name == "moved on":
        return ways["forward"].visits
    if name == "moved back or still there":
        gone = sum(ways[way].visits for way in ("forward", "won", "lost"))
        return flow.visits - gone
    return ways[name].visits


@card_style()
def plot_staying(curves: Sequence[StayCurve]) -> str:
    """The share of visits still in each stage, by days."""
    curves = curves[: len(LINES)]
    words = Words(
        "staying",
        "How long do leads stay in a stage?",
        "Share of visits still in the stage, by days since the lead entered it.",
        "; ".join(f"{curve.stage}: {_describe_curve(curve)}" for curve in curves),
    )
    last = max((curve.points[-1].days for curve in curves), default=0.0)
    if not 0 < last <= LARGEST:
        return draw_missing(words)

    figure, axes = new_figure(words, x_title="days in the stage", y_title="still in the stage")
    for curve, (colour, dashes) in zip(curves, LINES, strict=False):
        axes.plot(
            [point.days for point in curve.points],
            [point.staying for point in curve.points],
            color=colour,
            linestyle=dashes,
            drawstyle="steps-post",
            label=shorten(curve.stage),
        )
    axes.legend(loc="upper right", bbox_to_anchor=(0.98, 0.98), handlelength=3)
    axes.set(xlim=(0, last), ylim=(0, 1))
    axes.yaxis.set_major_formatter(percent_ticks())
    return write_svg(figure, words)


def _describe_curve(curve: StayCurve) -> str:
    last = curve.points[-1]
    return f"{percent(last.staying)} after {last.days:.0f} days"


@card_style()
def plot_cohorts(cohorts: Sequence[Cohort], *, name: str = "cohorts") -> str:
    """The share won of the leads of each month, within so many days: a triangle.

    Args:
        cohorts: the months, rising.
        name: of the figure, unique on its page.
    """
    cohorts = cohorts[-MOST_MONTHS:]
    within = list(cohorts[0].won_within) if cohorts else []
    shares = [_list_shares(cohort) for cohort in cohorts]
    words = Words(
        name,
        "Are recent leads won as often as earlier ones?",
        "Share won by days since the lead came in. Compare months down a column.",
        "; ".join(f"{cohort.month}: {cohort.leads} leads" for cohort in cohorts),
    )
    if not cohorts:
        return draw_missing(words)
    return _draw_grid(
        words,
        shares,
        rows=[f"{cohort.month} ({cohort.leads:,})" for cohort in cohorts],
        columns=[f"{days} days" for days in within],
        x_title="won within; number of leads in brackets",
    )


def _list_shares(cohort: Cohort) -> list[float | None]:
    """The shares of a month; none where it has too few leads."""
    if cohort.leads < FEWEST:
        return [None] * len(cohort.won_within)
    return [share.value for share in cohort.won_within.values()]


@card_style()
def plot_losses(losses: Sequence[StageLoss]) -> str:
    """The share of each reason among the losses of each stage."""
    stages = list(dict.fromkeys(loss.stage for loss in losses))[:MOST_STAGES]
    totals: dict[str, int] = {}
    for loss in losses:
        totals[loss.reason] = totals.get(loss.reason, 0) + loss.visits
    reasons = sorted(totals, key=lambda reason: -totals[reason])[:MOST_REASONS]
    share_of = {(loss.stage, loss.reason): loss.share.value for loss in losses}
    lost = {loss.stage: loss.of_losses for loss in losses}
    words = Words(
        "losses",
        "Why are leads lost, and at which stage?",
        "Share of each loss reason among the losses of a stage.",
        "; ".join(f"{reason}: {totals[reason]} losses" for reason in reasons),
    )
    if not stages:
        return draw_missing(words)
    return _draw_grid(
        words,
        [[share_of.get((stage, reason), 0.0) for reason in reasons] for stage in stages],
        rows=[f"{shorten(stage)} ({lost[stage]:,})" for stage in stages],
        columns=[shorten(reason) for reason in reasons],
        x_title="loss reason; number of losses in brackets",
    )


def _draw_grid(
    words: Words,
    shares: Sequence[Sequence[float | None]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    x_title: str,
) -> str:
    """A grid of shares, the darker the larger, each with its number; unknown ones are empty."""
    figure, axes = new_figure(words, x_title=x_title)
    known = [share for row in shares for share in row if share is not None]
    largest = max(known, default=0.0) or 1.0
    for at, row in enumerate(shares):
        for place, share in enumerate(row):
            if share is not None:
                _draw_cell(axes, place, at, share, depth=share / largest)
    _make_room(axes, rows)
    axes.set(xlim=(0, len(columns)), ylim=(len(rows), 0))
    axes.set_xticks([place + 0.5 for place in range(len(columns))], labels=columns)
    axes.set_yticks([at + 0.5 for at in range(len(rows))], labels=rows)
    axes.grid(visible=False)
    return write_svg(figure, words)


def _make_room(axes: Axes, names: Sequence[str]) -> None:
    """Begin the plot right of the longest of the names before its rows."""
    longest = max(map(len, names))
    left = min(max(LEAST_ROOM, longest * LETTER / WIDTH), MOST_ROOM)
    box = axes.get_position()
    axes.set_position((left, box.y0, box.x1 - left, box.height))


def _draw_cell(axes: Axes, place: int, at: int, share: float, *, depth: float) -> None:
    """A cell in blue, the deeper the darker, but never so dark that its share is hard to read."""
    axes.barh(at + 0.5, 0.96, 0.92, left=place + 0.02, color=BLUE, alpha=0.06 + 0.5 * depth)
    axes.text(
        place + 0.5,
        at + 0.5,
        percent(share),
        horizontalalignment="center",
        verticalalignment="center",
    )


@card_style()
def plot_patterns(patterns: Sequence[Pattern]) -> str:
    """The share won of leads that have something in common, and of all others."""
    patterns = patterns[:MOST_PATTERNS]
    rows = [(_name(pattern), _numbers(pattern)) for pattern in patterns]
    words = Words(
        "patterns",
        "What do won leads have in common?",
        "Win rate of the leads that have it, and of all others.",
        "; ".join(f"{name}: {percent(row['won'])}" for name, row in rows),
    )
    if not rows:
        return draw_missing(words)

    figure, axes = new_figure(words, x_title="win rate, with 95% interval")
    draw_rows(axes, rows, value="won", label="leads that have it")
    draw_bars(axes, rows, value="others", label="all others", clip_on=True)
    draw_key(axes)
    axes.set_xlim(0, round_up(max(row["high"] for _, row in rows)))
    axes.xaxis.set_major_formatter(percent_ticks())
    return write_svg(figure, words)


def _name(pattern: Pattern) -> str:
    return f"{name_pattern(pattern)} ({pattern.leads:,})"


def _numbers(pattern: Pattern) -> dict[str, float]:
    return {
        "won": pattern.won.value or 0.0,
        "low": pattern.won.low or 0.0,
        "high": pattern.won.high or 0.0,
        "others": pattern.others.value or 0.0,
    }
