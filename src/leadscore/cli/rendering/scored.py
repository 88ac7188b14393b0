"""Whom to call first."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from leadscore.cli.rendering.console import command, escaped, out, table_of, warn
from leadscore.cli.rendering.trained import draw_train
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import Ingested, Published, Registered, Scored, Trained

# in the files; on a terminal it would hide the reasons
EVIDENCE = re.compile(r" \(of [\d,]+ such leads \d+ % were won\)$")


def draw_score(scored: Scored, published: Published) -> None:
    """Whom to call first, and where the list is."""
    _draw_top(scored)
    _draw_counts(scored)
    _draw_what_if(scored)
    if scored.routing:
        _draw_routing(scored.routing)
    warn(scored.warnings)
    _draw_place(scored, published)


def _draw_top(scored: Scored) -> None:
    if not scored.top:
        return
    when = f", as of {scored.as_of}" if scored.as_of else ""
    value = f"value, {scored.currency}" if scored.currency else "value"
    columns = ("lead", "tier", "win", value, "why, and what to do")
    table = table_of(f"First to call{when}", *columns, text=2)
    table.columns[4].justify = "left"
    for row in scored.top:
        probability = f"{row['win_probability']:.3f}"
        why = "\n".join(_lines(row))
        table.add_row(escaped(row["lead_id"]), row["tier"], probability, _value(row), why)
    out.print(table)
    if any(row["amount_estimated"] for row in scored.top):
        out.print("* by an estimated amount")


def _value(row: dict[str, Any]) -> str:
    if row["expected_value"] is None:
        return "-"
    star = "*" if row["amount_estimated"] else ""
    return f"{row['expected_value']:,.0f}{star}"


def _lines(row: dict[str, Any]) -> list[str]:
    """What speaks for a lead and against it, what to ask, and who does what."""
    lines = []
    for side, sign in (("up", "[green]+[/]"), ("down", "[red]-[/]")):
        reasons = [EVIDENCE.sub("", row[f"reason_{side}_{place}"]) for place in (1, 2)]
        words = "; ".join(filter(None, reasons))
        if words:
            lines.append(f"{sign} {escaped(words)}")
    if row["change"] and row["trend"] != "steady":
        largest = row["change"].partition(";")[0]
        lines.append(f"[dim]{escaped(largest)}[/]")
    rep = f"{row['rep_id']}: " if row.get("rep_id") else ""
    note = row["override"] or row["next_question"]
    action = f"[bold]{escaped(rep)}{escaped(row['suggested_action'])}[/]"
    return [*lines, f"{action}  {escaped(note)}"]


def _draw_counts(scored: Scored) -> None:
    counts = scored.counts
    absent = f"{counts.absent:,} absent from the export, " if counts.absent else ""
    out.print(
        f"{counted(counts.scored, 'open lead')} scored; {counts.closed:,} closed, "
        f"{counts.not_yet_created:,} not yet created, "
        f"{absent}{counts.refused:,} refused: {counts.leads:,} in all"
    )
    if not counts.scored:
        return
    tiers = ", ".join(f"{tier} {count:,}" for tier, count in scored.tiers.items())
    shift = ""
    if scored.times:
        shift = f", of which the running intercept {scored.times['shift']:+.2f} log-odds"
    out.print(f"Mean probability {scored.mean_win_probability:.3f}{shift}; tiers: {tiers}")


def _draw_what_if(scored: Scored) -> None:
    """What tier A would hold at other sizes."""
    for size in scored.what_if:
        leads, wins, value = size["leads"] or 0, size["wins"] or 0.0, size["value"]
        noun = "lead" if abs(leads) == 1 else "leads"
        worth = "" if value is None else f", {scored.currency or 'value'} {value:+,.0f}"
        out.print(
            f"A at {size['share']:.0%} instead of {size['share_now']:.0%}: "
            f"{leads:+,} {noun} to work, {wins:+.1f} wins{worth}",
            highlight=False,
        )


def _draw_routing(facts: dict[str, Any]) -> None:
    """Who got how many leads, beside simpler strategies, and the shadow prices."""
    leads = counted(facts["leads"], "lead")
    moved = f"{facts['changed']:,} moved from another rep"
    out.print(f"Routed: {facts['assigned']:,} of {leads}, {moved}")
    for name, strategy in facts["beside"].items():
        out.print(
            f"  {name.replace('_', ' ')}: {counted(strategy['assigned'], 'lead')}, "
            f"value {strategy['value']:,.1f}, "
            f"total objective {strategy['whole']:,.1f} (in average leads)",
            highlight=False,
        )
    prices = [f"{team} {price:,.2f}" for team, price in facts["worth_of_place"].items()]
    words = escaped(", ".join(prices))
    out.print(f"One more slot is worth, in average leads: {words}", highlight=False)


def _draw_place(scored: Scored, published: Published) -> None:
    """Where the list is, and whether it is published."""
    folder = escaped(published.folder)
    as_of = f" --as-of {scored.as_of}" if scored.as_of else ""
    written = f"[yellow]Not published:[/] the list is written in {folder}, but"
    if published.withheld:
        anyway = command(f"score{as_of} --even-if-unlike")
        out.print(
            f"{written} it differs too much from the previous list: "
            f"{escaped('; '.join(published.withheld))}. "
            f"The published list, as of {escaped(published.previous_as_of)}, stays. "
            f"Look at what was exported; to publish this list anyway: {anyway}",
            soft_wrap=True,
        )
        return
    if published.newer is None:
        out.print(f"Published in {folder}", soft_wrap=True)
        return
    newer = published.newer
    dated = f", as of {newer.as_of}" if newer.as_of else ""
    anyway = command(f"score{as_of} --replace-newer")
    out.print(
        f"{written} the published one is newer and stays: {newer.publication_id}{dated}. "
        f"To publish this one anyway: {anyway}",
        soft_wrap=True,
    )


def draw_run(
    ingested: Ingested,
    trained: Trained,
    registered: Registered,
    scored: Scored | None = None,
    published: Published | None = None,
) -> None:
    """A whole run: how good the model is, whom to call first, where everything is."""
    warn(ingested.warnings)
    draw_train(trained, registered)
    if scored and published:
        out.print()
        draw_score(scored, published)
    uri = registered.tracking_uri
    page = uri
    if not uri.startswith("http"):
        store = shlex.quote(uri)
        page = f".venv/bin/mlflow ui --backend-store-uri {store} (http://127.0.0.1:5000)"
    out.print(f"See the run: {escaped(page)}", soft_wrap=True)
