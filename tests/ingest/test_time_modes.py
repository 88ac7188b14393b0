"""Exports without dates: places, names and outcomes of leads, as they are stored."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from leadscore import project as jobs
from leadscore.errors import SourceFormatError, UserError
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current

NAMED = {"source": "leads", "table": "leads", "columns": {"lead_id": "id", "color": "color"}}
UNNAMED = {"source": "leads", "table": "leads", "columns": {"color": "color"}}
ENDS = {"won": {"outcome": "won"}, "lost": {"outcome": "lost"}}
ENDED = {
    "source": "leads",
    "table": "outcomes",
    "where_not": {"end": ""},
    "columns": {},
    "values": {"end": ENDS},
}
FULL = ["id,n,color,end", "b,30,red,won", "a,10,blue,lost", "c,20,red,"]


def make(folder: Path, files: dict[str, list[str]], **changes: Any) -> Settings:
    for name, rows in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n".join([*rows, ""]))
    plain = {
        "project": "built",
        "time": "ordered",
        "input_folder": folder,
        "data_folder": folder / "data",
        "models_folder": folder / "models",
        "sources": {"leads": {"path": "leads.csv"}},
        "fields": {"color": {}},
        "mapping": [UNNAMED, ENDED],
        "validation": {"max_refused": 1.0},
    }
    return Settings.model_validate(plain | changes)


def ingest(folder: Path, files: dict[str, list[str]], **changes: Any) -> StoreVersion:
    settings = make(folder, files, **changes)
    jobs.ingest(settings)
    return read_current(settings.project_folder() / "store", project="built")


def rows(version: StoreVersion, table: str, *columns: str) -> list[tuple]:
    return [
        tuple(row[c] for c in columns)
        for path in version.files(table)
        for row in pq.read_table(path).to_pylist()
    ]


def places(version: StoreVersion, table: str = "leads") -> dict[str, int]:
    """Each lead's place, which is also when it was known."""
    found = rows(version, table, "lead_id", "event_us", "available_us")
    assert all(event == available for _, event, available in found)
    return {lead_id: event for lead_id, event, _ in found}


def account(version: StoreVersion, table: str) -> tuple[int, ...]:
    found = version.manifest["accounts"]["tables"][table]
    return tuple(found[key] for key in ("selected", "stored", "rejected", "duplicates"))


def with_id(entry: dict[str, Any], **more: str) -> dict[str, Any]:
    return entry | {"columns": {"lead_id": "id", **entry["columns"], **more}}


@pytest.mark.parametrize(
    ("time", "mapping", "expected", "until"),
    [
        pytest.param(
            "ordered", [with_id(UNNAMED, sequence="n"), with_id(ENDED)], {"a": 10, "b": 30, "c": 20}, (31, "place 31"),
            id="a column is the sequence",
        ),
        pytest.param(
            "ordered", [with_id(UNNAMED), with_id(ENDED)], {"a": 3, "b": 2, "c": 4}, (5, "place 5"),
            id="the line is the place, the header being line 1",
        ),
        pytest.param(
            "none", [with_id(UNNAMED), with_id(ENDED)], {"a": 0, "b": 0, "c": 0}, (1, "undated"), id="no place at all"
        ),
    ],
)  # fmt: skip
def test_leads_when_nothing_is_dated_then_they_and_their_outcomes_stand_at_their_places(
    tmp_path, time, mapping, expected, until
):
    version = ingest(tmp_path, {"leads.csv": FULL}, time=time, mapping=mapping)
    assert places(version) == expected
    assert places(version, "outcomes") == {lead_id: expected[lead_id] for lead_id in ("a", "b")}
    assert (version.manifest["time"], version.manifest["first_us"]) == (
        time,
        min(expected.values()),
    )
    assert (version.known_until_us, version.manifest["known_until"]) == until
    assert version.manifest["warnings"] == [
        f"time = {time}: it is not known when fields were filled in; "
        "the metrics assume that every mapped field was known when the lead was scored"
    ]


@pytest.mark.parametrize("time", ["ordered", "none"])
def test_known_until_when_it_is_stated_then_places_stay_what_they_are(tmp_path, time):
    version = ingest(tmp_path, {"leads.csv": FULL}, time=time, known_until="2024-03-01")
    assert version.known_until_us == (5 if time == "ordered" else 1)


@pytest.mark.parametrize(
    ("sources", "files", "named"),
    [
        pytest.param({"path": "leads.csv"}, ["leads.csv"], ["leads-2", "leads-3", "leads-4"], id="one file"),
        pytest.param(
            {"path": "in/*.csv"}, ["in/a.csv", "in/b.csv"],
            [f"in/{name}.csv-{line}" for name in "ab" for line in (2, 3, 4)], id="several files",
        ),
    ],
)  # fmt: skip
def test_leads_when_no_column_is_an_id_then_they_are_called_by_source_or_file_and_line(
    tmp_path, sources, files, named
):
    version = ingest(tmp_path, dict.fromkeys(files, FULL), time="none", sources={"leads": sources})
    assert sorted(places(version)) == named
    ends = dict(rows(version, "outcomes", "lead_id", "outcome"))
    assert ends == {
        name: "won" if name.endswith("-2") else "lost" for name in named if not name.endswith("-4")
    }


@pytest.mark.parametrize("time", ["ordered", "none"])
def test_leads_when_rows_without_an_id_are_equal_then_all_are_kept(tmp_path, time):
    version = ingest(
        tmp_path, {"leads.csv": ["color,end", *["red,won"] * 3, "blue,lost"]}, time=time
    )
    assert account(version, "leads") == account(version, "outcomes") == (4, 4, 0, 0)


@pytest.mark.parametrize("time", ["ordered", "none"])
def test_leads_when_rows_with_an_id_are_equal_then_they_count_once_at_the_first_place(
    tmp_path, time
):
    told = ["id,color,end", "z,red,won", "a,red,won", "z,red,won"]
    version = ingest(
        tmp_path, {"leads.csv": told}, time=time, mapping=[with_id(UNNAMED), with_id(ENDED)]
    )
    assert account(version, "leads") == account(version, "outcomes") == (3, 2, 0, 1)
    assert places(version) == ({"a": 3, "z": 2} if time == "ordered" else {"a": 0, "z": 0})


@pytest.mark.parametrize("time", ["ordered", "none"])
def test_leads_when_different_rows_share_an_id_then_all_of_them_and_their_outcomes_are_refused(
    tmp_path, time
):
    told = ["id,color,end", "z,red,won", "a,red,won", "z,blue,won"]
    version = ingest(
        tmp_path, {"leads.csv": told}, time=time, mapping=[with_id(UNNAMED), with_id(ENDED)]
    )
    assert [*places(version)] == [*places(version, "outcomes")] == ["a"]
    assert version.manifest["rejects"]["rules"] == {"reference": 1, "unique": 2}


@pytest.mark.parametrize(("time", "place"), [("ordered", 3), ("none", 0)])
def test_outcomes_when_another_file_tells_them_then_they_stand_at_their_leads_place_all_the_same(
    tmp_path, time, place
):
    ends = {"source": "ends", "table": "outcomes", "columns": {"lead_id": "id", "outcome": "end"}}
    files = {
        "leads.csv": ["id,color", "b,red", "a,blue"],
        "ends.csv": ["id,end", *["nobody,won"] * 5, "a,lost", "a,lost"],
    }
    version = ingest(
        tmp_path, files, time=time, mapping=[NAMED, ends],
        sources={"leads": {"path": "leads.csv"}, "ends": {"path": "ends.csv"}},
    )  # fmt: skip
    assert places(version, "outcomes") == {"a": place}
    assert account(version, "outcomes") == (7, 1, 1, 5)
    assert version.manifest["rejects"]["rules"] == {"reference": 1}


@pytest.mark.parametrize(
    ("place", "rule"), [("", "required"), ("soon", "type"), ("1.5", "type"), ("1e3", "type")]
)
def test_lead_when_its_place_is_no_whole_number_then_it_is_refused_with_its_outcome(
    tmp_path, place, rule
):
    told = ["id,n,color,end", f"x,{place},red,won", "a,-7,blue,lost"]
    mapping = [with_id(UNNAMED, sequence="n"), with_id(ENDED)]
    version = ingest(tmp_path, {"leads.csv": told}, mapping=mapping)
    assert places(version) == places(version, "outcomes") == {"a": -7}
    assert version.manifest["rejects"]["rules"] == dict(sorted({"reference": 1, rule: 1}.items()))


def test_leads_when_the_lines_of_several_files_would_be_their_order_then_it_is_refused(tmp_path):
    with pytest.raises(
        SourceFormatError,
        match="2 files, whose lines have no common order; map a column to sequence",
    ):
        ingest(
            tmp_path, {"in/a.csv": FULL, "in/b.csv": FULL}, sources={"leads": {"path": "in/*.csv"}}
        )


def test_leads_when_several_files_have_a_sequence_then_it_orders_them_all(tmp_path):
    files = {
        "in/a.csv": ["n,color,end", "1,red,won", "4,red,"],
        "in/b.csv": ["n,color,end", "3,red,lost", "2,red,won"],
    }
    mapping = [UNNAMED | {"columns": {"color": "color", "sequence": "n"}}, ENDED]
    version = ingest(tmp_path, files, sources={"leads": {"path": "in/*.csv"}}, mapping=mapping)
    assert places(version) == {"in/a.csv-2": 1, "in/a.csv-3": 4, "in/b.csv-2": 3, "in/b.csv-3": 2}
    assert places(version, "outcomes") == {"in/a.csv-2": 1, "in/b.csv-2": 3, "in/b.csv-3": 2}


@pytest.mark.parametrize(
    ("stored", "asked"), [("ordered", "none"), ("none", "ordered"), ("dated", "none")]
)
def test_store_when_it_was_made_in_another_mode_then_it_is_refused_until_it_is_ingested_again(
    tmp_path, stored, asked
):
    told = ["id,n,color,end", "a,2024-01-01,red,"]
    modes = {
        "dated": {"mapping": [with_id(UNNAMED, event_at="n")], "known_until": "2024-03-01"},
        "ordered": {"mapping": [with_id(UNNAMED)]},
        "none": {"mapping": [with_id(UNNAMED)]},
    }
    ingest(tmp_path, {"leads.csv": told}, time=stored, **modes[stored])
    settings = make(tmp_path, {}, time=asked, **modes[asked])
    with pytest.raises(
        UserError,
        match=f"time = '{asked}', the data were stored with '{stored}'; run `leadscore",
    ):
        jobs.audit(settings)
    jobs.ingest(settings)
    assert [field.field for field in jobs.audit(settings).fields] == ["color"]
