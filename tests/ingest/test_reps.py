from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore.errors import MissingColumnsError, SourceFormatError, UserError
from leadscore.files import hash_file
from leadscore.ingest.reps import read_reps
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.routing import RoutingSettings
from leadscore.tables import REPS

HEADER = ",".join(REPS.names[1:])
MATCH = {
    "territories": "country",
    "segments": "industry",
    "languages": "language",
    "skills": "product",
}


def read(
    folder: Path,
    text: str | bytes,
    *,
    name: str = "reps.csv",
    match: dict | None = None,
    zone: str = "UTC",
):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    routing = RoutingSettings.model_validate(
        {"reps": name, "match": MATCH if match is None else match}
    )
    return read_reps(routing, make_settings(input_folder=folder, timezone=zone))


def test_reps_when_everything_is_told_then_all_of_it_is_read(tmp_path):
    text = f"{HEADER}\nr2,Bo,,7,,,,,,,,,,\nr1,Al,North,12,week,3,AT; DE,retail|energy,de,,0.1,0.5,2026-03-01,2026-03-07\n"
    reps, sha256 = read(tmp_path, text, zone="Europe/Vienna")
    assert reps.schema == REPS
    assert sha256 == hash_file(tmp_path / "reps.csv")
    assert reps.to_pylist() == [
        {"line": 3, "rep_id": "r1", "name": "Al", "team": "North", "capacity": 12, "period": "week", "load": 3,
         "territories": ["AT", "DE"], "segments": ["retail", "energy"], "languages": ["de"], "skills": [],
         "min_share": 0.1, "max_share": 0.5, "away_from": datetime(2026, 2, 28, 23, tzinfo=UTC),
         "away_until": datetime(2026, 3, 7, 22, 59, 59, 999_999, tzinfo=UTC)},
        {"line": 2, "rep_id": "r2", "name": "Bo", "team": None, "capacity": 7, "period": None, "load": 0,
         "territories": [], "segments": [], "languages": [], "skills": [], "min_share": 0.0, "max_share": 1.0,
         "away_from": None, "away_until": None},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("r1,,,-1,,,,,,,,,,", "capacity must be a number of leads, 0 or more, got '-1'"),
        ("r1,,,,,,,,,,,,,", "capacity must be a number of leads, 0 or more, got ''"),
        ("r1,,,many,,,,,,,,,,", "capacity must be a number of leads, 0 or more, got 'many'"),
        ("r1,,,5,,-2,,,,,,,,", "load must be a number of leads, 0 or more, got '-2'"),
        ("r1,,,5,year,,,,,,,,,", "period must be day, week or month, got 'year'"),
        ("r1,,,5,,,,,,,1.5,,,", "min_share must be a share from 0 to 1, got '1.5'"),
        ("r1,,,5,,,,,,,,20%,,", "max_share must be a share from 0 to 1, got '20%'"),
        (
            "r1,,,5,,,,,,,,,2026-03-08,2026-03-07",
            "the leave ends before it begins: 2026-03-08 to 2026-03-07",
        ),
        ("r1,,,5,,,,,,,,,soon,", "away_from: cannot read 'soon' as a time"),
        ("r1,,,5,,,,,,,,,,2026-02-30", "away_until: cannot read '2026-02-30' as a time"),
        (",,,5,,,,,,,,,,", "has no rep_id"),
        ("r0,,,5,,,,,,,,,,", "rep_id 'r0' is there 2 times"),
        ("r1,,,5", "4 values, the header has 14"),
    ],
)
def test_reps_when_a_row_is_wrong_then_are_refused_with_its_line(tmp_path, row, problem):
    with pytest.raises(UserError) as error:
        read(tmp_path, f"{HEADER}\nr0,,,5,,,,,,,,,,\n{row}\n")
    assert "cannot route with reps.csv: line " in str(error.value)
    assert f"line 3: {problem}" in str(error.value)


def test_reps_when_a_leave_is_of_one_day_then_it_is_no_mistake(tmp_path):
    reps, _ = read(tmp_path, "rep_id,capacity,away_from,away_until\nr,5,2026-03-01,2026-03-01\n")
    assert reps["away_until"][0].as_py() - reps["away_from"][0].as_py() == timedelta(
        days=1, microseconds=-1
    )


def test_reps_when_they_have_lists_that_are_compared_with_nothing_then_are_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"line 2: has skills, but routing\.match does not say which field"
    ):
        read(tmp_path, "rep_id,capacity,skills\nr,5,x\n", match={"territories": "country"})


def test_reps_when_there_is_no_capacity_then_the_missing_column_is_named(tmp_path):
    with pytest.raises(MissingColumnsError, match="capacity"):
        read(tmp_path, "rep_id,capcity\nr,5\n")


def test_reps_when_the_list_is_empty_or_not_there_then_is_refused(tmp_path):
    with pytest.raises(SourceFormatError, match=r"reps\.csv names nobody"):
        read(tmp_path, "rep_id,capacity\n")
    with pytest.raises(UserError, match=r"routing\.reps"):
        read_reps(RoutingSettings(reps="no.csv"), make_settings(input_folder=tmp_path))


def test_reps_when_the_file_is_parquet_then_are_read_alike(tmp_path):
    data = pa.BufferOutputStream()
    pq.write_table(
        pa.table({"rep_id": ["r"], "capacity": [5], "load": [None], "min_share": [0.25]}), data
    )
    reps, _ = read(tmp_path, data.getvalue().to_pybytes(), name="reps.parquet")
    assert reps.select(["rep_id", "capacity", "load", "min_share"]).to_pylist() == [
        {"rep_id": "r", "capacity": 5, "load": 0, "min_share": 0.25}
    ]


def test_reps_of_the_sample_when_read_then_each_covers_a_territory(tmp_path):
    write_sample(tmp_path, leads=30, seed=1)
    settings = read_settings(tmp_path / "leadscore.toml")
    routing = RoutingSettings.model_validate(
        {"reps": "reps.csv", "match": {"territories": "country"}}
    )
    reps, _ = read_reps(routing, settings)
    assert reps.num_rows > 3
    assert all(reps["territories"].to_pylist())
