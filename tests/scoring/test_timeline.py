"""What happened with a lead: in words, the latest first, and nothing that was known later."""

import pytest

from builders import Facts, day, make_settings
from leadscore.scoring.timeline import LATEST, PLANS, build_timelines

AS_OF = 60  # 1 March 2024
COLUMNS = ("lead_id", "event_at", "kind", "actor", "outcome", "booked_at")


def settings_with_plans():
    leads = make_settings().model_dump(mode="json")["mapping"][0]
    entry = {"source": "leads", "table": "activities", "columns": {name: name for name in COLUMNS}}
    kinds = {"email": "e-mails to the lead", "visit": "price pages seen"}
    fields = {"budget": {"type": "number"}, "source": {"label": "came by"}}
    return make_settings(mapping=[leads, entry], kinds=kinds, fields=fields)


def known_facts():
    facts = Facts(settings_with_plans()).lead("a", 10.5).lead("b", 1)
    facts.stage("a", 11, "new").change("a", 40, "budget", "500000").change("a", 41, "source", None)
    facts.activity("a", 45, "email").activity("a", 58.5, "visit", actor="lead")
    facts.activity("a", 59.5, "call", outcome="not_reached")
    return facts.activity("a", 63, "meeting", outcome="planned", booked_at=day(50))


def later_facts(facts):
    """The same, and what became known at the date or later, much of which had happened before."""
    facts.lead("c", 5, known=AS_OF).stage("a", 30, "qualified", known=AS_OF)
    facts.change("a", 42, "budget", "900000", known=AS_OF + 1)
    facts.activity("a", 50, "meeting", known=AS_OF).activity("a", 60.5, "email")
    facts.activity("a", 70, "demo", outcome="planned", booked_at=day(AS_OF))
    return facts.outcome("a", 59, "won", known=AS_OF + 2).outcome("b", 70, "lost")


EXPECTED = [
    ("in 3 days, 4 March 2024", "Planned: meeting"),
    ("yesterday, 29 February 2024", "Call (rep), not reached"),
    ("2 days ago, 28 February 2024", "Price page seen (lead)"),
    ("2 weeks ago, 15 February 2024", "E-mail to the lead"),
    ("3 weeks ago, 11 February 2024", "Came by: none"),
    ("3 weeks ago, 10 February 2024", "Budget: 5,000"),
    ("7 weeks ago, 12 January 2024", "Entered new"),
    ("7 weeks ago, 11 January 2024", "Created"),
]


def build(facts, folder, *, lead_ids=("a",), known_until=80):
    history = facts.history(folder, known_until=known_until)
    timelines = build_timelines(history, lead_ids, as_of_us=day(AS_OF))
    history.engine.close()
    return {
        lead_id: [(one.when, one.what) for one in timeline]
        for lead_id, timeline in timelines.items()
    }


@pytest.mark.parametrize("add", [lambda facts: facts, later_facts], ids=["then", "later"])
def test_timeline_when_more_becomes_known_later_then_is_as_of_its_date(tmp_path, add):
    assert build(add(known_facts()), tmp_path) == {"a": EXPECTED}


@pytest.mark.parametrize("known_until", [59, AS_OF])
def test_timeline_when_the_export_is_older_then_has_nothing_dated_after_it(tmp_path, known_until):
    timeline = build(known_facts(), tmp_path, known_until=known_until)["a"]
    assert timeline == [one for one in EXPECTED if known_until == AS_OF or "Call" not in one[1]]


def test_timeline_when_much_happened_then_is_the_latest_and_the_next(tmp_path):
    facts = known_facts()
    for at in range(20, 40):
        facts.activity("b", at, "email").activity("b", at + 0.1, "email").activity("b", at, "note")
        facts.activity("b", 50 + at, "call", outcome="planned", booked_at=day(50))
    timeline = build(facts, tmp_path, lead_ids=("b", "a"))
    assert len(timeline["b"]) == PLANS + LATEST + 1
    assert timeline["b"][-1] == ("earlier", "More, which is not listed here")
    planned = [when for when, what in timeline["b"] if what == "Planned: call"]
    assert [when.split(",")[0] for when in planned] == ["in 12 days", "in 11 days", "in 10 days"]
    when = "3 weeks ago, 9 February 2024"
    latest = timeline["b"][PLANS:][:2]
    assert latest == [(when, "E-mail to the lead, 2 times"), (when, "Note (rep)")]
    assert timeline["a"] == EXPECTED
