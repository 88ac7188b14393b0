"""What jobs returned, drawn for people who watch a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from leadscore.errors import LeadscoreError, UserError

out = Console()
err = Console(stderr=True)


def escaped(text: object) -> str:
    """Text that may look like markup, as it is."""
    return escape(str(text))


@contextmanager
def exit_with_words() -> Iterator[None]:
    """End the process with words instead of a traceback: exit code 2 is the user's mistake, 1 is ours."""
    try:
        yield
    except LeadscoreError as e:
        err.print(f"[bold red]error:[/] {escaped(e)}", highlight=False, soft_wrap=True)
        sys.exit(2 if isinstance(e, UserError) else 1)


def _table(title: str, *columns: str, text: int = 1) -> Table:
    """A table whose first `text` columns are words and whose others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=SIMPLE_HEAD)
    for at, column in enumerate(columns):
        table.add_column(column, justify="left" if at < text else "right", overflow="fold")
    return table


def draw_ingest(result: dict[str, Any]) -> None:
    """What became of the rows."""
    table = _table("Files", "source", "rows read", "used", "ignored", "rejected")
    for name, a in result["accounts"]["sources"].items():
        table.add_row(escaped(name), *(f"{a[key]:,}" for key in ("read", "used", "ignored", "rejected")))
    out.print(table)
    table = _table("Tables", "table", "selected", "stored", "rejected", "exact duplicates")
    for name, a in result["accounts"]["tables"].items():
        table.add_row(name, *(f"{a[key]:,}" for key in ("selected", "stored", "rejected", "duplicates")))
    out.print(table)
    for file in result["files"]:
        how = ", unchanged: not read again" if file["unchanged"] else f": {file['dialect']}" if file["dialect"] else ""
        out.print(f"{escaped(file['file'])}{escaped(how)}", highlight=False)
    for said, rules in (("rejected", result["rejects"]), ("kept with a warning", result["warned"])):
        for rule, n in rules.items():
            first = escaped(result["first_rejects"][rule])
            out.print(f"[yellow]{said}[/] {n:,} rows by the rule {escaped(rule)}, the first at {first}")
    if result["first_rejects"]:
        out.print("See them, with file, line, column and value: leadscore rejects")
    if result["duplicates"]:
        where = escaped(result["duplicates_file"])
        out.print(
            f"[yellow]{result['duplicates']:,} leads may be the same as another one[/]: see {where}", soft_wrap=True
        )
    for warning in [*result["alarms"], *result["warnings"]]:
        out.print(f"[yellow]warning:[/] {escaped(warning)}")
    out.print(f"Store version [bold]{result['store_version']}[/], {_until(result)}")


def _until(result: dict[str, Any]) -> str:
    """Up to when facts are known; without dates or places that cannot be said."""
    return "undated" if result["known_until"] == "undated" else f"known until {result['known_until']}"


COLOURS = {"leak": "bold red", "suspect": "yellow", "ok": "green"}


def draw_audit(result: dict[str, Any]) -> None:
    """Which fields can be trusted, the worst first, and what training makes of them."""
    table = _table(f"Fields, {_until(result)}", "field", "verdict", "use", "evidence", text=4)
    for each in sorted(result["fields"], key=lambda each: list(COLOURS).index(each["verdict"])):
        verdict = f"[{COLOURS[each['verdict']]}]{each['verdict']}[/]"
        table.add_row(escaped(each["field"]), verdict, each["use"], escaped(each["evidence"]))
    out.print(table)
    for finding in result["findings"]:
        out.print(f"[yellow]beside:[/] {escaped(finding['evidence'])}")
    if any(each["use"] == "left out" for each in result["fields"]):
        out.print("Leaks are left out of training. To learn from one all the same: keep = [...] under \\[audit]")


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


def draw_train(result: dict[str, Any]) -> None:
    """How good the model is, and what became of it."""
    e = result["evaluation"]
    if e["metrics"]:
        _draw_metrics(f"Judged {e['basis']}", {name: part for name, part in e["metrics"].items() if name == "all"})
        out.print(_learned(e))
    if e["horizon_why"]:
        out.print(f"Horizon: {e['horizon_days']} days, since {e['horizon_why']}")
    _draw_scorer(e["scorer"])
    if e["assumption"]:
        out.print(f"[yellow]warning:[/] {escaped(e['assumption'])}")
    why = e["calibrator"].get("why")
    out.print(f"Splits: {len(e['splits'])}. Calibrator: {e['calibrator']['kind']}" + (f" ({why})" if why else ""))
    out.print(f"Gain in log loss over the base rate: {_number(e['gain'].get('log_loss_gain'))}")
    if e["not_learned_from"]:
        names = ", ".join(e["not_learned_from"])
        out.print(f"[yellow]not learned from[/] (nothing says when they were known): {escaped(names)}")
    for each in e["audit"]:
        if each["verdict"] != "ok":
            said = (
                "left out, a leak" if each["left_out"] else "kept, a leak" if each["verdict"] == "leak" else "suspect"
            )
            out.print(f"[yellow]{said}:[/] {escaped(each['field'])}: {escaped(each['evidence'])}")
    out.print(f"Model card: {escaped(result['card'])}", soft_wrap=True)
    if result["no_signal"]:
        out.print(f"[yellow]{escaped(result['no_signal'])}[/]\nNo model was registered; the champion stays as it is.")
        return
    version, champion = result["registered"], result["champion"]
    aliases = " and ".join(version["aliases"]) or "no alias"
    out.print(
        f"Model [bold]{version['version']}[/] is version {version['number']} of {result['registered_model']}: {aliases}"
    )
    if version != champion:
        out.print(
            f"Version {champion['number']} goes on scoring. See both: leadscore models compare {champion['number']} "
            f"{version['number']}; let the new one score: leadscore models promote {version['number']} --why ..."
        )


def _draw_scorer(scorer: dict[str, Any]) -> None:
    """Which kind of scorer it is, why, and what others would need."""
    if "why" in scorer:
        out.print(f"[yellow]Scorecard[/], points from the settings alone: {escaped(scorer['why'])}", highlight=False)
    else:
        losses = ", ".join(f"{kind} {loss:.4f}" for kind, loss in scorer["log_loss"].items())
        where = f"log loss on {scorer['compared_on']}: {losses}"
        out.print(f"Scorer: {scorer['kind']}, the simplest that is not clearly worse; {where}")
    for kind, n in scorer["missing_leads"].items():
        out.print(f"{kind} is tried with about {n:,} more closed leads")
    if not scorer["reproducible"]:
        out.print("[yellow]warning:[/] the time limit ended the search: another machine may choose otherwise")


def _learned(e: dict[str, Any]) -> str:
    """What a model was learned from."""
    history = e["history"]
    if e["assumption"]:
        return f"Learned from {history['leads']:,} closed leads, of which {history['base_rate']:.1%} were won"
    mature = "-" if history["mature_rate"] is None else f"{history['mature_rate']:.3f}"
    return (
        f"Learned from {history['snapshots']:,} snapshots of {history['leads']:,} leads; base rate "
        f"{history['base_rate']:.3f} weighted, {mature} mature only; "
        f"{history['censored']:,} censored, {history['weights_capped']:.1%} of weights capped"
    )


def draw_score(result: dict[str, Any]) -> None:
    """Whom to call first, and where the list is."""
    when = f", as of {result['as_of']}" if result["as_of"] else ""
    table = _table(f"First to call{when}", "lead", "tier", "win", "reasons", text=2)
    table.columns[3].justify = "left"
    for row in result["top"]:
        lines = []
        for side, sign in (("up", "[green]+[/]"), ("down", "[red]-[/]")):
            if said := "; ".join(filter(None, (row[f"reason_{side}_{i}"] for i in (1, 2, 3)))):
                lines.append(f"{sign} {escaped(said)}")
        table.add_row(escaped(row["lead_id"]), row["tier"], f"{row['win_probability']:.3f}", "\n".join(lines))
    if result["top"]:
        out.print(table)
    c = result["counts"]
    out.print(
        f"{c['scored']:,} open leads scored; {c['closed']:,} closed, {c['not_yet_created']:,} not yet created, "
        f"{c['refused']:,} refused: {c['leads']:,} in all"
    )
    if c["scored"]:
        tiers = ", ".join(f"{tier} {n:,}" for tier, n in result["tiers"].items())
        out.print(f"Mean probability {result['mean_win_probability']:.3f}; tiers: {tiers}")
    out.print(f"Published in {escaped(result['folder'])}", soft_wrap=True)


def draw_backtest(result: dict[str, Any]) -> None:
    """How good the models of the past were."""
    for skipped in result["skipped"]:
        out.print(f"[yellow]skipped[/] {_short(skipped['as_of'])}: {escaped(skipped['why'])}")
    if not result["dates"]:
        return
    moment = "place" if result["horizon_days"] is None else "date"
    measures = ("AUC", "Brier", "skill", "mean p - won")
    table = _table(f"By {moment}", "as of", "calibrator", "open", "won", *measures, text=2)
    for date in result["dates"]:
        ours = date["models"]["leadscore"]
        cells = [_number(ours[key], interval=False) for key in ("auc", "brier", "brier_skill", "bias")]
        table.add_row(_short(date["as_of"]), date["calibrator"], f"{date['open']:,}", f"{date['won']:,}", *cells)
    out.print(table)
    for date in result["dates"]:
        for note in date["notes"]:
            out.print(f"{_short(date['as_of'])}: {escaped(note)}")
    models = result["pooled"]
    n = models["leadscore"]
    what = f"{n['snapshots']:,} scores of {n['leads']:,} leads at {len(result['dates'])} {moment}s"
    title = f"Pooled: {what}, 95 % intervals over leads"
    table = _table(title, "metric", *(name.replace("_", " ") for name in models))
    for key, name in METRIC_NAMES.items():
        table.add_row(name, *(_number(model.get(key)) for model in models.values()))
    out.print(table)
    out.print(f"Written to {escaped(result['folder'])}", soft_wrap=True)


def _short(as_of: str) -> str:
    """A date without its time; a place as it is."""
    return as_of.partition("T")[0]


def _draw_metrics(title: str, parts: dict[str, dict[str, Any]]) -> None:
    """A column for each part, named with how many leads it rests on."""
    parts = {name: part for name, part in parts.items() if part}
    if not parts:
        return
    names = (f"{name} ({part['leads']:,} leads)" for name, part in parts.items())
    table = _table(f"{title}, 95 % intervals over leads", "metric", *names)
    for key, name in METRIC_NAMES.items():
        if any(key in part for part in parts.values()):
            table.add_row(name, *(_number(part.get(key)) for part in parts.values()))
    out.print(table)


def draw_sample(result: dict[str, Any]) -> None:
    """Which files there are, and how to go on."""
    table = _table("Files", "file", "rows")
    for name, rows in result["rows"].items():
        table.add_row(f"{name}.csv", f"{rows:,}")
    out.print(table)
    folder = escaped(result["folder"])
    out.print(f"{result['open']:,} leads are open at the end. Settings: {folder}/leadscore.toml", soft_wrap=True)
    out.print(f"Go on: leadscore ingest --config {folder}/leadscore.toml", soft_wrap=True)


def draw_models(result: dict[str, Any]) -> None:
    """The versions, and the moves of their aliases."""
    if not result["versions"]:
        out.print(f"{result['registered_model']} has no version yet; run leadscore train")
        return
    table = _table(result["registered_model"], "number", "version", "known until", "aliases", text=4)
    for each in result["versions"]:
        table.add_row(str(each["number"]), each["version"], each["known_until"], ", ".join(each["aliases"]))
    out.print(table)
    table = _table("Moves, the newest first", "when", "alias", "from", "to", "by", "why", text=6)
    for move in result["moves"]:
        was = "-" if move["was"] is None else str(move["was"])
        table.add_row(
            move["at"][:19] + "Z", move["alias"], was, str(move["now"]), escaped(move["by"]), escaped(move["why"])
        )
    out.print(table)


def draw_shown(result: dict[str, Any]) -> None:
    """Versions side by side, as they were judged when they were trained."""
    versions = result["versions"]
    for each in versions:
        e = each["evaluation"]
        aliases = f" ({', '.join(each['aliases'])})" if each["aliases"] else ""
        out.print(
            f"Version [bold]{each['number']}[/]{aliases}, {each['version']}, {_until(each)}: judged "
            f"{e['basis']} on {_rested(e['metrics'])}; "
            f"gain in log loss over the base rate {_number(e['gain']['log_loss_gain'])}"
        )
    whole = {f"version {each['number']}": each["evaluation"]["metrics"].get("all", {}) for each in versions}
    parts = versions[0]["evaluation"]["metrics"] if len(versions) == 1 else whole
    _draw_metrics("Judged when trained", parts)
    if len({each["known_until"] for each in versions}) > 1:
        out.print("They were judged on different dates, so differences are partly those of the dates.")


def _rested(metrics: dict[str, Any]) -> str:
    """What an evaluation rests on."""
    if "all" not in metrics:
        return "too few leads to tell"
    overall = metrics["all"]
    snapshots = "" if overall["snapshots"] == overall["leads"] else f"{overall['snapshots']:,} snapshots of "
    return f"{snapshots}{overall['leads']:,} leads, {overall['win_rate']:.1%} won"


def draw_moved(result: dict[str, Any]) -> None:
    """Which version scores now."""
    out.print(f"Version [bold]{result['number']}[/] ({result['version']}) is the champion: it scores from now on")


def draw_rejects(result: dict[str, Any]) -> None:
    """The first rejected rows of each rule, or where all of them were written."""
    if result["stopped"]:
        out.print(f"[yellow]The last ingest was stopped:[/] {escaped(result['stopped'])}\n", highlight=False)
    if result["to"]:
        out.print(f"{result['written']:,} rejected rows written to {escaped(result['to'])}", soft_wrap=True)
        return
    if not result["rules"]:
        out.print("No row was rejected")
    for rule in result["rules"]:
        refused, warned = (result[said].get(rule, 0) for said in ("refused", "warned"))
        title = f"{rule}: {refused:,} refused, {warned:,} kept with a warning"
        table = _table(title, "file", "line", "column", "value", "lead", text=5)
        for row in result["first"][rule]:
            cells = (row[name] for name in ("file", "line", "column", "value", "lead_id"))
            table.add_row(*("" if cell is None else escaped(cell) for cell in cells))
        out.print(table)


def draw_store(result: dict[str, Any]) -> None:
    """The versions of the store."""
    table = _table("Store versions", "version", "known until", "", "leads", "all rows", text=3)
    for each in result["versions"]:
        notes = ["current"] * each["current"] + ["in use"] * each["referred"]
        rows = each["rows"]
        table.add_row(
            each["version"], each["known_until"], ", ".join(notes), f"{rows['leads']:,}", f"{sum(rows.values()):,}"
        )
    out.print(table)


def draw_store_version(result: dict[str, Any]) -> None:
    """Which version counts now."""
    out.print(f"Store version [bold]{result['version']}[/] counts now, {_until(result)}")


def draw_pruned(result: dict[str, Any]) -> None:
    """What went, or would go."""
    verb = "Removed" if result["really"] else "Would remove"
    out.print(
        f"{verb} {len(result['removed'])} versions and {result['files']} files, {result['bytes'] / 1e6:,.1f} MB; "
        f"{len(result['kept'])} versions stay"
    )
    if not result["really"] and result["files"]:
        out.print("Do it: leadscore store prune --yes")


def draw_run(result: dict[str, Any]) -> None:
    """What a whole run gave: how good the model is, whom to call first, where everything is."""
    for warning in result["ingested"]["warnings"]:
        out.print(f"[yellow]warning:[/] {escaped(warning)}")
    draw_train(result["trained"])
    if result["scored"]:
        out.print()
        draw_score(result["scored"])
    uri = escaped(result["trained"]["tracking_uri"])
    out.print(f"See the run: .venv/bin/mlflow ui --backend-store-uri '{uri}' (http://127.0.0.1:5000)", soft_wrap=True)
