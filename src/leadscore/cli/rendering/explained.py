"""One lead in full."""

from __future__ import annotations

from typing import Any

from leadscore.cli.rendering.console import escaped, out, table_of

WIDTH = 24
LEAST = 0.005


def draw_explained(result: dict[str, Any]) -> None:
    """What was known, what each thing adds, and what was said before."""
    if "same" in result:
        verdict = (
            "[green]the same bytes[/]"
            if result["same"]
            else f"[red]differs in {', '.join(result['differs'])}[/]"
        )
        out.print(
            f"Publication {escaped(result['publication_id'])} scored again: {verdict}",
            highlight=False,
        )
    row = result["score"]
    when = f"as of {result['as_of']}, " if result["as_of"] else ""
    out.print(
        f"[bold]{escaped(result['lead_id'])}[/]: win probability {row['win_probability']:.3f} "
        f"({row['probability_low']:.3f} to {row['probability_high']:.3f}), score {row['score']:.0f}, "
        f"tier {row['tier']}; {when}model {escaped(result['model_version'])}",
        highlight=False,
        soft_wrap=True,
    )
    if row["change"]:
        out.print(
            f"Since the list before ({row['trend']}), in percentage points: {escaped(row['change'])}",
            highlight=False,
        )
    _draw_waterfall(result)
    if len(result["past"]) > 1:
        table = table_of("Published scores", "publication", "tier", "model", "win", "score", text=3)
        for each in result["past"]:
            words = (each[name] for name in ("publication_id", "tier", "model_version"))
            numbers = (f"{each['win_probability']:.3f}", f"{each['score']:.0f}")
            table.add_row(*map(escaped, words), *numbers)
        out.print(table)
    if result["facts"]:
        table = table_of("Known by then", "happened", "what", "known later, since", text=3)
        for fact in result["facts"]:
            late = fact["known"] if fact["known"] != fact["happened"] else ""
            table.add_row(fact["happened"], escaped(fact["what"]), late)
        out.print(table)
    if result.get("written"):
        out.print(f"Written to {escaped(result['written'])}", soft_wrap=True)


def _draw_waterfall(result: dict[str, Any]) -> None:
    """From the intercept to the log-odds, a bar for each group; they add up."""
    at: list[float] = [result["base"]]
    for group in result["groups"]:
        at.append(at[-1] + group["value"])
    low, span = min(at), (max(at) - min(at)) or 1.0

    def bar(start: float, end: float) -> str:
        left, right = (round((x - low) / span * WIDTH) for x in sorted((start, end)))
        colour = "green" if end >= start else "red"
        return f"{' ' * left}[{colour}]{'█' * max(right - left, 1)}[/]"

    table = table_of("What it rests on, in log-odds", "", "adds", "", text=1)
    table.columns[2].justify = "left"
    table.add_row("where every lead begins", f"{result['base']:+.3f}", "")
    for group, start, end in zip(result["groups"], at, at[1:], strict=False):
        if abs(group["value"]) >= LEAST:
            evidence = group["features"][0]["evidence"]
            said = escaped(group["said"]) + (f"\n[dim]{escaped(evidence)}[/]" if evidence else "")
            table.add_row(said, f"{group['value']:+.3f}", bar(start, end))
    small = [group["value"] for group in result["groups"] if abs(group["value"]) < LEAST]
    table.add_row(f"[dim]{len(small)} more[/]", f"{sum(small):+.3f}", "")
    calibrated = f"calibrated: {result['win_probability']:.4f}"
    table.add_row(
        "[bold]log-odds[/]", f"{result['log_odds']:+.3f}", "" if result["shift"] else calibrated
    )
    if result["shift"]:
        table.add_row("the times, of every lead", f"{result['shift']:+.3f}", calibrated)
    out.print(table)
