"""The page of the funnel: what its policy allows, what it shows, and that names stay text."""

import re
from xml.etree import ElementTree

import pytest

from leadscore.report.figures.funnel import (
    plot_cohorts,
    plot_funnel,
    plot_losses,
    plot_patterns,
    plot_staying,
)
from leadscore.report.funnel.build import build_funnel_page
from leadscore.report.funnel.drawings import inline
from leadscore.results import Funnel

HOSTILE = '<script>alert("x")</script>'
SVG = "{http://www.w3.org/2000/svg}"


def share(value: float | None = 0.2) -> dict:
    return {"value": value, "low": value and value / 2, "high": value and value * 1.5}


def make_stage(name: str) -> dict:
    ways = ("forward", "back", "won", "lost")
    way = {"visits": 25, "share": 0.2, "low": 0.1, "high": 0.3, "of_finished": 0.25}
    return {
        "stage": name, "visits": 120, "unfinished": 20, "within_days": 60,
        "ways": dict.fromkeys(ways, way), "staying": 0.2, "median_days": 9, "fast_days": 1,
        "slow_days": 30, "is_qualification": False, "stalled_after_days": 30, "stalled": 1,
    }  # fmt: skip


def make_funnel(name: str = "New", **changes) -> Funnel:
    """A funnel of two stages with something in each of its parts."""
    irregular = Funnel.model_fields["irregular"].annotation.model_fields
    waiting = {"lead_id": name, "stage": name, "days": 99, "lasted_longer": 0.02, "visits": 120}
    document = {
        "as_of": "2026-03-01T00:00:00Z", "since": "2025-03-01T00:00:00Z",
        "stages": [make_stage(name), make_stage("Offer")], "moves": [],
        "irregular": dict.fromkeys(irregular, 0), "changes": [], "by": None, "groups": [],
        "cohorts": [
            {"month": "2026-01", "leads": 50, "won": 9, "lost": 9, "open": 32,
             "won_within": {"30": share(), "60": share(None)}},
        ],
        "velocity": {
            "leads": 1, "wins": 1, "value": 1, "currency": "EUR", "win_rate": share(), "cycle_days": 1,
            "within_days": 1, "per_day": 1, "won_per_day": 1,
        },
        "losses": [
            {"stage": name, "reason": name, "visits": 25, "of_losses": 25, "share": share(1)},
        ],
        "contact": {
            "leads": 120, "median_days": 6, "contacted": {"1": share()}, "compared": 90, "from_day": 7,
            "within_days": 60, "bands": [{"first_contact": "within 1 day", "leads": 40, "won": share()}],
        },
        "stalled": [waiting],
        "untouched": {"leads": 1, "of_open": 20, "median_days": 4, "longest": [waiting]},
        "improvements": [
            {"stage": name, "points": 0.05, "visits": 30, "wins": 1.5, "value": 210_400, "currency": "EUR"},
        ],
        "patterns": [
            {"field": name, "value": name, "leads": 40, "within_days": 60, "won": share(0.5),
             "others": share(), "lift": 2, "p_value": 0.001, "adjusted": 0.002},
            {"field": "x", "value": "by chance", "leads": 40, "within_days": 60, "won": share(),
             "others": share(), "lift": 1, "p_value": 0.9, "adjusted": 0.9},
        ],
        "curves": [
            {"stage": name, "points": [{"days": 0, "staying": 1}, {"days": 60, "staying": 0.2}]},
        ],
    }  # fmt: skip
    return Funnel.from_dict(document | changes)


def test_page_when_written_then_its_policy_allows_its_style_alone_and_it_needs_no_network():
    page = build_funnel_page(make_funnel(), project="acme")
    assert page == build_funnel_page(make_funnel(), project="acme")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page
    assert ' style="' not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "url(http" not in page


def test_page_when_there_is_something_in_each_part_then_says_it_with_its_n():
    page = build_funnel_page(make_funnel(), project="acme")
    for words in (
        "New: +5 points = EUR 210,000 a quarter (1.5 wins)",
        "New: 99 days in New; at most 2 % of 120 visits took longer",
        "Untouched: 1 of 20 open leads; half of them have waited for more than 4 days, New for 99.",
        "First contact of 120 new leads: 20 ± 10 % within 1 day; half of them within 6.0 days.",
        "New New: 50 ± 25 % of 40 won within 60 days, 2.0 times the usual; others 20 ± 10 %",
        "Of 2 patterns tested, 1 stand",
    ):
        assert words in page
    assert "by chance" not in page
    assert page.count("<svg") == 5


def test_page_when_names_are_hostile_then_they_are_text():
    page = build_funnel_page(make_funnel(HOSTILE), project=HOSTILE)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_page_when_little_is_known_then_parts_are_left_out():
    bare = make_funnel(
        cohorts=[], losses=[], contact=None, stalled=[], untouched=None, improvements=[],
        patterns=[], curves=[],
    )  # fmt: skip
    page = build_funnel_page(bare, project="acme")
    assert "No lead is stalled." in page
    assert "First contact" not in page
    assert page.count("not enough data") >= 3


FUNNEL = make_funnel()


def texts_of(svg: str) -> list[str | None]:
    root = ElementTree.fromstring(inline(svg))  # noqa: S314, it is our own
    return [element.text for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("plot", "rows", "words"),
    [
        (plot_funnel, FUNNEL.stages, ["New: 120", "lost"]),
        (plot_staying, FUNNEL.curves, ["days in the stage", "New"]),
        (plot_cohorts, FUNNEL.cohorts, ["2026-01 (50)", "20 %"]),
        (plot_losses, FUNNEL.losses, ["New (25)", "100 %"]),
        (plot_patterns, FUNNEL.patterns, ["New New (40)", "all others"]),
    ],
)
def test_figure_when_drawn_then_is_svg_with_its_names_and_when_empty_says_so(plot, rows, words):
    assert set(words) <= set(texts_of(plot(rows)))
    assert "not enough data" in texts_of(plot([]))
