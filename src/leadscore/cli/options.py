"""Options that commands share, and how a command runs: settings, a method of `Project`, a drawing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadscore.cli.rendering import err
from leadscore.printable import one_line
from leadscore.proposals import USUAL, keep_given
from leadscore.settings.limits import path_problem

if TYPE_CHECKING:
    from leadscore.progress import Progress
    from leadscore.project.project import Project
    from leadscore.registry.registry import Who
    from leadscore.results import Result
    from leadscore.settings.settings import Settings


def checked_path(path: Path | None) -> Path | None:
    """A path that a file can have.

    Raises:
        BadParameter: none can.
    """
    if path is not None and (problem := path_problem(path)):
        raise typer.BadParameter(problem)
    return path


def checked_text(text: str | None) -> str | None:
    """What is text, and not empty, as where a script passes on a variable that is not set.

    Raises:
        BadParameter: it is neither.
    """
    if text == "":
        raise typer.BadParameter("it is empty")
    try:
        (text or "").encode()
    except UnicodeEncodeError as e:
        raise typer.BadParameter("it is not UTF-8 text") from e
    return text


def number_parser(
    least: float,
    most: float,
    *,
    no_number: str,
    outside: str,
) -> Callable[[str], float]:
    """Reads a number from `least` to `most` in digits, or refuses the text.

    Args:
        least: that makes sense.
        most: that makes sense.
        no_number: what to say of a `{text}` that is no number.
        outside: what to say of one that is smaller or larger.
    """

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise typer.BadParameter(no_number.format(text=repr(text))) from None
        if not least <= number <= most:
            raise typer.BadParameter(outside.format(text=repr(text)))
        return number

    return parse


CONFIG_HELP = "The settings file."
DATA_HELP = "The folder of the exported files; default: as in the settings."
JSON_HELP = "Print one JSON object, and nothing else."
AS_OF_HELP = "Use only what was known at this moment, or now; default: known_until."
KNOWN_HELP = (
    "When the export was made, or now; default: from the settings, a column or the files' times."
)
BY_HELP = "Who is doing this; default: your user name."

Config = Annotated[Path, typer.Option("--config", "-c", callback=checked_path, help=CONFIG_HELP)]
Data = Annotated[Path | None, typer.Option("--data", callback=checked_path, help=DATA_HELP)]
Json = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
AsOf = Annotated[str | None, typer.Option("--as-of", help=AS_OF_HELP)]
KnownUntil = Annotated[str | None, typer.Option(help=KNOWN_HELP)]
By = Annotated[str | None, typer.Option("--by", help=BY_HELP)]
ReplaceNewer = Annotated[
    bool, typer.Option("--replace-newer", help="Publish the list even if a newer one is current.")
]
EvenIfUnlike = Annotated[
    bool,
    typer.Option(
        "--even-if-unlike",
        help="Publish the list even if it differs too much from the previous one.",
    ),
]
DEFAULT_CONFIG = Path(USUAL)


def run_command(
    run: Callable[[Project], tuple[Result, ...]],
    draw: Callable[..., None],
    config: Path,
    data: Path | None,
    *,
    as_json: bool,
    known_until: str | None = None,
    writes: Path | tuple[Path | None, ...] | None = None,
) -> tuple[Any, ...]:
    """Open the project, run something with a progress bar, and show and return its results.

    What it `writes` is refused where the project reads it, and where its folder does not exist.
    """
    from leadscore.project.inputs import refuse_input, refuse_place
    from leadscore.project.project import Project
    from leadscore.project.trail import acting

    data_text = None if data is None else str(data)
    keep_given(str(config), data=data_text, known_until=known_until)
    with watched(shown=not as_json) as progress:
        project = Project(config, data=data, progress=progress)
        paths = writes if isinstance(writes, tuple) else (writes,)
        for path in filter(None, paths):
            refuse_place(path)
            refuse_input(path, project.settings, config=config)
        with acting(user_name(), now):
            results = run(project)
    show_results(results, draw, as_json=as_json)
    return results


def show_results(results: tuple[Result, ...], draw: Callable[..., None], *, as_json: bool) -> None:
    """Print the results as one JSON object, or draw them."""
    if not as_json:
        draw(*results)
        return
    merged: dict[str, Any] = {}
    for result in results:
        merged |= result.to_dict()
    print(one_line(merged))


def clock_us() -> int:
    """Now, in UTC microseconds."""
    from leadscore.times import to_us

    return to_us(datetime.now(UTC))


def moment_of(settings: Settings, text: str | None) -> int | None:
    """A moment as text, or "now", in UTC microseconds."""
    from leadscore.times import parse_asked

    return parse_asked(text, zone=settings.timezone, clock_us=clock_us())


def who(by: str | None, why: str) -> Who:
    """Who does it, now, and why.

    Raises:
        UserError: no reason is given.
    """
    from leadscore.errors import UserError
    from leadscore.registry.registry import Who

    if not why.strip():
        raise UserError("--why is empty; give a short reason for the log")
    return Who(by or user_name(), now(), why)


def user_name() -> str:
    """Who is logged in; in a container that does not say, the number of the user."""
    try:
        return getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def now() -> str:
    """The moment as the logs write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@contextmanager
def watched(*, shown: bool) -> Iterator[Progress]:
    """A bar on stderr while a person watches, else nothing."""
    from leadscore.progress import silent

    if not shown or not err.is_terminal:
        yield silent
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def update(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield update
