"""Where it is written, and what all drawings share."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from rich import console
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from leadscore.errors import LeadscoreError
from leadscore.printable import printable
from leadscore.proposals import propose
from leadscore.report.formats import format_number, format_share
from leadscore.wording import counted, cut

if TYPE_CHECKING:
    from leadscore.results import Interval, Metrics

BREAK = re.compile(r"(?<!±)\s+(?!±)")  # where a cell may be broken: a share stays with its ±
CLOSE = (0, 1, 0, 0)  # the padding of cells where there is little room
WIDEST = 10_000  # characters: as if the terminal had no end
BREAKS = re.compile(r"[\t\r\n]+")
LONGEST = (
    1000  # characters: our own sentences are shorter, so that only values from outside are cut
)


class Console(console.Console):
    """A console on which no text, whoever wrote it, can hide anything or command the terminal."""

    def render_str(self, text: str, **how: Any) -> Text:
        """Every text, also that of a table's cell, passes here before it is measured and drawn."""
        return super().render_str(printable(text, keep="\n"), **how)

    def print(self, *objects: Any, crop: bool = False, **how: Any) -> None:
        """Print; what is wider than the terminal is not cut, since it may be a number."""
        super().print(*objects, crop=crop, **how)


out = Console(emoji=False)
err = Console(stderr=True, emoji=False)

METRIC_NAMES = {
    "auc": "AUC within dates or blocks",
    "pooled_auc": "  pooled AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "brier_skill": "Brier skill against the base rate",
    "calibration_error": "calibration error, de-biased",
    "calibration_error_raw": "  as observed",
    "calibration_error_expected": "  expected by chance",
    "bias": "mean probability - win rate",
    "lift_10": "lift in the first 10%, times chance",
    "capture_10": "share of all wins in the first 10%",
}


SHARES = {"capture_10"}  # metrics shown in percent
LEFT_OUT = ("without both outcomes is", "without both outcomes are")


def command(words: str) -> str:
    """A command to propose (see `propose`); it may hold markup, as it is."""
    return escape(printable(propose(words)))


def escaped(text: object) -> str:
    """Text from outside, which may look like markup, as it is; in one line, cut, without what cannot be seen."""
    in_one_line = BREAKS.sub(" ", str(text))
    return escape(cut(printable(in_one_line), most=LONGEST))


@contextmanager
def exit_with_words() -> Iterator[None]:
    """End the process with words instead of a traceback.

    Exit code 2 is what the user can mend, 3 a delivery that is withheld, 1 a bug of ours.
    """
    try:
        yield
    except LeadscoreError as e:
        _end(str(e), e.exit_code)
    except (
        PermissionError
    ) as e:  # of a folder that may not be looked into, whatever was sought there
        _end(
            f"{e.filename} cannot be reached: permission denied. Give the user who runs this "
            "command the right to its folder, then run it again",
            2,
        )


def _end(problem: str, exit_code: int) -> NoReturn:
    err.print(f"[bold red]error:[/] {escape(problem)}", highlight=False, soft_wrap=True)
    sys.exit(exit_code)


def draw_usage(error: Any) -> None:
    """What was wrong with the words of a command line, after how they should be; the help if there were none."""
    if type(error).__name__ == "NoArgsIsHelpError":
        message = error.format_message()
        err.print(message, markup=False, highlight=False, soft_wrap=True)
        return
    if context := getattr(error, "ctx", None):
        usage = context.get_usage()
        err.print(usage, markup=False, highlight=False, soft_wrap=True)
        err.print(f"Try '{context.command_path} --help' for help.", markup=False, highlight=False)
    err.print(
        f"[bold red]error:[/] {escaped(error.format_message())}", highlight=False, soft_wrap=True
    )


class WholeTable(Table):
    """A table whose numbers are never broken.

    Where the terminal is narrow, columns stand closer, cells wrap between words only, and those
    that are `spare` are left out, the first first; a table that is still too wide is wider than the
    terminal.
    """

    spare: tuple[str, ...] = ()

    def __rich_console__(
        self,
        console: console.Console,
        options: console.ConsoleOptions,
    ) -> console.RenderResult:
        """Its lines, with number columns as wide as their longest word where not all fits."""
        anywhere = options.update(max_width=WIDEST)
        numbers = [column for column in self.columns if column.justify == "right"]
        is_fitted = any(column.no_wrap for column in numbers)  # by whoever made it
        if is_fitted or Measurement.get(console, anywhere, self).maximum <= options.max_width:
            return super().__rich_console__(console, options)
        for column in numbers:
            column.width = _longest_word(column)
        self.padding = CLOSE
        for name in self.spare:
            if Measurement.get(console, anywhere, self).minimum <= options.max_width:
                break
            self.columns = [column for column in self.columns if column.header != name]
        least = Measurement.get(console, anywhere, self).minimum
        wide = options.update(max_width=max(options.max_width, least))
        return super().__rich_console__(console, wide)


def _longest_word(column: Column) -> int:
    """Cells of the longest word in a column, its header included; "70 ± 2" is one."""
    texts = [column.header, *column.cells]
    plain = [Text.from_markup(str(text)).plain for text in texts]
    words = [word for text in plain for word in BREAK.split(text)]
    return max(map(cell_len, words), default=1)


def table_of(title: str, *columns: str, text: int = 1) -> WholeTable:
    """A table whose first `text` columns are words and whose others are numbers."""
    table = WholeTable(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
    )
    for at, column in enumerate(columns):
        table.add_column(column, justify="left" if at < text else "right", overflow="fold")
    return table


def warn(warnings: Iterable[object]) -> None:
    """A line for each warning."""
    for warning in warnings:
        out.print(f"[yellow]warning:[/] {escaped(warning)}")


def until(known_until: str) -> str:
    """Up to when facts are known; "undated" without dates or places."""
    return "undated" if known_until == "undated" else f"known until {known_until}"


def number(
    estimate: Interval | None,
    *,
    interval: bool = True,
    write: Callable[[float | None], str] = format_number,
) -> str:
    """A number with its interval, or a dash."""
    if estimate is None or estimate.value is None:
        return "-"
    text = write(estimate.value)
    if interval and estimate.low is not None:
        text += f" [dim]({write(estimate.low)} to {write(estimate.high)})[/]"
    return text


def short(as_of: str) -> str:
    """A date without its time; a place as it is."""
    return as_of.partition("T")[0]


def draw_metrics(title: str, parts: Mapping[str, Metrics]) -> None:
    """A column for each part, named with how many leads it rests on."""
    if not parts:
        return
    columns = [f"{name} ({part.leads:,} leads)" for name, part in parts.items()]
    table = table_of(f"{title}, 95% intervals over leads", "metric", *columns)
    intervals = [part.intervals() for part in parts.values()]
    for key, words in METRIC_NAMES.items():
        if any(key in part for part in intervals):
            write = format_share if key in SHARES else format_number
            cells = [number(part.get(key), write=write) for part in intervals]
            table.add_row(words, *cells)
    out.print(table)
    words = auc_in_words(next(iter(parts.values())))
    if words:
        out.print(words)


def auc_in_words(metrics: Metrics) -> str:
    """On how many lists the AUC rests; empty if all leads are on one, or where it was not counted."""
    used, left_out = metrics.auc_blocks or 0, metrics.auc_blocks_left_out or 0
    if used + left_out < 2:
        return ""
    words = (
        f"AUC compares leads within each of {used:,} dates, test blocks or folds; "
        "the pooled AUC compares all."
    )
    if not left_out:
        return words
    return f"{words} {counted(left_out, *LEFT_OUT)} left out."
