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
from leadscore.report.funnel.sentences import write_days, write_stalled, write_velocity
from leadscore.results import StageFlow, StageMove
from made_pages import make_funnel, make_group, make_stage, share

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
        "New: 99 days in New; about 2% of 120 visits take longer",
        "Untouched: 1 of 20 open leads; half of them have waited for more than 4 days, the longest, New, 99 days.",
        "First contact of 120 new leads: 20 ± 10% within 1 day; half of them within 6.0 days.",
        "New: New; 50 ± 25% of 40 won within 60 days, 2.0 times the usual; others 20 ± 10%",
        "Of 2 patterns tested, 1 stands out",
        "Stalled but still engaging: New. Ask for a decision, either way.",
        "These figures are too low: 20% of the visits to New have not ended after the 60 days",
        "Who buys from us",
        '<td class="n">120</td><td class="n">60</td>',  # visits, and within which days
        '<th scope="row">2026-01</th><td class="n">50</td><td class="n">20 ± 10%</td><td class="n">-</td>',
    ):
        assert words in page
    assert "by chance" not in page
    assert page.count("<svg") == 6


@pytest.mark.parametrize(("still_open", "is_low"), [(0.55, True), (0.05, False), (None, False)])
def test_velocity_when_many_leads_were_open_when_last_observed_then_says_it_is_cut_off(
    still_open, is_low
):
    velocity = make_funnel().velocity.model_copy(
        update={"still_open": still_open, "within_days": 41.0}
    )
    words = write_velocity(velocity)
    cut_off = "55% of the leads are still open after the 41 days that could be observed"
    assert (cut_off in words) == is_low


def test_stalled_when_longer_than_any_then_no_share_is_shown():
    lead = make_funnel().stalled[0].model_copy(update={"longer_than_any": True})
    words = "New: 99 days in New; longer than any completed visit in this period"
    assert write_stalled(lead) == words


@pytest.mark.parametrize(
    ("lasted_longer", "words"),
    [(0.02, "about 2%"), (0.006, "about 1%"), (0.004, "fewer than 1%")],
)
def test_stalled_when_hardly_any_visit_takes_longer_then_says_fewer_than_one_per_cent(
    lasted_longer, words
):
    lead = make_funnel().stalled[0].model_copy(update={"lasted_longer": lasted_longer})
    assert write_stalled(lead).endswith(f"{words} of 120 visits take longer")


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


def test_page_when_leads_are_grouped_then_has_their_shares_with_intervals_and_n():
    groups = [make_group("Webinar"), make_group("Fair", leads=9)]
    page = build_funnel_page(make_funnel(by="channel", groups=groups), project="acme")
    for words in (
        '<a href="#groups">By <bdi>channel</bdi></a>',
        "Leads by <bdi>channel</bdi>",
        "Won and lost within 60 days",
        '<td class="n">40</td><td class="n mid">5</td><td class="n">20 ± 10%</td>'
        '<td class="n">40 ± 20%</td><td class="n mid">33</td>',
        '<td class="n">9</td><td class="n mid">5</td><td class="n">-</td><td class="n">-</td>',
        '<td class="n">20 ± 10% <span class="soft">of 120</span></td>',
        '<th scope="row">within days</th><td class="n">60</td></tr>',
    ):
        assert words in page
    assert "not shown" not in page
    assert "#groups" not in build_funnel_page(make_funnel(), project="acme")


def test_page_when_no_lead_came_in_then_says_why_there_are_no_groups():
    page = build_funnel_page(make_funnel(by="channel"), project="acme")
    assert "No lead came in during the period, so there are none by channel." in page
    assert "No lead came in" not in build_funnel_page(make_funnel(), project="acme")


def test_page_when_there_are_many_groups_or_tiers_then_says_what_is_counted():
    many = [make_group(f"g{place}") for place in range(17)]
    page = build_funnel_page(make_funnel(by="channel", groups=many), project="acme")
    assert "2 groups with fewer leads not shown; --json has all." in page
    tiers = make_funnel(by="tier", groups=many[:1], tiers_as_of="2026-01-02T00:00:00Z")
    page = build_funnel_page(tiers, project="acme")
    assert "Won and lost within 60 days of the list of 2026-01-02" in page
    assert "Leads on that list, followed from its date on" in page


def test_page_when_shares_changed_or_histories_are_irregular_then_says_so_as_the_terminal_does():
    change = {
        "stage": "New", "way": "lost", "within_days": 60, "visits_before": 120, "visits": 120,
        "before": 0.2, "now": 0.4, "difference": share(0.2), "p_value": 0.001, "adjusted": 0.002,
    }  # fmt: skip
    plain = make_funnel()
    irregular = plain.irregular.to_dict() | {"skipped": 3}
    page = build_funnel_page(make_funnel(changes=[change], irregular=irregular), project="acme")
    assert "New, lost: 40%, before 20% (+20 ± 10 points; p = 0.001)" in page
    assert "3 moves that skipped stages" in page
    plain_page = build_funnel_page(plain, project="acme")
    assert "Too few visits in the period before to compare with." in plain_page
    assert "Nothing in the histories of the period is irregular." in plain_page


def test_page_when_stages_are_in_pipelines_then_lists_them_by_pipeline():
    stages = [
        make_stage("New") | {"pipeline": HOSTILE},
        make_stage("Due") | {"pipeline": "Renewal"},
    ]
    page = build_funnel_page(make_funnel(stages=stages), project="acme")
    assert page.count('<th scope="rowgroup" colspan="10">') == 2
    assert "<script" not in page


def test_page_when_names_are_hostile_then_they_are_text():
    hostile = make_funnel(HOSTILE, by=HOSTILE, groups=[make_group(HOSTILE)])
    page = build_funnel_page(hostile, project=HOSTILE)
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
    assert "Not enough time has passed to compare patterns in a period this short." in page
    assert "--" not in re.sub(r"<style>.*</style>", "", page, flags=re.DOTALL)  # it is e-mailed
    assert page.count("not enough data") >= 3


@pytest.mark.parametrize(
    ("median", "fast", "slow", "words"),
    [
        (9, 1, 30, "9 (1-30)"),
        (9, 1, None, "9 (from 1)"),
        (None, 1, None, "- (from 1)"),
        (None, None, None, "-"),
    ],
)
def test_days_when_too_few_visits_have_ended_then_are_left_open(median, fast, slow, words):
    days = {"median_days": median, "fast_days": fast, "slow_days": slow}
    assert write_days(StageFlow.from_dict(make_stage("New") | days)) == words


FUNNEL = make_funnel()


def texts_of(svg: str) -> list[str | None]:
    root = ElementTree.fromstring(inline(svg))  # noqa: S314, it is our own
    return [element.text for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("plot", "rows", "words"),
    [
        (plot_funnel, FUNNEL.stages, ["New: 120", "lost"]),
        (plot_staying, FUNNEL.curves, ["days in the stage", "New"]),
        (plot_cohorts, FUNNEL.cohorts, ["2026-01 (50)", "20%"]),
        (plot_losses, FUNNEL.losses, ["New (25)", "100%"]),
        (plot_patterns, FUNNEL.patterns, ["New: New (40)", "all others"]),
    ],
)
def test_figure_when_drawn_then_is_svg_with_its_names_and_when_empty_says_so(plot, rows, words):
    assert set(words) <= set(texts_of(plot(rows)))
    assert "not enough data" in texts_of(plot([]))


def test_grid_when_a_name_is_long_then_the_plot_leaves_it_room():
    (loss,) = FUNNEL.losses[:1]
    short = plot_losses([loss])
    long = plot_losses([loss.model_copy(update={"stage": "(stage not known)"})])
    assert "(stage not known) (25)" in texts_of(long)
    assert _left_of_plot(long) > _left_of_plot(short)


def _left_of_plot(svg: str) -> float:
    """Where the background of the plot begins."""
    return min(float(x) for x in re.findall(r'd="M ([\d.]+) [\d.]+ \n', svg) if float(x) > 0)


def test_flow_when_drawn_then_names_stages_and_adds_up_won_and_lost():
    move = StageMove(stage="New", next_stage="Offer", visits=25, is_allowed=True)
    back = StageMove(stage="Offer", next_stage="New", visits=25, is_allowed=True)
    texts = texts_of(plot_flow(FUNNEL.stages, [move, back]))
    assert {"New", "Offer", "120", "won 50", "lost 50"} <= set(texts)
    assert "not enough data" in texts_of(plot_flow([], []))
