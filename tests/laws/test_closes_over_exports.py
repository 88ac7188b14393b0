"""What was known of closes at a moment stays as it was, whatever later exports show."""

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import make_settings
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.opening import open_history
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current
from leadscore.times import parse_moment

CREATED = "2024-03-01T09:00:00Z"
UNTILS = ("2024-05-01T06:00:00Z", "2024-06-01T06:00:00Z", "2024-07-01T06:00:00Z")
DATES = (
    "",
    "2024-04-10T08:00:00Z",
    "2024-04-30",
    "2024-05-01",  # the day of the first export
    "2024-05-20",
    "2024-06-20T08:00:00Z",
    "2024-09-30",  # planned for a time after all exports
)
LEADS = ("a", "b", "c")
ALARMS = ["half_delivered", "empty", "same_files", "renamed"]
MAPPING = [
    {"source": "deals", "table": "leads", "columns": {"lead_id": "id", "event_at": "created"}},
    {
        "source": "deals",
        "table": "outcomes",
        "columns": {"lead_id": "id", "event_at": "closed"},
        "where": {"status": ["won", "lost"]},
        "values": {"status": {"won": {"outcome": "won"}, "lost": {"outcome": "lost"}}},
    },
]
Row = tuple[str, str]  # status ("" if the export does not have the lead) and close date

closed = st.tuples(st.sampled_from(["won", "lost"]), st.sampled_from(DATES))
absent, still_open = st.just(("", "")), st.tuples(st.just("open"), st.sampled_from(DATES))


@st.composite
def lives(draw: st.DrawFn) -> list[Row]:
    """What the exports show of a lead; once closed it stays closed, by any outcome and date, or is missing."""
    rows: list[Row] = []
    for _ in UNTILS:
        is_closed = any(status in ("won", "lost") for status, _ in rows)
        rows.append(
            draw(st.one_of(closed, absent) if is_closed else st.one_of(still_open, closed, absent))
        )
    return rows


def settings_of(folder: Path) -> Settings:
    return make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        mapping=MAPPING,
        sources={"deals": {"path": "deals.csv"}},
    )


def ingest_all(folder: Path, exports: list[dict[str, Row]]) -> list[StoreVersion]:
    """The store version that each export made."""
    plain = settings_of(folder)
    versions = []
    for until, rows in zip(UNTILS, exports, strict=True):
        lines = [
            f"{lead},{CREATED},{status},{date}" for lead, (status, date) in rows.items() if status
        ]
        (folder / "deals.csv").write_text("\n".join(["id,created,status,closed", *lines, ""]))
        jobs.ingest(plain, accept=ALARMS, known_until_us=parse_moment(until, zone="UTC"))
        versions.append(read_current(plain.project_folder() / "store", project=plain.project))
    return versions


def ids_of(version: StoreVersion) -> set[str]:
    return {
        lead
        for file in version.files("leads")
        for lead in pq.read_table(file)["lead_id"].to_pylist()
    }


def known(
    plain: Settings, version: StoreVersion, until: str, leads: set[str]
) -> list[list[dict[str, Any]]]:
    """The spells and the labelled snapshots of these leads, as a version has them at a moment."""
    history = open_history(plain, version, DuckDBEngine(plain.engine))
    at = parse_moment(until, zone="UTC")
    spells, side = history.spells(at), history.earlier_side(at).rows
    tables = (spells, side[["lead_id", "spell", "as_of_us", "label"]])
    return [rows_of(table[table["lead_id"].isin(leads)]) for table in tables]


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.astype(object).where(table.notna(), None).to_dict("records")


BACKDATED = [("open", ""), ("lost", "2024-04-10T08:00:00Z"), ("lost", "2024-04-10T08:00:00Z")]
AFTER_A_GAP = [("open", ""), ("", ""), ("won", "2024-04-10T08:00:00Z")]
DATED_LATER = [("won", ""), ("won", "2024-04-10T08:00:00Z"), ("won", "2024-04-10T08:00:00Z")]
DATE_MOVED = [("won", "2024-04-30"), ("won", "2024-04-10T08:00:00Z"), ("lost", "2024-05-20")]
SLIP = [("won", "2024-04-30"), ("lost", "2024-04-30"), ("won", "")]
NEXT_MONTH = [("lost", "2024-05-20"), ("lost", "2024-04-10T08:00:00Z"), ("lost", "2024-05-20")]


worlds = given(st.fixed_dictionaries({lead: lives() for lead in LEADS}))


@example({"a": BACKDATED, "b": AFTER_A_GAP, "c": DATED_LATER})
@example({"a": DATE_MOVED, "b": SLIP, "c": NEXT_MONTH})
def check_closes(lives_of: dict[str, list[Row]]) -> None:
    lives_of = lives_of | {"z": [("lost", "2024-04-10T08:00:00Z")] * len(UNTILS)}
    exports = [
        {lead: rows[place] for lead, rows in lives_of.items()} for place in range(len(UNTILS))
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = settings_of(folder)
        versions = ingest_all(folder, exports)
        for first, version in enumerate(versions):
            for later in versions[first + 1 :]:
                shared = ids_of(version) & ids_of(later)
                for until in UNTILS[: first + 1]:
                    assert known(plain, later, until, shared) == known(
                        plain, version, until, shared
                    )
        for version, until, rows in zip(versions, UNTILS, exports, strict=True):
            listed = open_history(plain, version, DuckDBEngine(plain.engine)).open_list(
                parse_moment(until, zone="UTC")
            )
            assert set(listed["lead_id"]) == {
                lead for lead, (status, _) in rows.items() if status == "open"
            }


@pytest.mark.slow
def test_what_was_known_of_closes_when_later_exports_come_then_stays_as_it_was() -> None:
    settings(max_examples=8, deadline=None)(worlds(check_closes))()
