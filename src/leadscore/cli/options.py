"""Options that commands share, and how a command runs: settings, a job, a drawing."""

from __future__ import annotations

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
    from leadscore.registry.registry import Who
    from leadscore.settings.settings import Settings


def checked_path(path: Path | None) -> Path | None:
    """A path that a file can have.

    Raises:
        BadParameter: none can.
    """
    if path is not None and (problem := path_problem(path)):
        raise typer.BadParameter(problem)
    return path


DATA_HELP = "The folder of the exported files, if not as the settings say."
Config = Annotated[
    Path, typer.Option("--config", "-c", callback=checked_path, help="The settings file.")
]
Data = Annotated[Path | None, typer.Option("--data", callback=checked_path, help=DATA_HELP)]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object for machines, and nothing else.")
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="The moment to look from, or now; default: known_until."),
]
KnownUntil = Annotated[
    str | None,
    typer.Option(
        help="When the export was made, or now; default: as settings, columns or the files' times say."
    ),
]
By = Annotated[
    str | None, typer.Option("--by", help="Who does it; default: you, as this machine calls you.")
]
DEFAULT_CONFIG = Path(USUAL)


def run_command(
    run: Callable[[Settings, Progress], dict[str, Any]],
    draw: Callable[[dict[str, Any]], None],
    config: Path,
    data: Path | None,
    *,
    as_json: bool,
    known_until: str | None = None,
) -> dict[str, Any]:
    """Read the settings, run a job with a bar for whoever watches, and show and return what it returned."""
    from leadscore.settings.settings import read_settings

    keep_given(str(config), data=None if data is None else str(data), known_until=known_until)
    settings = read_settings(config, input_folder=data)
    with _progress(shown=not as_json) as progress:
        result = run(settings, progress)
    show_result(result, draw, as_json=as_json)
    return result


def show_result(
    result: dict[str, Any], draw: Callable[[dict[str, Any]], None], *, as_json: bool
) -> None:
    """Print one JSON object, or draw it."""
    if as_json:
        print(one_line(result))
    else:
        draw(result)


def clock_us() -> int:
    """What the clock shows, in UTC microseconds."""
    from leadscore.times import to_us

    return to_us(datetime.now(UTC))


def moment_of(settings: Settings, text: str | None) -> int | None:
    """A moment as text, or "now", in UTC microseconds."""
    from leadscore.times import parse_asked

    return parse_asked(text, zone=settings.timezone, clock_us=clock_us())


def who(by: str | None, why: str) -> Who:
    """Who does it, now, and why.

    Raises:
        AliasError: nothing is said of why.
    """
    from leadscore.errors import AliasError
    from leadscore.registry.registry import Who

    if not why.strip():
        raise AliasError("--why is empty; say in some words why, for whoever asks later")
    return Who(by or getuser(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), why)


@contextmanager
def _progress(*, shown: bool) -> Iterator[Progress]:
    """A bar on stderr while a person watches, else nothing."""
    from leadscore.progress import silent

    if not shown or not err.is_terminal:
        yield silent
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )
