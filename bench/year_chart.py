"""The chart of `bench/year.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd

mpl.use("svg")
from matplotlib import pyplot as plt
from matplotlib.ticker import PercentFormatter

DAY_S = 86_400
PREDICTED, WON, EVENT = "#1f5fa8", "#c2571a", "#666666"


def draw_chart(
    path: Path,
    months: pd.DataFrame,
    events: Sequence[tuple[pd.Timestamp, str]],
    *,
    drift: pd.Timestamp,
) -> None:
    """Predicted and actual win rate by month of the list, and what happened when, as SVG."""
    mpl.rcParams["svg.hashsalt"] = "leadscore"  # the same bytes for the same year
    figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    at = [_to_days(pd.Timestamp(f"{month}-15")) for month in months["name"]]
    below = months["win_rate"] - months["low"]
    above = months["high"] - months["win_rate"]
    axes.errorbar(
        at, months["win_rate"], yerr=[below, above], fmt="o", color=WON, capsize=3, label="won"
    )
    axes.plot(at, months["mean_probability"], color=PREDICTED, marker="s", label="predicted")
    axes.axvspan(_to_days(drift), at[-1], color="#eeeeee", zorder=0, label="after the drift")
    for day, event in events:
        axes.axvline(_to_days(day), color=EVENT, linestyle=":", linewidth=1)
        words = event.split(":")[0].split(";")[0]
        axes.annotate(words, (_to_days(day), 1), xycoords=("data", "axes fraction"), rotation=90, va="top",
                      ha="right", fontsize=7, color=EVENT)  # fmt: skip
    axes.set_ylim(0)
    axes.xaxis_date()
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylabel("leads on the lists of a month")
    axes.legend(loc="lower left", frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})


def _to_days(day: pd.Timestamp) -> float:
    """Days since 1970, as matplotlib counts them."""
    return day.timestamp() / DAY_S
