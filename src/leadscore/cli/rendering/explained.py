"""One lead in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, table_of
from leadscore.report.lead_words import describe_score

if TYPE_CHECKING:
    from leadscore.results import Explained, Replayed, WrittenPage

WIDTH = 24  # characters of the longest bar
LEAST = 0.005  # log-odds: smaller contributions are shown together


def draw_explained(
    explained: Explained,
    written: WrittenPage,
    *,
    reps: Mapping[str, str],
) -> None:
    """What was known about a lead, what each group of features adds, and earlier scores.

    `reps` are the names of reps by id, as far as people may see them.
    """
    from leadscore.results import Replayed

    if isinstance(explained, Replayed):
        _draw_replay(explained)
    _draw_score(explained, reps)
    _draw_waterfall(explained)
    _draw_past(explained)
    _draw_facts(explained)
    if written.written:
        out.print(f"Written to {escaped(written.written)}", soft_wrap=True)


def _draw_replay(replayed: Replayed) -> None:
    verdict = "[green]identical bytes[/]"
    if not replayed.same:
        verdict = f"[red]differs in {', '.join(replayed.differs)}[/]"
    publication = escaped(replayed.publication_id)
    out.print(f"Publication {publication} reproduced: {verdict}", highlight=False)


def _draw_score(explained: Explained, reps: Mapping[str, str]) -> None:
    when = f"as of {explained.as_of}, " if explained.as_of else ""
    lead, model = escaped(explained.lead_id), escaped(explained.model_version)
    out.print(f"[bold]{lead}[/]  {when}model {model}", highlight=False, soft_wrap=True)
    for label, text in describe_score(explained.score, reps).items():
        out.print(f"[dim]{label:<16}[/]{escaped(text)}", highlight=False, soft_wrap=True)


def _draw_waterfall(explained: Explained) -> None:
    """From the intercept to the log-odds, and from its probability to the lead's, group by group; both add up."""
    levels = [explained.base]
    for group in explained.groups:
        levels.append(levels[-1] + group.value)

    table = table_of("Contributions", "", "points", "log-odds", "", text=1)
    table.columns[3].justify = "left"
    start = f"{100 * explained.start_probability:.1f}%"
    table.add_row("intercept, same for every lead", start, f"{explained.base:+.3f}", "")
    small = []
    for place, group in enumerate(explained.groups):
        if abs(group.value) < LEAST:
            small.append(group)
            continue
        evidence = escaped(group.features[0].evidence)
        words = escaped(group.summary)
        if evidence:
            words += f"\n[dim]{evidence}[/]"
        lowest = min(levels)
        highest = max(levels)
        bar = _bar(levels[place], levels[place + 1], low=lowest, high=highest)
        table.add_row(words, f"{group.points:+.1f}", f"{group.value:+.3f}", bar)
    points = sum(group.points for group in small)
    log_odds = sum(group.value for group in small)
    if small:
        table.add_row(f"[dim]{len(small)} more[/]", f"{points:+.1f}", f"{log_odds:+.3f}", "")
    table.add_row("[bold]log-odds[/]", "", f"{explained.log_odds:+.3f}", "")
    if explained.shift:
        recent = f"{explained.shift_points:+.1f}"
        shift = f"{explained.shift:+.3f}"
        table.add_row("running intercept, same for every lead", recent, shift, "")
    end = f"{100 * explained.win_probability:.1f}%"
    calibrated = f"calibrated: {explained.win_probability:.4f}"
    table.add_row("[bold]win probability[/]", end, "", calibrated)
    out.print(table)


def _bar(start: float, end: float, *, low: float, high: float) -> str:
    """A bar from `start` to `end` on a scale from `low` to `high`, green where it rises."""
    span = (high - low) or 1.0
    ends = sorted((start, end))
    left, right = (round((level - low) / span * WIDTH) for level in ends)
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
    table = table_of("Known by then", "happened", "what", "known since, if later", text=3)
    for fact in explained.facts:
        late = fact.known if fact.known != fact.happened else ""
        table.add_row(fact.happened, escaped(fact.what), late)
    out.print(table)
