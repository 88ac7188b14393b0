"""The report in a real browser: search, filter, sort, keys, a lead's panel, print, phone, accessibility."""

from dataclasses import replace
from pathlib import Path

import pytest

from leadscore.report.listing.build import build_report
from leadscore.report.listing.contents import TIMELINES
from leadscore.report.listing.leads import build_leads
from listings import make_contents, make_hostile, make_modelled

WAIT_MS = 120_000  # a machine that tests much else is slow
AXE = "axe_playwright_python.sync_playwright"


def make_bare():
    """A first list without routing, stages, names or model."""
    scores = make_contents(60).scores.drop_columns(["rep_id", "route_reason"])
    return make_contents(
        60,
        scores=scores,
        past=[],
        left=[],
        stages={},
        shown={},
        routing=None,
        waterfalls={},
        timelines={},
    )


def make_long():
    """A list with a lead more than have a timeline."""
    return make_contents(TIMELINES + 1)


def make_long_names():
    """A list whose reps and stages have names that no column holds in a line."""
    contents = make_contents(60)
    rep_names = dict.fromkeys(contents.rep_names, "Lang" * 30)
    stages = dict.fromkeys(contents.stages, "very " * 40)
    return replace(contents, rep_names=rep_names, stages=stages)


PAGE_OF = {
    "list": make_contents,
    "hostile": make_hostile,
    "bare": make_bare,
    "long": make_long,
    "modelled": make_modelled,
    "long names": make_long_names,
}


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, make in PAGE_OF.items():
        (folder / f"{name}.html").write_text(build_report(make()), encoding="utf-8")
    return folder


@pytest.fixture
def visit(browser, pages):
    """Open a page with its script run; at the end nothing was refused, asked of a network, or thrown."""
    contexts, problems = [], []

    def go(name="list", *, width=1280, scheme="light", script=True):
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            java_script_enabled=script,
            offline=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.goto(Path(pages / f"{name}.html").as_uri())
        if script:
            page.wait_for_selector("html[data-ready]")
        return page

    yield go
    for context in contexts:
        context.close()
    assert problems == []


def names(page):
    return page.locator("#leads tbody button.lead").all_inner_texts()


def search(*words):
    """The leads that have all words somewhere in their name, id, answers, question or contact."""
    matching = []
    for lead in build_leads(make_contents()):
        text = " ".join(
            [lead.name, lead.lead_id, lead.question, lead.email, lead.phone_link]
        ).lower()
        text += " ".join(["", *lead.answers]).lower()
        if all(word in text for word in words):
            matching.append(lead)
    return matching


def test_list_when_searched_filtered_and_sorted_then_shows_those_leads(visit):
    page = visit()
    assert len(names(page)) == 50
    assert page.inner_text("#count") == "120 leads"
    page.keyboard.press("/")
    page.keyboard.type("firm 11")
    hits = search("firm", "11")
    assert len(hits) > 11  # 11 and 110 to 119, and a budget of 11,000
    assert page.inner_text("#count") == f"{len(hits)} leads of 120"
    page.select_option("#tier", "A")
    assert names(page) == [lead.name for lead in hits if lead.tier == "A"]
    page.click("button[type=reset]")
    page.wait_for_selector("#count:text-is('120 leads')")
    page.select_option("#stage", "Proposal")
    assert page.inner_text("#count") == "24 leads of 120"
    page.click("button[type=reset]")
    page.click("th[data-sort=win] button")
    page.click("th[data-sort=win] button")
    assert page.get_attribute("th[data-sort=win]", "aria-sort") == "ascending"
    assert names(page)[0] == "Firm 119 Ltd"
    page.click("#next")
    assert page.inner_text("#place") == "page 2 of 3"


def test_list_when_cleared_then_is_in_its_own_order_again(visit):
    page = visit()
    page.click("th[data-sort=name] button")
    page.click("button[type=reset]")
    page.wait_for_selector("th[data-sort=rank][aria-sort=ascending]")
    assert names(page)[:3] == ["Firm 0 Ltd", "Firm 1 Ltd", "Firm 2 Ltd"]


CONTACTS = ["fox17@firm", "+49 30 017", "4930017", "deal 17", "for timeline"]


@pytest.mark.cases(2)
@pytest.mark.parametrize("words", CONTACTS)
def test_list_when_a_contact_or_a_question_is_searched_then_has_its_lead(visit, words):
    page = visit()
    page.fill("#search", words)
    assert "Firm 17 Ltd" in names(page)


def test_list_when_nothing_matches_then_says_so(visit):
    page = visit()
    assert not page.is_visible("#none")
    page.fill("#search", "no such lead")
    assert page.inner_text("#none").startswith("No lead matches")
    assert not page.is_visible("#leads")
    page.click("button[type=reset]")
    page.wait_for_selector("#leads", state="visible")
    assert not page.is_visible("#none")


def test_list_when_it_is_the_first_then_has_no_filter_of_movement(visit):
    page = visit("bare")
    assert page.locator("#moved").count() == 0
    page.select_option("#tier", "A")
    assert 0 < len(names(page)) < 50


def test_panel_when_a_lead_is_opened_then_has_everything_shown_of_it(visit):
    page = visit()
    page.click("#leads button.lead >> nth=17")
    reach = page.locator("h3:has-text('Whom to reach') + dl")
    lead = build_leads(make_contents())[17]
    shown = ["Firm 17 Ltd", "Deal 17", "Dana Fox", lead.email, lead.phone, lead.lead_id]
    assert reach.locator("dd").all_inner_texts() == shown
    links = [link.get_attribute("href") for link in reach.locator("a").all()]
    assert links == [lead.email_link, lead.phone_link, lead.url]
    label = "why this rep" if lead.rep else "why no rep"
    assert label in page.inner_text("h3:has-text('Next') + dl")


def test_list_when_on_a_phone_then_action_and_reason_have_a_line_of_their_own(visit):
    page = visit(width=390)
    first = build_leads(make_contents())[0]
    lines = page.inner_text("#leads tbody th >> nth=0").splitlines()
    assert lines == [first.name, first.contact, first.action, first.first_reason]


def test_list_when_worked_by_keyboard_then_lead_opens_and_escape_closes(visit):
    page = visit()
    page.focus("#leads tbody button.lead")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    title = page.inner_text("#panel-title")
    assert title.startswith("Firm 1 Ltd")
    words = page.inner_text("#panel-body")
    for part in ("What speaks for it", "What speaks against it", "budget: ", "Scores so far"):
        assert part in words
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="hidden")
    assert page.evaluate("document.activeElement.textContent") == "Firm 1 Ltd"


def test_panel_when_a_lead_is_opened_then_has_its_waterfall_and_timeline(visit):
    page = visit()
    page.click("#leads button.lead >> nth=0")
    page.wait_for_selector("dialog[open]")
    steps = page.locator("h3:has-text('What makes the probability') + div tbody tr")
    assert steps.first.locator("th").inner_text() == "Starting point of the model"
    assert steps.first.locator("td.n").inner_text() == "12.3%"
    assert steps.last.locator("th").inner_text() == "This lead"
    *parts, end = [float(one.rstrip("%").replace("\N{MINUS SIGN}", "-")) for one in numbers(steps)]
    assert sum(parts) == pytest.approx(end, abs=1e-9)
    assert f"{end:.1f}%" in page.inner_text("#panel-body dl >> nth=0")
    assert steps.locator("svg rect").count() == steps.count()
    timeline = page.locator("h3:has-text('What happened') + dl")
    assert timeline.locator("dt").first.inner_text() == "in 3 days, 4 March 2026"
    assert timeline.locator("dd").first.inner_text() == "Planned: meeting"
    assert timeline.locator("dt").count() == 15


def numbers(steps):
    return steps.locator("td.n").all_inner_texts()


def test_panel_when_the_list_is_long_then_says_which_leads_have_a_timeline(visit):
    page = visit("long")
    page.click("th[data-sort=rank] button")
    page.click("#leads button.lead >> nth=0")
    page.wait_for_selector("dialog[open]")
    assert "Shown for the first 2,000 leads of the list." in page.inner_text("#panel-body")


def test_page_when_printed_then_has_all_rows_and_no_controls(visit):
    page = visit()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert len(names(page)) == 120
    assert not page.is_visible("#filters")
    assert page.is_visible("th[data-sort=action]")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert len(names(page)) == 50


def test_page_when_scripts_are_off_then_first_leads_are_there(visit):
    page = visit(script=False)
    assert len(names(page)) == 50
    assert not page.is_visible("#filters")
    assert "need scripts" in page.inner_text("#list")


def test_page_when_text_is_hostile_then_nothing_runs(visit):
    page = visit("hostile")
    assert "pwned" not in page.evaluate("document.title.split(':').pop()")
    page.click("#leads button.lead >> nth=0")
    page.wait_for_selector("dialog[open]")
    assert page.locator("img").count() == 0
    assert page.locator("dialog a").count() == 0  # javascript: is no link
    assert "</script>" in page.inner_text("#panel-body")


def test_list_when_names_of_reps_and_stages_are_long_then_leads_keep_their_width(visit):
    page = visit("long names")
    lead = page.locator("#leads tbody th >> nth=0").bounding_box()
    row = page.locator("#leads tbody tr >> nth=0").bounding_box()
    assert lead["width"] >= 100
    assert row["height"] <= 160
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.cases(2)
@pytest.mark.parametrize("width", [360, 390, 768])
@pytest.mark.parametrize("name", ["list", "modelled"])
def test_page_when_the_screen_is_small_then_does_not_scroll_sideways(visit, name, width):
    page = visit(name, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#leads button.lead >> nth=0")
    assert page.evaluate("document.getElementById('panel').scrollWidth") <= width


LOOKS = [
    ("list", "dark", 360),
    ("list", "light", 1280),
    ("list", "dark", 1280),
    ("bare", "light", 360),
]


@pytest.mark.cases(2)
@pytest.mark.parametrize(("name", "scheme", "width"), LOOKS)
def test_page_when_axe_looks_then_it_finds_nothing(visit, name, scheme, width):
    axe = pytest.importorskip(AXE, reason="axe-playwright-python is not installed").Axe()
    page = visit(name, scheme=scheme, width=width)
    for opened in (False, True):
        if opened:
            page.click("#leads button.lead >> nth=0")
            page.wait_for_selector("dialog[open]")
        violations = axe.run(page).response["violations"]
        assert [(rule["id"], rule["nodes"][0]["html"]) for rule in violations] == []
