"""Bad days of an export: each is noticed before anything is scored, the published list stands, and the reason is said."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import histories
from deliveries import (
    DATED,
    both,
    cut,
    dead,
    on,
    read_sample,
    settings_of,
    shifted,
    swapped,
    truncated,
    write_delivery,
)
from leadscore import Project
from leadscore import project as jobs
from leadscore.errors import AlarmError, UserError
from leadscore.project.trail import read_trail
from leadscore.times import parse_moment

pytestmark = pytest.mark.slow

LEADS = 1000
BEFORE_LAST, LAST, NOW = (np.datetime64(day) for day in ("2026-01-18", "2026-01-25", "2026-02-01"))


def of_every_file(change):
    return both(*(change(name) for name in DATED))


def shown_at(day):
    """The export of an earlier day, whatever was to be delivered."""
    return lambda _: cut(read_sample(leads=LEADS), day)


def in_another_currency(tables):
    """All amounts of leads, in dollars instead of euros."""
    return both(
        swapped("leads", "currency", {"EUR": "USD"}),
        on("leads", lambda leads: leads.assign(amount=in_dollars(leads["amount"]))),
    )(tables)


def in_dollars(amounts):
    return [str(round(float(amount) * 1.1)) for amount in amounts]


BAD_DAYS = {
    "a half-delivered export": (of_every_file(lambda name: truncated(name, 0.5)), "half_delivered"),
    "yesterday's files again": (shown_at(LAST), "same_files"),
    "a renamed stage": (swapped("stage_history", "stage", {"Proposal": "Offer"}), "renamed"),
    "a currency switch": (in_another_currency, "currency_switch"),
    "a time-zone slip": (of_every_file(lambda name: shifted(name, 1)), "time_shift"),
    "a source that stopped": (dead("activities", LAST), "feed_ended"),
    "an export from before the last": (shown_at(BEFORE_LAST), "older_export"),
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """A company with a published list, and two good deliveries before it."""
    settings = settings_of(tmp_path_factory.mktemp("bad"), leads=LEADS)
    settings = settings.model_copy(
        update={
            "known_until": None,
            "routing": None,
            "model": settings.model.model_copy(update={"scorer": "scorecard", "trials": 1}),
        }
    )
    for day in (BEFORE_LAST, LAST):
        deliver(settings, cut(read_sample(leads=LEADS), day), day)
    histories.register(settings, jobs.train(settings), promote=True)
    histories.score_and_publish(settings)
    return settings


def deliver(settings, tables, day):
    shutil.rmtree(settings.input_folder, ignore_errors=True)
    write_delivery(tables, settings.input_folder)
    return jobs.ingest(settings, known_until_us=parse_moment(str(day), zone="UTC"))


def current_list(settings) -> bytes:
    return (settings.project_folder() / "scores" / "current.json").read_bytes()


@pytest.mark.parametrize("name", BAD_DAYS)
def test_bad_day_when_it_comes_then_the_list_stands_and_the_reason_is_said(settings, name):
    change, alarm = BAD_DAYS[name]
    day = BEFORE_LAST if alarm == "older_export" else NOW
    standing = current_list(settings)
    with pytest.raises(AlarmError, match=f"{alarm}: ") as raised:
        deliver(settings, change(cut(read_sample(leads=LEADS), NOW)), day)
    assert current_list(settings) == standing
    assert Project(settings).status().published.as_of.startswith(str(LAST))
    last = read_trail(settings)[-1]
    assert (last.what, last.about["store_version"]) == ("quarantined", raised.value.version)
    assert alarm in last.why


def test_export_when_it_is_empty_then_the_list_stands_and_the_reason_is_said(settings):
    standing = current_list(settings)
    change = of_every_file(lambda name: truncated(name, 0.0))
    with pytest.raises(UserError, match="has a header but no rows"):
        deliver(settings, change(cut(read_sample(leads=LEADS), NOW)), NOW)
    assert current_list(settings) == standing
    last = read_trail(settings)[-1]
    assert last.what == "stopped"
    assert "has a header but no rows" in last.why


def test_list_when_scored_after_a_bad_day_then_is_the_one_that_stands(settings):
    change, _ = BAD_DAYS["a half-delivered export"]
    standing = current_list(settings)
    with pytest.raises(AlarmError):
        deliver(settings, change(cut(read_sample(leads=LEADS), NOW)), NOW)
    scored = histories.score_and_publish(settings)
    assert Path(scored.folder).name in standing.decode()
    assert current_list(settings) == standing
