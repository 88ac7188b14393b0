"""What was won and lost, and which leads to review, as one HTML file that needs no network."""

from __future__ import annotations

from leadscore.report.funnel.drawings import inline
from leadscore.report.funnel.sentences import (
    clear_changes,
    clear_patterns,
    write_change,
    write_pattern,
    write_percent,
)
from leadscore.report.page import hash_style, read_style, render_page
from leadscore.results import Funnel, Interval, WinLoss

LISTS = {  # of leads to review -> title, and why
    "unexpected_losses": (
        "Lost, though likely to be won",
        "By the last list before the close. What did the list not know, and what went wrong?",
    ),
    "unexpected_wins": (
        "Won, though unlikely",
        "By the last list before the close. What worked here that could work elsewhere?",
    ),
    "largest_losses": ("The largest losses", "By amount."),
    "largest_wins": ("The largest wins", "By amount."),
}


def build_win_loss_page(win_loss: WinLoss, funnel: Funnel) -> str:
    """The HTML text; the same results give the same text.

    Args:
        win_loss: what closed.
        funnel: of the same period, for stages, changes and patterns.
    """
    style = read_style()
    patterns = clear_patterns(funnel.patterns)
    return render_page(
        "win_loss/win_loss.html.j2",
        style=style,
        style_hash=hash_style(style),
        review=win_loss,
        lists=_list_leads(win_loss),
        range=write_range,
        share=write_percent,
        changes=[write_change(change) for change in clear_changes(funnel.changes)],
        patterns=[write_pattern(pattern) for pattern in patterns],
        figures=_draw(funnel),
    )


def write_range(share: Interval) -> str:
    """A share in per cent with both ends of its interval, or a dash.

    >>> write_range(Interval(value=0.2, low=0.15, high=0.27))
    '20 (15-27)'
    """
    if share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{100 * share.value:.0f} ({100 * share.low:.0f}-{100 * share.high:.0f})"


def _list_leads(win_loss: WinLoss) -> list[dict[str, object]]:
    """The lists of leads that have any."""
    lists = []
    for name, (title, why) in LISTS.items():
        leads = getattr(win_loss, name)
        if leads:
            lists.append({"id": name, "title": title, "why": why, "leads": leads})
    return lists


def _draw(funnel: Funnel) -> dict[str, str]:
    """Figure -> SVG, to stand within the page."""
    # matplotlib takes half a second to import
    from leadscore.report.figures.funnel import plot_losses, plot_patterns

    figures = {
        "losses": plot_losses(funnel.losses),
        "patterns": plot_patterns(clear_patterns(funnel.patterns)),
    }
    return {name: inline(svg) for name, svg in figures.items()}
