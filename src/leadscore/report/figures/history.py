"""Figures of time: how long a win takes, what more history would bring, how past models did."""

from __future__ import annotations

from matplotlib.axes import Axes

from leadscore.report.figures.canvas import (
    BLUE,
    GREY,
    MISSING,
    ORANGE,
    SMALLEST,
    Words,
    axis_end,
    card_style,
    count_ticks,
    draw_missing,
    new_figure,
    percent_ticks,
    round_ticks,
    round_up,
    write_note,
    write_svg,
)
from leadscore.report.figures.probabilities import NamedRecords, draw_rows, named_rows
from leadscore.report.figures.records import Records, column, is_drawable, usable
from leadscore.results import DaysToWin


@card_style()
def plot_maturity(
    records: Records,
    *,
    days_to_win: DaysToWin | None = None,
    horizon_days: float | None = None,
) -> str:
    """Share of leads won within so many days, as steps.

    Args:
        records: days since the lead was opened, and the share won by then.
        days_to_win: the days by which half, and nine tenths, of the wins seen had come.
        horizon_days: how far the model predicts; drawn if it lies within the days.
    """
    rows = usable(records, "days", "share")
    quantiles = _label_quantiles(days_to_win)
    labels = [label for _, label in quantiles]
    words = Words(
        "maturity",
        "How long does a win take?",
        "Share won by days since opening, allowing for leads still open.",
        "Share of leads won by days since they were opened. " + "; ".join(labels),
    )
    if len(rows) < 2:
        return draw_missing(words)

    figure, axes = new_figure(
        words, x_title="days since the lead was opened", y_title="share of leads won"
    )
    days = column(rows, "days")
    shares = column(rows, "share")
    _set_maturity_axes(axes, last_day=days[-1], highest=max(shares))
    axes.fill_between(days, shares, step="post", color=BLUE, alpha=0.1, linewidth=0)
    if horizon_days is not None and horizon_days <= days[-1]:
        _draw_horizon(axes, horizon_days)
    axes.step(days, shares, where="post", color=BLUE, clip_on=False)
    for day, label in quantiles:
        won_by_then = [row["share"] for row in rows if row["days"] <= day]
        _mark_quantile(axes, day, won_by_then[-1] if won_by_then else 0.0, label)
    return write_svg(figure, words)


def _set_maturity_axes(axes: Axes, *, last_day: float, highest: float) -> None:
    x_end = axis_end(last_day)
    y_end = round_up(highest)
    axes.set(xlim=(0, x_end), ylim=(0, y_end))
    axes.xaxis.set_major_locator(round_ticks(integer=True))
    axes.xaxis.set_major_formatter(count_ticks())
    axes.yaxis.set_major_formatter(percent_ticks())


def _label_quantiles(days_to_win: DaysToWin | None) -> list[tuple[float, str]]:
    """(day, words) of each quantile that was reached."""
    if days_to_win is None:
        return []
    days = {"half of the wins": days_to_win.half, "9 of 10 wins": days_to_win.nine_tenths}
    labels = []
    for part, day in days.items():
        if is_drawable(day):
            labels.append((day, f"{part} by day {day:.0f}"))
    return labels


def _draw_horizon(axes: Axes, day: float) -> None:
    axes.axvline(day, color=GREY, linewidth=1.5, linestyle="--")
    is_left = day <= axes.get_xlim()[1] / 2
    offset = (8 if is_left else -8, -16)
    top = axes.get_ylim()[1]
    text = f"horizon: {day:,.0f} days"
    write_note(axes, text, (day, top), offset=offset, coordinates="data")


def _mark_quantile(axes: Axes, day: float, share: float, label: str) -> None:
    axes.plot(day, share, "o", color=ORANGE, clip_on=False)
    has_space = day <= axes.get_xlim()[1] * 2 / 3
    offset = (10, -18) if has_space else (-10, 10)
    place = (day, share)
    write_note(axes, label, place, offset=offset, coordinates="data", colour=ORANGE, bold=True)


@card_style()
def plot_learning(records: Records, *, finding: str) -> str:
    """Log loss on later leads by how many closed leads were learned from, from leads and log_loss.

    The y axis spans at least a tenth of the largest log loss, so that a small gain looks small.

    Args:
        records: number of leads, and the log loss.
        finding: what follows from them, in words.
    """
    rows = usable(records, "leads", "log_loss")
    words = Words(
        "learning",
        "Would more history help?",
        "Log loss on later leads, learned from fewer; the axis does not start at 0.",
        f"Log loss by closed leads: {finding}",
    )
    if len(rows) < 2:
        return draw_missing(words)

    figure, axes = new_figure(words, x_title="leads learned from", y_title="log loss")
    leads = column(rows, "leads")
    losses = column(rows, "log_loss")
    axes.plot(leads, losses, marker="o", color=BLUE, clip_on=False)

    lowest = min(losses)
    highest = max(losses)
    span = max(highest - lowest, highest / 10, SMALLEST)
    ticks = round_ticks().tick_values(lowest, lowest + span)
    x_end = axis_end(leads[-1])
    axes.set(xlim=(0, x_end), ylim=(ticks[0], ticks[-1]))
    axes.xaxis.set_major_locator(round_ticks(integer=True))
    axes.xaxis.set_major_formatter(count_ticks())
    return write_svg(figure, words)


@card_style()
def plot_dates(records: NamedRecords) -> str:
    """AUC of the model of each past date, with its interval, from name, auc, low and high."""
    rows = named_rows(records, "auc", "low", "high")
    sentences = [
        f"{date}: {row['auc']:.2f} ({row['low']:.2f} to {row['high']:.2f})" for date, row in rows
    ]
    words = Words(
        "dates",
        "Was it good at every date?",
        "AUC of the model of each date on the leads that were open then.",
        "; ".join(sentences) or MISSING,
    )
    if len(rows) < 2:
        return draw_missing(words)

    figure, axes = new_figure(words, x_title="AUC, with 95% interval; dashed: random order")
    axes.axvline(0.5, color=GREY, linewidth=1.5, linestyle="--")
    draw_rows(axes, rows, value="auc")
    axes.set_xlim(0, 1)
    return write_svg(figure, words)
