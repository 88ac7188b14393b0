"""Another score compared with leadscore's, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, number, out, short, table_of, warn

if TYPE_CHECKING:
    from leadscore.results.judged import Judged, PeekVerdict

COLORS: dict[PeekVerdict, str] = {
    "peeks": "red",
    "suspect": "yellow",
    "no sign": "green",
    "not known": "dim",
}


def draw_judge(judged: Judged) -> None:
    """The sentences first, then what they rest on."""
    out.print(f"[bold]{escaped(judged.name)}[/] compared with {escaped(judged.basis)}")
    for sentence in judged.summary:
        out.print(f"- {escaped(sentence)}", highlight=False)
    _draw_tops(judged)
    _draw_figures(judged)
    _draw_checks(judged)
    counts = judged.counts
    out.print(
        f"Of {counts.receipts:,} rows of leadscore's lists {counts.settled:,} are settled as of "
        f"{short(judged.as_of)}; {counts.both:,} of them have both scores ({short(counts.since)} "
        f"to {short(counts.until)}).",
        highlight=False,
    )
    warn(judged.warnings)


def _draw_tops(judged: Judged) -> None:
    title = (
        f"Wins in the top of an average list, and the difference in value ({escaped(judged.unit)})"
    )
    name = escaped(judged.name)
    columns = ("tier", "called", "leadscore", name, "difference", "95% interval")
    table = table_of(title, *columns)
    for top in judged.tops:
        table.add_row(
            escaped(top.tiers),
            f"{top.called:.0f}",
            f"{top.wins_ours:.1f}",
            f"{top.wins_theirs:.1f}",
            f"{top.left.value:,.0f}",
            f"{top.left.low:,.0f} to {top.left.high:,.0f}",
        )
    out.print(table)


def _draw_figures(judged: Judged) -> None:
    title = "Ranking and calibration, 95% intervals over leads"
    table = table_of(title, "", "leadscore", escaped(judged.name))
    table.add_row("AUC within dates", number(judged.auc.ours), number(judged.auc.theirs))
    ours = judged.calibration.get("ours")
    for name, metrics in judged.calibration.items():
        if ours is not None and name != "ours":
            words = f"calibration error ({name.partition(', ')[2]})"
            table.add_row(words, number(ours.calibration_error), number(metrics.calibration_error))
            table.add_row("log loss", number(ours.log_loss), number(metrics.log_loss))
    out.print(table)


def _draw_checks(judged: Judged) -> None:
    table = table_of("Does it peek at outcomes?", "check", "verdict", "evidence", text=3)
    for check in judged.checks:
        verdict = f"[{COLORS[check.verdict]}]{check.verdict}[/]"
        table.add_row(escaped(check.check), verdict, escaped(check.evidence))
    out.print(table)
