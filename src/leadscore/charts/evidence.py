"""Pictures of what a list brings, what more history would bring, and how good the models of past dates were."""

from __future__ import annotations

from leadscore.charts.plots import MISSING, Records, usable
from leadscore.charts.svg import (
    BLUE,
    BOTTOM,
    DASHED,
    GREY,
    LEFT,
    ORANGE,
    RIGHT,
    Axis,
    Words,
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


def plot_captured(records: Records, *, unit: str) -> str:
    """Share of the value of all wins by share of the list worked, from share, leadscore, scorecard, random, oracle."""
    rows = usable(records, "share", "leadscore", "scorecard", "oracle")
    said = [f"{percent(row['share'])} worked: {percent(row['leadscore'])} of the value" for row in rows]
    words = Words(
        "captured",
        "What is captured when not all can be worked?",
        f"Share of the value of all wins, in {unit}, by the part of the list that is worked.",
        "; ".join(said) or MISSING,
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    x, y = x_scale(rows[-1]["share"], whole=False), y_scale(1.0)

    def points(name: str) -> list[tuple[float, float]]:
        return [(LEFT, BOTTOM), *((x.at(row["share"]), y.at(row[name])) for row in rows)]

    marks = [
        line(points("share"), colour=GREY, width=1.5, dash=DASHED),
        line(points("oracle"), colour=GREY, width=1.5),
        line(points("scorecard"), colour=ORANGE),
        line(points("leadscore"), colour=BLUE),
        *(dot(at, colour=BLUE) for at in points("leadscore")[1:]),
        label((RIGHT - 14, BOTTOM - 16), "dashed: at random; grey: knowing the future", colour=GREY, anchor="end"),
    ]  # fmt: skip
    key = [("leadscore", BLUE), ("scorecard", ORANGE)]
    return draw_chart(
        words, Axis(x, "share of the list worked"), Axis(y, "share of the value captured"), marks, key=key
    )


def plot_learning(records: Records, *, said: str) -> str:
    """Log loss on later leads by how many had closed before, from leads and log_loss."""
    rows = usable(records, "leads", "log_loss")
    words = Words(
        "learning",
        "Would more history help?",
        "The lower the better: log loss on later leads, learned from fewer.",
        f"Log loss by closed leads: {said}" if len(rows) > 1 else MISSING,
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    x, y = x_scale(rows[-1]["leads"], whole=False), y_scale(max(row["log_loss"] for row in rows))
    places = [(x.at(row["leads"]), y.at(row["log_loss"])) for row in rows]
    marks = [line(places, colour=BLUE), *(dot(at, colour=BLUE) for at in places)]
    return draw_chart(words, Axis(x, "leads learned from", plain), Axis(y, "log loss", plain), marks)


def plot_dates(records: Records) -> str:
    """AUC of the model of each past date, with intervals, from auc, low and high, in the order of the dates."""
    rows = usable(records, "auc", "low", "high")
    said = "; ".join(f"{i}: {row['auc']:.2f} ({row['low']:.2f} to {row['high']:.2f})" for i, row in enumerate(rows, 1))
    words = Words(
        "dates",
        "Was it good at every date?",
        "AUC of the model of each date on the leads open then, as they ended.",
        said or MISSING,
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    x, y = x_scale(len(rows) + 1.0, whole=False), y_scale(1.0)
    marks = [
        line([(LEFT, y.at(0.5)), (RIGHT, y.at(0.5))], colour=GREY, width=1.5, dash=DASHED),
        label((RIGHT - 14, y.at(0.5) - 8), "dashed: drawn at random", colour=GREY, anchor="end", weight=400),
    ]
    for i, row in enumerate(rows, 1):
        marks.append(line([(x.at(i), y.at(row["low"])), (x.at(i), y.at(row["high"]))], colour=BLUE, width=2))
        marks.append(dot((x.at(i), y.at(row["auc"])), colour=BLUE))
        marks.append(label((x.at(i) + 8, min(y.at(row["auc"]) + 4, BOTTOM - 4)), f"{row['auc']:.2f}", colour=BLUE))
    return draw_chart(words, Axis(x, "back-test dates, in their order", plain), Axis(y, "AUC", percent), marks)
