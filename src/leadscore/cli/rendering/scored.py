"""Whom to call first."""

from __future__ import annotations

import re
import shlex
from typing import Any

from leadscore.cli.rendering.console import command, escaped, out, table_of
from leadscore.cli.rendering.trained import draw_train
from leadscore.wording import counted

EVIDENCE = re.compile(
    r" \(of [\d,]+ such leads \d+ % were won\)$"
)  # in the files; here it would hide the reasons


def draw_score(result: dict[str, Any]) -> None:
    """Whom to call first, and where the list is."""
    when = f", as of {result['as_of']}" if result["as_of"] else ""
    value = f"value, {result['currency']}" if result["currency"] else "value"
    table = table_of(
        f"First to call{when}", "lead", "tier", "win", value, "why, and what to do", text=2
    )
    table.columns[4].justify = "left"
    for row in result["top"]:
        worth = "-" if row["expected_value"] is None else f"{row['expected_value']:,.0f}"
        worth += "*" if row["amount_estimated"] else ""
        table.add_row(
            escaped(row["lead_id"]),
            row["tier"],
            f"{row['win_probability']:.3f}",
            worth,
            "\n".join(_lines(row)),
        )
    if result["top"]:
        out.print(table)
    if any(row["amount_estimated"] for row in result["top"]):
        out.print("* by an estimated amount")
    c = result["counts"]
    absent = f"{c['absent']:,} absent from the export, " if c["absent"] else ""
    out.print(
        f"{counted(c['scored'], 'open lead')} scored; {c['closed']:,} closed, "
        f"{c['not_yet_created']:,} not yet created, "
        f"{absent}{c['refused']:,} refused: {c['leads']:,} in all"
    )
    if c["scored"]:
        tiers = ", ".join(f"{tier} {n:,}" for tier, n in result["tiers"].items())
        times = (
            f", of which the times {result['times']['shift']:+.2f} log-odds"
            if result["times"]
            else ""
        )
        out.print(f"Mean probability {result['mean_win_probability']:.3f}{times}; tiers: {tiers}")
    for each in result["what_if"]:
        worth = (
            ""
            if each["value"] is None
            else f", {result['currency'] or 'value'} {each['value']:+,.0f}"
        )
        leads = "lead" if abs(each["leads"]) == 1 else "leads"
        out.print(
            f"A at {each['share']:.0%} instead of {each['share_now']:.0%}: {each['leads']:+,} {leads} to work, "
            f"{each['wins']:+.1f} wins{worth}",
            highlight=False,
        )
    if result["routing"]:
        _draw_routing(result["routing"])
    for warning in result["warnings"]:
        out.print(f"[yellow]warning:[/] {escaped(warning)}")
    _draw_place(result)


def _draw_place(result: dict[str, Any]) -> None:
    """Where the list is, and whether readers are led to it."""
    newer = result["newer"]
    as_of = f" --as-of {result['as_of']}" if result["as_of"] else ""
    if result["withheld"]:
        out.print(
            f"[yellow]Not published:[/] the list is written in {escaped(result['folder'])}, but it differs "
            f"too much from the previous list: {escaped('; '.join(result['withheld']))}. The published list, as of "
            f"{escaped(result['previous_as_of'])}, stays. Look at what was exported; to publish this list all the "
            f"same: {command(f'score{as_of} --even-if-unlike')}",
            soft_wrap=True,
        )
        return
    if newer is None:
        out.print(f"Published in {escaped(result['folder'])}", soft_wrap=True)
        return
    dated = f", as of {newer['as_of']}" if newer["as_of"] else ""
    replace = command(f"score{as_of} --replace-newer")
    out.print(
        f"[yellow]Not published:[/] the list is written in {escaped(result['folder'])}, but the published one is newer "
        f"and stays: {newer['publication_id']}{dated}. To publish this one all the same: {replace}",
        soft_wrap=True,
    )


def _lines(row: dict[str, Any]) -> list[str]:
    """What speaks for a lead and against it, what to ask, and who does what."""
    lines = []
    for side, sign in (("up", "[green]+[/]"), ("down", "[red]-[/]")):
        told = (EVIDENCE.sub("", row[f"reason_{side}_{i}"]) for i in (1, 2))
        if said := "; ".join(filter(None, told)):
            lines.append(f"{sign} {escaped(said)}")
    if row["change"] and row["trend"] != "steady":
        lines.append(f"[dim]{escaped(row['change'].partition(';')[0])}[/]")
    who = f"{row['rep_id']}: " if row.get("rep_id") else ""
    note = row["override"] or row["next_question"]
    return [*lines, f"[bold]{escaped(who)}{escaped(row['suggested_action'])}[/]  {escaped(note)}"]


def _draw_routing(facts: dict[str, Any]) -> None:
    """Who got how much, beside simpler ways, and what one more place is worth."""
    of = counted(facts["leads"], "lead")
    out.print(f"Routed: {facts['assigned']:,} of {of}, {facts['changed']:,} moved from another rep")
    for name, way in facts["beside"].items():
        out.print(
            f"  {name.replace('_', ' ')}: {counted(way['assigned'], 'lead')}, value {way['value']:,.1f}, "
            f"total objective {way['whole']:,.1f} (in average leads)",
            highlight=False,
        )
    worth = ", ".join(f"{team} {value:,.2f}" for team, value in facts["worth_of_place"].items())
    out.print(f"One more place is worth, in average leads: {escaped(worth)}", highlight=False)


def draw_run(result: dict[str, Any]) -> None:
    """What a whole run gave: how good the model is, whom to call first, where everything is."""
    for warning in result["ingested"]["warnings"]:
        out.print(f"[yellow]warning:[/] {escaped(warning)}")
    draw_train(result["trained"])
    if result["scored"]:
        out.print()
        draw_score(result["scored"])
    uri = result["trained"]["tracking_uri"]
    page = f".venv/bin/mlflow ui --backend-store-uri {shlex.quote(uri)} (http://127.0.0.1:5000)"
    out.print(f"See the run: {escaped(uri if uri.startswith('http') else page)}", soft_wrap=True)
