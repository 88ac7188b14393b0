"""The chart of `bench/year.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MultipleLocator

from leadscore.report.figures.canvas import (
    Words,
    card_style,
    new_figure,
    percent_ticks,
    write_svg,
)

DAY_S = 86_400
MARGIN_DAYS = 20
PREDICTED, WON, EVENT = "#1f5fa8", "#c2571a", "#666666"
WORDS = Words(
    name="year",
    title="A year with a drift in month 7",
    reading="Bars are 95% intervals of the win rate; grey is after the drift.",
    description="Predicted and actual win rates by month of the list, and what happened when.",
)


@card_style()
def draw_chart(
    path: Path,
    months: pd.DataFrame,
    events: Sequence[tuple[pd.Timestamp, str, str]],
    *,
    drift: pd.Timestamp,
) -> None:
    """Predicted and actual win rate by month of the list, and what happened when, as SVG."""
    figure, axes = new_figure(
        WORDS, x_title="month of the list", y_title="share of leads won within the horizon"
    )
    at = [_to_days(pd.Timestamp(f"{month}-15")) for month in months["name"]]
    below = months["win_rate"] - months["low"]
    above = months["high"] - months["win_rate"]
    axes.errorbar(
        at, months["win_rate"], yerr=[below, above], fmt="o", color=WON, capsize=3, label="actual"
    )
    axes.plot(at, months["mean_probability"], color=PREDICTED, marker="s", label="predicted")
    axes.axvspan(_to_days(drift), at[-1], color="#eeeeee", zorder=0)
    for day, event, _ in events:
        _mark(axes, _to_days(day), event)
    axes.set(xlim=(at[0] - MARGIN_DAYS, at[-1] + MARGIN_DAYS), ylim=(0, 1.1 * months["high"].max()))
    axes.set_xticks(at[::2], labels=[str(month) for month in months["name"][::2]])
    axes.yaxis.set_major_locator(MultipleLocator(0.05))
    axes.yaxis.set_major_formatter(percent_ticks())
    axes.legend(loc="lower left", frameon=False)
    path.write_text(write_svg(figure, WORDS), encoding="utf-8")


def _mark(axes: Axes, day: float, event: str) -> None:
    """A line at a day, with what happened."""
    axes.axvline(day, color=EVENT, linestyle=":", linewidth=1)
    axes.annotate(
        event,
        (day, 1),
        xycoords=("data", "axes fraction"),
        rotation=90,
        verticalalignment="top",
        horizontalalignment="right",
        fontsize=9,
        color=EVENT,
    )


def _to_days(day: pd.Timestamp) -> float:
    """Days since 1970, as matplotlib counts them."""
    return day.timestamp() / DAY_S
