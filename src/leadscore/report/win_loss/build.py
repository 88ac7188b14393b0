"""What was won and lost, and which leads to review, as one HTML file that needs no network."""

from __future__ import annotations

from leadscore.report.formats import format_percent
from leadscore.report.funnel.drawings import inline
from leadscore.report.funnel.sentences import (
    BY_CHANCE,
    clear_changes,
    clear_patterns,
    explain_patterns,
    write_change,
    write_pattern,
    write_percent,
)
from leadscore.report.page import render_page_of_figures
from leadscore.results import Funnel, HeadlineChange, Interval, WinLoss

TITLES = {  # of the lists of leads to review
    "unexpected_losses": "Lost despite a good chance",
    "unexpected_wins": "Won against the odds",
    "largest_losses": "The largest losses",
    "largest_wins": "The largest wins",
}


def build_win_loss_page(win_loss: WinLoss, funnel: Funnel) -> str:
    """The HTML text; the same results give the same text.

    Args:
        win_loss: what closed.
        funnel: of the same period, for stages, changes and patterns.
    """
    patterns = clear_patterns(funnel.patterns)
    return render_page_of_figures(
        "win_loss/win_loss.html.j2",
        review=win_loss,
        lists=_list_leads(win_loss),
        range=write_range,
        share=write_percent,
        headlines=write_headlines(win_loss),
        changes=[write_change(change) for change in clear_changes(funnel.changes)],
        patterns=[write_pattern(pattern) for pattern in patterns],
        explained_patterns=explain_patterns(funnel.patterns),
        figures=_draw(win_loss, funnel),
    )


def write_range(share: Interval) -> str:
    """A share in percent with both ends of its interval, or a dash.

    >>> write_range(Interval(value=0.2, low=0.15, high=0.27))
    '20 (15-27)'
    """
    if share.value is None or share.low is None or share.high is None:
        return "-"
    return f"{100 * share.value:.0f} ({100 * share.low:.0f}-{100 * share.high:.0f})"


def write_headlines(win_loss: WinLoss) -> list[str]:
    """Whether each headline figure has changed by more than chance explains.

    None where the period before is not comparable.
    """
    if win_loss.records_begin:
        return []
    money = win_loss.currency or "revenue"
    return [_write_headline(change, money=money) for change in win_loss.changes]


def _write_headline(change: HeadlineChange, *, money: str) -> str:
    """A headline figure beside that of before, with the verdict."""
    is_clear = change.p_value < BY_CHANCE
    verdict = "more than chance explains" if is_clear else "chance alone may explain it"
    verdict = f"{verdict} (p = {change.p_value:.2g})"
    if change.name == "won_of_closed":
        points = f"{100 * (change.now - change.before):+.0f} points"
        now, before = f"{100 * change.now:.0f}%", f"{100 * change.before:.0f}%"
        return f"won of those closed: {now}, before {before} ({points}): {verdict}"
    name = {"revenue": f"{money} won", "won": "leads won", "lost": "leads lost"}[change.name]
    figures = f"{name}: {change.now:,.0f}, before {change.before:,.0f}"
    if not change.before:
        return f"{figures}: {verdict}"
    relative = 100 * (change.now / change.before - 1)
    return f"{figures} ({relative:+.0f}%): {verdict}"


def _list_leads(win_loss: WinLoss) -> list[dict[str, object]]:
    """The lists of leads; those by amount only if they have any."""
    reasons = {"largest_losses": "By amount.", "largest_wins": "By amount."}
    reasons |= _explain_unexpected(win_loss)
    lists = []
    for name, title in TITLES.items():
        leads = getattr(win_loss, name)
        is_shown = leads or name.startswith("unexpected")
        if name in reasons and is_shown:
            lists.append({"title": title, "why": reasons[name], "leads": leads})
    return lists


def _explain_unexpected(win_loss: WinLoss) -> dict[str, str]:
    """Which chances count as good and as poor; nothing where no list had any of the leads."""
    chances = win_loss.chances
    if chances is None:
        return {}
    usual = format_percent(chances.usual)
    return {
        "unexpected_losses": f"The last list before the close gave them {format_percent(chances.good)} or "
        f"more; usual was {usual}. What did the list not know, and what went wrong?",
        "unexpected_wins": f"The last list before the close gave them {format_percent(chances.poor)} or "
        f"less; usual was {usual}. What worked here that could work elsewhere?",
    }


def _draw(win_loss: WinLoss, funnel: Funnel) -> dict[str, str]:
    """Figure -> SVG, to stand within the page."""
    # matplotlib takes half a second to import
    from leadscore.report.figures.funnel import plot_losses, plot_patterns

    figures = {
        "losses": plot_losses(win_loss.losses),
        "patterns": plot_patterns(clear_patterns(funnel.patterns)),
    }
    return {name: inline(svg) for name, svg in figures.items()}
