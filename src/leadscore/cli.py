"""The command line: reads arguments, calls a job, draws what it returned. Heavy imports stay inside commands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from leadscore.terminal import (
    draw_audit,
    draw_backtest,
    draw_ingest,
    draw_models,
    draw_moved,
    draw_pruned,
    draw_rejects,
    draw_sample,
    draw_score,
    draw_shown,
    draw_store,
    draw_store_version,
    draw_train,
    err,
    exit_with_words,
)  # fmt: skip

if TYPE_CHECKING:
    from leadscore.config import Settings
    from leadscore.model.registry import Who
    from leadscore.progress import Progress

app = typer.Typer(
    help="Learns from a company's own history which open leads will be won, and scores the open ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Config = Annotated[Path, typer.Option("--config", "-c", help="The settings file.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="The folder of the exported files, if not as the settings say.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines, and nothing else.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="The moment to look from, or now; default: known_until.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it; default: you, as this machine calls you.")]
DEFAULT_CONFIG = Path("leadscore.toml")

store = typer.Typer(help="What was ingested: its versions, going back, and making room.", no_args_is_help=True)
app.add_typer(store, name="store")
models = typer.Typer(help="The models in the registry: which one scores, and why.", no_args_is_help=True)
app.add_typer(models, name="models")


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    leads: Annotated[int, typer.Option(min=1, help="How many leads in two years.")] = 5000,
    seed: Annotated[int, typer.Option(min=0, help="Of every random choice.")] = 1,
    as_json: Json = False,
) -> None:
    """Write the exports of a made-up company, with settings to read them, and the truth apart."""
    from leadscore.sample import write_sample

    _show(write_sample(folder, leads=leads, seed=seed), draw_sample, as_json=as_json)


@app.command()
def ingest(
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    accept: Annotated[list[str] | None, typer.Option(help="An alarm that shall not stop it this once.")] = None,
    as_json: Json = False,
) -> None:
    """Read the exported files into the store."""

    def run(settings: Settings, progress: Progress) -> dict[str, Any]:
        from leadscore import jobs

        return jobs.ingest(settings, accept=accept or (), progress=progress)

    _run(run, draw_ingest, config, data, as_json=as_json)


@app.command()
def rejects(
    config: Config = DEFAULT_CONFIG,
    rule: Annotated[str | None, typer.Option(help="Only rows rejected by this rule.")] = None,
    each: Annotated[int, typer.Option(min=1, help="How many rows to show of each rule.")] = 5,
    to: Annotated[Path | None, typer.Option("--to", help="Write all of them to this CSV file instead.")] = None,
    as_json: Json = False,
) -> None:
    """The rows that the last ingest rejected, by rule: where they stand, and which value was wrong."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import jobs

        found = jobs.list_rejects(settings, rule=rule, each=each)
        return found | {"written": jobs.write_rejects(settings, to) if to else None, "to": str(to) if to else None}

    _run(run, draw_rejects, config, None, as_json=as_json)


@app.command()
def audit(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Which fields can be trusted at scoring time, and why."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import jobs

        return jobs.audit(settings)

    _run(run, draw_audit, config, None, as_json=as_json)


@app.command()
def train(
    config: Config = DEFAULT_CONFIG,
    as_of: AsOf = None,
    promote: Annotated[bool, typer.Option("--promote", help="Let the new model score at once.")] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Learn from history, judge out of time, and register the model if there is a signal."""

    def run(settings: Settings, progress: Progress) -> dict[str, Any]:
        from leadscore import jobs

        trained = jobs.train(settings, as_of_us=_moment(settings, as_of), progress=progress)
        progress("registering", 0, 1)
        why = "train --promote"
        return trained | jobs.register(settings, Path(trained["folder"]), who=_who(by, why), promote=promote)

    _run(run, draw_train, config, None, as_json=as_json)


@app.command()
def score(config: Config = DEFAULT_CONFIG, as_of: AsOf = None, as_json: Json = False) -> None:
    """Give every open lead a probability, a tier and reasons, and publish the list."""

    def run(settings: Settings, progress: Progress) -> dict[str, Any]:
        from leadscore import jobs

        scored = jobs.score(settings, as_of_us=_moment(settings, as_of), progress=progress)
        jobs.publish(settings, scored["publication_id"])
        return scored

    _run(run, draw_score, config, None, as_json=as_json)


@app.command()
def backtest(
    config: Config = DEFAULT_CONFIG,
    first: Annotated[str | None, typer.Option("--from", help="The first date; default: after two horizons.")] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="The last date; default: a horizon before known_until.")
    ] = None,
    dates: Annotated[int, typer.Option(min=1, help="How many dates, evenly spread.")] = 6,
    as_json: Json = False,
) -> None:
    """Replay training and scoring at past dates, and settle them by what is known by now."""

    def run(settings: Settings, progress: Progress) -> dict[str, Any]:
        from leadscore import jobs

        from_us, to_us = _moment(settings, first), _moment(settings, last)
        return jobs.backtest(settings, from_us=from_us, to_us=to_us, dates=dates, progress=progress)

    _run(run, draw_backtest, config, None, as_json=as_json)


Version = Annotated[str, typer.Argument(help="A number, the beginning of a version, or an alias.")]
Why = Annotated[str, typer.Option("--why", help="Kept with the move.")]


@models.command("list")
def list_models(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All versions, the newest first, with their aliases; and who moved those, when and why."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore.model.registry import Registry

        registry = Registry(settings)
        versions = [asdict(version) for version in registry.versions()]
        return {"registered_model": registry.name, "versions": versions, "moves": registry.moves()}

    _run(run, draw_models, config, None, as_json=as_json)


@models.command()
def show(version: Version, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """How good a version was when it was trained."""
    _run(lambda settings, _: _told([version], settings), draw_shown, config, None, as_json=as_json)


@models.command()
def compare(first: Version, second: Version, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Two versions side by side, each as it was judged when it was trained."""
    _run(lambda settings, _: _told([first, second], settings), draw_shown, config, None, as_json=as_json)


@models.command()
def promote(version: Version, why: Why, by: By = None, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Let a version score from now on; the champion until now becomes `previous`."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore.model.registry import Registry

        return asdict(Registry(settings).promote(version, _who(by, why)))

    _run(run, draw_moved, config, None, as_json=as_json)


@models.command()
def rollback(why: Why, by: By = None, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Let the champion before this one score again."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore.model.registry import Registry

        return asdict(Registry(settings).rollback(_who(by, why)))

    _run(run, draw_moved, config, None, as_json=as_json)


@store.command("list")
def list_store(config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """All versions, the latest known_until first, and which one counts."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import jobs

        return jobs.list_store(settings)

    _run(run, draw_store, config, None, as_json=as_json)


@store.command("rollback")
def rollback_store(
    version: Annotated[str, typer.Argument(help="The beginning of a version.")],
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Let an earlier version count again, until the next ingest."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import jobs

        return jobs.rollback_store(settings, version)

    _run(run, draw_store_version, config, None, as_json=as_json)


@store.command()
def prune(
    config: Config = DEFAULT_CONFIG,
    keep: Annotated[int, typer.Option(min=1, help="How many of the latest versions stay in any case.")] = 10,
    really: Annotated[bool, typer.Option("--yes", help="Remove; without it only what would go is told.")] = False,
    as_json: Json = False,
) -> None:
    """Remove versions that nothing was published or trained from."""

    def run(settings: Settings, _: Progress) -> dict[str, Any]:
        from leadscore import jobs

        return jobs.prune_store(settings, keep=keep, really=really)

    _run(run, draw_pruned, config, None, as_json=as_json)


def _told(versions: list[str], settings: Settings) -> dict[str, Any]:
    from leadscore.model.registry import Registry

    registry = Registry(settings)
    found = [registry.find(version) for version in versions]
    return {"versions": [asdict(each) | {"evaluation": registry.read_evaluation(each)} for each in found]}


def _who(by: str | None, why: str) -> Who:
    from leadscore.errors import AliasError
    from leadscore.model.registry import Who

    if not why.strip():
        raise AliasError("--why is empty; say in some words why, for whoever asks later")
    return Who(by or getuser(), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"), why)


def main() -> None:
    """Run the command line."""
    with exit_with_words():
        app(prog_name="leadscore")


def _run(
    run: Callable[[Settings, Progress], dict[str, Any]],
    draw: Callable[[dict[str, Any]], None],
    config: Path,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    from leadscore.config import read_settings

    settings = read_settings(config, input_folder=data)
    with _progress(shown=not as_json) as progress:
        result = run(settings, progress)
    _show(result, draw, as_json=as_json)


def _show(result: dict[str, Any], draw: Callable[[dict[str, Any]], None], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, ensure_ascii=False, allow_nan=False))
    else:
        draw(result)


def _moment(settings: Settings, text: str | None) -> int | None:
    from leadscore.times import parse_moment, to_us

    if text == "now":
        return to_us(datetime.now(UTC))
    return None if text is None else parse_moment(text, zone=settings.timezone)


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
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


if __name__ == "__main__":
    main()
