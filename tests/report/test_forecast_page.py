"""The page of the forecast: what its policy allows, what it shows, and that names stay text."""

import re
from xml.etree import ElementTree

import pytest

from leadscore.report.figures.forecast import FanStep, plot_change, plot_fan
from leadscore.report.forecast.build import build_forecast_page
from leadscore.report.forecast.steps import list_revenue_steps, list_win_steps
from leadscore.report.funnel.drawings import inline
from leadscore.results import Band, ForecastChange
from made_pages import band, make_forecast, make_past, make_period

HOSTILE = '<script>alert("x")</script>'
SVG = "{http://www.w3.org/2000/svg}"


def test_page_when_written_then_its_policy_allows_its_style_alone_and_it_needs_no_network():
    page = build_forecast_page(make_forecast(), make_past())
    assert page == build_forecast_page(make_forecast(), make_past())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page
    assert ' style="' not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_page_when_there_is_something_in_each_part_then_says_it():
    page = build_forecast_page(make_forecast(), make_past())
    for words in (
        "All periods, EUR: commit 4,000,000 (reached in 9 of 10 simulations)",
        "Pipeline coverage: 4.5 times the revenue expected from it in these periods.",
        "+500,000.00",
        "the table of periods shows the middle of the range",
        "The open pipeline is 1.1 times what the target still lacks.",
        "By then, 100 more leads would add 70,000 EUR. One more rep, taking 52 leads like the others, "
        "would add 36,400 EUR; a 10% higher win rate (relative) would add 200,000.",
        "Actual wins were within the 80% range in 1 of 1 month",
        "2,500,000 (2,000,000-3,000,000)",
        "New leads for the target by channel",
        "420 (300-540)",
        "900 (600-∞)",
        "3 forecasts published since 2026-01-05; actual wins were within the 80% range in 1 of 1 period, actual revenue in 0",
        "9,000,000",
    ):
        assert words in page
    assert "by the model" not in page  # nothing came of it
    assert page.count("<svg") == 3


def test_page_when_money_is_simulated_then_three_digits_are_shown_and_the_change_is_exact():
    period = make_period("2026-03", 8) | {"revenue": band(1_402_847), "revenue_from_open": 987_654}
    page = build_forecast_page(make_forecast(periods=[period]))
    assert "1,400,000 (1,120,000-1,680,000)" in page
    assert '<td class="n">988,000</td>' in page
    assert "2,300,000.00" in page
    assert "2026-03: 1,120,000 to 1,680,000" in page  # the figure in words


def test_page_when_little_is_known_then_parts_are_left_out_and_names_are_text():
    periods = [make_period("2026-03", 0) | {"revenue": None}]
    bare = make_forecast(
        HOSTILE, change=None, needed=None, views=None, settled=None, periods=periods,
        pipelines=[{"pipeline": HOSTILE, "periods": periods, "total": periods[0]}],
    )  # fmt: skip
    page = build_forecast_page(bare)
    assert "not enough data" in page  # of revenue
    assert "Published forecasts" not in page
    assert "of which &lt;script&gt;" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_fan_when_forecasts_were_published_then_they_stand_before_unless_months_are_replayed():
    published = list_win_steps(make_forecast(), None)
    assert [(step.name, step.came, step.is_ahead) for step in published] == [
        ("2026-02", 33, False), ("2026-03", 8, True), ("2026-04", None, True),
    ]  # fmt: skip
    replayed = make_past().model_copy(update={"months": []})
    assert [step.name for step in list_win_steps(make_forecast(), replayed)] == [
        "2026-03",
        "2026-04",
    ]
    assert list_revenue_steps(make_forecast(), None)[0].came == 9e6


def texts_of(svg: str) -> list[str | None]:
    root = ElementTree.fromstring(inline(svg))  # noqa: S314, it is our own
    return [element.text for element in root.iter(f"{SVG}text")]


def test_fan_when_drawn_then_has_periods_over_and_ahead_with_what_came():
    steps = [
        FanStep("2026-02", Band.from_dict(band(30)), 33.0, is_ahead=False),
        FanStep("2026-03", Band.from_dict(band(40)), None, is_ahead=True),
    ]
    svg = plot_fan(steps, name="wins", unit="wins", by="month")
    assert {"2026-02", "2026-03", "ahead", "actual so far", "Expected wins by month"} <= set(
        texts_of(svg)
    )
    assert "2026-02: 24 to 36, actual 33; 2026-03: 32 to 48" in svg
    assert "not enough data" in texts_of(plot_fan([], name="wins", unit="wins", by="month"))


@pytest.mark.parametrize("before", [0, 200_000_000, 150_000])
def test_waterfall_when_drawn_then_bars_lead_from_then_to_now(before):
    change = ForecastChange(
        since="2026-02-15T00:00:00Z", period="2026-03", before=before, after=before + 30_000_000,
        parts={"new_leads": 50_000_000, "lost": -20_000_000, "won": 0},
        leads={"new_leads": 12, "lost": 7, "won": 0},
    )  # fmt: skip
    texts = texts_of(plot_change(change, currency="EUR"))
    then, now = f"{before / 100:,.0f}", f"{before / 100 + 300_000:,.0f}"
    assert {"new leads", "+500,000", "-200,000", now} <= set(texts)
    assert then in texts
    assert "won" not in texts
    starts_higher = any("The axis does not start at 0." in (text or "") for text in texts)
    assert starts_higher == (before == 200_000_000)
    assert "not enough data" in texts_of(plot_change(None, currency=None))
