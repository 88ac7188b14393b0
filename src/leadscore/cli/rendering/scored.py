"""Whom to call first."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from leadscore.cli.rendering.console import command, escaped, out, table_of, warn
from leadscore.cli.rendering.delivered import draw_delivered
from leadscore.cli.rendering.trained import draw_train
from leadscore.report.formats import format_percent
from leadscore.wording import counted, say_action

if TYPE_CHECKING:
    from rich.table import Column, Table

    from leadscore.results import (
        Deliveries,
        Ingested,
        Published,
        Registered,
        Scored,
        Trained,
        WrittenWorkbook,
    )

NOTHING_SHOWN: Mapping[str, str] = MappingProxyType({})

# in the files; on a terminal it would hide the reasons
EVIDENCE = re.compile(r" \(\d[^()]* similar leads were won[^()]*\)$")

LEAD, TIER, ACTION = 1, 2, 5  # the places of their columns
NARROW = 100  # characters
MARGIN = 3  # characters around a column
WORDS = (LEAD, 2, 5, 6)  # the columns of words
WIDEST_LEAD, NARROW_LEAD = 24, 23  # characters

WAYS = {
    "ours": "leadscore",
    "least_loaded": "least loaded",
    "round_robin": "round robin",
}  # of giving leads to reps, by their names in files

UNLEARNED = re.compile(r"(?P<answer>.+) \((?P<kind>not learned from(?: yet)?)\)")


def draw_score(
    scored: Scored,
    published: Published,
    delivered: Deliveries | None = None,
    written: WrittenWorkbook | None = None,
    *,
    companies: Mapping[str, str] = NOTHING_SHOWN,
    reps: Mapping[str, str] = NOTHING_SHOWN,
    details: bool = False,
) -> None:
    """Whom to call first, where the list is, and what was written of it for CRMs and people.

    A lead is one line; with `details` all that speaks for it and against it follows. `companies`
    are the leads' companies, and `reps` the names of reps by id, as far as people may see them.
    """
    details_of = partial(_lines, reps=reps) if details else None
    _draw_top(scored, companies, details_of)
    _draw_counts(scored)
    _draw_what_if(scored)
    if scored.routing:
        _draw_routing(scored, scored.routing)
    warn(scored.warnings)
    _draw_place(scored, published)
    if delivered:
        draw_delivered(delivered)
    if written:
        draw_worklist(written)


def _draw_top(
    scored: Scored,
    companies: Mapping[str, str],
    details_of: Callable[[dict[str, Any]], list[str]] | None,
) -> None:
    if not scored.top:
        return
    when = f", as of {scored.as_of}" if scored.as_of else ""
    value = f"value, {escaped(scored.currency)}" if scored.currency else "value"
    title = f"First to call{when}"
    table = table_of(
        title,
        "#",
        "lead",
        "tier",
        "win",
        value,
        "next action",
        "first reason",
        text=0,
    )
    for rank, row in enumerate(scored.top, start=1):
        win = format_percent(row["win_probability"])
        why = "\n".join(details_of(row)) if details_of else escaped(_first_reason(row))
        action = escaped(say_action(row["suggested_action"]))
        lead_id = row["lead_id"]
        lead = " ".join(filter(None, [lead_id, companies.get(lead_id)]))
        table.add_row(str(rank), escaped(lead), row["tier"], win, _value(row), action, why)
    _fit_line(table, details=details_of is not None)
    out.print(table)
    if any(row["amount_estimated"] for row in scored.top):
        out.print("* with an estimated amount")


def _fit_line(table: Table, *, details: bool) -> None:
    """Words to the left; without details every lead stays on its line.

    What does not fit is cut: of long names, and of the reason. Narrow terminals have no next
    action, and no tier, since the first to call are mostly of one.
    """
    for place in WORDS:
        table.columns[place].justify = "left"
    table.columns[LEAD].max_width = WIDEST_LEAD
    if details:
        return
    if out.width < NARROW:
        table.columns[LEAD].max_width = NARROW_LEAD
        del table.columns[ACTION], table.columns[TIER]
    for column in table.columns:
        column.no_wrap = True
        column.overflow = "ellipsis"
    *others, reason = table.columns
    taken = sum(_width_of(column) + MARGIN for column in others) + MARGIN
    reason.max_width = max(out.width - taken, 1)


def _width_of(column: Column) -> int:
    texts = [str(cell) for cell in (column.header, *column.cells)]
    longest = max(len(text) for text in texts)
    return min(longest, column.max_width or longest)


def _first_reason(row: dict[str, Any]) -> str:
    """The strongest reason for a lead, else the strongest against it."""
    reason = row["reason_up_1"] or row["reason_down_1"]
    return EVIDENCE.sub("", reason)


def _value(row: dict[str, Any]) -> str:
    if row["expected_value"] is None:
        return "-"
    star = "*" if row["amount_estimated"] else ""
    return f"{row['expected_value']:,.0f}{star}"


def _lines(row: dict[str, Any], *, reps: Mapping[str, str]) -> list[str]:
    """What speaks for a lead and against it, what to ask, and who does what."""
    lines = []
    for side, sign in (("up", "[green]+[/]"), ("down", "[red]-[/]")):
        given = [row[f"reason_{side}_{place}"] for place in (1, 2)]
        reasons = [EVIDENCE.sub("", reason) for reason in given]
        words = "; ".join(filter(None, reasons))
        if words:
            lines.append(f"{sign} {escaped(words)}")
    unlearned = _list_unlearned(row["bant"])
    lines += [f"[dim]{escaped(line)}[/]" for line in unlearned]
    if row["change"] and row["trend"] != "steady":
        largest = row["change"].partition(";")[0]
        lines.append(f"[dim]{escaped(largest)}[/]")
    rep_id = row.get("rep_id")
    rep = f"{reps.get(rep_id, rep_id)}: " if rep_id else ""
    note = row["override"] or row["next_question"]
    who = f"[bold]{escaped(rep)}{escaped(say_action(row['suggested_action']))}[/]"
    return [*lines, f"{who}  {escaped(note)}"]


def _list_unlearned(bant: str) -> list[str]:
    """The answers that the probability knows nothing of, as "not learned from yet: need: high"."""
    by_kind: dict[str, list[str]] = {}
    for answer in bant.split("; "):
        match = UNLEARNED.fullmatch(answer)
        if match:
            by_kind.setdefault(match["kind"], []).append(match["answer"])
    return [f"{kind}: {'; '.join(answers)}" for kind, answers in by_kind.items()]


def _draw_counts(scored: Scored) -> None:
    counts = scored.counts
    absent = f"{counts.absent:,} absent from the export, " if counts.absent else ""
    out.print(
        f"{counted(counts.scored, 'open lead')} scored; {counts.closed:,} closed, "
        f"{counts.not_yet_created:,} not yet created, "
        f"{absent}{counts.refused:,} refused: {counts.leads:,} in total"
    )
    if not counts.scored:
        return
    tiers = ", ".join(f"{tier} {count:,}" for tier, count in scored.tiers.items())
    shift = ""
    if scored.times:
        shift = f", of which the running intercept {scored.times['shift']:+.2f} log-odds"
    mean = 100 * (scored.mean_win_probability or 0.0)
    out.print(f"Mean probability {mean:.1f}%{shift}; tiers: {tiers}")


def _draw_what_if(scored: Scored) -> None:
    """What tier A would hold at other sizes."""
    for size in scored.what_if:
        leads = int(size["leads"] or 0)
        wins = size["wins"] or 0.0
        value = size["value"]
        fewer = leads < 0
        more = "fewer" if fewer else "more"
        work = counted(abs(leads), f"{more} lead to work", f"{more} leads to work")
        worth = ""
        if value is not None:
            worth = (
                f", {_in_money(abs(value), scored)} {'less' if fewer else 'more'} expected value"
            )
        out.print(
            f"If tier A held {size['share']:.0%} of the list instead of {size['share_now']:.0%}: "
            f"{work}, {abs(wins):.1f} {more} wins{worth}",
            highlight=False,
        )


def _draw_routing(scored: Scored, facts: dict[str, Any]) -> None:
    """Who got how many leads, beside simpler strategies, and the shadow prices."""
    leads = counted(facts["leads"], "lead")
    moved = f"{facts['changed']:,} moved from another rep"
    out.print(f"Routed: {facts['assigned']:,} of {leads}, {moved}")
    values = []
    for name, strategy in facts["beside"].items():
        value = _in_money(strategy["value"], scored)
        values.append(f"{WAYS.get(name, name)} {value}")
    why = ""
    ours, *others = (strategy["value"] for strategy in facts["beside"].values())
    if max(others) > ours:
        why = (
            " (leadscore's is not the highest, since better tiers, the rep that a lead has, an even load and "
            "minimum shares count too: docs/routing.md)"
        )
    out.print(f"Expected value of the routed leads: {', '.join(values)}{why}", highlight=False)
    prices = [f"{team} {price:,.2f}" for team, price in facts["worth_of_place"].items()]
    if not prices:
        return
    words = escaped(", ".join(prices))
    out.print(
        f"Value of one more free slot in a team, as a multiple of an average lead: {words}",
        highlight=False,
    )


def _in_money(value: float, scored: Scored) -> str:
    """A sum of expected values, rounded as on the list; without amounts it is one of probabilities."""
    if scored.currency:
        return f"{escaped(scored.currency)} {value:,.0f}"
    has_amounts = any(row["expected_value"] is not None for row in scored.top)
    return f"{value:,.0f}" if has_amounts else f"{value:,.1f}"


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
            f"The published list, as of {escaped(published.previous_as_of)}, remains. "
            f"Check the export; to publish this list anyway: {anyway}",
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
        f"{written} the published one is newer and remains: {newer.publication_id}{dated}. "
        f"To publish this one anyway: {anyway}",
        soft_wrap=True,
    )


def draw_run(
    ingested: Ingested,
    trained: Trained,
    registered: Registered,
    scored: Scored | None = None,
    published: Published | None = None,
    delivered: Deliveries | None = None,
    written: WrittenWorkbook | None = None,
    *,
    companies: Mapping[str, str] = NOTHING_SHOWN,
) -> None:
    """A whole run: how good the model is, whom to call first, where everything is."""
    warn(ingested.warnings)
    draw_train(trained, registered)
    if scored and published:
        out.print()
        draw_score(scored, published, delivered, written, companies=companies)
    uri = registered.tracking_uri
    page = uri
    if not uri.startswith("http"):
        store = shlex.quote(uri)
        page = f".venv/bin/mlflow ui --backend-store-uri {store} (http://127.0.0.1:5000)"
    out.print(f"See the run: {escaped(page)}", soft_wrap=True)


def draw_worklist(written: WrittenWorkbook) -> None:
    """Where the workbook is."""
    leads = counted(written.leads, "lead")
    out.print(
        f"Wrote {leads} of the list {written.publication_id} to {escaped(written.workbook)}",
        soft_wrap=True,
    )
    if written.left_out:
        out.print(
            f"Left out: {counted(written.left_out, 'lead')} at the end of long sheets; "
            "the score files have them"
        )
