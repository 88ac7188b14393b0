"""Whom to call first."""

from __future__ import annotations

import re
from typing import Any

from leadscore.terminal.console import escaped, out, table_of
from leadscore.terminal.trained import draw_train

EVIDENCE = re.compile(r" \(of [\d,]+ such leads \d+ % were won\)$")  # in the files; here it would hide the reasons


def draw_score(result: dict[str, Any]) -> None:
    """Whom to call first, and where the list is."""
    when = f", as of {result['as_of']}" if result["as_of"] else ""
    table = table_of(f"First to call{when}", "lead", "tier", "win", "reasons", text=2)
    table.columns[3].justify = "left"
    for row in result["top"]:
        lines = []
        for side, sign in (("up", "[green]+[/]"), ("down", "[red]-[/]")):
            told = (EVIDENCE.sub("", row[f"reason_{side}_{i}"]) for i in (1, 2, 3))
            if said := "; ".join(filter(None, told)):
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
