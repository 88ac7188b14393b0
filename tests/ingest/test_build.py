"""Ingest as a whole: its versions, their bytes, and what it refuses."""

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import make_settings
from ingest.small_tables import (
    CALLS,
    COLUMNS,
    LEAD,
    LEADS,
    LOG,
    account,
    current,
    ids,
    ingest,
    make,
    rows,
    store,
)
from leadscore import project as jobs
from leadscore.errors import SourceFormatError, UserError
from leadscore.ingest.readers import batch
from leadscore.times import format_us, parse_moment


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_known_until_when_the_settings_state_it_then_it_is_that_moment_without_a_warning(tmp_path):
    version = ingest(tmp_path, {"leads": [LEAD]}, known_until="2024-03-01T12:30:00+01:00")
    assert version.manifest["known_until"] == "2024-03-01T11:30:00Z"
    assert version.known_until_us == parse_moment("2024-03-01T11:30:00Z", zone="UTC")
    assert version.manifest["warnings"] == []


def test_first_moment_when_leads_are_stored_then_it_is_when_the_first_of_them_was_known(tmp_path):
    leads = ["1,2024-01-05,", "2,2024-01-03T10:00:00,", "3,,", "4,2024-02-01,"]
    version = ingest(tmp_path, {"leads": leads, "calls": ["1,2023-01-01"]})
    assert format_us(version.first_us) == "2024-01-03T10:00:00Z"


def test_first_moment_when_refused_leads_lie_before_then_they_do_not_count(tmp_path):
    version = ingest(tmp_path, {"leads": [LEAD, "2,1950-01-01,", "2,1950-01-02,"]})
    assert ids(version) == ["1"]
    assert format_us(version.first_us) == "2024-01-01T23:59:59.999999Z"


def test_facts_when_they_lie_at_or_after_known_until_then_they_are_stored_and_warned_by_table(
    tmp_path,
):
    calls = ["1,2024-02-29", "1,2024-03-01T00:00:00", "1,2024-06-01", "9,2024-06-01"]
    version = ingest(tmp_path, {"leads": [LEAD, "2,2024-03-01,"], "calls": calls})
    assert account(version, "activities") == (4, 3, 1, 0)
    late = [text for text in version.manifest["warnings"] if "known_until" in text]
    assert len(late) == 2
    assert any(text.startswith("1 row of leads is dated") for text in late)
    assert any(
        text.startswith("2 rows of activities") for text in late
    )  # of those that were stored


ODD_ROWS = {
    "leads": [
        LEAD,
        LEAD,
        "2,2024-01-01,",
        "3,2024-01-05T10:00:00,7",
        "4,,",
        "5,2024-01-01,1",
        "5,2024-01-01,2",
    ],
    "stages": [
        "1,2024-01-02,new",
        "1,2024-01-02,qualified",
        "2,2024-01-02,new",
        "2,2024-01-02,new",
        "3,never,new",
    ],
    "calls": [
        "1,2024-01-02",
        "2,2024-01-02T10:00",
        "2,2024-01-02T10:00:00",
        "1,2024-01-02",
        "9,2024-01-03",
    ],
    "outcomes": [
        "1,2024-02-01,won",
        "1,2024-02-01,lost",
        "3,2024-01-04,won",
        "2,2024-02-02,lost",
    ],
}


@pytest.mark.parametrize("seed", [1, 2])
def test_stored_bytes_when_the_rows_of_the_files_come_in_another_order_then_they_are_the_same(
    tmp_path, seed
):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = ingest(tmp_path / "a", ODD_ROWS)
    chance = np.random.default_rng(seed)
    shuffled = {
        name: chance.permutation(lines).tolist() for name, lines in reversed(ODD_ROWS.items())
    }
    mixed = ingest(tmp_path / "b", shuffled)
    assert mixed.manifest["tables"] == plain.manifest["tables"]
    for key in ("first_us", "known_until_us", "accounts"):
        assert mixed.manifest[key] == plain.manifest[key]
    assert mixed.manifest["rejects"]["rules"] == plain.manifest["rejects"]["rules"]
    assert plain.manifest["tables"]["stages"]["rows"] == 3


@pytest.mark.parametrize("size", [1, 3])
def test_stored_bytes_when_files_are_read_in_other_batches_then_the_version_is_the_same(
    tmp_path, monkeypatch, size
):
    files = {
        "leads": [LEAD, LEAD, "2,2024-01-01,", "3,2024-01-05,7", "3,2024-01-05,8"],
        "calls": ["1,2024-01-02", "x", "9,9"],
    }
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = ingest(tmp_path / "a", files)
    monkeypatch.setattr(batch, "BATCH_ROWS", size)
    assert ingest(tmp_path / "b", files).id == plain.id


def test_ingest_when_nothing_changed_then_the_version_is_the_same_and_no_file_is_new(tmp_path):
    files = {"leads": [LEAD, "2,never,"], "calls": ["1,2024-01-02"]}
    first = ingest(tmp_path, files)
    before = everything(store(tmp_path))
    assert ingest(tmp_path, files).id == first.id
    assert everything(store(tmp_path)) == before


def test_ingest_when_the_input_changed_then_a_new_version_stands_beside_the_old_one(tmp_path):
    first = ingest(tmp_path, {"leads": [LEAD], "calls": ["1,2024-01-02"]})
    before = everything(store(tmp_path))
    second = ingest(tmp_path, {"leads": [LEAD], "calls": ["1,2024-01-02", "1,2024-01-03"]})
    assert second.id != first.id
    after = everything(store(tmp_path))
    assert {name: after[name] for name in before if name != "current.json"} == {
        name: data for name, data in before.items() if name != "current.json"
    }
    assert first.files("leads") == second.files("leads")  # what did not change is shared
    assert (
        len(rows(first, "activities", "lead_id")),
        len(rows(second, "activities", "lead_id")),
    ) == (1, 2)


def test_ingest_when_known_until_moves_then_only_the_manifest_is_new(tmp_path):
    first = ingest(tmp_path, {"leads": [LEAD]})
    second = ingest(tmp_path, {"leads": [LEAD]}, known_until="2024-04-01")
    assert first.id != second.id
    assert first.manifest["tables"] == second.manifest["tables"]


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("breaks", "error"),
    [
        (
            lambda folder: (folder / "calls.csv").write_text('id,"t\n1,2024-01-02\n'),
            SourceFormatError,
        ),
        (lambda folder: (folder / "calls.csv").write_text("id,t\n"), SourceFormatError),
        (lambda folder: (folder / "calls.csv").write_text("id,when\n1,2024-01-02\n"), UserError),
        (lambda folder: (folder / "calls.csv").unlink(), UserError),
        (lambda folder: (folder / "calls.csv").write_bytes(b"id,t\n1,2024\0\n"), UserError),
        (
            lambda folder: (folder / "leads.csv").write_text("id,created,amount\n1,never,5\n"),
            UserError,
        ),
    ],
)
def test_ingest_when_it_fails_then_the_current_version_is_as_it_was(tmp_path, breaks, error):
    files = {"leads": [LEAD], "calls": ["1,2024-01-02"]}
    first = ingest(tmp_path, files)
    before = (store(tmp_path) / "current.json").read_bytes()
    settings = make(tmp_path, files)
    breaks(tmp_path)
    with pytest.raises(error):
        jobs.ingest(settings, known_until_us=settings.known_until_us())
    assert (store(tmp_path) / "current.json").read_bytes() == before
    assert current(tmp_path).manifest == first.manifest
    assert [path.name for path in (store(tmp_path) / "versions").iterdir()] == [f"{first.id}.json"]


def test_ingest_when_not_one_lead_can_be_stored_then_the_rules_that_refused_them_are_counted(
    tmp_path,
):
    with pytest.raises(
        UserError,
        match=r"1 by type \('created' of leads, such as 'never'\), 2 by unique \('id' of leads\); no",
    ):
        ingest(tmp_path, {"leads": ["1,2024-01-01,5", "1,2024-01-01,6", "2,never,"]})
    assert not (store(tmp_path) / "current.json").exists()


def test_ingest_when_the_mapping_selects_no_lead_then_it_is_said(tmp_path):
    with pytest.raises(UserError, match="the mapping selected none, 1 by unselected"):
        ingest(tmp_path, {"leads": [LEAD]}, mapping=[LEADS | {"where": {"id": "x"}}])
    ignoring = {"leads": {"path": "leads.csv", "ignore": {"all": {"id": "*"}}}}
    with pytest.raises(UserError, match="selected none"):
        ingest(tmp_path, {"leads": [LEAD]}, sources=ignoring)


def test_times_when_rows_are_stored_then_both_are_there_and_nothing_is_known_before_it_happens(
    tmp_path,
):
    (tmp_path / "late.csv").write_text(
        "id,t,known\n1,2024-01-02,2024-01-01\n1,2024-01-03,\n1,2024-01-04,2024-02-05\n"
    )
    version = ingest(
        tmp_path,
        {"leads": [LEAD]},
        sources={"leads": {"path": "leads.csv"}, "late": {"path": "late.csv"}},
        mapping=[LEADS, CALLS | {"source": "late", "columns": LOG | {"available_at": "known"}}],
    )
    times = rows(version, "activities", "event_us", "available_us")
    assert [(format_us(happened)[:10], format_us(known)[:10]) for happened, known in times] == [
        ("2024-01-02", "2024-01-02"), ("2024-01-03", "2024-01-03"), ("2024-01-04", "2024-02-05"),
    ]  # fmt: skip


def as_parquet(folder: Path, **columns: pa.Array) -> None:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    (folder / "leads.parquet").write_bytes(target.getvalue())


TEN = [datetime(2024, 1, 1, 10, tzinfo=UTC), None]


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("created", "amounts"),
    [
        (pa.array(TEN, pa.timestamp("us", "UTC")), pa.array([5, None], pa.int64())),
        (pa.array(TEN, pa.timestamp("ns", "Asia/Tokyo")), pa.array([5, None], pa.int16())),
        (pa.array(TEN, pa.timestamp("ms")), pa.array(["5", ""], pa.string())),
        (pa.array(["2024-01-01T10:00:00Z", None]), pa.array(["5", None]).dictionary_encode()),
        (pa.array(TEN, pa.timestamp("s")), pa.array([5.0, None], pa.float64())),
        (pa.array(TEN, pa.timestamp("s")), pa.array([5.0, float("nan")], pa.float32())),
    ],
    ids=lambda column: str(column.type),
)
def test_parquet_when_it_says_what_a_csv_says_then_the_stored_bytes_are_the_same(
    tmp_path, created, amounts
):
    for name in ("csv", "parquet"):
        (tmp_path / name).mkdir()
    plain = ingest(tmp_path / "csv", {"leads": ["1,2024-01-01T10:00:00,5", "2,,"]})
    as_parquet(tmp_path / "parquet", id=pa.array([1, 2]), created=created, amount=amounts)
    typed = ingest(
        tmp_path / "parquet", {}, sources={"leads": {"path": "leads.parquet"}}, mapping=[LEADS]
    )
    assert typed.manifest["tables"] == plain.manifest["tables"]
    assert ids(typed) == ["1", "2"]


def test_field_when_its_name_means_something_to_us_or_to_sql_then_it_is_stored_or_refused_in_words(
    tmp_path,
):
    names = [
        "source",
        "line",
        "copy",
        "order",
        "group",
        "table",
        "value",
        "rule",
        "same_id",
        "event_at",
        "seq",
        "l",
        "j",
    ]
    kept = []
    for name in names:
        try:
            make_settings(fields={name: {}})
        except ValueError as refused:
            assert f"fields.{name}: the name is taken" in str(refused)  # noqa: PT017
        else:
            kept.append(name)
    assert {"order", "group", "table", "value", "rule"} <= set(kept)
    columns = COLUMNS | dict.fromkeys(kept, "amount")
    version = ingest(
        tmp_path,
        {"leads": ["1,2024-01-01,web"]},
        fields={name: {} for name in kept},
        mapping=[LEADS | {"columns": columns}],
    )
    assert rows(version, "leads", "lead_id", *kept) == [("1", *["web"] * len(kept))]


def test_answers_when_no_level_lists_them_then_those_stored_are_counted_and_shown(tmp_path):
    version = ingest(
        tmp_path,
        {
            "leads": [
                LEAD,
                LEAD,
                "2,2024-01-01,yes",
                "3,2024-01-01,6",
                "3,2024-01-01,7",
                "4,2024-01-01,",
            ]
        },
        fields={"asked": {}},
        bant={"need": {"field": "asked", "levels": ["no", "yes"]}},
        mapping=[LEADS | {"columns": COLUMNS | {"asked": "amount"}}],
    )
    assert ids(version) == ["1", "2", "4"]
    (warning,) = [text for text in version.manifest["warnings"] if "bant.need" in text]
    assert warning.startswith(
        "1 answer to need is not among bant.need.levels and counts as unknown"
    )
    assert warning.endswith(": '5'")


def test_ingest_when_it_ends_then_the_job_tells_what_the_manifest_holds(tmp_path):
    settings = make(tmp_path, {"leads": [LEAD, "x", "2,never,", "3,soon,"]})
    steps = []
    told = jobs.ingest(
        settings, progress=lambda what, done, total: steps.append((what, done, total))
    )
    version = current(tmp_path)
    assert (told.project, told.store_version, told.known_until) == (
        "built",
        version.id,
        "2024-03-01T00:00:00Z",
    )
    assert told.accounts.to_dict() == version.manifest["accounts"]
    assert told.rejects == {"columns": 1, "type": 2}
    assert told.first_rejects == {
        "columns": "leads.csv, line 3",
        "type": "leads.csv, line 4, column event_at",
    }
    assert steps[0] == ("reading leads.csv", 0, 1)
    assert [what for what, _, _ in steps[1:]] == [
        f"checking {table}" for table in ("changes", "activities", "stages", "outcomes", "scores")
    ]
