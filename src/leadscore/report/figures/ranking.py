"""Figures of how well leads are ranked, and what working them in that order brings."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.axes import Axes

from leadscore.report.figures.canvas import (
    BLUE,
    GREY,
    ORANGE,
    PLOT_HEIGHT,
    Words,
    axis_end,
    card_style,
    draw_diagonal,
    draw_key,
    draw_missing,
    new_figure,
    percent,
    set_percent_axes,
    write_note,
    write_svg,
)
from leadscore.report.figures.records import (
    Records,
    column,
    describe_interval,
    describe_rows,
    usable,
)
from leadscore.results import Interval

TOP_SHARES = (0.1, 0.3)


@card_style()
def plot_roc(records: Records, *, auc: Interval | None = None) -> str:
    """The ROC curve, from false_positive_rate and true_positive_rate; `auc` is written on it."""
    rows = usable(records, "false_positive_rate", "true_positive_rate")
    area = describe_interval("pooled AUC", auc)
    words = Words(
        "roc",
        "Are wins ranked above the others?",
        "Down the list from the top: the nearer to the upper left, the better.",
        f"ROC curve: {area}",
    )
    if len(rows) < 2:
        return draw_missing(words)

    figure, axes = new_figure(
        words,
        x_title="share of the others listed (false positive rate)",
        y_title="share of wins listed (true positive rate)",
    )
    x = column(rows, "false_positive_rate")
    y = column(rows, "true_positive_rate")
    axes.fill_between(x, y, color=BLUE, alpha=0.1, linewidth=0)
    draw_diagonal(axes)
    axes.plot(x, y, color=BLUE, clip_on=False)
    write_note(axes, area, (1, 0), offset=(-14, 38), colour=BLUE, bold=True)
    write_note(axes, "dashed: random order, AUC 0.5", (1, 0), offset=(-14, 16))

    set_percent_axes(axes, x_end=1, y_end=1)
    return write_svg(figure, words)


@card_style()
def plot_precision_recall(records: Records, *, average_precision: Interval | None = None) -> str:
    """Precision by recall, from those two; the last record's precision is the win rate of all."""
    rows = usable(records, "recall", "precision")
    average = describe_interval("average precision", average_precision)
    words = Words(
        "precision_recall",
        "How pure is the top of the list?",
        "Going down the list finds more wins, but fewer of the leads listed win.",
        f"Precision by recall: {average}",
    )
    if len(rows) < 2:
        return draw_missing(words)

    figure, axes = new_figure(
        words,
        x_title="share of all wins found (recall)",
        y_title="share won of the leads listed (precision)",
    )
    win_rate = rows[-1]["precision"]
    axes.axhline(win_rate, color=GREY, linewidth=1.5, linestyle="--")
    recall = column(rows, "recall")
    precision = column(rows, "precision")
    axes.plot(recall, precision, color=BLUE, clip_on=False)
    write_note(axes, average, (1, 1), offset=(-14, -22), colour=BLUE, bold=True)
    whole_list = f"dashed: the whole list, {percent(win_rate)} won"
    write_note(axes, whole_list, (1, 1), offset=(-14, -44))

    set_percent_axes(axes, x_end=1, y_end=1)
    return write_svg(figure, words)


@card_style()
def plot_lift(records: Records) -> str:
    """Share of wins captured by share of the list worked from the top, from share and captured."""
    origin = {"share": 0.0, "captured": 0.0}
    rows = [origin, *usable(records, "share", "captured")]
    top = {share: interpolate_captured(rows, share) for share in TOP_SHARES}
    labels = {
        share: f"first {percent(share)}: {percent(part)} of wins, lift {part / share:.1f}"
        for share, part in top.items()
    }
    words = Words(
        "lift",
        "What does working from the top bring?",
        "Share of wins reached by working that much of the list, best first.",
        "Wins captured by share of the list. " + "; ".join(labels.values()),
    )
    if len(rows) < 3:
        return draw_missing(words)

    figure, axes = new_figure(
        words, x_title="share of the list, from the top", y_title="share of all wins captured"
    )
    x = column(rows, "share")
    y = column(rows, "captured")
    axes.fill_between(x, y, color=BLUE, alpha=0.1, linewidth=0)
    draw_diagonal(axes)
    axes.plot(x, y, color=BLUE, clip_on=False)
    write_note(axes, "dashed: worked in random order", (1, 0), offset=(-14, 16))
    for share, part in top.items():
        _mark_top(axes, share, part, labels[share])

    set_percent_axes(axes, x_end=1, y_end=1)
    return write_svg(figure, words)


def _mark_top(axes: Axes, share: float, part: float, label: str) -> None:
    """A dot on the curve, with a label below it but above the note in the corner."""
    axes.plot(share, part, "o", color=ORANGE, clip_on=False)
    above_corner = 40 - PLOT_HEIGHT * part
    offset = (10, max(-20, above_corner))
    place = (share, part)
    write_note(axes, label, place, offset=offset, coordinates="data", colour=ORANGE, bold=True)


def interpolate_captured(rows: list[dict[str, float]], share: float) -> float:
    """Share of wins captured by a share of the list, on a line through the rows.

    >>> rows = [{"share": 0.0, "captured": 0.0}, {"share": 0.5, "captured": 1.0}]
    >>> interpolate_captured(rows, 0.25)
    0.5
    """
    for before, after in pairwise(rows):
        width = after["share"] - before["share"]
        if width > 0 and before["share"] <= share <= after["share"]:
            gained = after["captured"] - before["captured"]
            return before["captured"] + gained * (share - before["share"]) / width
    return 0.0


@card_style()
def plot_captured(records: Records, *, unit: str) -> str:
    """Share of the value of all wins by share of the list worked, for several ways to order it.

    Args:
        records: share of the list, and what leadscore, scorecard and oracle capture of the value.
        unit: of the value: a currency, or wins.
    """
    rows = usable(records, "share", "leadscore", "scorecard", "oracle")
    words = Words(
        "captured",
        "How much value does part of the list capture?",
        f"Share of the value of all wins, in {unit}, by the part of the list that is worked.",
        describe_rows(rows, "{share} worked: {leadscore} of the value"),
    )
    if len(rows) < 2:
        return draw_missing(words)

    figure, axes = new_figure(
        words, x_title="share of the list worked", y_title="share of the value captured"
    )
    rows = [dict.fromkeys(rows[0], 0.0), *rows]
    x = column(rows, "share")
    axes.plot(x, x, "--", color=GREY, linewidth=1.5)
    axes.plot(x, column(rows, "oracle"), color=GREY, linewidth=1.5, clip_on=False)
    ours = column(rows, "leadscore")
    axes.plot(x, ours, color=BLUE, label="leadscore")
    axes.plot(x, column(rows, "scorecard"), color=ORANGE, label="scorecard")
    axes.plot(x[1:], ours[1:], "o", color=BLUE, clip_on=False)
    write_note(axes, "dashed: random order; grey: oracle", (1, 0), offset=(-14, 16))
    draw_key(axes)

    set_percent_axes(axes, x_end=axis_end(x[-1]), y_end=1)
    return write_svg(figure, words)
