"""One lead in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, table_of

if TYPE_CHECKING:
    from leadscore.results import Explained, Replayed, WrittenPage

WIDTH = 24  # characters of the longest bar
LEAST = 0.005  # log-odds: smaller contributions are shown together


def draw_explained(explained: Explained, written: WrittenPage) -> None:
    """What was known about a lead, what each group of features adds, and earlier scores."""
    from leadscore.results import Replayed

    if isinstance(explained, Replayed):
        _draw_replay(explained)
    _draw_score(explained)
    _draw_waterfall(explained)
    _draw_past(explained)
    _draw_facts(explained)
    if written.written:
        out.print(f"Written to {escaped(written.written)}", soft_wrap=True)


def _draw_replay(replayed: Replayed) -> None:
    verdict = "[green]the same bytes[/]"
    if not replayed.same:
        verdict = f"[red]differs in {', '.join(replayed.differs)}[/]"
    publication = escaped(replayed.publication_id)
    out.print(f"Publication {publication} scored again: {verdict}", highlight=False)


def _draw_score(explained: Explained) -> None:
    row = explained.score
    interval = f"{row['probability_low']:.3f} to {row['probability_high']:.3f}"
    when = f"as of {explained.as_of}, " if explained.as_of else ""
    out.print(
        f"[bold]{escaped(explained.lead_id)}[/]: "
        f"win probability {row['win_probability']:.3f} ({interval}), "
        f"score {row['score']:.0f}, tier {row['tier']}; "
        f"{when}model {escaped(explained.model_version)}",
        highlight=False,
        soft_wrap=True,
    )
    if row["change"]:
        since = f"Since the previous list ({row['trend']}), in percentage points"
        out.print(f"{since}: {escaped(row['change'])}", highlight=False)


def _draw_waterfall(explained: Explained) -> None:
    """From the intercept to the log-odds, a bar for each group; they add up."""
    levels = [explained.base]
    for group in explained.groups:
        levels.append(levels[-1] + group.value)

    table = table_of("What it rests on, in log-odds", "", "adds", "", text=1)
    table.columns[2].justify = "left"
    table.add_row("where every lead begins", f"{explained.base:+.3f}", "")
    small = []
    for place, group in enumerate(explained.groups):
        if abs(group.value) < LEAST:
            small.append(group.value)
            continue
        evidence = escaped(group.features[0].evidence)
        words = escaped(group.said)
        if evidence:
            words += f"\n[dim]{evidence}[/]"
        bar = _bar(levels[place], levels[place + 1], low=min(levels), high=max(levels))
        table.add_row(words, f"{group.value:+.3f}", bar)
    table.add_row(f"[dim]{len(small)} more[/]", f"{sum(small):+.3f}", "")

    calibrated = f"calibrated: {explained.win_probability:.4f}"
    log_odds = f"{explained.log_odds:+.3f}"
    table.add_row("[bold]log-odds[/]", log_odds, "" if explained.shift else calibrated)
    if explained.shift:
        table.add_row(
            "running intercept, same for every lead", f"{explained.shift:+.3f}", calibrated
        )
    out.print(table)


def _bar(start: float, end: float, *, low: float, high: float) -> str:
    """A bar from `start` to `end` on a scale from `low` to `high`, green where it rises."""
    span = (high - low) or 1.0
    left, right = (round((level - low) / span * WIDTH) for level in sorted((start, end)))
    colour = "green" if end >= start else "red"
    return f"{' ' * left}[{colour}]{'█' * max(right - left, 1)}[/]"


def _draw_past(explained: Explained) -> None:
    if len(explained.past) < 2:
        return
    table = table_of("Published scores", "publication", "tier", "model", "win", "score", text=3)
    for past in explained.past:
        words = (past.publication_id, past.tier, past.model_version)
        table.add_row(*map(escaped, words), f"{past.win_probability:.3f}", f"{past.score:.0f}")
    out.print(table)


def _draw_facts(explained: Explained) -> None:
    if not explained.facts:
        return
    table = table_of("Known by then", "happened", "what", "known later, since", text=3)
    for fact in explained.facts:
        late = fact.known if fact.known != fact.happened else ""
        table.add_row(fact.happened, escaped(fact.what), late)
    out.print(table)
