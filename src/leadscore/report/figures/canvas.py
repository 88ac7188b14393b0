"""An empty figure in the style of the model card, and the SVG text of a finished one.

Figures are made without pyplot, so nothing depends on what else was drawn in the process, on a
display or on the user's matplotlibrc.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from importlib import resources
from io import StringIO

from matplotlib import rc_context, style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, StrMethodFormatter

# Blue and orange are after Okabe and Ito (2008), whose colours the colour-blind can tell apart;
# the orange is darker than theirs, so that text can have it.
BLUE = "#0072b2"
ORANGE = "#c04a00"
INK = "#1f2937"
GREY = "#5b6472"
PALE = "#c3cad4"

# In units of the SVG: the whole, and the plot between the axes.
WIDTH = 560
HEIGHT = 420
LEFT = 58
RIGHT = 536
TOP = 96  # below the title
BOTTOM = 362
PLOT_HEIGHT = BOTTOM - TOP
MARGIN = 18  # before the words at the left

SMALLEST = 1e-9  # length of an axis
MISSING = "not enough data"

# matplotlib would write a date and its own version
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
HALO = "halo"
HALO_STYLE = 'stroke="#fff" stroke-width="4" stroke-linejoin="round" paint-order="stroke"'


@dataclass(frozen=True)
class Words:
    """The texts of a figure.

    Attributes:
        name: unique on a page; ids begin with it.
        title: the question that the figure answers.
        reading: one sentence below the title on how to read it.
        description: what it shows in words, for screen readers.
    """

    name: str
    title: str
    reading: str
    description: str


@contextmanager
def card_style() -> Iterator[None]:
    """The style of the card, on top of matplotlib's own defaults. Decorates a `plot_` function."""
    path = resources.files("leadscore.report.figures").joinpath("leadscore.mplstyle")
    with warnings.catch_warnings(), style.context(str(path), after_reset=True):
        # The browser chooses the font, and has the letters that matplotlib's own lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        yield


def new_figure(words: Words, *, x_title: str, y_title: str = "") -> tuple[Figure, Axes]:
    """A figure with its title and how to read it, and the empty axes below them."""
    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
    left = MARGIN / WIDTH
    figure.text(left, 1 - 30 / HEIGHT, words.title, fontsize=18, fontweight="bold")
    figure.text(left, 1 - 52 / HEIGHT, words.reading, color=GREY)
    figure.text(left, 1 - 82 / HEIGHT, y_title, color=GREY, fontsize=12.5)

    width = (RIGHT - LEFT) / WIDTH
    height = PLOT_HEIGHT / HEIGHT
    axes = figure.add_axes((LEFT / WIDTH, 1 - BOTTOM / HEIGHT, width, height))
    axes.set_xlabel(x_title)
    axes.xaxis.set_major_locator(round_ticks())
    axes.yaxis.set_major_locator(round_ticks())
    axes.grid(clip_on=False)  # or the outer lines are half as wide as the others
    return figure, axes


def round_ticks(*, integer: bool = False) -> MaxNLocator:
    """About five ticks at multiples of 1, 2 or 5 times a power of ten."""
    return MaxNLocator(nbins=5, steps=[1, 2, 5, 10], integer=integer)


def round_up(largest: float) -> float:
    """The first round tick at or above a value, for an axis that begins at 0.

    >>> round_up(0.17), round_up(0.0)
    (0.2, 1.0)
    """
    ticks = round_ticks().tick_values(0, axis_end(largest))
    return float(ticks[-1])


def axis_end(largest: float) -> float:
    """A value itself, for an axis that ends at it; 1 if it is too near to 0 for an axis."""
    return largest if largest >= SMALLEST else 1.0


def percent(value: float) -> str:
    """A share in whole percent.

    >>> percent(0.256)
    '26%'
    """
    return f"{value * 100:.0f}%"


def percent_ticks() -> FuncFormatter:
    """Shares in percent, with as many digits as a round tick has."""
    return FuncFormatter(lambda value, _: f"{value * 100:g}%")


def count_ticks() -> StrMethodFormatter:
    """Whole numbers, with a comma between thousands."""
    return StrMethodFormatter("{x:,.0f}")


def set_percent_axes(axes: Axes, *, x_end: float, y_end: float) -> None:
    """Let both axes run from 0 to a share, written in percent."""
    axes.set(xlim=(0, x_end), ylim=(0, y_end))
    axes.xaxis.set_major_formatter(percent_ticks())
    axes.yaxis.set_major_formatter(percent_ticks())


def draw_diagonal(axes: Axes) -> None:
    """A dashed line from corner to corner."""
    axes.plot([0, 1], [0, 1], "--", color=GREY, linewidth=1.5, transform=axes.transAxes)


def write_note(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    *,
    offset: tuple[float, float],
    coordinates: str = "axes fraction",
    colour: str = GREY,
    bold: bool = False,
) -> None:
    """Words `offset` units from a place, away from it, with a white rim to stand out from lines."""
    axes.annotate(
        text,
        at,
        xycoords=coordinates,
        xytext=offset,
        textcoords="offset points",
        horizontalalignment="right" if offset[0] < 0 else "left",
        color=colour,
        fontweight="bold" if bold else "normal",
        gid=HALO,
    )


def draw_key(axes: Axes) -> None:
    """The colours and what they mean, above the plot at the right."""
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1 + 11 / PLOT_HEIGHT), ncols=2)


@card_style()
def draw_missing(words: Words) -> str:
    """A framed figure that says that there is too little to draw."""
    words = replace(words, reading="", description=MISSING)
    figure, axes = new_figure(words, x_title="")
    axes.set(facecolor="#f7f8fa", xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=PALE)
    axes.text(0.5, 0.5, MISSING, horizontalalignment="center", color=GREY, fontsize=15)
    return write_svg(figure, words)


def write_svg(figure: Figure, words: Words) -> str:
    """The figure as an SVG document that can also stand within a page: equal data give equal text.

    It has a title and a description, no ids but its own, no dates and no links. Texts are in the
    reader's own font.
    """
    file = StringIO()
    with rc_context({"svg.hashsalt": words.name}):  # or figures of one page would share ids
        figure.savefig(file, format="svg", metadata=NO_METADATA)
    drawn = file.getvalue()
    drawing = drawn[drawn.index('<g id="figure_1">') :]  # after the prolog, which no page can hold

    drawing = drawing.replace(f'<g id="{HALO}">', f"<g {HALO_STYLE}>")
    drawing = re.sub(r'<g id="[^"]*"', "<g", drawing)
    drawing = drawing.replace("<use xlink:href=", "<use href=")
    drawing = drawing.replace("font-family: 'DejaVu Sans', sans-serif", "")
    return _head(words) + drawing


def _head(words: Words) -> str:
    name = escape(words.name)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-labelledby="{name}-title {name}-description" '
        'font-family="system-ui, sans-serif" stroke-linejoin="round">\n'
        f'<title id="{name}-title">{escape(words.title)}</title>\n'
        f'<desc id="{name}-description">{escape(words.description)}</desc>\n'
    )
