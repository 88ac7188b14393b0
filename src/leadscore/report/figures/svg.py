"""A small drawing kit: scales with round ticks, a frame with axes, and marks, as SVG text.

All places are rounded to a tenth of a unit, so that equal numbers give equal text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 560, 420
LEFT, RIGHT, TOP, BOTTOM = 58.0, 536.0, 96.0, 362.0  # of the plot area
BLUE, ORANGE = (
    "#0072b2",
    "#c04a00",
)  # told apart by the colour-blind (after Okabe and Ito 2008), dark enough for text
INK, GREY, PALE, GRID = "#1f2937", "#5b6472", "#c3cad4", "#e6e9ee"
DASHED = "5 4"
STEPS = (1.0, 2.0, 5.0, 10.0)

Point = tuple[float, float]


def percent(value: float, step: float = 0.01) -> str:
    """A share as a reader says it, with the digits that tell values `step` apart.

    >>> percent(0.2), percent(0.0125, 0.0025)
    ('20 %', '1.25 %')
    """
    return f"{plain(value * 100, step * 100)} %"


def plain(value: float, step: float = 1.0) -> str:
    """A number with the digits that tell values `step` apart.

    >>> plain(1500.0), plain(0.5, 0.25), plain(-0.0)
    ('1,500', '0.50', '0')
    """
    digits = next((d for d in range(6) if abs(step * 10**d - round(step * 10**d)) < 1e-6), 6)
    return f"{round(value, digits) + 0.0:,.{digits}f}"


@dataclass(frozen=True)
class Scale:
    """From values in [low, high] to places from `start` to `end`; `tick` is the distance of round values."""

    low: float
    high: float
    start: float
    end: float
    tick: float

    def at(self, value: float) -> float:
        """The place of a value; one outside lands on the edge, so that nothing is drawn beyond the plot."""
        part = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 1) + 0.0

    def ticks(self) -> list[float]:
        """The round values from low to high."""
        return [
            self.low + i * self.tick
            for i in range(math.floor((self.high - self.low) / self.tick + 1e-9) + 1)
        ]


def build_scale(
    largest: float, *, start: float, end: float, about: int = 5, whole: bool = True
) -> Scale:
    """A scale from 0 to a round value not below `largest`, or to `largest` itself if not `whole`."""
    largest = largest if largest > 1e-9 else 1.0
    rough = largest / about
    power = 10.0 ** math.floor(math.log10(rough))
    tick = power * next(step for step in STEPS if step * power >= rough * (1 - 1e-9))
    high = math.ceil(largest / tick - 1e-9) * tick if whole else largest
    return Scale(0.0, high, start, end, tick)


def x_scale(largest: float, *, whole: bool = True) -> Scale:
    """A scale for the width of the plot area."""
    return build_scale(largest, start=LEFT, end=RIGHT, whole=whole)


def y_scale(largest: float) -> Scale:
    """A scale for the height of the plot area."""
    return build_scale(largest, start=BOTTOM, end=TOP)


def y_between(smallest: float, largest: float) -> Scale:
    """A scale for the height of the plot area from a round value below `smallest` to one above `largest`.

    It spans a tenth of `largest` at least, so that what hardly changes looks so.
    """
    spread = max(largest - smallest, largest / 10)
    tick = build_scale(spread, start=BOTTOM, end=TOP).tick
    low = math.floor(smallest / tick + 1e-9)
    high = max(math.ceil((smallest + spread) / tick - 1e-9), low + 1)
    return Scale(low * tick, high * tick, BOTTOM, TOP, tick)


@dataclass(frozen=True)
class Axis:
    """A scale, what it measures and in which unit, and how a value is written."""

    scale: Scale
    title: str
    shown: Callable[[float, float], str] = percent


@dataclass(frozen=True)
class Words:
    """What is said of a chart: `name` for its ids, `title` and `reading` above it, `description` for screen readers."""

    name: str
    title: str
    reading: str
    description: str


def draw_chart(
    words: Words, x: Axis, y: Axis, marks: Iterable[str], *, key: Iterable[tuple[str, str]] = ()
) -> str:
    """A whole SVG document: the frame with its axes, and the marks over it; `key` is (words, colour) by colour."""
    body = [
        _text(18, 30, words.title, size=18, weight=600),
        _text(18, 52, words.reading, size=13, colour=GREY),
        _text(18, TOP - 14, y.title, size=12.5, colour=GREY),
        _key(key),
        *_grid(x, y),
        *marks,
        line([(LEFT, BOTTOM), (RIGHT, BOTTOM)], colour=GREY, width=1),
    ]
    return _document(words, body)


def draw_missing(words: Words, why: str) -> str:
    """A framed chart that says why nothing is drawn."""
    body = [
        _text(18, 30, words.title, size=18, weight=600),
        f'<rect x="{LEFT:g}" y="{TOP:g}" width="{RIGHT - LEFT:g}" height="{BOTTOM - TOP:g}" '
        f'fill="#f7f8fa" stroke="{PALE}"/>',
        _text((LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2, why, size=15, colour=GREY, anchor="middle"),
    ]
    return _document(words, body)


def line(points: Sequence[Point], *, colour: str, width: float = 2.5, dash: str = "") -> str:
    """A line through places."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polyline points="{_places(points)}" fill="none" stroke="{colour}" stroke-width="{width}" '
        f'stroke-linejoin="round"{dashes}/>'
    )


def area(points: Sequence[Point], *, colour: str) -> str:
    """A faint area from a line down to the x axis."""
    down = [(points[-1][0], BOTTOM), (points[0][0], BOTTOM)]
    return f'<polygon points="{_places([*points, *down])}" fill="{colour}" fill-opacity="0.1"/>'


def dot(at: Point, *, colour: str) -> str:
    """A dot with a white rim."""
    return f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="5" fill="{colour}" stroke="#fff" stroke-width="1.5"/>'


def bar(left: float, right: float, low: float, high: float, *, colour: str) -> str:
    """An upright bar between two places of the width, a little apart from its neighbours, from `low` up to `high`."""
    gap = min(1.0, abs(right - left) / 4)
    return (
        f'<rect x="{min(left, right) + gap:.1f}" y="{min(low, high):.1f}" width="{abs(right - left) - 2 * gap:.1f}" '
        f'height="{abs(low - high):.1f}" fill="{colour}"/>'
    )


def label(
    at: Point, text: str, *, colour: str = INK, anchor: str = "start", weight: int = 500
) -> str:
    """Words beside a mark, with a white halo that keeps them readable over lines."""
    return _text(*at, text, size=13, colour=colour, anchor=anchor, weight=weight, halo=True)


def _grid(x: Axis, y: Axis) -> Iterable[str]:
    for value in y.scale.ticks():
        place = y.scale.at(value)
        yield line([(LEFT, place), (RIGHT, place)], colour=GRID, width=1)
        yield _text(
            LEFT - 8,
            place + 4.5,
            y.shown(value, y.scale.tick),
            size=12.5,
            colour=GREY,
            anchor="end",
        )
    for value in x.scale.ticks():
        place = x.scale.at(value)
        yield line([(place, TOP), (place, BOTTOM)], colour=GRID, width=1)
        yield _text(
            place,
            BOTTOM + 18,
            x.shown(value, x.scale.tick),
            size=12.5,
            colour=GREY,
            anchor="middle",
        )
    yield _text((LEFT + RIGHT) / 2, BOTTOM + 42, x.title, size=12.5, colour=GREY, anchor="middle")


def _key(entries: Iterable[tuple[str, str]]) -> str:
    """Words in the colours of what they mean, at the right above the plot."""
    spans = [
        f'<tspan fill="{colour}" dx="12">■ </tspan><tspan fill="{INK}">{escape(words)}</tspan>'
        for words, colour in entries
    ]
    text = f'<text x="{RIGHT:g}" y="{TOP - 14:g}" font-size="12.5" text-anchor="end">{"".join(spans)}</text>'
    return text if spans else ""


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    colour: str = INK,
    anchor: str = "start",
    weight: int = 400,
    halo: bool = False,
) -> str:
    rim = (
        ' stroke="#fff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'
        if halo
        else ""
    )
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}"{rim}>{escape(text)}</text>'
    )


def _places(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _document(words: Words, body: Iterable[str]) -> str:
    name = escape(words.name)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-labelledby="{name}-title {name}-description" font-family="system-ui, sans-serif">'
    )
    parts = [
        head,
        f'<title id="{name}-title">{escape(words.title)}</title>',
        f'<desc id="{name}-description">{escape(words.description)}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *(part for part in body if part),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
