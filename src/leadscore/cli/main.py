"""The command line: reads arguments, calls `Project`, draws what it returned. Heavy imports stay inside commands."""

from __future__ import annotations

import sys
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from leadscore import __version__
from leadscore.cli.explained import explain, replay
from leadscore.cli.group import build_group
from leadscore.cli.interrupted import exit_when_interrupted
from leadscore.cli.models import models
from leadscore.cli.options import (
    DEFAULT_CONFIG,
    AsOf,
    By,
    Config,
    Data,
    Json,
    KnownUntil,
    checked_path,
    clock_us,
    moment_of,
    run_command,
    show_results,
    who,
)
from leadscore.cli.rendering import (
    draw_audit,
    draw_backtest,
    draw_ingest,
    draw_rejects,
    draw_sample,
    draw_score,
    draw_train,
    draw_usage,
    exit_with_words,
)
from leadscore.cli.store import store
from leadscore.errors import WITHHELD
from leadscore.settings.limits import MOST_SEED

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result

TO = "Write all of them to this CSV file instead."

app = build_group(
    "Learns from a company's own history which open leads will be won, and scores the open ones.",
    completion=True,
)
app.command()(explain)
app.command()(replay)
app.add_typer(store, name="store")
app.add_typer(models, name="models")


def _print_version(asked: bool) -> None:
    if asked:
        print(f"leadscore {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
]


@app.callback()
def show_version(_: Version = False) -> None:
    """What is asked of no command; Typer wants a function for it."""


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="A new folder.", callback=checked_path)],
    leads: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="How many leads in two years.")
    ] = 5000,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Of every random choice.")] = 1,
    as_json: Json = False,
) -> None:
    """Write the exports of a made-up company, with settings to read them, and the truth apart."""
    from leadscore.results import WrittenSample
    from leadscore.sample.sample import write_sample

    written = WrittenSample.from_dict(write_sample(folder, leads=leads, seed=seed))
    show_results((written,), draw_sample, as_json=as_json)


@app.command()
def ingest(
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    known_until: KnownUntil = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="Let this alarm pass, for this delivery only.")
    ] = None,
    forget_damaged: Annotated[
        bool,
        typer.Option(
            "--forget-damaged", help="Treat a damaged earlier version as if it did not exist."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Read the exported files into the store."""

    def run(project: Project) -> tuple[Result, ...]:
        ingested = project.ingest(
            known_until=moment_of(project.settings, known_until),
            accept=accept or (),
            clock=clock_us(),
            forget_damaged=forget_damaged,
        )
        return (ingested,)

    run_command(run, draw_ingest, config, data, as_json=as_json, known_until=known_until)


@app.command()
def rejects(
    config: Config = DEFAULT_CONFIG,
    rule: Annotated[str | None, typer.Option(help="Only rows rejected by this rule.")] = None,
    each: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many rows to show of each rule.")
    ] = 5,
    to: Annotated[Path | None, typer.Option("--to", callback=checked_path, help=TO)] = None,
    as_json: Json = False,
) -> None:
    """The rows that the last ingest rejected, by rule: where they stand, and which value was wrong."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.ingesting import list_rejects, write_rejects
        from leadscore.results import WrittenRejects

        listed = list_rejects(project.settings, rule=rule, each=each)
        rows = write_rejects(project.settings, to) if to else None
        return listed, WrittenRejects(written=rows, to=str(to) if to else None)

    run_command(run, draw_rejects, config, None, as_json=as_json)


@app.command()
def audit(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Which fields can be trusted at scoring time, and why."""
    run_command(lambda project: (project.audit(),), draw_audit, config, None, as_json=as_json)


@app.command()
def train(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Let the new model score at once.")
    ] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Learn from history, judge out of time, and register the model if there is a signal."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.models import register

        trained = project.train(as_of=moment_of(project.settings, as_of))
        project.progress("registering", 0, 1)
        somebody = who(by, "train --promote")
        folder = Path(trained.folder)
        return trained, register(project.settings, folder, who=somebody, promote=promote)

    run_command(run, draw_train, config, None, as_json=as_json)


@app.command()
def score(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    replace_newer: Annotated[
        bool,
        typer.Option("--replace-newer", help="Publish the list even if a newer one is published."),
    ] = False,
    even_if_unlike: Annotated[
        bool,
        typer.Option(
            "--even-if-unlike", help="Publish the list even if it differs too much from the last."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Give every open lead a probability, a tier and reasons, and publish the list."""

    def run(project: Project) -> tuple[Result, ...]:
        scored = project.score(as_of=moment_of(project.settings, as_of))
        published = project.publish(
            scored, replace_newer=replace_newer, even_if_unlike=even_if_unlike
        )
        return scored, published

    _, published = run_command(run, draw_score, config, None, as_json=as_json)
    if published.withheld:
        raise typer.Exit(WITHHELD)


@app.command()
def backtest(
    config: Config = DEFAULT_CONFIG,
    first: Annotated[
        str | None, typer.Option("--from", help="The first date; default: after two horizons.")
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", help="The last date; default: a horizon before known_until."),
    ] = None,
    dates: Annotated[int, typer.Option(min=1, max=1000, help="How many dates, evenly spread.")] = 6,
    as_json: Json = False,
) -> None:
    """Replay training and scoring at past dates, and settle them by what is known by now."""

    def run(project: Project) -> tuple[Result, ...]:
        from_us = moment_of(project.settings, first)
        to_us = moment_of(project.settings, last)
        return (project.backtest(first=from_us, last=to_us, dates=dates),)

    run_command(run, draw_backtest, config, None, as_json=as_json)


def main() -> None:
    """Run the command line, in a context of its own: what was given to it says nothing to whatever runs next."""
    sys.exit(copy_context().run(_exit_code))


def _exit_code() -> int:
    with exit_with_words(), exit_when_interrupted():
        try:
            code = app(prog_name="leadscore", standalone_mode=False)
        except TyperException as e:
            draw_usage(e)
            code = 2
    return code or 0
