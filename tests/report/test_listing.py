"""The report of a list: what it says, that no text of a lead can run, and that it is the same every time."""

import base64
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from leadscore.cli.rendering import scored as rendering
from leadscore.report.lead_words import describe_score
from leadscore.report.listing import build
from leadscore.report.listing.build import build_report
from leadscore.report.listing.changes import find_changes
from leadscore.report.listing.contents import TIMELINES, WATERFALLS
from leadscore.report.listing.digest import build_digest
from leadscore.report.listing.document import LIFTING, LOWERING, RECENT
from leadscore.report.listing.headline import build_headline
from leadscore.report.listing.leads import build_leads
from leadscore.report.listing.routed import describe_routing
from leadscore.report.listing.texts import clean, clean_link, link_email, link_phone
from leadscore.results import PipelineHealth
from listings import EVIL, make_contents, make_hostile, make_modelled, make_scores, set_column

VOID = {"meta", "br", "input"}


class Elements(HTMLParser):
    """The elements of a page, checked to be closed in order, and the text of its scripts."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.scripts = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


def parse(page):
    elements = Elements()
    elements.feed(page)
    assert elements.open == []
    return elements


def decode(page):
    """The document that the script of a page reads."""
    data = re.search(r'<script type="text/plain" id="data">([A-Za-z0-9+/=]+)</script>', page)[1]
    return json.loads(zlib.decompress(base64.b64decode(data)))


@pytest.fixture(scope="module")
def hostile():
    return build_report(make_hostile())


def test_page_when_built_twice_then_has_the_same_bytes():
    assert build_report(make_contents(80)) == build_report(make_contents(80))


def test_page_when_built_then_asks_nobody_else_for_anything():
    elements = parse(build_report(make_contents(30)))
    policy = next(a["content"] for _, a in elements.seen if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for _, attributes in elements.seen:
        assert "src" not in attributes
        assert "style" not in attributes  # the policy would drop it
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith("#")


@pytest.mark.parametrize("n", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_page_when_it_has_thousands_of_leads_then_is_under_a_megabyte(n):
    page = build_report(make_contents(n))
    assert len(page.encode()) < 90_000 + 180 * n
    assert len(decode(page)["columns"]["win"]) == n


def test_text_of_a_lead_when_hostile_then_stays_text(hostile):
    elements = parse(hostile)
    assert "img" not in {tag for tag, _ in elements.seen}
    assert len(elements.scripts) == 2
    assert EVIL not in hostile
    assert "\x00" not in hostile


def test_text_of_a_lead_when_hostile_then_is_short_and_cannot_reverse_the_line(hostile):
    document = decode(hostile)
    assert max(len(text) for text in document["texts"]) <= 240
    assert not any("\u202e" in text or "\x00" in text for text in document["texts"])
    assert "\u202e" not in hostile
    assert "javascript:" not in document["texts"]


CLEANED = [
    ("a\x00b", "a\ufffdb"),
    ("one\ntwo", "one two"),
    ("\u202eabc", "\ufffdabc"),
    ("עברית", "עברית"),
    ("👩\u200d💻", "👩\u200d💻"),
    (None, ""),
]


@pytest.mark.parametrize(("text", "expected"), CLEANED)
def test_text_when_cleaned_then_hides_nothing(text, expected):
    assert clean(text) == expected


LINKS = {
    "https://crm.example/lead/1": True,
    "http://crm.example/1": True,
    "javascript:alert(1)": False,
    "data:text/html,x": False,
    "https://a b": False,
    "https://a\u202e": False,
    "": False,
}


@pytest.mark.parametrize("link", LINKS)
def test_link_when_a_browser_may_follow_it_then_is_kept(link):
    assert bool(clean_link(link)) == LINKS[link]


ADDRESSES = {
    "eva@firm.example": "mailto:eva@firm.example",
    " eva+crm@mail.firm.example ": "mailto:eva+crm@mail.firm.example",
    "eva@firm": "",
    "eva@firm.example, tom@firm.example": "",
    "eva@firm.example?bcc=all@firm.example": "",
    "javascript:alert(1)@firm.example": "",
    "éva@firm.example": "",
    "eva@firm.example\u202e": "",
    "": "",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_email_when_a_plain_address_then_has_a_link(address):
    assert link_email(address) == ADDRESSES[address]


PHONES = {
    "+44 1632 960828": "tel:+441632960828",
    "(0)30 1234-56": "tel:030123456",
    "+49 (0)30 1234.56": "tel:+4930123456",
    "030 123456 ext. 7": "",
    "030 123456 / 0171 1234567": "",
    "030 123456;phone-context=evil": "",
    "*21*030123456#": "",
    "1234": "",
    "+1 234 567 890 123 456 7": "",
    "٠٣٠١٢٣٤٥٦": "",
    "": "",
}


@pytest.mark.parametrize("phone", PHONES)
def test_phone_when_a_plain_number_then_has_a_link(phone):
    assert link_phone(phone) == PHONES[phone]


PERCENTS = {  # probability -> what people read
    0.5649: "56%",
    0.5751: "58%",
    0.5749: "57%",
    0.565: "57%",
    0.125: "13%",
    0.0049: "<1%",
    0.005: "1%",
}


@pytest.mark.parametrize("probability", PERCENTS)
def test_probability_when_shown_then_is_the_same_per_cent_everywhere(probability):
    contents = set_column(make_contents(1), "win_probability", [probability])
    page = build_report(contents)
    document = decode(page)
    percent = PERCENTS[probability]
    assert document["texts"][document["columns"]["percent"][0]] == percent
    assert f'<td class="n">{percent.replace("<", "&lt;")}</td>' in page
    assert f"({percent}, " in build_digest(contents)


def test_interval_when_shown_then_is_that_of_explain():
    contents = set_column(make_contents(1), "probability_low", [0.0149])
    contents = set_column(contents, "probability_high", [0.0649])
    [lead] = build_leads(contents)
    words = describe_score(contents.scores.to_pylist()[0], {})["win probability"]
    assert lead.interval == "1 to 6%"
    assert words.endswith("(leads like this: 1 to 6%)")


def test_change_when_shown_then_is_rounded_once():
    points = [2.46, 1.96, -1.96, -2.46, 0.4, None]
    leads = build_leads(set_column(make_contents(6), "change_points", points))
    assert [lead.move for lead in leads] == [2, 2, -2, -2, 0, None]
    assert [lead.trend for lead in leads] == [1, 0, 0, -1, 0, 0]


def test_groups_when_they_carry_the_score_then_have_the_per_cent_of_the_sentence():
    page = build_report(make_modelled())
    assert "stage (13%)" in page
    assert '<th scope="row">Stage</th><td class="n">13%</td>' in page


@pytest.mark.parametrize("part", ['<dd class="soft">95%', "<h3>"])
def test_part_of_the_model_when_shown_then_a_sentence_says_what_it_tells(part):
    page = build_report(make_modelled())
    section = page[page.index('<section id="model"') :].partition("</section>")[0]
    parts = section.split(part)[1:]
    assert parts
    for words in parts:
        assert re.match(
            r'[^\n]*?</(?:h3|dd)>\n?<(?:p|dd) class="soft">[A-Z][^<]{30,120}\.</', words
        ), words


def test_waterfall_when_written_then_adds_up_to_the_probability_shown():
    contents = make_contents(200)
    columns = decode(build_report(contents))["columns"]
    for win, (start, *numbers) in zip(columns["win"], columns["waterfall"], strict=True):
        assert start == 123
        assert start + sum(numbers[1::2]) == round(10 * win)
        assert 0 not in numbers[1::2]


def test_waterfall_when_written_then_has_the_strongest_part_first_and_the_rest_last():
    document = decode(build_report(make_contents(200)))
    texts = document["texts"]
    for _, *numbers in document["columns"]["waterfall"]:
        parts = {
            texts[words]: tenths for words, tenths in zip(numbers[::2], numbers[1::2], strict=True)
        }
        others = [words for words in parts if words in {LIFTING, LOWERING}]
        sizes = [abs(tenths) for words, tenths in parts.items() if words not in others]
        assert list(parts)[len(sizes) :] == others
        assert parts.get(LIFTING, 1) > 0
        assert sizes == sorted(sizes, reverse=True)
        assert RECENT in parts


def test_timeline_when_a_list_is_long_then_its_first_leads_have_one_and_the_page_says_how_many():
    contents = make_contents(TIMELINES + 3)
    document = decode(build_report(contents))
    assert [bool(row) for row in document["columns"]["timeline"]] == [True] * TIMELINES + [
        False
    ] * 3
    assert document["first"] == {"waterfall": WATERFALLS, "timeline": TIMELINES}
    texts = document["texts"]
    first = contents.timelines[contents.scores["lead_id"][0].as_py()]
    numbers = document["columns"]["timeline"][0]
    assert [texts[number] for number in numbers[::2]] == [one.when for one in first]
    assert [texts[number] for number in numbers[1::2]] == [one.what for one in first]


def test_document_when_store_and_model_are_gone_then_promises_neither_waterfall_nor_timeline():
    document = decode(build_report(make_contents(3, waterfalls={}, timelines={})))
    assert document["first"] == {"waterfall": 0, "timeline": 0}
    assert document["columns"]["waterfall"] == document["columns"]["timeline"] == [[], [], []]


def test_changes_when_there_is_a_list_before_then_counts_and_orders_them():
    contents = make_contents(60)
    leads = build_leads(contents)
    changes = find_changes(contents, leads)
    points = [lead.change_points for lead in leads]
    assert changes.rose_count == sum(value >= 2 for value in points)
    assert changes.fell_count == sum(value <= -2 for value in points)
    assert changes.rose[0].change_points == max(points)
    assert changes.fell[0].change_points == min(points)
    assert changes.new_count == 6
    assert list(changes.left_counts) == ["won", "lost", "not in the export"]
    assert [left.name for left in changes.left] == ["L-won", "L-lost", "L-away"]


def test_changes_when_some_new_leads_were_closed_before_then_says_how_many_are_re_opened():
    contents = make_contents(60)
    leads = build_leads(contents)
    new = [lead.lead_id for lead in leads if lead.is_new]
    known = [lead.lead_id for lead in leads if not lead.is_new]
    contents = replace(contents, reopened=frozenset([*new[:2], known[0]]))
    assert find_changes(contents, leads).reopened_count == 2
    assert "6 new, 2 of them re-opened" in build_report(contents)


def test_changes_when_it_is_the_first_list_then_there_are_none():
    contents = make_contents(20, past=[], left=[])
    assert find_changes(contents, build_leads(contents)) is None
    page = build_report(contents)
    assert "What changed" not in page
    assert 'id="moved"' not in page
    assert "this is the first list" in build_digest(contents)


def test_headline_when_summed_then_agrees_with_the_scores():
    contents = make_contents(50)
    headline = build_headline(contents, build_leads(contents))
    assert headline.leads == 50
    assert headline.wins == pytest.approx(sum(contents.scores["win_probability"].to_pylist()))
    assert sum(headline.tiers.values()) == 50


def test_value_when_shown_then_says_that_amounts_count_in_full():
    contents = make_contents(50)
    assert " at full amounts" in build_digest(contents).splitlines()[0]
    assert "the forecast reduces them to what past deals closed at" in build_report(contents)


def test_names_when_none_are_shown_then_leads_go_by_their_id():
    contents = make_contents(5, shown={})
    leads = build_leads(contents)
    assert [lead.name for lead in leads] == contents.scores["lead_id"].to_pylist()


def test_routing_when_leads_have_no_rep_then_they_are_grouped_by_why():
    contents = make_contents(60)
    leads = build_leads(contents)
    routed = describe_routing(contents, leads)
    idle = [lead for lead in leads if not lead.rep]
    assert [group.why for group in routed.unassigned] == ["no rep covers country FR"]
    assert routed.unassigned[0].leads == idle
    assert [(rep.name, rep.load, rep.capacity) for rep in routed.reps] == [
        ("Ana Ruiz", 20, 20),
        ("Ben Ito", 20, 30),
        ("Cleo Marsh", 20, 40),
    ]


def test_evidence_when_a_reason_has_some_then_stands_beside_it():
    leads = build_leads(make_contents(60))
    evidence = {
        r.words: r.evidence for lead in leads for r in (*lead.reasons_up, *lead.reasons_down)
    }
    assert evidence["Has reached Proposal"] == "31% of 412 similar leads were won; usual 12%"
    assert evidence["Came by referral"] == ""
    assert evidence["Budget confirmed (100,000)"] == ""


def test_digest_when_written_then_is_five_lines_without_markup_from_leads():
    lines = build_digest(make_hostile()).splitlines()
    assert len(lines) == 5
    assert all(line.startswith("- **") for line in lines)
    assert "<script>" not in "".join(lines)


@pytest.mark.parametrize("by_value", [False, True])
def test_digest_when_the_value_decides_the_order_then_the_first_to_call_have_it(by_value):
    contents = make_contents(5, by_value=by_value)
    lead = build_leads(contents)[0]
    value = f", value {contents.currency} {lead.value:,}, " if by_value else ", "
    assert f"({lead.percent}{value}{lead.action})" in build_digest(contents)


WAITING = {
    1: "1 tier A lead needs more answers before it qualifies",
    2: "2 tier A leads need more answers before they qualify",
}


@pytest.mark.parametrize("n", WAITING)
def test_digest_when_good_leads_lack_answers_then_says_how_many(n):
    verdicts = ["needs_answers"] * n + ["nurture"] * (30 - n)
    contents = set_column(make_contents(30), "qualification", verdicts)
    assert WAITING[n] in build_digest(contents)


def test_words_when_a_lead_has_no_rep_then_say_why_not():
    for row in make_scores(30).to_pylist():
        label = "why this rep" if row["rep_id"] else "why no rep"
        assert describe_score(row, {})[label] == row["route_reason"]


NAMED = {"R01": "Ann Bauer"}


@pytest.mark.parametrize(
    ("rep_id", "words"), [("R01", "Ann Bauer (R01)"), ("R02", "R02"), ("", None), (None, None)]
)
def test_words_when_the_name_of_a_rep_is_known_then_have_it_beside_the_id(rep_id, words):
    row = make_scores(1).to_pylist()[0] | {"rep_id": rep_id}
    assert describe_score(row, NAMED).get("rep") == words


@pytest.mark.parametrize(("rep_id", "who"), [("R01", "Ann Bauer: "), ("R02", "R02: "), (None, "")])
def test_list_with_details_when_the_name_of_a_rep_is_known_then_has_it(rep_id, who):
    row = make_scores(1).to_pylist()[0] | {"rep_id": rep_id}
    assert rendering._lines(row, reps=NAMED)[-1].startswith(f"[bold]{who}")


@pytest.mark.parametrize(
    ("trend", "words"),
    [
        ("steady", "enough new leads to keep the pipeline full (50 in, 48 closed in 28 days)"),
        ("shrinks", "too few new leads to keep the pipeline full (50 in, 48 closed in 28 days)"),
    ],
)
def test_digest_when_leads_come_in_and_close_then_says_whether_the_pipeline_stays_full(
    trend, words
):
    health = PipelineHealth(days=28, opened=50, closed=48, trend=trend)
    (watch,) = [
        line for line in build_digest(make_contents(health=health)).splitlines() if words in line
    ]
    assert watch.startswith("- **Watch**")


def test_list_when_empty_then_page_and_digest_say_so():
    contents = make_contents(0, scores=make_scores(1).slice(0, 0), shown={}, stages={})
    parse(build_report(contents))
    assert "the list is empty" in build_digest(contents)


def test_page_when_its_leads_are_too_many_then_lists_the_first_and_says_so(monkeypatch):
    whole = build_report(make_contents(60))
    assert "The score files have all of them" not in whole
    monkeypatch.setattr(build, "MOST_LISTED", 40)
    page = build_report(make_contents(60))
    assert "Here are the first 40 of 60 leads. The score files have all of them." in page
    assert decode(page)["columns"]["win"] == decode(whole)["columns"]["win"][:40]
