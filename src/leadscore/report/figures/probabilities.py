"""Figures of how well the predicted probabilities hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from leadscore.report.figures.canvas import (
    BLUE,
    MISSING,
    ORANGE,
    PALE,
    Words,
    axis_end,
    card_style,
    draw_diagonal,
    draw_key,
    draw_missing,
    new_figure,
    percent,
    percent_ticks,
    round_up,
    set_percent_axes,
    write_note,
    write_svg,
)
from leadscore.report.figures.records import Records, column, describe_rows, usable

NamedRecords = Sequence[Mapping[str, Any]]  # a name beside the numbers
NamedRows = list[tuple[str, dict[str, float]]]

MOST_ROWS = 10  # one below the other that can be read
LONGEST_NAME = 40
ROW_MIDDLE = 0.72  # where a row's marks are, below its name
ABOVE = 10  # units from a row's marks to its name: an upright bar ends at 8


@card_style()
def plot_reliability(records: Records) -> str:
    """Win rate by predicted probability, from mean_probability, win_rate, low and high."""
    rows = usable(records, "mean_probability", "win_rate")
    words = Words(
        "reliability",
        "Are the probabilities right?",
        "Each dot is a tenth of the list; on the dashed line, leads won as often as predicted.",
        describe_rows(rows, "predicted {mean_probability}, won {win_rate}"),
    )
    if len(rows) < 2:
        return draw_missing(words)

    figure, axes = new_figure(
        words, x_title="mean predicted win probability", y_title="share won, with 95% interval"
    )
    draw_diagonal(axes)
    bars = usable(records, "mean_probability", "low", "high")
    low = column(bars, "low")
    high = column(bars, "high")
    middles = column(bars, "mean_probability")
    axes.vlines(middles, low, high, BLUE, linewidth=2)
    predicted = column(rows, "mean_probability")
    won = column(rows, "win_rate")
    axes.plot(predicted, won, "o", color=BLUE, clip_on=False)
    write_note(axes, "won more often than predicted", (0, 1), offset=(14, -22))
    write_note(axes, "won less often than predicted", (1, 0), offset=(-14, 14))

    end = round_up(min(1.0, max(predicted + won + high)))
    set_percent_axes(axes, x_end=end, y_end=end)
    return write_svg(figure, words)


@card_style()
def plot_distribution(records: Records) -> str:
    """The list by win probability and outcome, from bins: low, high, and weights won and other."""
    rows = usable(records, "low", "high", "won", "other")
    total = sum(row["won"] + row["other"] for row in rows)
    words = Words(
        "distribution",
        "How well are leads separated?",
        "The list by win probability: the wider the spread, the better.",
        f"Share of the list in {len(rows)} bins of probability",
    )
    if len(rows) < 2 or not total > 0:
        return draw_missing(words)

    figure, axes = new_figure(words, x_title="win probability", y_title="share of the list")
    middle = [(row["low"] + row["high"]) / 2 for row in rows]
    width = [0.94 * (row["high"] - row["low"]) for row in rows]
    won = [row["won"] / total for row in rows]
    other = [row["other"] / total for row in rows]
    axes.bar(middle, won, width, color=BLUE, label="won")
    axes.bar(middle, other, width, bottom=won, color=PALE, label="not won")
    draw_key(axes)

    heights = [row["won"] + row["other"] for row in rows]
    highest = max(heights) / total
    x_end = axis_end(rows[-1]["high"])
    set_percent_axes(axes, x_end=x_end, y_end=round_up(highest))
    return write_svg(figure, words)


@card_style()
def plot_groups(records: NamedRecords, *, name: str, title: str, reading: str) -> str:
    """Predicted and actual win rate of groups, one below the other.

    Args:
        records: name, mean_probability, win_rate, low and high of each; the last `MOST_ROWS` are
            drawn.
        name: of the figure.
        title: the question that it answers.
        reading: how to read it.
    """
    rows = named_rows(records, "mean_probability", "win_rate", "low", "high")
    sentences = [
        f"{group}: predicted {percent(row['mean_probability'])}, won {percent(row['win_rate'])}"
        for group, row in rows
    ]
    words = Words(name, title, reading, "; ".join(sentences) or MISSING)
    if len(rows) < 2:
        return draw_missing(words)

    figure, axes = new_figure(words, x_title="share won, with 95% interval")
    draw_rows(axes, rows, value="win_rate", label="won")
    draw_bars(axes, rows, value="mean_probability", label="predicted", clip_on=False)
    draw_key(axes)

    largest = max(max(row.values()) for _, row in rows)
    axes.set_xlim(0, round_up(min(1.0, largest)))
    axes.xaxis.set_major_formatter(percent_ticks())
    return write_svg(figure, words)


def named_rows(records: NamedRecords, *columns: str) -> NamedRows:
    """The name and those columns of the last `MOST_ROWS` records in which all can be drawn."""
    rows = []
    for record in records:
        numbers = usable([record], *columns)
        if numbers:
            name = str(record.get("name"))
            rows.append((name, numbers[0]))
    return rows[-MOST_ROWS:]


def draw_rows(axes: Axes, rows: NamedRows, *, value: str, label: str = "") -> None:
    """Draw rows from the top down: the name, and below it a dot on its interval."""
    for i, (name, row) in enumerate(rows):
        height = i + ROW_MIDDLE
        below_name = (0, 1 - height / len(rows))
        write_note(axes, shorten(name), below_name, offset=(6, ABOVE))
        span = [row["low"], row["high"]]
        axes.plot(span, [height, height], color=BLUE, linewidth=2)
    values = [row[value] for _, row in rows]
    heights = [i + ROW_MIDDLE for i in range(len(rows))]
    axes.plot(values, heights, "o", color=BLUE, label=label, clip_on=False)
    axes.set_ylim(len(rows), 0)
    axes.set_yticks(range(len(rows) + 1), labels=[])


def draw_bars(axes: Axes, rows: NamedRows, *, value: str, label: str, clip_on: bool) -> None:
    """Draw an upright bar in each of the rows that `draw_rows` has drawn."""
    values = [row[value] for _, row in rows]
    heights = [i + ROW_MIDDLE for i in range(len(rows))]
    axes.plot(
        values,
        heights,
        "|",
        color=ORANGE,
        markersize=14,
        markeredgewidth=3,
        markeredgecolor=ORANGE,
        label=label,
        clip_on=clip_on,
    )


def shorten(name: str) -> str:
    """A name on one line, of at most `LONGEST_NAME` letters."""
    line = " ".join(name.split())
    if len(line) <= LONGEST_NAME:
        return line
    return f"{line[: LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
