"""Leads that an export does not have any more, and leads that it shows open again: the past stays what it was."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.opening import open_history
from leadscore.history.split import History
from leadscore.project import scoring
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current
from leadscore.times import parse_moment

FIRST, SECOND, THIRD = "2024-02-01", "2024-03-01", "2024-04-01"
LEADS = {
    "source": "leads",
    "table": "leads",
    "columns": {"lead_id": "id", "event_at": "created", "plan": "plan"},
}
CALLS = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "id", "event_at": "at"},
    "constants": {"kind": "meeting"},
}
OUTCOMES = {
    "source": "leads",
    "table": "outcomes",
    "where": {"status": ["won", "lost"]},
    "columns": {"lead_id": "id", "event_at": "closed", "outcome": "status"},
}


def export(
    folder: Path, until: str, leads: list[str], *, calls: tuple[str, ...] = ("2,2024-01-05",)
) -> Settings:
    """Write an export of leads (id, creation, plan, status, close) and calls (id, moment)."""
    (folder / "leads.csv").write_text("\n".join(["id,created,plan,status,closed", *leads, ""]))
    (folder / "calls.csv").write_text("\n".join(["id,at", *calls, ""]))
    return make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        sources={"leads": {"path": "leads.csv"}, "calls": {"path": "calls.csv"}},
        mapping=[LEADS, CALLS, OUTCOMES],
        fields={"plan": {"known_from": "creation"}},
        target={"horizon_days": 20, "cadence_days": 5, "max_per_lead": 100},
        known_until=until,
    )


def ingest(settings: Settings, *accept: str) -> dict[str, Any]:
    return jobs.ingest(settings, accept=["half_delivered", "empty", "same_files", *accept])


def current(settings: Settings) -> StoreVersion:
    return read_current(settings.project_folder() / "store", project=settings.project)


def opened(settings: Settings) -> History:
    return open_history(settings, current(settings), DuckDBEngine(settings.engine))


def at(moment: str) -> int:
    return parse_moment(moment, zone="UTC")


def listed(history: History, moment: str) -> list[str]:
    return sorted(history.open_list(at(moment))["lead_id"])


OTHER = "2,2024-01-01,free,open,"
LEAD = "1,2024-01-01,free,open,"


@pytest.fixture(scope="module")
def gone(tmp_path_factory) -> History:
    """Lead 1 is in the first export only."""
    folder = tmp_path_factory.mktemp("gone")
    ingest(export(folder, FIRST, [LEAD, OTHER], calls=("1,2024-01-06", "2,2024-01-05")))
    settings = export(folder, SECOND, [OTHER])
    told = ingest(settings)
    assert any("1 lead of an earlier export is absent" in warning for warning in told.warnings)
    return opened(settings)


@pytest.fixture
def folder(gone, tmp_path) -> Path:
    """The same exports and their store once more, to go on with."""
    shutil.copytree(gone.settings.input_folder, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_list_when_a_lead_is_absent_then_it_was_listed_until_an_export_showed_that(gone):
    moments = [FIRST, "2024-02-15", SECOND]
    assert [listed(gone, moment) for moment in moments] == [["1", "2"], ["1", "2"], ["2"]]


def test_facts_when_a_lead_is_absent_then_they_stay(gone):
    rows = gone.engine.query("SELECT lead_id, kind FROM activities ORDER BY lead_id").to_pylist()
    assert rows == [{"lead_id": "1", "kind": "meeting"}, {"lead_id": "2", "kind": "meeting"}]
    assert gone.engine.query("SELECT plan FROM leads WHERE lead_id = '1'")["plan"].to_pylist() == [
        "free"
    ]


def test_labels_when_a_lead_is_absent_then_it_is_censored_at_the_last_export_that_had_it(gone):
    side = gone.earlier_side(at(SECOND)).rows.set_index("lead_id").loc["1"]
    assert side["as_of_us"].max() <= at(FIRST)
    followed = side["as_of_us"] + 20 * 86_400_000_000 <= at(FIRST)
    assert followed.any()
    assert (~followed).any()
    np.testing.assert_array_equal(side["label"].notna(), followed)
    before = gone.earlier_side(at("2024-02-25")).rows.set_index("lead_id").loc["1"]
    assert before["as_of_us"].max() > at(FIRST)  # nobody knew yet


def test_list_when_a_lead_is_back_then_it_is_listed_again_and_its_first_value_stays(folder):
    settings = export(folder, THIRD, ["1,2024-01-01,pro,open,", OTHER])
    ingest(settings)
    history = opened(settings)
    assert listed(history, SECOND) == ["2"]
    assert listed(history, THIRD) == ["1", "2"]
    assert history.engine.query("SELECT plan FROM leads WHERE lead_id = '1'")[
        "plan"
    ].to_pylist() == ["free"]
    assert [
        row["value"] for row in history.engine.query("SELECT value FROM changes").to_pylist()
    ] == ["pro"]


def test_absent_when_it_stays_away_then_every_version_has_its_facts_and_says_it_once(folder):
    settings = export(folder, THIRD, [OTHER])
    ingest(settings)
    ingest(settings)  # a version names the alarms that were accepted for it, and now there is none
    version = current(settings)
    assert version.manifest["presence"]["rows"] == 1
    assert version.manifest["absent_activities"]["rows"] == 1
    again = ingest(settings)
    assert again.store_version == version.id
    jobs.prune_store(settings, keep=1, really=True)
    assert listed(opened(settings), "2024-02-15") == ["1", "2"]


def test_score_counts_when_a_lead_is_absent_then_it_is_counted_apart(gone):
    counts = scoring._counts(gone, at(SECOND), scored=1)
    assert counts == {
        "leads": 2,
        "scored": 1,
        "closed": 0,
        "absent": 1,
        "not_yet_created": 0,
        "refused": 0,
    }


def test_absent_when_a_closed_lead_is_missing_then_its_close_stays(tmp_path):
    ingest(export(tmp_path, FIRST, ["1,2024-01-01,free,won,2024-01-20", OTHER]))
    settings = export(tmp_path, SECOND, [OTHER])
    ingest(settings)
    spells = opened(settings).spells(at(SECOND)).set_index("lead_id")
    assert spells.loc["1", ["close_us", "won"]].tolist() == [at("2024-01-21") - 1, True]


def test_absent_when_a_lead_is_refused_in_a_later_export_then_its_past_stays(tmp_path):
    ingest(export(tmp_path, FIRST, [LEAD, OTHER]))
    settings = export(tmp_path, SECOND, [LEAD, "1,2024-01-01,pro,open,", OTHER])
    ingest(settings)
    assert listed(opened(settings), "2024-02-15") == ["1", "2"]
    assert listed(opened(settings), SECOND) == ["2"]


def test_absent_when_a_lead_is_ignored_by_name_then_it_never_was_one(tmp_path):
    ingest(export(tmp_path, FIRST, [LEAD, OTHER]))
    plain = export(tmp_path, SECOND, [LEAD, OTHER])
    leads = plain.sources["leads"].model_copy(update={"ignore": {"tests": {"id": ("1",)}}})
    settings = plain.model_copy(update={"sources": plain.sources | {"leads": leads}})
    ingest(settings)
    assert listed(opened(settings), "2024-01-15") == ["2"]


def ignoring(settings: Settings, **names: tuple[str, ...]) -> Settings:
    """The settings, with leads ignored by their status."""
    leads = settings.sources["leads"].model_copy(
        update={"ignore": {name: {"status": v} for name, v in names.items()}}
    )
    return settings.model_copy(update={"sources": settings.sources | {"leads": leads}})


def test_absent_when_a_lead_comes_to_be_ignored_then_its_past_stays(tmp_path):
    ingest(ignoring(export(tmp_path, FIRST, [LEAD, OTHER]), spam=("spam",)))
    settings = ignoring(
        export(tmp_path, SECOND, ["1,2024-01-01,free,spam,", OTHER]), spam=("spam",)
    )
    told = ingest(settings)
    assert any("1 lead of an earlier export is absent" in warning for warning in told.warnings)
    assert listed(opened(settings), "2024-02-15") == ["1", "2"]
    assert listed(opened(settings), SECOND) == ["2"]


LOST, WON = "1,2024-01-01,free,lost,2024-01-20", "1,2024-01-01,free,won,2024-01-20"


def spells_of(settings: Settings, moment: str) -> list[tuple[int, str, str, bool]]:
    """(spell, start, close, won) of lead 1, as known at a moment."""
    spells = opened(settings).spells(at(moment))
    rows = spells[spells["lead_id"] == "1"]
    names = {at("2024-01-02") - 1: "creation", at("2024-01-21") - 1: "close", at(SECOND) - 1: "second",
             at(THIRD) - 1: "third", at("2024-03-11") - 1: "march"}  # fmt: skip
    return [
        (row.spell, names[row.start_us], names.get(row.close_us, "open"), bool(row.won))
        for row in rows.itertuples()
    ]


def test_spells_when_an_export_shows_a_closed_lead_open_then_the_close_stays_and_it_is_open_from_then_on(
    tmp_path,
):
    ingest(export(tmp_path, FIRST, [LOST, OTHER]))
    settings = export(tmp_path, SECOND, [LEAD, OTHER])
    told = ingest(settings)
    assert any(
        "1 lead that was closed in an earlier export is open" in warning
        for warning in told.warnings
    )
    assert spells_of(settings, "2024-02-20") == [(1, "creation", "close", False)]
    assert spells_of(settings, SECOND) == [
        (1, "creation", "close", False),
        (2, "second", "open", False),
    ]
    assert listed(opened(settings), SECOND) == ["1", "2"]


AGAIN = [
    ("1,2024-01-01,free,won,2024-03-10", "march", True),  # closed anew, at a time of its own
    (
        LOST,
        "third",
        False,
    ),  # the close of before is there again: closed by the export that showed it
    ("1,2024-01-01,free,won,2024-01-10", "third", True),  # dated before it was open
]


@pytest.mark.cases(1)
@pytest.mark.parametrize(("row", "close", "won"), AGAIN)
def test_spells_when_a_lead_that_was_open_again_closes_then_its_second_spell_ends(
    tmp_path, row, close, won
):
    for until, lead in ((FIRST, LOST), (SECOND, LEAD), (THIRD, row)):
        settings = export(tmp_path, until, [lead, OTHER])
        ingest(settings)
    assert spells_of(settings, "2024-02-20") == [(1, "creation", "close", False)]
    assert spells_of(settings, "2024-03-05") == [
        (1, "creation", "close", False),
        (2, "second", "open", False),
    ]
    assert spells_of(settings, THIRD) == [
        (1, "creation", "close", False),
        (2, "second", close, won),
    ]


def test_spells_when_a_close_is_replaced_and_then_gone_then_it_is_open_only_from_the_last(tmp_path):
    for until, lead in ((FIRST, LOST), (SECOND, WON), (THIRD, LEAD)):
        settings = export(tmp_path, until, [lead, OTHER])
        ingest(settings)
    assert [row[:3] for row in spells_of(settings, "2024-03-05")] == [(1, "creation", "close")]
    assert [row[:3] for row in spells_of(settings, THIRD)] == [
        (1, "creation", "close"),
        (2, "third", "open"),
    ]


def test_outcome_when_the_next_export_shows_the_other_one_then_it_is_counted_and_said(tmp_path):
    ingest(export(tmp_path, FIRST, [LOST, OTHER]))
    told = ingest(export(tmp_path, SECOND, [WON, OTHER]))
    assert [
        each for each in told.warnings if "another outcome than in the previous export" in each
    ] == [
        "1 lead is closed with another outcome than in the previous export: counted within 7 days of the first close"
    ]
    told = ingest(export(tmp_path, THIRD, [WON, OTHER]))
    assert not any("another outcome than" in each for each in told.warnings)


@pytest.mark.slow
def test_list_when_a_lead_is_shown_open_after_every_close_then_it_is_listed_each_time(tmp_path):
    backdated = "1,2024-01-01,free,lost,2024-01-10"
    lives = {FIRST: LOST, SECOND: LEAD, THIRD: backdated, "2024-05-01": LEAD}
    for until, lead in lives.items():
        settings = export(tmp_path, until, [lead, OTHER])
        ingest(settings)
    assert {until: listed(opened(settings), until) for until in lives} == {
        FIRST: ["2"],
        SECOND: ["1", "2"],
        THIRD: ["2"],
        "2024-05-01": ["1", "2"],
    }


def test_grid_when_the_oldest_lead_is_absent_then_its_snapshots_are_still_learned_from(tmp_path):
    young = "2,2024-01-20,free,open,"
    calls = ("2,2024-01-25",)
    settings = export(tmp_path, FIRST, [LEAD, young], calls=calls)
    ingest(settings)
    before = opened(settings).earlier_side(at(FIRST)).rows
    settings = export(tmp_path, SECOND, [young], calls=calls)
    ingest(settings)
    pd.testing.assert_frame_equal(opened(settings).earlier_side(at(FIRST)).rows, before)
