"""The page of the funnel: what its policy allows, what it shows, and that names stay text."""

import re
from xml.etree import ElementTree

import pytest

from leadscore.report.figures.flow import plot_flow
from leadscore.report.figures.funnel import (
    plot_cohorts,
    plot_funnel,
    plot_losses,
    plot_patterns,
    plot_staying,
)
from leadscore.report.funnel.build import build_funnel_page
from leadscore.report.funnel.drawings import inline
from leadscore.results import StageMove
from pages import make_funnel

HOSTILE = '<script>alert("x")</script>'
SVG = "{http://www.w3.org/2000/svg}"


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
        "Of 2 patterns tested, 1 stands out",
        "In indecision, stalled though they respond: New. Ask for a decision, either way.",
        "Who buys from us",
        '<td class="n">120</td><td class="n">60</td>',  # visits, and within which days
    ):
        assert words in page
    assert "by chance" not in page
    assert page.count("<svg") == 6


def test_page_when_there_are_several_pipelines_then_shows_speed_and_months_of_each():
    plain = make_funnel()
    speed = {"velocity": plain.velocity, "cohorts": plain.cohorts}
    pipelines = [{"pipeline": name, **speed} for name in ("New business", HOSTILE)]
    page = build_funnel_page(make_funnel(pipelines=pipelines), project="acme")
    assert page.count("Pipeline velocity: EUR 1 a day = 1 open lead x") == 3
    assert page.count("<svg") == 8
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))
    assert "<script" not in page


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


def test_flow_when_drawn_then_names_stages_and_adds_up_won_and_lost():
    move = StageMove(stage="New", next_stage="Offer", visits=25, is_allowed=True)
    back = StageMove(stage="Offer", next_stage="New", visits=25, is_allowed=True)
    texts = texts_of(plot_flow(FUNNEL.stages, [move, back]))
    assert {"New", "Offer", "120", "won 50", "lost 50"} <= set(texts)
    assert "not enough data" in texts_of(plot_flow([], []))
