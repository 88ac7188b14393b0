import hashlib
import json
import os
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import Facts, day
from leadscore.errors import (
    CorruptFileError,
    LeadscoreError,
    NoStoreError,
    UnavailableError,
    UserError,
)
from leadscore.store import objects
from leadscore.store.objects import object_path, write_rows
from leadscore.store.version import StoreVersion, read_current, write_version
from leadscore.tables import REJECTS

SCHEMA = pa.schema([pa.field("lead_id", pa.string()), pa.field("n", pa.int64())])


def old_facts() -> Facts:
    return (
        Facts()
        .lead("1", 0)
        .lead("2", 3)
        .activity("1", 2, "email")
        .stage("1", 1, "new")
        .outcome("2", 9, "won")
    )


def new_facts() -> Facts:
    return old_facts().lead("3", 4).activity("3", 5, "email").change("1", 6, "owner_id", "ann")


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def rows(version: StoreVersion, table: str) -> list[dict]:
    return [row for path in version.files(table) for row in pq.read_table(path).to_pylist()]


def read_all(folder: Path) -> None:
    version = read_current(folder, project="built")
    for table in version.manifest["tables"]:
        version.files(table)


def batches(n: int, size: int) -> list[pa.RecordBatch]:
    table = pa.table({"lead_id": [f"{i % 7:05d}" for i in range(n)], "n": range(n)}, schema=SCHEMA)
    return table.to_batches(max_chunksize=size)


def test_objects_when_a_version_is_written_then_each_is_named_by_the_hash_of_its_content(tmp_path):
    version = old_facts().write(tmp_path, known_until=30)
    objects = list((tmp_path / "objects").rglob("*.parquet"))
    assert len(objects) == 4  # leads, activities, stages, outcomes
    for path in objects:
        assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.parent.name == path.stem[:2]
    assert sorted(objects) == sorted(
        path for table in version.manifest["tables"] for path in version.files(table)
    )


def test_manifest_when_a_version_is_written_then_its_name_is_its_hash_and_current_names_it(
    tmp_path,
):
    version = old_facts().write(tmp_path, known_until=30)
    data = (tmp_path / "versions" / f"{version.id}.json").read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    assert version.id == sha256[:16]
    assert json.loads((tmp_path / "current.json").read_bytes()) == {
        "version": version.id,
        "sha256": sha256,
    }
    assert json.loads(data) == version.manifest


def test_current_when_it_is_read_then_it_is_the_version_that_was_written(tmp_path):
    written = old_facts().write(tmp_path, known_until=30)
    read = read_current(tmp_path, project="built")
    assert (read.id, read.manifest) == (written.id, written.manifest)
    assert (read.known_until_us, read.first_us) == (day(30), day(0))
    assert [row["lead_id"] for row in rows(read, "leads")] == ["1", "2"]
    assert rows(read, "outcomes")[0]["event_us"] == day(9)
    assert {field.name for field in read.schema("outcomes")} >= {
        "lead_id",
        "outcome",
        "event_us",
        "available_us",
    }


def test_tables_when_they_have_no_rows_then_there_is_no_file_and_no_schema(tmp_path):
    version = old_facts().write(tmp_path, known_until=30)
    for table in ("changes", "rejects", "reps"):
        assert version.files(table) == []
        assert version.schema(table) is None


@pytest.mark.parametrize("sizes", [(1, 3), (7, 5), (1000, 1)])
def test_stored_rows_when_they_come_in_other_batches_then_the_bytes_are_the_same(
    tmp_path, monkeypatch, sizes
):
    monkeypatch.setattr(objects, "ROW_GROUP", 10)
    parts = [write_rows(tmp_path / str(size), SCHEMA, batches(35, size)) for size in sizes]
    assert parts[0] == parts[1]
    assert everything(tmp_path / str(sizes[0])) == everything(tmp_path / str(sizes[1]))
    file = pq.ParquetFile(object_path(tmp_path / str(sizes[0]), parts[0]["files"][0]["sha256"]))
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [
        10,
        10,
        10,
        5,
    ]
    assert file.read().column("n").to_pylist() == list(range(35))
    assert parts[0]["rows"] == 35


@pytest.mark.parametrize("n", [9, 10, 11, 20])
def test_stored_rows_when_their_number_is_about_a_group_then_none_is_lost_or_repeated(
    tmp_path, monkeypatch, n
):
    monkeypatch.setattr(objects, "ROW_GROUP", 10)
    part = write_rows(tmp_path, SCHEMA, batches(n, 4))
    stored = pq.read_table(object_path(tmp_path, part["files"][0]["sha256"]))
    assert stored.column("n").to_pylist() == list(range(n))
    assert part == {"rows": n, "files": [{"sha256": part["files"][0]["sha256"], "rows": n}]}


def test_stored_rows_when_there_are_none_then_no_file_is_left(tmp_path):
    assert write_rows(tmp_path, SCHEMA, []) == {"rows": 0, "files": []}
    assert write_rows(tmp_path, SCHEMA, [batches(3, 3)[0].slice(0, 0)]) == {"rows": 0, "files": []}
    assert everything(tmp_path) == {}


def test_stored_rows_when_a_batch_has_other_types_then_they_are_those_of_the_schema(tmp_path):
    narrow = pa.RecordBatch.from_pydict({"lead_id": ["1"], "n": pa.array([5], pa.int32())})
    part = write_rows(tmp_path, SCHEMA, [narrow])
    assert pq.read_schema(object_path(tmp_path, part["files"][0]["sha256"])) == SCHEMA


def test_version_when_the_same_is_written_again_then_nothing_changes(tmp_path):
    first = old_facts().write(tmp_path, known_until=30)
    before = everything(tmp_path)
    assert old_facts().write(tmp_path, known_until=30).id == first.id
    assert everything(tmp_path) == before


def test_version_when_a_later_one_is_written_then_the_old_one_stays_whole_beside_it(tmp_path):
    old = old_facts().write(tmp_path, known_until=30)
    before = {table: rows(old, table) for table in old.manifest["tables"]}
    new = new_facts().write(tmp_path, known_until=30)
    assert read_current(tmp_path, project="built").id == new.id != old.id
    assert {table: rows(old, table) for table in old.manifest["tables"]} == before
    assert new.files("outcomes") == old.files("outcomes")
    assert new.files("leads") != old.files("leads")


def test_version_when_an_old_one_is_written_again_then_it_is_current_again(tmp_path):
    old = old_facts().write(tmp_path, known_until=30)
    new_facts().write(tmp_path, known_until=30)
    old_facts().write(tmp_path, known_until=30)
    assert read_current(tmp_path, project="built").id == old.id


def test_current_when_nothing_was_ingested_then_the_user_is_told_what_to_run(tmp_path):
    with pytest.raises(NoStoreError, match=r"'built'.*leadscore ingest") as told:
        read_current(tmp_path / "none", project="built")
    assert isinstance(told.value, UserError)


def damage(path: Path, at: float) -> None:
    """Flip one bit of the byte at that share of the file."""
    data = bytearray(path.read_bytes())
    data[int(at * (len(data) - 1))] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("at", [0, 0.01, 0.3, 0.5, 0.77, 1])
@pytest.mark.parametrize("table", ["leads", "activities", "stages", "outcomes"])
def test_object_when_one_bit_flips_then_it_is_found_before_a_row_is_used(tmp_path, table, at):
    version = old_facts().write(tmp_path, known_until=30)
    path = version.files(table)[0]
    damage(path, at)
    with pytest.raises(CorruptFileError) as told:
        rows(read_current(tmp_path, project="built"), table)
    assert str(path) in str(told.value)
    assert path.stem[:12] in str(told.value)
    assert not isinstance(told.value, UserError)


def test_rejects_when_one_bit_flips_then_it_is_found(tmp_path):
    reject = {
        "source": "leads",
        "file": "leads.csv",
        "line": 2,
        "severity": "refused",
        "table": "leads",
        "rule": "type",
        "column": "a",
        "value": "x",
        "lead_id": "1",
    }
    manifest = old_facts().write(tmp_path, known_until=30).manifest
    part = write_rows(tmp_path, REJECTS, pa.Table.from_pylist([reject], REJECTS).to_batches())
    version = write_version(tmp_path, manifest | {"rejects": part | {"rules": {"type": 1}}})
    assert read_current(tmp_path, project="built").id == version.id
    damage(version.files("rejects")[0], 0.5)
    with pytest.raises(CorruptFileError):
        read_current(tmp_path, project="built").files("rejects")


@pytest.mark.parametrize("at", [0, 0.2, 0.5, 0.9, 1])
def test_manifest_when_one_bit_flips_then_it_is_found(tmp_path, at):
    version = old_facts().write(tmp_path, known_until=30)
    damage(tmp_path / "versions" / f"{version.id}.json", at)
    with pytest.raises(CorruptFileError, match=version.id):
        read_current(tmp_path, project="built")


def test_pointer_when_any_one_bit_flips_then_no_other_version_is_read_and_words_say_so(tmp_path):
    version = old_facts().write(tmp_path, known_until=30)
    whole = (tmp_path / "current.json").read_bytes()
    for at in range(len(whole)):
        (tmp_path / "current.json").write_bytes(
            whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        )
        try:
            read = read_current(tmp_path, project="built")
        except LeadscoreError as e:
            assert str(tmp_path) in str(e)  # noqa: PT017
        else:
            assert read.id == version.id  # a blank that became another blank


@pytest.mark.parametrize(
    "left", [b"", b"null", b"[]", b"{}", b'{"version": 1, "sha256": 2}', b"\xff\xfe", None]
)
def test_pointer_when_it_is_no_pointer_then_the_latest_version_counts_and_words_say_so(
    tmp_path, left, caplog
):
    latest = old_facts().write(tmp_path, known_until=31)
    old_facts().write(tmp_path, known_until=30)
    path = tmp_path / "current.json"
    path.unlink() if left is None else path.write_bytes(left)
    assert read_current(tmp_path, project="built").id == latest.id
    assert f"{path} is gone or damaged" in caplog.text
    assert latest.id in caplog.text


def test_pointer_when_it_is_damaged_and_two_versions_are_the_latest_then_words_ask_which_one_counts(
    tmp_path,
):
    old_facts().write(tmp_path, known_until=30)
    new_facts().write(tmp_path, known_until=30)
    (tmp_path / "current.json").write_bytes(b"")
    with pytest.raises(LeadscoreError, match=r"current\.json .*leadscore store rollback"):
        read_current(tmp_path, project="built")


@pytest.mark.parametrize("what", ["objects", "versions"])
def test_file_when_it_is_gone_then_words_say_which(tmp_path, what):
    old_facts().write(tmp_path, known_until=30)
    path = sorted(path for path in (tmp_path / what).rglob("*") if path.is_file())[0]
    path.unlink()
    with pytest.raises(CorruptFileError, match=path.name):
        read_all(tmp_path)


@pytest.mark.parametrize("what", ["objects", "versions"])
def test_file_when_it_is_damaged_then_ingesting_the_same_again_mends_it(tmp_path, what):
    version = old_facts().write(tmp_path, known_until=30)
    before = everything(tmp_path)
    damage(sorted(path for path in (tmp_path / what).rglob("*") if path.is_file())[0], 0.5)
    assert old_facts().write(tmp_path, known_until=30).id == version.id
    assert read_current(tmp_path, project="built").manifest == version.manifest
    assert everything(tmp_path) == before


class Died(BaseException):
    """The process was killed."""


STEPS = {
    "mkstemp": (tempfile, "mkstemp"),
    "fsync": (os, "fsync"),
    "chmod": (Path, "chmod"),
    "replace": (Path, "replace"),
}


def write_with_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int, fault: BaseException
) -> bool:
    """Write the new facts while the `number`-th call of a step fails; returns whether there was such a call."""
    real, calls = getattr(*STEPS[step]), []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == number:
            raise fault
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(*STEPS[step], failing)
        if isinstance(fault, Died):  # who is dead does not clean up
            patch.setattr(Path, "unlink", lambda *args, **kwargs: None)
        try:
            new_facts().write(folder, known_until=30)
        except (UnavailableError, Died):
            return True
    return False


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    "fault", [OSError(28, "No space left on device"), Died()], ids=["fails", "dies"]
)
@pytest.mark.parametrize("step", STEPS)
def test_write_when_any_step_fails_or_the_process_dies_then_a_whole_version_can_be_read(
    tmp_path, monkeypatch, step, fault
):
    outcomes = []
    for number in range(1, 40):
        folder = tmp_path / str(number)
        old = old_facts().write(folder, known_until=30)
        before = everything(folder)
        if not write_with_fault(folder, monkeypatch, step, number, fault):
            break
        after = everything(folder)
        assert all(after[name] == data for name, data in before.items() if name != "current.json")
        read = read_current(folder, project="built")
        expected = old_facts() if read.id == old.id else new_facts()
        assert [row["lead_id"] for row in rows(read, "leads")] == [
            row["lead_id"] for row in expected.rows["leads"]
        ]
        outcomes.append(read.id == old.id)
        if not isinstance(fault, Died):
            assert not list(folder.rglob(".writing-*"))
        new = new_facts().write(folder, known_until=30)  # and the next attempt succeeds
        assert read_current(folder, project="built").id == new.id
    assert (
        len(outcomes) >= 6
    )  # five tables with rows, a manifest and a pointer are written, each in such a step
    # only when the last name is being made durable is the new version there already
    assert outcomes == [True] * (len(outcomes) - (step == "fsync")) + [False] * (step == "fsync")


def test_write_when_a_file_stands_where_the_store_should_then_words_say_so(tmp_path):
    (tmp_path / "store").write_bytes(b"a file")
    with pytest.raises(UnavailableError, match="what was there before is intact") as told:
        old_facts().write(tmp_path / "store", known_until=30)
    assert str(tmp_path / "store") in str(told.value)
    assert (tmp_path / "store").read_bytes() == b"a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_write_when_the_store_is_read_only_then_words_say_so_and_it_is_readable(tmp_path):
    old = old_facts().write(tmp_path, known_until=30)
    for path in [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]:
        path.chmod(0o555)
    try:
        with pytest.raises(UnavailableError, match="Permission denied"):
            new_facts().write(tmp_path, known_until=30)
        assert read_current(tmp_path, project="built").id == old.id
    finally:
        for path in [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())]:
            path.chmod(0o755)
