"""The stage flow as a Sankey diagram: from each stage to the next ones, to won and to lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from leadscore.report.figures.canvas import (
    BLUE,
    INK,
    ORANGE,
    PALE,
    Words,
    card_style,
    draw_missing,
    new_figure,
    write_svg,
)
from leadscore.report.figures.probabilities import shorten
from leadscore.report.figures.records import LARGEST
from leadscore.results import StageFlow, StageMove

MOST_STAGES = 8
HALF = 0.05  # of a bar's width, where the way from one stage to the next is 1
TURN = 0.7  # how far a band takes to reach its lane
GAP = 0.12  # between the lanes of won and lost and the stages, of the most visits
FAINT = 0.45


@dataclass(frozen=True)
class _Band:
    """Visits that go from a place to another one: where their upper edges begin and end."""

    begin: tuple[float, float]
    end: tuple[float, float]
    visits: float


@card_style()
def plot_flow(flows: Sequence[StageFlow], moves: Sequence[StageMove]) -> str:
    """Where visits to each stage lead, the broader the more; the height of a stage is its visits."""
    flows = flows[:MOST_STAGES]
    words = Words(
        "flow",
        "Where do leads go from each stage?",
        "Right: moved on; up: won; down: lost. The rest moved back or are still there.",
        "; ".join(_describe(flow) for flow in flows),
    )
    most = max((flow.visits for flow in flows), default=0)
    if not 0 < most <= LARGEST:
        return draw_missing(words)

    figure, axes = new_figure(
        words, x_title="numbers: visits to each stage that began in the period"
    )
    _draw_forward(axes, flows, moves)
    ends = _draw_ends(axes, flows, most=most)
    for place, flow in enumerate(flows):
        axes.bar(place, flow.visits, 2 * HALF, color=PALE)
        name = f"{shorten(flow.stage)}\n{flow.visits:,}"
        axes.text(place, flow.visits / 2, name, ha="center", va="center", fontsize=11.5)
    axes.set(xlim=(-0.5, len(flows) + 0.2), ylim=ends, xticks=[], yticks=[])
    axes.spines["bottom"].set_visible(False)
    return write_svg(figure, words)


def _describe(flow: StageFlow) -> str:
    ways = flow.ways
    return (
        f"{flow.stage}: {flow.visits:,} visits, {ways['forward'].visits:,} moved on, "
        f"{ways['won'].visits:,} won, {ways['lost'].visits:,} lost"
    )


def _draw_forward(
    axes: Axes,
    flows: Sequence[StageFlow],
    moves: Sequence[StageMove],
) -> None:
    """The bands to later stages, from below what is won."""
    place_of = {flow.stage: place for place, flow in enumerate(flows)}
    forward = [
        (place_of[move.stage], place_of[move.next_stage], move.visits)
        for move in moves
        if move.stage in place_of and move.next_stage in place_of
    ]
    left = [float(flow.ways["won"].visits) for flow in flows]  # won leave above all others
    came = [0.0] * len(flows)
    for stage, following, visits in sorted(forward, key=lambda move: (move[0], -move[1])):
        if following <= stage:
            continue
        begin = (stage + HALF, flows[stage].visits - left[stage])
        end = (following - HALF, flows[following].visits - came[following])
        _draw_band(axes, _Band(begin, end, visits), BLUE)
        left[stage] += visits
        came[following] += visits


def _draw_ends(
    axes: Axes,
    flows: Sequence[StageFlow],
    *,
    most: float,
) -> tuple[float, float]:
    """The lanes of won leads above and of lost ones below; returns the lowest and highest edge."""
    last = len(flows)
    won = sum(flow.ways["won"].visits for flow in flows)
    lost = sum(flow.ways["lost"].visits for flow in flows)
    top = most * (1 + GAP) + won
    bottom = -most * GAP - lost
    above = top
    below = bottom
    for place, flow in enumerate(flows):
        visits = flow.ways["won"].visits
        begin = (place + HALF, float(flow.visits))
        _draw_lane(axes, _Band(begin, (last, above), visits), INK)
        above -= visits

        visits = flow.ways["lost"].visits
        begin = (place + HALF, float(visits))
        _draw_lane(axes, _Band(begin, (last, below + visits), visits), ORANGE)
        below += visits
    axes.text(last, top, f"won {won:,}", ha="right", va="bottom", color=INK)
    axes.text(last, bottom, f"lost {lost:,}", ha="right", va="top", color=ORANGE)
    return bottom - most * GAP, top + most * GAP


def _draw_lane(axes: Axes, band: _Band, colour: str) -> None:
    """A band that turns to its lane at once, and then runs straight to the right."""
    x, y = band.begin
    end_x, end_y = band.end
    turned = (x + TURN, end_y)
    _draw_band(axes, _Band((x, y), turned, band.visits), colour)
    _draw_band(axes, _Band(turned, (end_x, end_y), band.visits), colour)


def _draw_band(axes: Axes, band: _Band, colour: str) -> None:
    """A band whose edges leave and arrive level."""
    x, y = band.begin
    end_x, end_y = band.end
    middle = (x + end_x) / 2
    points = [
        (x, y),
        (middle, y),
        (middle, end_y),
        (end_x, end_y),
        (end_x, end_y - band.visits),
        (middle, end_y - band.visits),
        (middle, y - band.visits),
        (x, y - band.visits),
        (x, y),
    ]
    curve = [Path.CURVE4] * 3
    codes = [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY]
    axes.add_patch(PathPatch(Path(points, codes), facecolor=colour, edgecolor="none", alpha=FAINT))
