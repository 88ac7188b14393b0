"""The page of the win/loss review: what its policy allows, what it shows, and that names stay text."""

import re

import pytest

from leadscore.report.win_loss.build import build_win_loss_page
from leadscore.results import Funnel
from made_pages import make_funnel, make_win_loss

HOSTILE = '<script>alert("x")</script>'


def change_of(adjusted: float) -> dict:
    return {
        "stage": "New", "way": "lost", "within_days": 60, "visits_before": 100, "visits": 120,
        "before": 0.2, "now": 0.3, "difference": {"value": 0.1, "low": 0.05, "high": 0.15},
        "p_value": 0.001, "adjusted": adjusted,
    }  # fmt: skip


def with_changes(*adjusted: float) -> Funnel:
    return make_funnel(changes=[change_of(p) for p in adjusted])


def test_page_when_written_then_its_policy_allows_its_style_alone_and_it_needs_no_network():
    page = build_win_loss_page(make_win_loss(), make_funnel())
    assert page == build_win_loss_page(make_win_loss(), make_funnel())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page
    assert ' style="' not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)


@pytest.mark.parametrize("begin", [None, "2025-09-02T00:00:00Z"])
def test_page_when_the_records_begin_late_then_says_that_the_period_before_does_not_compare(begin):
    page = build_win_loss_page(make_win_loss(records_begin=begin), make_funnel())
    warning = "The records begin on 2025-09-02; the period before is not comparable"
    assert (warning in page) == (begin is not None)
    assert ("Has it changed?" in page) == (begin is None)


def test_page_when_there_is_something_in_each_part_then_says_it():
    page = build_win_loss_page(make_win_loss(), with_changes(0.002, 0.9))
    for words in (
        "Won and lost, 2025-12-01 to 2026-03-01",
        "1,234,567",
        "Won, percent of the leads that closed: 20 (10-30); in the period before, -.",
        "Leads won: 66, before 80 (-18%): chance alone may explain it (p = 0.25).",
        "Won of those closed: 20%, before 30% (-10 points): more than chance explains (p = 0.01).",
        "EUR won: 1,234,567, before 1,000,000 (+23%)",
        "L1 (30)",  # the losses of a stage are those that closed
        "New, lost: 30%, before 20% (+10 ± 5 points; p = 0.001)",
        "New: New; 50 ± 25% of 40 won within 60 days",
        "Lost despite a good chance",
        "gave them 23% or more; usual was 13%.",
        "83%",
        "This is not a win rate",
    ):
        assert words in page
    against_the_odds = page.partition("Won against the odds")[2]
    assert "gave them 7% or less; usual was 13%." in against_the_odds
    assert "None in this period." in against_the_odds
    assert page.count("None in this period.") == 1
    assert page.count("+10 ± 5 points") == 1  # the other may be chance
    assert page.count("<svg") == 2


def test_page_when_little_is_known_then_says_so():
    lists = ("unexpected_losses", "unexpected_wins", "largest_losses")
    nothing = {name: [] for name in lists} | {"chances": None}
    few = make_win_loss(reasons=[], losses=[], changes=[], listed=0, **nothing)
    page = build_win_loss_page(few, make_funnel(patterns=[], losses=[]))
    for words in (
        "Nothing was lost.",
        "Not enough time has passed to compare patterns in a period this short.",
        "on a published list before",
    ):
        assert words in page
    assert "no share of a stage has changed" in page
    assert "Lost despite a good chance" not in page


def test_page_when_leads_were_won_then_their_list_has_no_column_of_reasons():
    won = make_win_loss().largest_wins[0].to_dict() | {"reason": ""}
    lists = {"unexpected_losses": [], "largest_losses": [], "largest_wins": [won]}
    page = build_win_loss_page(make_win_loss(reasons=[], **lists), make_funnel())
    assert "<th>last stage</th><th " in page


def test_page_when_names_are_hostile_then_they_are_text():
    page = build_win_loss_page(make_win_loss(HOSTILE), make_funnel(HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
