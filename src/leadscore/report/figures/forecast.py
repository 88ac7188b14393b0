"""Figures of the forecast: the fan with actual results, and why it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from leadscore.report.figures.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    Words,
    card_style,
    draw_missing,
    new_figure,
    round_up,
    write_note,
    write_svg,
)
from leadscore.report.figures.records import LARGEST
from leadscore.report.forecast.sentences import PART_WORDS, write_expected
from leadscore.results import Band, ForecastChange

MOST_PERIODS = 24
MOST_NAMES = 6  # below the axis
NAME_SIZE = 11
NAMES_END = 0.44  # of the width, where parts stand beside their names
CENTS = 100
THOUSAND = 1_000
TEN_THOUSAND = 10_000
MILLION = 1_000_000
BAR = 0.7  # height of a bar in a row of height 1
CLOSE = 0.6  # levels that stay above such a share of the largest are drawn from near the smallest


@dataclass(frozen=True)
class _Scale:
    """What one unit of an axis stands for, so that its numbers stay short."""

    size: float
    word: str

    def name(self, unit: str) -> str:
        """The title of the axis."""
        return f"{unit}{self.word}"

    def ticks(self) -> FuncFormatter:
        """Values in the scale's unit."""
        return FuncFormatter(lambda value, _: f"{value / self.size:,g}")


def _choose_scale(largest: float) -> _Scale:
    if largest >= MILLION:
        return _Scale(MILLION, ", millions")
    if largest >= TEN_THOUSAND:
        return _Scale(THOUSAND, ", thousands")
    return _Scale(1, "")


@dataclass(frozen=True)
class FanStep:
    """A period: what was forecast of it, and what came, or came so far; None if nothing is known yet.

    `is_ahead` tells those that are not over.
    """

    name: str
    band: Band
    came: float | None
    is_ahead: bool


@card_style()
def plot_fan(steps: Sequence[FanStep], *, name: str, unit: str, by: str) -> str:
    """What was forecast of each period, as the range of eight simulations of ten, and the actual results.

    Args:
        steps: the periods, rising.
        name: of what is forecast.
        unit: of its axis.
        by: the kind of period.
    """
    steps = steps[-MOST_PERIODS:]
    over = [step for step in steps if not step.is_ahead]
    words = Words(
        f"fan-{name}",
        f"Expected {name} by {by}",
        "Shaded: 8 of 10 simulations. Past periods show the forecast made at their start.",
        "; ".join(_describe(step) for step in steps),
    )
    largest = max((max(step.band.high, step.came or 0.0) for step in steps), default=0.0)
    if not 0 < largest <= LARGEST:
        return draw_missing(words)

    scale = _choose_scale(largest)
    figure, axes = new_figure(words, x_title="", y_title=scale.name(unit))
    _draw_bands(axes, steps)
    came = [(at, step.came) for at, step in enumerate(steps) if step.came is not None]
    if came:
        axes.plot(*zip(*came, strict=True), "D", color=ORANGE, markersize=7, label="actual so far")
    if over and len(over) < len(steps):
        axes.axvline(len(over) - 0.5, color=GREY, linestyle="--", linewidth=1.5)
        write_note(axes, "ahead", (len(over) / len(steps), 0), offset=(6, 6))
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1.02), ncols=3)
    stride = -(-len(steps) // MOST_NAMES)
    places = range(0, len(steps), stride)
    axes.set(xlim=(-0.5, len(steps) - 0.5), ylim=(0, round_up(largest)))
    axes.set_xticks(list(places), labels=[steps[at].name for at in places])
    axes.yaxis.set_major_formatter(scale.ticks())
    return write_svg(figure, words)


def _describe(step: FanStep) -> str:
    low, high = write_expected(step.band.low), write_expected(step.band.high)
    band = f"{step.name}: {low} to {high}"
    if step.came is None:
        return band
    return f"{band}, {'so far' if step.is_ahead else 'actual'} {step.came:,.0f}"


def _draw_bands(axes: Axes, steps: Sequence[FanStep]) -> None:
    """A step of the fan for each period, with its middle as a line."""
    places = range(len(steps))
    axes.bar(
        places,
        [step.band.high - step.band.low for step in steps],
        1.0,
        bottom=[step.band.low for step in steps],
        color=BLUE,
        alpha=0.3,
        label="forecast",
    )
    axes.hlines(
        [step.band.middle for step in steps],
        [at - 0.5 for at in places],
        [at + 0.5 for at in places],
        color=BLUE,
        label="midpoint",
    )


@card_style()
def plot_change(change: ForecastChange | None, *, currency: str | None) -> str:
    """Why the expected revenue changed, a bar a cause, from the forecast of then to that of now."""
    rows = [] if change is None else _list_rows(change)
    levels = [level for row in rows for level in (row.begin, row.end) if level]
    start = _choose_start(levels)
    note = " The axis does not start at 0." if start > 0 else ""
    words = Words(
        "change",
        "Why did the forecast change?",
        f"Each bar begins where the one above ends.{note}",
        "; ".join(f"{row.name}: {row.end - row.begin:+,.0f}" for row in rows[1:-1]),
    )
    largest = max(levels, default=0.0)
    if not 0 < largest <= LARGEST:
        return draw_missing(words)

    scale = _choose_scale(largest)
    figure, axes = new_figure(words, x_title=scale.name(currency or "amount"))
    for at, row in enumerate(rows):
        _draw_row(axes, at, row, start=start)
    box = axes.get_position()
    axes.set_position((NAMES_END, box.y0, box.x1 - NAMES_END, box.height))
    axes.set(xlim=(start, largest + (largest - start) * 0.35), ylim=(len(rows), 0))
    names = [row.name for row in rows]
    axes.set_yticks([at + 0.5 for at in range(len(rows))], labels=names, fontsize=NAME_SIZE)
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(scale.ticks())
    return write_svg(figure, words)


def _choose_start(levels: Sequence[float]) -> float:
    """Where the axis of some levels starts: at 0, or nearer to them where all are alike."""
    lowest = min(levels, default=0.0)
    largest = max(levels, default=0.0)
    if lowest > CLOSE * largest:
        return lowest - (largest - lowest) / 2
    return min(lowest, 0.0)


@dataclass(frozen=True)
class _Row:
    """A bar of the waterfall, from where the one before ended; totals begin at nothing."""

    name: str
    begin: float
    end: float
    is_total: bool


def _list_rows(change: ForecastChange) -> list[_Row]:
    """The forecast of then, the causes in their order, and the forecast of now, in units."""
    level = change.before / CENTS
    rows = [_Row("earlier forecast", 0.0, level, is_total=True)]
    for part, cents in change.parts.items():
        if cents:
            after = level + cents / CENTS
            rows.append(_Row(PART_WORDS[part], level, after, is_total=False))
            level = after
    rows.append(_Row("current forecast", 0.0, change.after / CENTS, is_total=True))
    return rows


def _draw_row(axes: Axes, at: int, row: _Row, *, start: float) -> None:
    """A bar with its number, which has a sign where it is a change."""
    begin = start if row.is_total else row.begin
    change = row.end - row.begin
    colour = BLUE if change >= 0 else ORANGE
    axes.barh(
        at + 0.5,
        row.end - begin,
        BAR,
        left=begin,
        color=INK if row.is_total else colour,
    )
    text = f"{row.end:,.0f}" if row.is_total else f"{change:+,.0f}"
    right = max(begin, row.end)
    write_note(axes, text, (right, at + 0.5), offset=(5, -4), coordinates="data")
