"""The pictures of an evaluation, each from plain records to a standalone SVG document.

Records with a value that is missing, negative or not finite are left out; with fewer than two left a chart says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeGuard

from leadscore.report.figures.svg import (
    BLUE,
    BOTTOM,
    DASHED,
    GREY,
    LEFT,
    ORANGE,
    PALE,
    RIGHT,
    TOP,
    Axis,
    Point,
    Words,
    area,
    bar,
    dot,
    draw_chart,
    draw_missing,
    label,
    line,
    percent,
    plain,
    x_scale,
    y_scale,
)

Records = Sequence[Mapping[str, float | None]]
Estimate = Mapping[str, float | None]

LARGEST = 1e12  # beyond it nothing is a share, a weight or a number of days
MISSING = "not enough data"
TOP_SHARES = (0.1, 0.3)


def plot_reliability(records: Records) -> str:
    """Win rate by promised probability, with intervals; from mean_probability, win_rate, low, high."""
    rows = usable(records, "mean_probability", "win_rate")
    words = Words(
        "reliability",
        "Do the probabilities hold?",
        "Each dot is a tenth of the list; on the dashed line it got what it promised.",
        _told(rows, "promised {mean_probability}, won {win_rate}"),
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    bars = usable(records, "mean_probability", "low", "high")
    largest = max(max(row["mean_probability"], row["win_rate"]) for row in rows)
    largest = min(1.0, max([largest, *(row["high"] for row in bars)]))
    x, y = x_scale(largest), y_scale(largest)
    places = [(x.at(row["mean_probability"]), y.at(row["win_rate"])) for row in rows]
    whiskers = [
        line(
            [(x.at(row["mean_probability"]), y.at(row[end])) for end in ("low", "high")],
            colour=BLUE,
            width=2,
        )
        for row in bars
    ]
    marks = [
        line([(LEFT, BOTTOM), (RIGHT, TOP)], colour=GREY, width=1.5, dash=DASHED),
        label((LEFT + 14, TOP + 22), "won more often than promised", colour=GREY, weight=400),
        label(
            (RIGHT - 14, BOTTOM - 14),
            "won less often than promised",
            colour=GREY,
            anchor="end",
            weight=400,
        ),
        *whiskers,
        *(dot(at, colour=BLUE) for at in places),
    ]
    axes = Axis(x, "mean promised win probability"), Axis(y, "share won, with 95 % interval")
    return draw_chart(words, *axes, marks)


def plot_roc(records: Records, *, auc: Estimate | None = None) -> str:
    """The receiver operating characteristic, from false_positive_rate and true_positive_rate."""
    rows = usable(records, "false_positive_rate", "true_positive_rate")
    said = _estimated("pooled AUC", auc)
    words = Words(
        "roc",
        "Are wins ranked above the others?",
        "Down the list from the top: the nearer to the upper left, the better.",
        f"ROC curve: {said}" + ("" if len(rows) > 1 else f"; {MISSING}"),
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    x, y = x_scale(1.0), y_scale(1.0)
    places = [(x.at(row["false_positive_rate"]), y.at(row["true_positive_rate"])) for row in rows]
    marks = [
        area(places, colour=BLUE),
        line([(LEFT, BOTTOM), (RIGHT, TOP)], colour=GREY, width=1.5, dash=DASHED),
        line(places, colour=BLUE),
        label((RIGHT - 14, BOTTOM - 38), said, colour=BLUE, anchor="end", weight=600),
        label(
            (RIGHT - 14, BOTTOM - 16),
            "dashed: drawn at random, AUC 0.5",
            colour=GREY,
            anchor="end",
            weight=400,
        ),
    ]
    axes = (
        Axis(x, "share of the others listed (false positive rate)"),
        Axis(y, "share of wins listed (true positive rate)"),
    )
    return draw_chart(words, *axes, marks)


def plot_precision_recall(records: Records, *, average_precision: Estimate | None = None) -> str:
    """Precision by recall, from those two; the last record's precision is the win rate of all."""
    rows = usable(records, "recall", "precision")
    said = _estimated("average precision", average_precision)
    words = Words(
        "precision_recall",
        "How pure is the top of the list?",
        "Going down the list finds more wins, but fewer of the leads listed win.",
        f"Precision by recall: {said}" + ("" if len(rows) > 1 else f"; {MISSING}"),
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    x, y = x_scale(1.0), y_scale(1.0)
    base = rows[-1]["precision"]
    marks = [
        line([(LEFT, y.at(base)), (RIGHT, y.at(base))], colour=GREY, width=1.5, dash=DASHED),
        line([(x.at(row["recall"]), y.at(row["precision"])) for row in rows], colour=BLUE),
        label((RIGHT - 14, TOP + 22), said, colour=BLUE, anchor="end", weight=600),
        label(
            (RIGHT - 14, TOP + 44),
            f"dashed: the whole list, {percent(base)} won",
            colour=GREY,
            anchor="end",
            weight=400,
        ),
    ]
    axes = (
        Axis(x, "share of all wins found (recall)"),
        Axis(y, "share won of the leads listed (precision)"),
    )
    return draw_chart(words, *axes, marks)


def plot_lift(records: Records) -> str:
    """Share of wins captured by share of the list worked from the top, from share and captured."""
    rows = usable(records, "share", "captured")
    points = [(0.0, 0.0), *((row["share"], row["captured"]) for row in rows)]
    reached = [(share, _interpolated(points, share)) for share in TOP_SHARES]
    said = [
        f"first {percent(share)}: {percent(part)} of wins, lift {part / share:.1f}"
        for share, part in reached
    ]
    words = Words(
        "lift",
        "What does working from the top bring?",
        "Share of wins reached by working so much of the list, best first.",
        "Wins captured by share of the list. " + ("; ".join(said) if len(rows) > 1 else MISSING),
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    x, y = x_scale(1.0), y_scale(1.0)
    places = [(x.at(share), y.at(part)) for share, part in points]
    marks = [
        area(places, colour=BLUE),
        line([(LEFT, BOTTOM), (RIGHT, TOP)], colour=GREY, width=1.5, dash=DASHED),
        label(
            (RIGHT - 14, BOTTOM - 16),
            "dashed: worked in random order",
            colour=GREY,
            anchor="end",
            weight=400,
        ),
        line(places, colour=BLUE),
    ]
    for (share, part), text in zip(reached, said, strict=True):
        at = (x.at(share), y.at(part))
        below = min(at[1] + 20, BOTTOM - 40)
        marks += [
            dot(at, colour=ORANGE),
            label((at[0] + 10, below), text, colour=ORANGE, weight=600),
        ]
    return draw_chart(
        words,
        Axis(x, "share of the list, from the top"),
        Axis(y, "share of all wins captured"),
        marks,
    )


def plot_distribution(records: Records) -> str:
    """How the list spreads over the probabilities, and what became of it, from low, high, won, other (weights)."""
    rows = usable(records, "low", "high", "won", "other")
    total = sum(row["won"] + row["other"] for row in rows)
    words = Words(
        "distribution",
        "How far does it tell leads apart?",
        "The list by win probability: the wider the spread, the more it says.",
        f"Share of the list in {len(rows)} bins of probability"
        + ("" if total > 0 else f": {MISSING}"),
    )
    if len(rows) < 2 or not total > 0:
        return draw_missing(words, MISSING)
    x = x_scale(rows[-1]["high"], whole=False)
    y = y_scale(max(row["won"] + row["other"] for row in rows) / total)
    marks = []
    for row in rows:
        left, right, won = x.at(row["low"]), x.at(row["high"]), row["won"] / total
        both = won + row["other"] / total
        marks.append(bar(left, right, y.at(won), y.at(both), colour=PALE))
        marks.append(bar(left, right, BOTTOM, y.at(won), colour=BLUE))
    key = [("won", BLUE), ("not won", PALE)]
    return draw_chart(
        words, Axis(x, "win probability"), Axis(y, "share of the list"), marks, key=key
    )


def plot_maturity(
    records: Records,
    *,
    days_to_win: Mapping[str, float | None] | None = None,
    horizon_days: float | None = None,
) -> str:
    """Share of leads won within so many days, from days and share.

    Args:
        records: steps, as days since the start and the share won by then.
        days_to_win: `half` and `nine_tenths`, the days by which so much of the wins seen had come.
        horizon_days: what the model predicts up to, drawn if it lies within the days.
    """
    rows = usable(records, "days", "share")
    parts = {"half": "half of the wins", "nine_tenths": "9 of 10 wins"}
    reached = [
        (name, days) for name in parts if _is_drawable(days := (days_to_win or {}).get(name))
    ]
    said = {name: f"{parts[name]} by day {days:.0f}" for name, days in reached}
    words = Words(
        "maturity",
        "How long does a win take?",
        "Share won so many days after opening, allowing for leads still open.",
        "Share of leads won by days since the start. "
        + ("; ".join(said.values()) if len(rows) > 1 else MISSING),
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    x, y = x_scale(rows[-1]["days"], whole=False), y_scale(max(row["share"] for row in rows))
    places: list[Point] = []
    for row in rows:
        at = (x.at(row["days"]), y.at(row["share"]))
        places += [(at[0], places[-1][1]), at] if places else [at]
    marks = [area(places, colour=BLUE)]
    if horizon_days is not None and horizon_days <= rows[-1]["days"]:
        place = x.at(horizon_days)
        near = place > (LEFT + RIGHT) / 2
        marks.append(line([(place, TOP), (place, BOTTOM)], colour=GREY, width=1.5, dash=DASHED))
        text = f"horizon: {plain(horizon_days)} days"
        beside = (place - 8, TOP + 16) if near else (place + 8, TOP + 16)
        marks.append(
            label(beside, text, colour=GREY, anchor="end" if near else "start", weight=400)
        )
    marks.append(line(places, colour=BLUE))
    for name, days in reached:
        by_then = [row["share"] for row in rows if row["days"] <= days] or [0.0]
        at = (x.at(days), y.at(by_then[-1]))
        right = at[0] > RIGHT - 160
        beside = (at[0] - 10, at[1] - 10) if right else (at[0] + 10, at[1] + 18)
        marks.append(dot(at, colour=ORANGE))
        marks.append(
            label(beside, said[name], colour=ORANGE, anchor="end" if right else "start", weight=600)
        )
    return draw_chart(
        words,
        Axis(x, "days since the lead was opened", plain),
        Axis(y, "share of leads won"),
        marks,
    )


def usable(records: Records, *names: str) -> list[dict[str, float]]:
    """Those columns of the records in which all of them are numbers that can be drawn."""
    rows = [{name: row.get(name) for name in names} for row in records]
    found = [{name: value for name, value in row.items() if _is_drawable(value)} for row in rows]
    return [row for row in found if len(row) == len(names)]


def _is_drawable(value: float | None) -> TypeGuard[float]:
    return value is not None and 0 <= value <= LARGEST


def _estimated(name: str, estimate: Estimate | None) -> str:
    """A number with its interval, as far as it is known."""
    value, low, high = ((estimate or {}).get(key) for key in ("value", "low", "high"))
    if value is None:
        return f"{name} not known"
    return f"{name} {value:.2f}" + (
        "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
    )


def _told(rows: Sequence[Mapping[str, float]], form: str) -> str:
    said = [form.format(**{name: percent(value) for name, value in row.items()}) for row in rows]
    return "; ".join(said) or MISSING


def _interpolated(points: Sequence[Point], x: float) -> float:
    """The height at x of a line through rising points."""
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 <= x <= x1 and x1 > x0:
            return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
    return 0.0
