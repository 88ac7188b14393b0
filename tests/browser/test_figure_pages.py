"""The pages of the funnel, the forecast and the review in a real browser: accessible, whole on a phone, in print."""

import pytest

from leadscore.report.forecast.build import build_forecast_page
from leadscore.report.funnel.build import build_funnel_page
from leadscore.report.win_loss.build import build_win_loss_page
from made_pages import make_forecast, make_funnel, make_group, make_past, make_win_loss

AXE = "axe_playwright_python.sync_playwright"
PAGES = {
    "forecast": lambda: build_forecast_page(make_forecast(), make_past()),
    "funnel": lambda: build_funnel_page(
        make_funnel(by="channel", groups=[make_group("Webinar")]), project="acme"
    ),
    "review": lambda: build_win_loss_page(make_win_loss(), make_funnel()),
}


@pytest.fixture
def visit(browser):
    """Open a page offline; at the end its policy refused nothing."""
    contexts, problems = [], []

    def go(name, *, width=1280, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.set_content(PAGES[name]())
        return page

    yield go
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.cases(2)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_when_axe_looks_then_it_finds_nothing(visit, name, scheme):
    axe = pytest.importorskip(AXE, reason="axe-playwright-python is not installed").Axe()
    violations = axe.run(visit(name, scheme=scheme)).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in violations] == []


@pytest.mark.parametrize("name", PAGES)
def test_page_when_on_a_phone_or_in_print_then_nothing_is_cut_off(visit, name):
    page = visit(name, width=360)
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wider)
    page.emulate_media(media="print")
    assert page.is_visible("figure svg")
    assert page.pdf(format="A4")[:4] == b"%PDF"


def test_table_when_wider_than_the_phone_then_a_shadow_says_that_it_scrolls(visit):
    page = visit("funnel", width=390)
    wide = page.locator(".wide").first
    assert wide.evaluate("table => table.scrollWidth > table.clientWidth")
    shadows = wide.evaluate("table => getComputedStyle(table).backgroundImage")
    assert shadows.count("linear-gradient") == 4  # two that cover, at the ends, and two shadows


@pytest.mark.parametrize("name", PAGES)
def test_chart_when_on_a_phone_then_its_words_are_large_enough_to_read(visit, name):
    page = visit(name, width=360)
    heights = page.locator("figure svg text").evaluate_all(
        "texts => texts.map(text => text.getBoundingClientRect().height)"
    )
    assert min(heights) >= 10
