"""How good models are, and which one scores."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from leadscore.cli.rendering.console import (
    auc_in_words,
    command,
    draw_metrics,
    escaped,
    number,
    out,
    short,
    table_of,
    until,
)
from leadscore.proposals import CONFIG, USUAL
from leadscore.wording import counted

TOLD = {  # columns of the table of all models; the rest is in the report
    "auc": "AUC",
    "pooled_auc": "pooled AUC",
    "log_loss": "log loss",
    "brier": "Brier",
    "calibration_error": "cal. error",
}


def draw_train(result: dict[str, Any]) -> None:
    """How good the model is, and what became of it."""
    e = result["evaluation"]
    if e["metrics"]:
        draw_metrics(
            f"Judged {e['basis']}",
            {name: part for name, part in e["metrics"].items() if name == "all"},
        )
        out.print(_learned(e))
    _draw_parts(e)
    if e["horizon_why"]:
        out.print(f"Horizon: {e['horizon_days']} days, since {escaped(e['horizon_why'])}")
    _draw_scorer(e["scorer"], by_split=bool(e["splits"]))
    if e["assumption"]:
        out.print(f"[yellow]warning:[/] {escaped(e['assumption'])}")
    why = e["calibrator"].get("why")
    out.print(
        f"Splits: {len(e['splits'])}. Calibrator: {e['calibrator']['kind']}"
        + (f" ({why})" if why else "")
    )
    if carriers := e.get("carriers"):
        out.print(escaped(carriers["said"]), highlight=False)
    out.print(f"Running intercept: {escaped(e['times']['said'])}")
    out.print(f"Gain in log loss over the base rate: {number(e['gain'].get('log_loss_gain'))}")
    unasked = e.get("not_asked_for", [])
    if undated := [name for name in e["not_learned_from"] if name not in unasked]:
        names = ", ".join(undated)
        out.print(
            f"[yellow]not learned from[/] (nothing says when they were known): {escaped(names)}"
        )
    if unasked:
        why = "our own people, or ruled out by the settings"
        out.print(f"[yellow]not learned from[/] ({why}): {escaped(', '.join(unasked))}")
    for each in e["audit"]:
        if each["verdict"] != "ok":
            kind = "a leak" if each["verdict"] == "leak" else "suspect"
            said = (
                f"left out, {kind}"
                if each["left_out"]
                else "kept, a leak"
                if kind == "a leak"
                else kind
            )
            out.print(
                f"[yellow]{said}:[/] {escaped(each['field'])}: {escaped(each.get('in_words', each['evidence']))}"
            )
    out.print(f"Model card: {escaped(result['card'])}", soft_wrap=True)
    if result["no_signal"]:
        out.print(
            f"[yellow]{escaped(result['no_signal'])}[/]\nNo model was registered; the champion stays as it is."
        )
        return
    version, champion = result["registered"], result["champion"]
    _draw_promotion(result["promotion"])
    _draw_confirmation(e.get("confirm"), decided=result["promotion"]["why"])
    _draw_registered(result, version, champion)


def _draw_confirmation(confirm: dict[str, Any] | None, *, decided: str) -> None:
    """The fields that somebody has to confirm, and the lines that do so, to be copied as they are."""
    if not confirm:
        return
    if confirm["why"] != decided:
        out.print(f"[yellow]To confirm:[/] {escaped(confirm['why'])}", highlight=False)
    for question in confirm["questions"]:
        label = f" ({question['label']})" if question.get("label") else ""
        name = escaped(question["field"] + label)
        out.print(f"  {name}: {escaped(question['why'])}", highlight=False, soft_wrap=True)
    if confirm["lines"]:
        config = escaped(CONFIG.get() or USUAL)
        out.print(
            f"If a field was not known by then, set learn = false for it. For the others, replace their sections in "
            f"{config} with these lines, and run {command('train')} again:\n",
            highlight=False,
            soft_wrap=True,
        )
        out.print(Text(confirm["lines"]), highlight=False, soft_wrap=True)
        out.print()


def _draw_registered(
    result: dict[str, Any], version: dict[str, Any], champion: dict[str, Any] | None
) -> None:
    """What the new version is called, and what scores."""
    aliases = escaped(" and ".join(version["aliases"])) or "no alias"
    out.print(
        f"Model [bold]{version['version']}[/] is version {version['number']} of {result['registered_model']}: {aliases}"
    )
    if champion is None:
        promote = command(f"models promote {version['number']} --why ...")
        out.print(f"Nothing scores yet. To let it all the same: {promote}", soft_wrap=True)
    elif version != champion:
        if result["promotion"]["promoted"]:
            out.print(
                "It is not the champion, for it was before and was replaced, or another one has become it since."
            )
        compare = command(f"models compare {champion['number']} {version['number']}")
        promote = command(f"models promote {version['number']} --why ...")
        out.print(
            f"Version {champion['number']} goes on scoring. See both: {compare}", soft_wrap=True
        )
        out.print(f"Let the new one score: {promote}", soft_wrap=True)


def _draw_parts(e: dict[str, Any]) -> None:
    """Tiers and segments, what the list brings, and what more history would."""
    for title, rows in (("By tier", e["tiers"]), ("By segment", e["segments"])):
        if rows:
            table = table_of(title, "", "leads", "promised", "won", "95 % interval")
            for row in rows:
                numbers = (f"{row['mean_probability']:.3f}", f"{row['win_rate']:.3f}")
                table.add_row(
                    escaped(row["name"]),
                    f"{row['leads']:,}",
                    *numbers,
                    f"{row['low']:.3f} to {row['high']:.3f}",
                )
            out.print(table)
    if never := e["never_worked"]:
        tiers = ", ".join(f"{tier} {n:,}" for tier, n in never["by_tier"].items())
        out.print(
            f"Never worked: {never['leads']:,} of {never['of']:,} judged leads that were not won ({tiers})"
        )
    if captured := e["captured"]:
        point = next(each for each in captured["points"] if each["share"] == 0.2)
        others = ", ".join(
            f"{name} {point[name]:.0%}" for name in ("scorecard", "random", "oracle")
        )
        unit = escaped(captured["unit"])
        out.print(
            f"A fifth of the list captures {point['leadscore']:.0%} of the value ({unit}); {others}"
        )
    if drift := e.get("drift"):
        out.print(f"Drift: {escaped(drift['said'])}")
    if learning := e["learning"]:
        out.print("More history: " + escaped(learning["said"]))


def _draw_promotion(promotion: dict[str, Any]) -> None:
    """What was decided, and the numbers beside."""
    verdict = "[green]Promoted[/]" if promotion["promoted"] else "[yellow]Not promoted[/]"
    out.print(f"{verdict}: {escaped(promotion['why'])}", highlight=False)
    if (evidence := promotion["evidence"]) is None:
        return
    losses, errors = evidence["log_loss"], evidence["calibration"]
    for name in ("champion", "challenger"):
        out.print(
            f"  {name}: {evidence['scorers'][name]}, log loss {losses[name]:.4f}, "
            f"calibration error {number(errors[name])}",
            highlight=False,
        )
    for each in evidence["segments"]:
        gain = f"gain {number(each['gain'])}" if each["gain"] else "too few to tell"
        out.print(
            f"  segment {escaped(each['segment'])}: {each['leads']:,} leads, {gain}",
            highlight=False,
        )
    if overlap := evidence["overlap"]:
        out.print(f"  {overlap['stay']:,} of the {overlap['of']:,} top leads stay", highlight=False)


def _draw_scorer(scorer: dict[str, Any], *, by_split: bool) -> None:
    """Which kind of scorer it is, why, and what others would need."""
    if "why" in scorer:
        out.print(
            f"[yellow]Scorecard[/], points from the settings alone: {escaped(scorer['why'])}",
            highlight=False,
        )
    else:
        losses = ", ".join(f"{kind} {loss:.4f}" for kind, loss in scorer["log_loss"].items())
        where = "before the last split" if by_split else "out of fold"
        compared = f"; log loss {where}: {losses}" if losses else ""
        out.print(f"Scorer: {scorer['kind']}, {scorer['rule']}{compared}")
    if clocks := scorer.get("clocks"):
        what = "left out" if clocks["left_out"] else "learned from"
        losses = ", ".join(f"{name} {loss:.4f}" for name, loss in clocks["log_loss"].items())
        fields = escaped(", ".join(clocks["fields"]))
        out.print(f"Clocks in disguise ({fields}) are {what}: log loss {losses}", highlight=False)
    if told := scorer.get("segments"):
        own = [
            f"{each['segment']} (gain {each['gain']:.4f})" for each in told["models"] if each["own"]
        ]
        said = (
            "with a model of its own: " + ", ".join(own)
            if own
            else f"one model for all, since {told['why']}"
        )
        out.print(f"Segments by {escaped(told['field'])}: {escaped(said)}", highlight=False)
    for kind, n in scorer["missing_leads"].items():
        out.print(f"{kind} is tried with about {counted(n, 'more closed lead')}")
    if not scorer["reproducible"]:
        out.print(
            "[yellow]warning:[/] the time limit ended the search: another machine may choose otherwise"
        )


def _learned(e: dict[str, Any]) -> str:
    """What a model was learned from."""
    history = e["history"]
    if e["assumption"]:
        return f"Learned from {counted(history['leads'], 'closed lead')}, of which {history['base_rate']:.1%} were won"
    mature = "-" if history["mature_rate"] is None else f"{history['mature_rate']:.3f}"
    return (
        f"Learned from {history['snapshots']:,} snapshots of {history['leads']:,} leads; base rate "
        f"{history['base_rate']:.3f} weighted, {mature} mature only; "
        f"{history['censored']:,} censored, {history['weights_capped']:.1%} of weights capped"
        + _unusable(history.get("unusable", {}))  # evaluations from before it was counted lack it
    )


def _unusable(counts: dict[str, int]) -> str:
    """The snapshots left out since nobody knows when their lead closed."""
    parts = [f"{n:,} {outcome}" for outcome, n in counts.items() if n]
    if not parts:
        return ""
    return f"; {' and '.join(parts)} snapshots left out: their leads have no usable close date"


def draw_backtest(result: dict[str, Any]) -> None:
    """How good the models of the past were."""
    for skipped in result["skipped"]:
        out.print(f"[yellow]skipped[/] {short(skipped['as_of'])}: {escaped(skipped['why'])}")
    if not result["dates"]:
        return
    if result.get("horizon_why"):
        out.print(f"Horizon: {result['horizon_days']} days, since {escaped(result['horizon_why'])}")
    moment = "place" if result["horizon_days"] is None else "date"
    measures = ("AUC", "Brier", "skill", "mean p - won")
    table = table_of(f"By {moment}", "as of", "calibrator", "open", "won", *measures, text=2)
    for date in result["dates"]:
        ours = date["models"]["leadscore"]
        cells = [
            number(ours[key], interval=False) for key in ("auc", "brier", "brier_skill", "bias")
        ]
        table.add_row(
            short(date["as_of"]),
            date["calibrator"],
            f"{date['open']:,}",
            f"{date['won']:,}",
            *cells,
        )
    out.print(table)
    for date in result["dates"]:
        for note in date["notes"]:
            out.print(f"{short(date['as_of'])}: {escaped(note)}")
    models = result["pooled"]
    n = models["leadscore"]
    what = f"{n['snapshots']:,} scores of {n['leads']:,} leads at {len(result['dates'])} {moment}s"
    title = f"Pooled: {what}, 95 % intervals over leads"
    table = table_of(title, "model", *TOLD.values())
    for name, model in models.items():
        table.add_row(name.replace("_", " "), *(_stacked(model.get(key)) for key in TOLD))
    out.print(table)
    if words := auc_in_words(n):
        out.print(words)
    out.print(f"Written to {escaped(result['folder'])}", soft_wrap=True)


def _stacked(estimate: dict[str, float | None] | None) -> str:
    """An estimate above its interval."""
    if estimate is None or estimate["value"] is None or estimate["low"] is None:
        return number(estimate)
    return f"{estimate['value']:.3f}\n[dim]{estimate['low']:.3f}..{estimate['high']:.3f}[/]"


def draw_models(result: dict[str, Any]) -> None:
    """The versions, and the moves of their aliases."""
    if not result["versions"]:
        out.print(
            f"{result['registered_model']} has no version yet; run {command('train')}",
            soft_wrap=True,
        )
        return
    table = table_of(
        result["registered_model"], "number", "version", "known until", "aliases", text=4
    )
    for each in result["versions"]:
        words = (each["version"], each["known_until"], ", ".join(each["aliases"]))
        table.add_row(str(each["number"]), *map(escaped, words))
    out.print(table)
    table = table_of("Moves, the newest first", "when", "alias", "from", "to", "by", "why", text=6)
    for move in result["moves"]:
        was = "-" if move["was"] is None else str(move["was"])
        cells = (move["at"][:19] + "Z", move["alias"], was, move["now"], move["by"], move["why"])
        table.add_row(*map(escaped, cells))
    out.print(table)


def draw_shown(result: dict[str, Any]) -> None:
    """Versions side by side, as they were judged when they were trained."""
    versions = result["versions"]
    for each in versions:
        e = each["evaluation"]
        aliases = f" ({escaped(', '.join(each['aliases']))})" if each["aliases"] else ""
        out.print(
            f"Version [bold]{each['number']}[/]{aliases}, {escaped(each['version'])}, {escaped(until(each))}: judged "
            f"{e['basis']} on {_rested(e['metrics'])}; "
            f"gain in log loss over the base rate {number(e['gain'].get('log_loss_gain'))}"
        )
    whole = {
        f"version {each['number']}": each["evaluation"]["metrics"].get("all", {})
        for each in versions
    }
    parts = versions[0]["evaluation"]["metrics"] if len(versions) == 1 else whole
    draw_metrics("Judged when trained", parts)
    if len({each["known_until"] for each in versions}) > 1:
        out.print(
            "They were judged on different dates, so differences are partly those of the dates."
        )


def draw_compared(result: dict[str, Any]) -> None:
    """Two versions side by side, and what would be decided of the second."""
    draw_shown(result)
    if evidence := result["promotion"]["evidence"]:
        first, second = (each["number"] for each in result["versions"])
        out.print(
            f"\nRecipes of version {first} (as champion) and {second}, judged {evidence['judged_on']}:"
        )
    _draw_promotion(result["promotion"])


def _rested(metrics: dict[str, Any]) -> str:
    """What an evaluation rests on."""
    if "all" not in metrics:
        return "too few leads to tell"
    overall = metrics["all"]
    snapshots = (
        ""
        if overall["snapshots"] == overall["leads"]
        else f"{overall['snapshots']:,} snapshots of "
    )
    return f"{snapshots}{overall['leads']:,} leads, {overall['win_rate']:.1%} won"


def draw_moved(result: dict[str, Any]) -> None:
    """Which version scores now."""
    version = escaped(result["version"])
    out.print(
        f"Version [bold]{result['number']}[/] ({version}) is the champion: it scores from now on"
    )
    for name, (was, now) in result.get("changes", {}).items():
        out.print(f"  {name.replace('_', ' ')}: {escaped(was)} -> {escaped(now)}", highlight=False)
