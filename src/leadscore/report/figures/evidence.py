"""Pictures of what a list brings, what more history would bring, and how good the models of past dates were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadscore.report.figures.plots import MISSING, Records, usable
from leadscore.report.figures.svg import (
    BLUE,
    BOTTOM,
    DASHED,
    GREY,
    LEFT,
    ORANGE,
    RIGHT,
    TOP,
    Axis,
    Scale,
    Words,
    dot,
    draw_chart,
    draw_missing,
    label,
    line,
    percent,
    plain,
    x_scale,
    y_between,
    y_scale,
)

Named = Sequence[Mapping[str, Any]]  # records with a name beside their numbers
Rows = list[tuple[str, dict[str, float]]]

LISTED = 10  # rows one below the other that can be read
LONGEST = 40  # letters of a name


def plot_captured(records: Records, *, unit: str) -> str:
    """Share of the value of all wins by share of the list worked, from share, leadscore, scorecard, random, oracle."""
    rows = usable(records, "share", "leadscore", "scorecard", "oracle")
    said = [
        f"{percent(row['share'])} worked: {percent(row['leadscore'])} of the value" for row in rows
    ]
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
        label(
            (RIGHT - 14, BOTTOM - 16),
            "dashed: at random; grey: knowing the future",
            colour=GREY,
            anchor="end",
        ),
    ]
    key = [("leadscore", BLUE), ("scorecard", ORANGE)]
    return draw_chart(
        words,
        Axis(x, "share of the list worked"),
        Axis(y, "share of the value captured"),
        marks,
        key=key,
    )


def plot_learning(records: Records, *, said: str) -> str:
    """Log loss on later leads by how many had closed before, from leads and log_loss."""
    rows = usable(records, "leads", "log_loss")
    words = Words(
        "learning",
        "Would more history help?",
        "Log loss on later leads, learned from fewer; the axis does not start at 0.",
        f"Log loss by closed leads: {said}" if len(rows) > 1 else MISSING,
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    losses = [row["log_loss"] for row in rows]
    x, y = x_scale(rows[-1]["leads"], whole=False), y_between(min(losses), max(losses))
    places = [(x.at(row["leads"]), y.at(row["log_loss"])) for row in rows]
    marks = [line(places, colour=BLUE), *(dot(at, colour=BLUE) for at in places)]
    return draw_chart(
        words, Axis(x, "leads learned from", plain), Axis(y, "log loss", plain), marks
    )


def plot_dates(records: Named) -> str:
    """AUC of the model of each past date, with its interval, from name, auc, low and high."""
    rows = _named(records, "auc", "low", "high")
    words = Words(
        "dates",
        "Was it good at every date?",
        "AUC of the model of each date on the leads open then, as they ended.",
        "; ".join(
            f"{name}: {row['auc']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
            for name, row in rows
        )
        or MISSING,
    )
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    x = x_scale(1.0)
    chance = line([(x.at(0.5), TOP), (x.at(0.5), BOTTOM)], colour=GREY, width=1.5, dash=DASHED)
    marks = [chance, *_list(rows, x, value="auc")]
    return draw_chart(
        words,
        Axis(x, "AUC, with 95 % interval; dashed: drawn at random", plain),
        _lines(rows),
        marks,
    )


def plot_promised(records: Named, *, name: str, title: str, reading: str) -> str:
    """What each of some groups was promised and what came; from name, mean_probability, win_rate, low and high."""
    rows = _named(records, "mean_probability", "win_rate", "low", "high")
    said = [
        f"{each}: promised {percent(row['mean_probability'])}, won {percent(row['win_rate'])}"
        for each, row in rows
    ]
    words = Words(name, title, reading, "; ".join(said) or MISSING)
    if len(rows) < 2:
        return draw_missing(words, MISSING)
    x = x_scale(min(1.0, max(value for _, row in rows for value in row.values())))
    promised = [
        (x.at(row["mean_probability"]), y) for (_, row), y in zip(rows, _heights(rows), strict=True)
    ]
    ticks = [line([(at, y - 7), (at, y + 7)], colour=ORANGE, width=3) for at, y in promised]
    marks = [*_list(rows, x, value="win_rate"), *ticks]
    key = [("won", BLUE), ("promised", ORANGE)]
    return draw_chart(words, Axis(x, "share won, with 95 % interval"), _lines(rows), marks, key=key)


def _named(records: Named, *columns: str) -> Rows:
    """The last `LISTED` records in which all of those columns can be drawn, each with its name."""
    found = [(str(each.get("name")), usable([each], *columns)) for each in records]
    return [(name, rows[0]) for name, rows in found if rows][-LISTED:]


def _list(rows: Rows, x: Scale, *, value: str) -> list[str]:
    """The marks of rows one below the other: the name, and under it a dot with its interval."""
    marks = []
    for (name, row), y in zip(rows, _heights(rows), strict=True):
        short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}\u2026"
        marks.append(label((LEFT + 6, y - 8), short, colour=GREY))
        marks.append(line([(x.at(row["low"]), y), (x.at(row["high"]), y)], colour=BLUE, width=2))
        marks.append(dot((x.at(row[value]), y), colour=BLUE))
    return marks


def _lines(rows: Rows) -> Axis:
    """The upright axis of rows one below the other, a line between each two and nothing written on it."""
    return Axis(Scale(0.0, float(len(rows)), TOP, BOTTOM, 1.0), "", lambda *_: "")


def _heights(rows: Rows) -> list[float]:
    """Where the marks of each row are; its name stands above them."""
    return [_lines(rows).scale.at(i + 0.72) for i in range(len(rows))]
