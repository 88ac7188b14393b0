"""The arithmetic of the sales pipeline: losses, waiting leads, improvements and patterns."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, table_of
from leadscore.cli.rendering.pipeline_leads import write_share
from leadscore.report.funnel.sentences import (
    FEW,
    clear_patterns,
    explain_patterns,
    warn_cut_off_stages,
    write_contact,
    write_improvement,
    write_pattern,
    write_stalled,
    write_undecided,
    write_untouched,
)

if TYPE_CHECKING:
    from leadscore.results import ContactTimes, Funnel, StageLoss

MOST_REASONS = 3


def draw_losses(funnel: Funnel) -> None:
    """Where and why leads are lost, what waits, what would pay, and what winners have in common."""
    if funnel.losses:
        _draw_reasons(funnel.losses)
    if funnel.contact:
        _draw_contact(funnel.contact)
    _draw_waiting(funnel)
    if funnel.improvements:
        _print(
            "If 5 of 100 visits to a stage were not lost but moved on (from the last stage: were won), at "
            "unchanged rates (arithmetic):"
        )
        _print_all([write_improvement(improvement) for improvement in funnel.improvements])
        if cut_off := warn_cut_off_stages(funnel.stages):
            _print(cut_off)
    patterns = clear_patterns(funnel.patterns)
    if not funnel.patterns:
        _print(f"{explain_patterns(funnel.patterns)} Use a longer --days.")
    if patterns:
        _print("Leads still open a week after they came in, by what was known then:")
        _print_all([write_pattern(pattern) for pattern in patterns[:FEW]])


def _draw_reasons(losses: list[StageLoss]) -> None:
    """A line a stage, with its most frequent reasons."""
    heads = ("stage", "lost", "most frequent reasons, percent of the stage's losses")
    table = table_of("Lost visits that began in the period, by stage and stated reason", *heads)
    table.columns[2].justify = "left"
    for stage, of_stage in groupby(losses, key=lambda loss: loss.stage):
        reasons = list(of_stage)
        words = [f"{loss.reason} {write_share(loss.share)}" for loss in reasons[:MOST_REASONS]]
        lost = f"{reasons[0].of_losses:,}"
        table.add_row(escaped(stage), lost, escaped(", ".join(words)))
    out.print(table)


def _draw_contact(contact: ContactTimes) -> None:
    """How soon leads are contacted, and how many are won by that."""
    _print(write_contact(contact))
    title = (
        f"Won within {contact.within_days:g} days, by first contact: a correlation, not an effect"
    )
    table = table_of(title, "first contact", "leads", "won")
    for band in contact.bands:
        table.add_row(band.first_contact, f"{band.leads:,}", write_share(band.won))
    out.print(table)


def _draw_waiting(funnel: Funnel) -> None:
    """How many leads wait, and the longest waiting."""
    if funnel.untouched:
        _print(write_untouched(funnel.untouched))
    if funnel.stalled:
        _print("Stalled, the most unusual first:")
        _print_all([write_stalled(lead) for lead in funnel.stalled[:FEW]])
    if funnel.undecided:
        _print(write_undecided(funnel.undecided))


def _print_all(lines: list[str]) -> None:
    for line in lines:
        _print(f"  {line}")


def _print(words: str) -> None:
    out.print(escaped(words), highlight=False)
