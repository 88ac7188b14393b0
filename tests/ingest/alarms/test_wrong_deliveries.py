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
    repeated,
    scaled,
    settings_of,
    shifted,
    shuffled,
    swapped,
    thinned,
    truncated,
    without_leads,
    write_delivery,
)
from histories import scratch
from leadscore import project as jobs
from leadscore.errors import AlarmError, UserError
from leadscore.ingest.alarms import deliveries
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current
from leadscore.times import parse_moment

LEADS = 3000
BEFORE, NOW = np.datetime64("2026-01-25"), np.datetime64("2026-02-01")
FOUR_WEEKS_LONG = np.timedelta64(28, "D")
FOUR_WEEKS = NOW - FOUR_WEEKS_LONG


def closing(table: pd.DataFrame) -> pd.Series:
    """The rows of stages that close a lead."""
    return table["stage"].str.startswith("Closed")


def answers(field: str) -> Callable[[pd.DataFrame], pd.Series]:
    """The rows of the history of a field."""
    return lambda table: table["field"] == field


def of(column: str, value: str) -> Callable[[pd.DataFrame], pd.Series]:
    """The rows with a value."""
    return lambda table: table[column] == value


def closed_since(day: np.datetime64) -> Callable[[pd.DataFrame], pd.Series]:
    """The closed leads that were created since a day."""
    return lambda leads: (leads["status"] != "Open") & (leads["created_at"] >= str(day))


def every_third_open(leads: pd.DataFrame) -> pd.Series:
    """Open leads, without order."""
    return (leads["status"] == "Open") & (leads["lead_id"].str[-1].astype(int) % 3 == 0)


def every_file(change: Callable[[str], Mutation]) -> Mutation:
    """The same done to every file."""
    return both(*(change(name) for name in DATED))


WON_LOST = {"won": "lost", "lost": "won"}
STAGES = {"Closed won": "Closed lost", "Closed lost": "Closed won"}
ACTORS = {"lead": "rep", "rep": "lead"}
CASES: dict[str, tuple[Mutation, str]] = {
    "every file cut off at 81%": (
        every_file(lambda name: truncated(name, 0.81)),
        "facts_vanished",
    ),
    "every file cut off at 50%": (every_file(lambda name: truncated(name, 0.5)), "half_delivered"),
    "leads cut off at 81%": (truncated("leads", 0.81), "facts_vanished"),
    "leads cut off at 60%": (truncated("leads", 0.6), "half_delivered"),
    "field history cut off at 81%": (truncated("field_history", 0.81), "facts_vanished"),
    "activities cut off at 81%": (truncated("activities", 0.81), "facts_vanished"),
    "stages cut off at 81%": (truncated("stage_history", 0.81), "facts_vanished"),
    "outcomes cut off at 81%": (truncated("outcomes", 0.81), "facts_vanished"),
    "19% of leads gone": (thinned("leads", 0.19), "facts_vanished"),
    "19% of the field history gone": (thinned("field_history", 0.19), "facts_vanished"),
    "19% of activities gone": (thinned("activities", 0.19), "facts_vanished"),
    "19% of stages gone": (thinned("stage_history", 0.19), "facts_vanished"),
    "19% of outcomes gone": (thinned("outcomes", 0.19), "facts_vanished"),
    "19% of closing stages gone": (thinned("stage_history", 0.19, closing), "facts_vanished"),
    "19% of outcomes and closing stages gone": (
        both(thinned("outcomes", 0.19), thinned("stage_history", 0.19, closing)),
        "facts_vanished",
    ),
    "closes missing for four weeks": (
        both(dead("outcomes", FOUR_WEEKS), dead("stage_history", FOUR_WEEKS, closing)),
        "facts_vanished",
    ),
    "closes dead for a week": (
        both(dead("outcomes", BEFORE), dead("stage_history", BEFORE, closing)),
        "feed_ended",
    ),
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
    "new budgets x 100": (
        scaled("field_history", "value", 100, since=BEFORE, where=answers("budget")),
        "scale",
    ),
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
    "actors of new activities turned": (
        swapped("activities", "actor", ACTORS, since=BEFORE),
        "shares",
    ),
    "industry emptied": (emptied("leads", "industry"), "emptied"),
    "amount emptied": (emptied("leads", "amount"), "emptied"),
    "answers emptied": (
        on(
            "field_history",
            lambda table: table.assign(value=table["value"].where(table["field"] != "need", "")),
        ),
        "emptied",
    ),
    "durations emptied": (emptied("activities", "duration_s"), "emptied"),
    "amounts of outcomes emptied": (emptied("outcomes", "amount"), "emptied"),
    "industry of new leads emptied": (emptied("leads", "industry", since=BEFORE), "shares"),
    "amounts of leads shuffled": (shuffled("leads", "amount"), "rewritten"),
    "employees of leads shuffled": (shuffled("leads", "employees"), "rewritten"),
    "amounts of outcomes shuffled": (shuffled("outcomes", "amount"), "rewritten"),
    "durations shuffled": (shuffled("activities", "duration_s"), "rewritten"),
    "budgets shuffled": (shuffled("field_history", "value", answers("budget")), "rewritten"),
    "every activity three times": (repeated("activities", 3), "facts_added"),
    "every tenth activity twice": (repeated("activities", 2, share=0.1), "facts_added"),
    "new activities three times": (repeated("activities", 3, since=BEFORE), "facts_added"),
    "activities given to other leads": (shuffled("activities", "lead_id"), "facts_added"),
    "stages given to other leads": (shuffled("stage_history", "lead_id"), "facts_added"),
    "activities of reps dead for a week": (
        dead("activities", BEFORE, of("actor", "rep")),
        "feed_ended",
    ),
    "activities of leads dead for a week": (
        dead("activities", BEFORE, of("actor", "lead")),
        "feed_ended",
    ),
    "calls dead for a week": (dead("activities", BEFORE, of("type", "call")), "feed_ended"),
    "closed leads of two months gone": (
        without_leads(closed_since(FOUR_WEEKS - FOUR_WEEKS_LONG)),
        "facts_vanished",
    ),
    "a third of the open leads gone": (without_leads(every_third_open), "facts_vanished"),
}


def reopened(n: int) -> Mutation:
    """The first leads that closed have neither an outcome nor a closing stage."""

    def change(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        leads = set(tables["outcomes"]["lead_id"].iloc[:n])
        outcomes, stages = tables["outcomes"], tables["stage_history"]
        is_taken_back = stages["lead_id"].isin(leads) & closing(stages)
        return tables | {
            "outcomes": outcomes[~outcomes["lead_id"].isin(leads)],
            "stage_history": stages[~is_taken_back],
        }

    return change


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


def deliver(
    tables: dict[str, pd.DataFrame], *, until: str = str(NOW), accept: tuple[str, ...] = ()
) -> dict:
    """Ingest a delivery after the good one, as if no other had come before it."""
    settings, good = base()
    pointer(settings).write_bytes(good)
    shutil.rmtree(settings.input_folder)
    write_delivery(tables, settings.input_folder)
    return jobs.ingest(settings, known_until_us=parse_moment(until, zone="UTC"), accept=accept)


# one of each kind; the others take minutes
ALWAYS = {
    "every file cut off at 81%", "activities dead for a week", "amounts of new leads x 100", "a stage renamed",
    "won and lost exchanged", "every activity three times",
}  # fmt: skip
MARKED = [
    pytest.param(name, marks=() if name in ALWAYS else pytest.mark.slow, id=name) for name in CASES
]


@pytest.mark.cases(1)
@pytest.mark.parametrize("name", MARKED)
def test_delivery_when_it_is_wrong_then_an_alarm_says_so_and_the_version_before_still_counts(name):
    change, alarm = CASES[name]
    settings, good = base()
    with pytest.raises(AlarmError) as raised:
        deliver(change(cut(read_sample(leads=LEADS), NOW)))
    assert alarm in raised.value.names
    assert pointer(settings).read_bytes() == good
    assert raised.value.exit_code == 3
    quarantined = {each.version: each.quarantined for each in jobs.list_store(settings).versions}
    assert set(quarantined[raised.value.version]) == set(raised.value.names)
    assert (
        read_current(settings.project_folder() / "store", project=settings.project).quarantined
        == {}
    )


@pytest.mark.slow
def test_delivery_when_its_facts_are_compared_in_slices_then_the_alarms_count_the_same(monkeypatch):
    wrong = both(
        thinned("stage_history", 0.1),
        repeated("activities", 2, share=0.1),
        scaled("activities", "duration_s", 1000, where=of("type", "call")),
        swapped("activities", "actor", ACTORS),
        emptied("outcomes", "amount"),
        shuffled("field_history", "value", answers("budget")),
    )
    tables = wrong(cut(read_sample(leads=LEADS), NOW))

    counted = []
    for rows in (deliveries.SLICE_ROWS, 1000):
        monkeypatch.setattr(deliveries, "SLICE_ROWS", rows)
        with pytest.raises(AlarmError) as raised:
            deliver(tables)
        details = str(raised.value).partition(". It is quarantined")[0]
        counted.append((raised.value.names, details))

    assert counted[0] == counted[1]
    assert set(counted[0][0]) >= {"facts_vanished", "facts_added", "scale", "rewritten", "emptied"}


def test_delivery_when_its_moment_is_a_year_ahead_then_an_alarm_says_so():
    with pytest.raises(AlarmError, match="known_until_ahead: known_until is 2027-02-01"):
        deliver(cut(read_sample(leads=LEADS), NOW), until="2027-02-01")


def test_delivery_when_it_is_right_then_it_counts_without_a_word():
    settings, good = base()
    assert deliver(cut(read_sample(leads=LEADS), NOW)).alarms == []
    assert pointer(settings).read_bytes() != good


def is_new(table: pd.DataFrame) -> pd.Series:
    """The activities since the export before."""
    return table["at"] >= str(BEFORE)


def campaign(activities: pd.DataFrame) -> pd.DataFrame:
    """Nine more of each new e-mail, minutes later."""
    emails = activities[is_new(activities) & activities["type"].str.contains("email")]
    times = pd.to_datetime(emails["at"])
    copies = [
        emails.assign(at=(times - pd.Timedelta(minutes=minutes)).dt.strftime("%Y-%m-%d %H:%M:%SZ"))
        for minutes in range(1, 10)
    ]
    return pd.concat([activities, *copies])


def entered_late(activities: pd.DataFrame) -> pd.DataFrame:
    """Every third new activity is dated in the days before the export before."""
    chosen = is_new(activities) & (np.arange(len(activities)) % 3 == 0)
    times = pd.to_datetime(activities["at"]) - pd.Timedelta(days=6)
    return activities.assign(
        at=activities["at"].where(~chosen, times.dt.strftime("%Y-%m-%d %H:%M:%SZ"))
    )


HONEST = {
    "a quiet week": thinned("activities", 0.92, is_new),
    "a campaign": on("activities", campaign),
    "activities entered late": on("activities", entered_late),
}


UNUSUAL = [
    pytest.param(name, marks=() if name == "a campaign" else pytest.mark.slow, id=name)
    for name in HONEST
]


@pytest.mark.parametrize("name", UNUSUAL)
def test_delivery_when_the_week_was_unusual_then_it_counts_without_a_word(name):
    assert deliver(HONEST[name](cut(read_sample(leads=LEADS), NOW))).alarms == []


def test_delivery_when_closed_leads_go_to_other_owners_then_it_counts_with_a_warning():
    words = deliver(shuffled("leads", "owner_id")(cut(read_sample(leads=LEADS), NOW))).alarms
    assert len(words) == 1
    assert words[0].startswith("reassigned: ")
    assert words[0].endswith(" leads that were closed before have another owner")


def test_delivery_when_open_leads_go_to_other_owners_then_it_counts_without_a_word():
    change = shuffled("leads", "owner_id", of("status", "Open"))
    assert deliver(change(cut(read_sample(leads=LEADS), NOW))).alarms == []


def test_delivery_when_four_closes_are_taken_back_then_it_counts_without_a_word():
    assert deliver(reopened(4)(cut(read_sample(leads=LEADS), NOW))).alarms == []


def test_delivery_when_many_closes_are_taken_back_then_it_says_so_once():
    with pytest.raises(AlarmError) as raised:
        deliver(reopened(60)(cut(read_sample(leads=LEADS), NOW)))
    assert str(raised.value).count("60 of ") == 1
    assert "closed leads are open again" in str(raised.value)


def test_delivery_when_its_alarm_is_accepted_then_it_counts_and_the_version_says_what_was_accepted():
    change, alarm = CASES["19% of outcomes and closing stages gone"]
    result = deliver(change(cut(read_sample(leads=LEADS), NOW)), accept=(alarm,))
    assert any("closed leads are open again" in text for text in result.alarms)
    settings, _ = base()
    version = read_current(settings.project_folder() / "store", project=settings.project)
    assert version.id == result.store_version
    assert [*version.manifest["accepted"]] == [alarm]


def test_rollback_when_the_version_is_quarantined_then_it_says_which_alarm_to_accept():
    change, alarm = CASES["actors turned"]
    settings, good = base()
    with pytest.raises(AlarmError) as raised:
        deliver(change(cut(read_sample(leads=LEADS), NOW)))
    with pytest.raises(UserError, match=f"--accept {alarm}"):
        jobs.rollback_store(settings, raised.value.version)
    assert pointer(settings).read_bytes() == good
