"""The command line: reads arguments, calls `Project`, draws what it returned. Heavy imports stay inside commands."""

from __future__ import annotations

import sys
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from leadscore import __version__
from leadscore.cli.customers import customers
from leadscore.cli.explained import explain, replay
from leadscore.cli.forecast import forecast
from leadscore.cli.funnel import funnel
from leadscore.cli.group import build_group
from leadscore.cli.init import init
from leadscore.cli.interrupted import exit_when_interrupted
from leadscore.cli.judge import judge
from leadscore.cli.models import models
from leadscore.cli.monitor import monitor
from leadscore.cli.options import (
    DEFAULT_CONFIG,
    AsOf,
    By,
    Config,
    Data,
    EvenIfUnlike,
    Json,
    KnownUntil,
    ReplaceNewer,
    checked_path,
    clock_us,
    moment_of,
    run_command,
    show_results,
    who,
)
from leadscore.cli.publishing import check_file, publish
from leadscore.cli.rendering import (
    draw_audit,
    draw_backtest,
    draw_checkup,
    draw_history,
    draw_ingest,
    draw_rejects,
    draw_sample,
    draw_score,
    draw_train,
    draw_usage,
    exit_with_words,
)
from leadscore.cli.reporting import report
from leadscore.cli.serve import mcp, serve
from leadscore.cli.status import status
from leadscore.cli.store import store
from leadscore.cli.worklist import worklist
from leadscore.errors import WITHHELD
from leadscore.proposals import keep_given
from leadscore.settings.limits import MOST_SEED

if TYPE_CHECKING:
    from leadscore.project.project import Project
    from leadscore.results import Result

TO = "Write all of them to this CSV file."

app = build_group(
    "Learns from a company's own history which open leads will be won, and scores them.",
    completion=True,
)
app.command()(init)


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
    """Options without a command; Typer needs a function for them."""


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="A new folder.", callback=checked_path)],
    leads: Annotated[
        int, typer.Option(min=1, max=10_000_000, help="Number of leads in two years.")
    ] = 5000,
    seed: Annotated[
        int, typer.Option(min=0, max=MOST_SEED, help="Seed of every random choice.")
    ] = 1,
    as_json: Json = False,
) -> None:
    """Generate the exports of a synthetic company, with settings to read them and the true probabilities."""
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
        list[str] | None, typer.Option(help="Accept this alarm, for this delivery only.")
    ] = None,
    forget_damaged: Annotated[
        bool,
        typer.Option(
            "--forget-damaged", help="Treat a damaged earlier version as if it did not exist."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Read the exported files into the store, and account for every row."""

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
    per_rule: Annotated[
        int, typer.Option("--each", min=1, max=10_000, help="Number of rows to show for each rule.")
    ] = 5,
    to: Annotated[Path | None, typer.Option("--to", callback=checked_path, help=TO)] = None,
    as_json: Json = False,
) -> None:
    """Show the rows that the last ingest rejected, by rule, with file, line and value."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.ingesting import list_rejects, write_rejects
        from leadscore.results import WrittenRejects

        listed = list_rejects(project.settings, rule=rule, per_rule=per_rule)
        rows = write_rejects(project.settings, to) if to else None
        return listed, WrittenRejects(written=rows, to=str(to) if to else None)

    run_command(run, draw_rejects, config, None, as_json=as_json, writes=to)


@app.command()
def audit(
    config: Config = DEFAULT_CONFIG,
    history: Annotated[
        bool,
        typer.Option(
            "--history",
            help="Since when each field has a history, and from when it is enough to learn from.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check which fields can be trusted at scoring time, and why."""
    if history:
        run_command(
            lambda project: (project.audit_history(),),
            draw_history,
            config,
            None,
            as_json=as_json,
        )
        return
    run_command(lambda project: (project.audit(),), draw_audit, config, None, as_json=as_json)


@app.command()
def train(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Promote the new model right away.")
    ] = False,
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Only if the settings (retraining) say it is time.")
    ] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Train a model, evaluate it out of time, and register it if there is a signal."""

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.registering import register
        from leadscore.project.reviewing import find_due

        moment = moment_of(project.settings, as_of)
        if if_due:
            retraining = find_due(project.settings, as_of_us=moment)
            if not retraining.due:
                return (retraining,)
        trained = project.train(as_of=moment)
        project.progress("registering", 0, 1)
        somebody = who(by, "train --promote")
        folder = Path(trained.folder)
        return trained, register(project.settings, folder, who=somebody, promote=promote)

    run_command(run, draw_train, config, None, as_json=as_json)


@app.command()
def score(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    replace_newer: ReplaceNewer = False,
    even_if_unlike: EvenIfUnlike = False,
    details: Annotated[
        bool,
        typer.Option(
            "--details", help="Show all reasons, the change and the question of every lead."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Score all open leads, with probability, tier and reasons, and publish the list."""
    companies: dict[str, str] = {}  # for the terminal alone: no result names anybody
    reps: dict[str, str] = {}

    def run(project: Project) -> tuple[Result, ...]:
        from leadscore.project.showing import name_reps, read_companies

        scored = project.score(as_of=moment_of(project.settings, as_of))
        companies.update(read_companies(project.settings))
        reps.update(name_reps(project.settings))
        published = project.publish(
            scored, replace_newer=replace_newer, even_if_unlike=even_if_unlike
        )
        if not published.published:
            return scored, published
        return scored, published, project.deliver(published.publication_id)

    draw = partial(draw_score, companies=companies, reps=reps, details=details)
    _, published, *delivered = run_command(run, draw, config, None, as_json=as_json)
    if published.withheld:
        raise typer.Exit(WITHHELD)
    if delivered and delivered[0].failed:
        raise typer.Exit(2)


@app.command()
def backtest(
    config: Config = DEFAULT_CONFIG,
    first: Annotated[
        str | None,
        typer.Option("--from", help="The first date; default: two horizons after the first lead."),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", help="The last date; default: one horizon before known_until."),
    ] = None,
    dates: Annotated[
        int, typer.Option(min=1, max=1000, help="Number of dates, evenly spread.")
    ] = 6,
    as_json: Json = False,
) -> None:
    """Replay training and scoring at past dates, evaluated with the outcomes known now."""

    def run(project: Project) -> tuple[Result, ...]:
        from_us = moment_of(project.settings, first)
        to_us = moment_of(project.settings, last)
        return (project.backtest(first=from_us, last=to_us, dates=dates),)

    run_command(run, draw_backtest, config, None, as_json=as_json)


@app.command()
def doctor(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Check the installation, the settings, files, store, registry, disk and clock, and say how to fix them."""
    from leadscore.project.checkup import check_up

    keep_given(str(config))
    checkup = check_up(config, clock_us=clock_us())
    show_results((checkup,), draw_checkup, as_json=as_json)
    if not checkup.is_well:
        raise typer.Exit(2)


app.command()(status)
app.command()(funnel)
app.command()(forecast)
app.command()(customers)
app.command()(monitor)
app.command()(judge)
app.command()(worklist)
app.command()(publish)
app.command("check-file")(check_file)
app.command()(report)
app.command()(explain)
app.command()(replay)
app.command()(serve)
app.command()(mcp)
app.add_typer(models, name="models")
app.add_typer(store, name="store")


def main() -> None:
    """Run the command line in a context of its own, so that its options do not leak into later calls."""
    sys.exit(copy_context().run(_exit_code))


def _exit_code() -> int:
    with exit_with_words(), exit_when_interrupted():
        try:
            code = app(prog_name="leadscore", standalone_mode=False)
        except TyperException as e:
            draw_usage(e)
            code = 2
    return code or 0
