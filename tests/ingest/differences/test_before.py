"""What a log with old values says of the time before its first row."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.store.version import read_current
from leadscore.times import parse_moment

LEADS = {
    "source": "deals",
    "table": "leads",
    "columns": {"lead_id": "Id", "event_at": "Created", "amount": "Amount", "stage_now": "Stage"},
}
STAGES = {
    "source": "log",
    "table": "stages",
    "where": {"Field": "Stage"},
    "columns": {"lead_id": "Id", "event_at": "At", "stage": "New", "stage_before": "Old"},
}
AMOUNTS = {
    "source": "log",
    "table": "changes",
    "where": {"Field": "Amount"},
    "columns": {"lead_id": "Id", "event_at": "At", "value": "New", "before": "Old"},
    "constants": {"field": "amount"},
}
DEALS = """Id,Created,Amount,Stage
D1,2026-01-01 09:00,30,Proposal
D2,2026-01-02 09:00,40,Visit
D3,2026-01-03 09:00,50,Won
"""


class Log:
    """An export of deals beside a log of their changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ingest(self, *rows: str, deals: str = DEALS, until: str = "2026-06-01", leads=LEADS):
        (self.folder / "deals.csv").write_text(deals)
        (self.folder / "log.csv").write_text("\n".join(["Id,Field,Old,New,At", *rows, ""]))
        settings = make_settings(
            input_folder=self.folder,
            data_folder=self.folder / "data",
            sources={"deals": {"path": "deals.csv"}, "log": {"path": "log.csv"}},
            mapping=[leads, STAGES, AMOUNTS],
            stages={"open": ["New", "Visit", "Proposal"], "won": ["Won"], "lost": ["Lost"]},
            known_until=until,
            validation={},
        )
        self.store = settings.project_folder() / "store"
        return jobs.ingest(settings, known_until_us=settings.known_until_us())

    def rows(self, table: str, value: str) -> list[tuple[str, str, str]]:
        """Lead, value and moment of the stored rows, in the order in which they count."""
        files = read_current(self.store, project="built").files(table)
        rows = [row for path in files for row in pq.read_table(path).to_pylist()]
        rows.sort(key=lambda row: (row["lead_id"], row["event_us"], row["seq"]))
        return [(row["lead_id"], row[value], row["event_us"]) for row in rows]


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path)


def at(text: str) -> int:
    return parse_moment(text, zone="UTC")


MOVES = ["D1,Stage,New,Visit,2025-12-01 10:00", "D1,Stage,Visit,Proposal,2026-01-09 10:00"]
CREATED = {"D1": at("2026-01-01 09:00"), "D2": at("2026-01-02 09:00"), "D3": at("2026-01-03 09:00")}


def test_stage_before_when_a_lead_changed_then_its_first_old_stage_counts_from_creation(log):
    moves = ["D1,Stage,New,Visit,2026-01-05 10:00", "D1,Stage,Visit,Proposal,2026-01-09 10:00"]
    done = log.ingest(*moves)
    of_lead = [row[1:] for row in log.rows("stages", "stage") if row[0] == "D1"]
    assert of_lead == [
        ("New", CREATED["D1"]),
        ("Visit", at("2026-01-05 10:00")),
        ("Proposal", at("2026-01-09 10:00")),
    ]
    assert not done.warnings
    account = done.accounts.tables["stages"]
    assert (account.selected, account.stored) == (2, 2)


def test_stage_now_when_a_lead_never_changed_then_it_counts_from_creation_if_open(log):
    log.ingest(*MOVES)
    stages = log.rows("stages", "stage")
    assert ("D2", "Visit", CREATED["D2"]) in stages
    assert [row for row in stages if row[0] == "D3"] == []  # when it was won, nothing says


def test_stage_now_when_a_lead_is_older_than_the_log_then_its_stage_at_creation_is_unknown(log):
    log.ingest("D3,Stage,New,Visit,2026-01-08 10:00", "D3,Stage,Visit,Won,2026-01-09 10:00")
    assert {row[0] for row in log.rows("stages", "stage")} == {"D3"}


def test_stage_before_when_stage_now_is_not_mapped_then_the_warning_names_the_line(log):
    columns = {name: text for name, text in LEADS["columns"].items() if name != "stage_now"}
    done = log.ingest(*MOVES, leads=LEADS | {"columns": columns})
    assert any("stage_now = " in warning for warning in done.warnings)


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        (["Visit,Proposal", "New,Visit"], "New"),
        (["New,Proposal", "Proposal,Visit"], "New"),
    ],
)
def test_stage_before_when_changes_share_a_moment_then_the_one_that_follows_none_is_first(
    log, rows, first
):
    done = log.ingest(*[f"D1,Stage,{row},2026-01-05" for row in rows])
    assert log.rows("stages", "stage")[0][:2] == ("D1", first)
    assert not [warning for warning in done.warnings if "a change is missing" in warning]


def test_stage_before_when_the_row_before_says_something_else_then_it_is_counted(log):
    done = log.ingest(
        "D1,Stage,New,Visit,2026-01-05 10:00", "D1,Stage,New,Proposal,2026-01-09 10:00"
    )
    assert any(warning.startswith("1 row of stages: the value before") for warning in done.warnings)
    assert len([row for row in log.rows("stages", "stage") if row[0] == "D1"]) == 3


def test_stage_before_when_it_is_no_stage_then_the_change_stays_and_the_name_is_shown(log):
    done = log.ingest("D1,Stage,Suspect,Visit,2026-01-05 10:00")
    assert [row[1] for row in log.rows("stages", "stage") if row[0] == "D1"] == ["Visit"]
    assert any("'Suspect'" in warning for warning in done.warnings)


def test_before_when_a_number_changed_then_its_old_value_counts_from_creation_in_its_unit(log):
    log.ingest("D1,Amount,10,30,2025-12-30 10:00", "D3,Amount,20,50,2026-02-05 10:00")
    assert log.rows("changes", "value") == [
        ("D1", "1000", at("2025-12-30 10:00")),
        ("D1", "3000", at("2025-12-30 10:00")),
        ("D2", "4000", CREATED["D2"]),
        ("D3", "2000", CREATED["D3"]),
        ("D3", "5000", at("2026-02-05 10:00")),
    ]


def test_before_when_a_value_without_a_row_differs_in_a_later_export_then_the_first_one_counts(log):
    log.ingest("D1,Amount,10,30,2026-01-01 10:00")
    log.ingest(
        "D1,Amount,10,30,2026-01-01 10:00", deals=DEALS.replace("40", "90"), until="2026-07-01"
    )
    changes = [row for row in log.rows("changes", "value") if row[0] == "D2"]
    assert changes == [("D2", "4000", CREATED["D2"])]


def test_stage_now_when_the_log_has_no_old_stages_then_it_is_refused():
    plain = {name: text for name, text in STAGES["columns"].items() if name != "stage_before"}
    with pytest.raises(ValueError, match="leads has no column 'stage_now'"):
        make_settings(
            sources={"deals": {"path": "deals.csv"}, "log": {"path": "log.csv"}},
            mapping=[LEADS, STAGES | {"columns": plain}],
        )
