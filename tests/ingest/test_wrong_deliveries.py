"""Deliveries of the sample company that are wrong: which alarm notices each, and that none of them counts."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deliveries import (
    DATED,
    Mutation,
    both,
    cut,
    dead,
    emptied,
    on,
    read_sample,
    scaled,
    settings_of,
    shifted,
    swapped,
    thinned,
    truncated,
    write_delivery,
)
from histories import scratch
from leadscore import jobs
from leadscore.config import Settings
from leadscore.errors import AlarmError, QuarantinedError
from leadscore.store.version import read_current
from leadscore.times import parse_moment

LEADS = 3000
BEFORE, NOW = np.datetime64("2026-01-25"), np.datetime64("2026-02-01")
FOUR_WEEKS = NOW - np.timedelta64(28, "D")


def closing(table: pd.DataFrame) -> pd.Series:
    """The rows of stages that close a lead."""
    return table["stage"].str.startswith("Closed")


def answers(field: str) -> Callable[[pd.DataFrame], pd.Series]:
    """The rows of the history of a field."""
    return lambda table: table["field"] == field


def every_file(change: Callable[[str], Mutation]) -> Mutation:
    """The same done to every file."""
    return both(*(change(name) for name in DATED))


WON_LOST = {"won": "lost", "lost": "won"}
STAGES = {"Closed won": "Closed lost", "Closed lost": "Closed won"}
ACTORS = {"lead": "rep", "rep": "lead"}
CASES: dict[str, tuple[Mutation, str]] = {
    "every file cut off at 81 %": (every_file(lambda name: truncated(name, 0.81)), "facts_vanished"),
    "every file cut off at 50 %": (every_file(lambda name: truncated(name, 0.5)), "half_delivered"),
    "leads cut off at 81 %": (truncated("leads", 0.81), "facts_vanished"),
    "leads cut off at 60 %": (truncated("leads", 0.6), "half_delivered"),
    "field history cut off at 81 %": (truncated("field_history", 0.81), "facts_vanished"),
    "activities cut off at 81 %": (truncated("activities", 0.81), "facts_vanished"),
    "stages cut off at 81 %": (truncated("stage_history", 0.81), "facts_vanished"),
    "outcomes cut off at 81 %": (truncated("outcomes", 0.81), "facts_vanished"),
    "19 % of leads gone": (thinned("leads", 0.19), "facts_vanished"),
    "19 % of the field history gone": (thinned("field_history", 0.19), "facts_vanished"),
    "19 % of activities gone": (thinned("activities", 0.19), "facts_vanished"),
    "19 % of stages gone": (thinned("stage_history", 0.19), "facts_vanished"),
    "19 % of outcomes gone": (thinned("outcomes", 0.19), "facts_vanished"),
    "19 % of closing stages gone": (thinned("stage_history", 0.19, closing), "facts_vanished"),
    "19 % of outcomes and closing stages gone": (
        both(thinned("outcomes", 0.19), thinned("stage_history", 0.19, closing)),
        "facts_vanished",
    ),
    "closes missing for four weeks": (
        both(dead("outcomes", FOUR_WEEKS), dead("stage_history", FOUR_WEEKS, closing)),
        "facts_vanished",
    ),
    "closes dead for a week": (both(dead("outcomes", BEFORE), dead("stage_history", BEFORE, closing)), "feed_ended"),
    "leads dead for a week": (dead("leads", BEFORE), "feed_ended"),
    "field history dead for a week": (dead("field_history", BEFORE), "feed_ended"),
    "activities dead for a week": (dead("activities", BEFORE), "feed_ended"),
    "stages dead for a week": (dead("stage_history", BEFORE), "feed_ended"),
    "outcomes dead for a week": (dead("outcomes", BEFORE), "feed_ended"),
    "leads dead for four weeks": (dead("leads", FOUR_WEEKS), "feed_ended"),
    "field history dead for four weeks": (dead("field_history", FOUR_WEEKS), "feed_ended"),
    "activities dead for four weeks": (dead("activities", FOUR_WEEKS), "feed_ended"),
    "stages dead for four weeks": (dead("stage_history", FOUR_WEEKS), "feed_ended"),
    "outcomes dead for four weeks": (dead("outcomes", FOUR_WEEKS), "feed_ended"),
    "amounts of leads x 100": (scaled("leads", "amount", 100), "scale"),
    "amounts of new leads x 100": (scaled("leads", "amount", 100, since=BEFORE), "scale"),
    "employees of new leads x 100": (scaled("leads", "employees", 100, since=BEFORE), "scale"),
    "amounts of outcomes x 100": (scaled("outcomes", "amount", 100), "scale"),
    "budgets x 100": (scaled("field_history", "value", 100, where=answers("budget")), "scale"),
    "new budgets x 100": (scaled("field_history", "value", 100, since=BEFORE, where=answers("budget")), "scale"),
    "durations x 60": (scaled("activities", "duration_s", 1000), "scale"),
    "new durations x 1000": (scaled("activities", "duration_s", 1000, since=BEFORE), "scale"),
    "leads an hour later": (shifted("leads", 1), "time_shift"),
    "field history two hours earlier": (shifted("field_history", -2), "time_shift"),
    "activities an hour later": (shifted("activities", 1), "time_shift"),
    "stages five hours earlier": (shifted("stage_history", -5), "time_shift"),
    "outcomes an hour later": (shifted("outcomes", 1), "time_shift"),
    "a channel renamed": (swapped("leads", "source", {"Referral": "Recommendation"}), "renamed"),
    "a rare title renamed": (swapped("leads", "job_title", {"PDG": "Président"}), "renamed"),
    "an answer renamed": (swapped("field_history", "value", {"critical": "vital"}), "renamed"),
    "a stage renamed": (swapped("stage_history", "stage", {"Proposal": "Offer"}), "renamed"),
    "a kind renamed": (swapped("activities", "type", {"webinar": "web_event"}), "renamed"),
    "won renamed": (swapped("outcomes", "outcome", {"won": "gewonnen"}), "facts_vanished"),
    "won and lost exchanged": (
        both(swapped("outcomes", "outcome", WON_LOST), swapped("stage_history", "stage", STAGES)),
        "rewritten",
    ),
    "won and lost exchanged in outcomes": (swapped("outcomes", "outcome", WON_LOST), "rewritten"),
    "won and lost stages exchanged": (swapped("stage_history", "stage", STAGES), "rewritten"),
    "actors turned": (swapped("activities", "actor", ACTORS), "rewritten"),
    "actors of new activities turned": (swapped("activities", "actor", ACTORS, since=BEFORE), "shares"),
    "industry emptied": (emptied("leads", "industry"), "emptied"),
    "amount emptied": (emptied("leads", "amount"), "emptied"),
    "answers emptied": (
        on("field_history", lambda table: table.assign(value=table["value"].where(table["field"] != "need", ""))),
        "emptied",
    ),
    "durations emptied": (emptied("activities", "duration_s"), "emptied"),
    "amounts of outcomes emptied": (emptied("outcomes", "amount"), "emptied"),
    "industry of new leads emptied": (emptied("leads", "industry", since=BEFORE), "shares"),
}


@cache
def base() -> tuple[Settings, bytes]:
    """A store with one good delivery, and its pointer."""
    settings = settings_of(scratch() / "wrong", leads=LEADS)
    write_delivery(cut(read_sample(leads=LEADS), BEFORE), settings.input_folder)
    jobs.ingest(settings, known_until_us=parse_moment(str(BEFORE), zone="UTC"))
    return settings, pointer(settings).read_bytes()


def pointer(settings: Settings) -> Path:
    """What names the version that counts."""
    return settings.project_folder() / "store" / "current.json"


def deliver(tables: dict[str, pd.DataFrame], *, until: str = str(NOW), accept: tuple[str, ...] = ()) -> dict:
    """Ingest a delivery after the good one, as if no other had come before it."""
    settings, good = base()
    pointer(settings).write_bytes(good)
    shutil.rmtree(settings.input_folder)
    write_delivery(tables, settings.input_folder)
    return jobs.ingest(settings, known_until_us=parse_moment(until, zone="UTC"), accept=accept)


# one of each kind; the others take minutes
ALWAYS = {
    "every file cut off at 81 %", "19 % of outcomes and closing stages gone", "closes missing for four weeks",
    "activities dead for a week", "amounts of new leads x 100", "budgets x 100", "stages five hours earlier",
    "a stage renamed", "a rare title renamed", "won and lost exchanged", "actors turned", "industry emptied",
}  # fmt: skip
MARKED = [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.slow, id=name) for name in CASES]


@pytest.mark.parametrize("name", MARKED)
def test_delivery_when_it_is_wrong_then_an_alarm_says_so_and_the_version_before_still_counts(name):
    change, alarm = CASES[name]
    settings, good = base()
    with pytest.raises(AlarmError) as raised:
        deliver(change(cut(read_sample(leads=LEADS), NOW)))
    assert alarm in raised.value.names
    assert pointer(settings).read_bytes() == good
    assert raised.value.exit_code == 3
    quarantined = {each["version"]: each["quarantined"] for each in jobs.list_store(settings)["versions"]}
    assert set(quarantined[raised.value.version]) == set(raised.value.names)
    assert read_current(settings.project_folder() / "store", project=settings.project).quarantined == {}


def test_delivery_when_its_moment_is_a_year_ahead_then_an_alarm_says_so():
    with pytest.raises(AlarmError, match="known_until_ahead: known_until is 2027-02-01"):
        deliver(cut(read_sample(leads=LEADS), NOW), until="2027-02-01")


def test_delivery_when_it_is_right_then_it_counts_without_a_word():
    settings, good = base()
    assert deliver(cut(read_sample(leads=LEADS), NOW))["alarms"] == []
    assert pointer(settings).read_bytes() != good


def test_delivery_when_its_alarm_is_accepted_then_it_counts_and_the_version_says_what_was_accepted():
    change, alarm = CASES["19 % of outcomes and closing stages gone"]
    result = deliver(change(cut(read_sample(leads=LEADS), NOW)), accept=(alarm,))
    assert any("closed leads are open again" in text for text in result["alarms"])
    settings, _ = base()
    version = read_current(settings.project_folder() / "store", project=settings.project)
    assert version.id == result["store_version"]
    assert [*version.manifest["accepted"]] == [alarm]


def test_rollback_when_the_version_is_quarantined_then_it_says_which_alarm_to_accept():
    change, alarm = CASES["actors turned"]
    settings, good = base()
    with pytest.raises(AlarmError) as raised:
        deliver(change(cut(read_sample(leads=LEADS), NOW)))
    with pytest.raises(QuarantinedError, match=f"--accept {alarm}"):
        jobs.rollback_store(settings, raised.value.version)
    assert pointer(settings).read_bytes() == good
