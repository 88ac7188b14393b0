"""The command line: reads arguments, calls a job, draws what it returned. Heavy imports stay inside commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from leadscore.config import Settings
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
AsOf = Annotated[str | None, typer.Option("--as-of", help="The moment to look from; default: known_until.")]
DEFAULT_CONFIG = Path("leadscore.toml")

out = Console()
err = Console(stderr=True)


@app.command()
def ingest(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """Read the exported files into the store."""

    def run(settings: Settings, progress: Progress) -> dict[str, Any]:
        from leadscore import jobs

        return jobs.ingest(settings, progress=progress)

    _run(run, _draw_ingest, config, data, as_json=as_json)


@app.command()
def train(config: Config = DEFAULT_CONFIG, data: Data = None, as_of: AsOf = None, as_json: Json = False) -> None:
    """Learn from history, judge out of time, and keep the model if there is a signal."""

    def run(settings: Settings, progress: Progress) -> dict[str, Any]:
        from leadscore import jobs

        return jobs.train(settings, as_of_us=_moment(settings, as_of), progress=progress)

    _run(run, _draw_train, config, data, as_json=as_json)


@app.command()
def score(config: Config = DEFAULT_CONFIG, data: Data = None, as_of: AsOf = None, as_json: Json = False) -> None:
    """Give every open lead a probability, a tier and reasons, and publish the list."""

    def run(settings: Settings, progress: Progress) -> dict[str, Any]:
        from leadscore import jobs

        return jobs.score(settings, as_of_us=_moment(settings, as_of), progress=progress)

    _run(run, _draw_score, config, data, as_json=as_json)


@app.command()
def backtest(
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
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

    _run(run, _draw_backtest, config, data, as_json=as_json)


def main() -> None:
    """Run the command line; exit code 2 is the user's mistake, 1 is ours."""
    from leadscore.errors import LeadscoreError, UserError

    try:
        app()
    except UserError as e:
        err.print(f"[bold red]error:[/] {_escaped(e)}", highlight=False, soft_wrap=True)
        sys.exit(2)
    except LeadscoreError as e:
        err.print(f"[bold red]error:[/] {_escaped(e)}", highlight=False, soft_wrap=True)
        sys.exit(1)


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
    if as_json:
        print(json.dumps(result, ensure_ascii=False, allow_nan=False))
    else:
        draw(result)


def _moment(settings: Settings, text: str | None) -> int | None:
    from leadscore.times import parse_moment

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


def _escaped(text: object) -> str:
    from rich.markup import escape

    return escape(str(text))


def _table(title: str, *columns: str, text: int = 1) -> Table:
    """A table whose first `text` columns are words and whose others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for at, column in enumerate(columns):
        table.add_column(column, justify="left" if at < text else "right", overflow="fold")
    return table


def _draw_ingest(result: dict[str, Any]) -> None:
    table = _table("Files", "source", "rows read", "used", "ignored", "rejected")
    for name, a in result["accounts"]["sources"].items():
        table.add_row(_escaped(name), *(f"{a[key]:,}" for key in ("read", "used", "ignored", "rejected")))
    out.print(table)
    table = _table("Tables", "table", "selected", "stored", "rejected", "exact duplicates")
    for name, a in result["accounts"]["tables"].items():
        table.add_row(name, *(f"{a[key]:,}" for key in ("selected", "stored", "rejected", "duplicates")))
    out.print(table)
    for rule, n in result["rejects"].items():
        first = _escaped(result["first_rejects"][rule])
        out.print(f"[yellow]rejected[/] {n:,} rows by the rule {_escaped(rule)}, the first at {first}")
    for path in result["rejects_files"]:
        out.print(f"All of them, with source, line, column and value, are in {_escaped(path)}", soft_wrap=True)
    for warning in result["warnings"]:
        out.print(f"[yellow]warning:[/] {_escaped(warning)}")
    out.print(f"Store version [bold]{result['store_version']}[/], known until {result['known_until']}")


METRIC_NAMES = {
    "auc": "AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "brier_skill": "Brier skill against the base rate",
    "calibration_error": "calibration error, de-biased",
    "calibration_error_raw": "  as observed",
    "calibration_error_expected": "  expected by chance",
    "bias": "mean probability - win rate",
    "lift_10": "lift in the first 10 %",
    "capture_10": "wins in the first 10 %",
}


def _number(estimate: dict[str, float | None] | None, *, interval: bool = True) -> str:
    if estimate is None or estimate["value"] is None:
        return "-"
    text = f"{estimate['value']:.3f}"
    if interval and estimate["low"] is not None:
        text += f" [dim]({estimate['low']:.3f} to {estimate['high']:.3f})[/]"
    return text


def _draw_train(result: dict[str, Any]) -> None:
    e = result["evaluation"]
    parts = e["metrics"]
    title = f"Judged {e['basis']}, 95 % intervals over leads"
    table = _table(title, "metric", *(f"{name} ({part['leads']:,} leads)" for name, part in parts.items()))
    for key, name in METRIC_NAMES.items():
        if key != "brier_skill":
            table.add_row(name, *(_number(part.get(key)) for part in parts.values()))
    out.print(table)
    history = e["history"]
    mature = "-" if history["mature_rate"] is None else f"{history['mature_rate']:.3f}"
    out.print(
        f"Learned from {history['snapshots']:,} snapshots of {history['leads']:,} leads; base rate "
        f"{history['base_rate']:.3f} weighted, {mature} mature only; "
        f"{history['censored']:,} censored, {history['weights_capped']:.1%} of weights capped"
    )
    why = e["calibrator"].get("why")
    out.print(f"Splits: {len(e['splits'])}. Calibrator: {e['calibrator']['kind']}" + (f" ({why})" if why else ""))
    out.print(f"Gain in log loss over the base rate: {_number(e['gain']['log_loss_gain'])}")
    if e["not_learned_from"]:
        names = ", ".join(e["not_learned_from"])
        out.print(f"[yellow]not learned from[/] (nothing says when they were known): {_escaped(names)}")
    if result["no_signal"]:
        out.print(
            f"[yellow]{_escaped(result['no_signal'])}[/]\nNo model was kept; if there was one before, it stays in use."
        )
    else:
        out.print(f"Model [bold]{result['model_version']}[/] in {_escaped(result['folder'])}", soft_wrap=True)


def _draw_score(result: dict[str, Any]) -> None:
    table = _table(f"First to call, as of {result['as_of']}", "lead", "tier", "reasons for", "reasons against",
                   "probability", "score", text=4)  # fmt: skip
    for row in result["top"]:
        reasons = ["\n".join(row[f"reason_{side}_{i}"] for i in (1, 2, 3)).strip() for side in ("up", "down")]
        table.add_row(
            _escaped(row["lead_id"]),
            row["tier"],
            *map(_escaped, reasons),
            f"{row['win_probability']:.3f}",
            f"{row['score']:.1f}",
        )
    out.print(table)
    c = result["counts"]
    out.print(
        f"{c['scored']:,} open leads scored; {c['closed']:,} closed, {c['not_yet_created']:,} not yet created, "
        f"{c['refused']:,} refused: {c['leads']:,} in all"
    )
    if c["scored"]:
        tiers = ", ".join(f"{tier} {n:,}" for tier, n in result["tiers"].items())
        out.print(f"Mean probability {result['mean_win_probability']:.3f}; tiers: {tiers}")
    out.print(f"Published in {_escaped(result['folder'])}", soft_wrap=True)


def _draw_backtest(result: dict[str, Any]) -> None:
    for skipped in result["skipped"]:
        out.print(f"[yellow]skipped[/] {skipped['as_of'][:10]}: {_escaped(skipped['why'])}")
    if not result["dates"]:
        return
    table = _table("By date", "as of", "calibrator", "open", "won", "AUC", "Brier", "skill", "mean p - won", text=2)
    for date in result["dates"]:
        ours = date["models"]["leadscore"]
        cells = [_number(ours[key], interval=False) for key in ("auc", "brier", "brier_skill", "bias")]
        table.add_row(date["as_of"][:10], date["calibrator"], f"{date['open']:,}", f"{date['won']:,}", *cells)
    out.print(table)
    for date in result["dates"]:
        for note in date["notes"]:
            out.print(f"{date['as_of'][:10]}: {_escaped(note)}")
    models = result["pooled"]
    n = models["leadscore"]
    what = f"{n['snapshots']:,} scores of {n['leads']:,} leads at {len(result['dates'])} dates"
    title = f"Pooled: {what}, 95 % intervals over leads"
    table = _table(title, "metric", *(name.replace("_", " ") for name in models))
    for key, name in METRIC_NAMES.items():
        table.add_row(name, *(_number(model.get(key)) for model in models.values()))
    out.print(table)
    out.print(f"Written to {_escaped(result['folder'])}", soft_wrap=True)


if __name__ == "__main__":
    main()
