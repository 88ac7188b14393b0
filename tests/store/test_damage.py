"""A store with damage: what still works, and that every recovery that a message promises does recover."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack

import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import CorruptFileError, LeadscoreError
from leadscore.json_files import read_json
from leadscore.locks import lease
from leadscore.store import upkeep
from leadscore.store.version import manifest_path, open_version, read_current
from leadscore.times import parse_moment

OWNERS = ["ann", "bob", "cid"]


@pytest.fixture
def export(tmp_path):
    """Writes the n-th export, in which every lead has another owner, and ingests it; returns the version."""

    def write(n, **how):
        rows = [f"{i:03d},2024-01-{i % 28 + 1:02d},{OWNERS[(i + n) % 3]}" for i in range(20)]
        (tmp_path / "leads.csv").write_text("\n".join(["id,created,owner", *rows]) + "\n")
        settings = shop(tmp_path, n)
        return settings, jobs.ingest(settings, **how).store_version

    return write


def shop(folder, n=1):
    columns = {"lead_id": "id", "event_at": "created", "owner_id": "owner"}
    return make_settings(
        project="shop", input_folder=folder, data_folder=folder / "data", models_folder=folder / "models",
        known_until=f"2024-0{n + 1}-01", mapping=[{"source": "leads", "table": "leads", "columns": columns}],
    )  # fmt: skip


def store_of(settings):
    return settings.project_folder() / "store"


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


HARM = {
    "a bit flipped": flip,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "gone": lambda path: path.unlink(),
}
OBJECTS = ["leads", "observed"]


def listed(settings):
    return {each.version: each.damaged for each in jobs.list_store(settings).versions}


@pytest.mark.cases(2)
@pytest.mark.parametrize("harm", HARM)
# leads keep the values of their first export, so both versions share that file
@pytest.mark.parametrize("table", [name for name in OBJECTS if name != "leads"])
def test_store_when_a_file_is_damaged_then_going_back_and_ingesting_again_gives_every_byte_back(
    export, table, harm
):
    _, first = export(1)
    settings, second = export(2)
    store = store_of(settings)
    before = contents(store)
    HARM[harm](read_current(store, project="shop").paths(table)[0])
    assert listed(settings) == {first: [], second: [table]}
    with pytest.raises(
        CorruptFileError, match=r"leadscore store rollback VERSION.*--forget-damaged"
    ):
        jobs.ingest(settings)
    jobs.rollback_store(settings, first)
    assert jobs.ingest(settings).store_version == second
    assert contents(store) == before
    assert listed(settings) == {first: [], second: []}


@pytest.mark.parametrize("harm", HARM)
def test_first_version_when_a_file_is_damaged_then_ingesting_the_same_exports_by_name_gives_every_byte_back(
    export, harm
):
    settings, first = export(1)
    before = contents(store_of(settings))
    HARM[harm](read_current(store_of(settings), project="shop").paths("leads")[0])
    with pytest.raises(CorruptFileError):
        jobs.ingest(settings)
    assert jobs.ingest(settings, forget_damaged=True).store_version == first
    assert contents(store_of(settings)) == before


def test_history_when_no_version_is_whole_then_is_lost_only_by_name(export):
    export(1)
    settings, second = export(2)
    store = store_of(settings)
    for path in (store / "objects").rglob("*.parquet"):
        flip(path)
    assert all(listed(settings).values())
    third = jobs.ingest(settings, forget_damaged=True).store_version
    assert third != second
    assert read_current(store, project="shop").observed["rows"] == 0
    assert listed(settings)[third] == []


@pytest.mark.cases(3)
@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("kind", ["versions", "deliveries", "parts"])
def test_store_when_a_state_file_is_damaged_then_list_rollback_prune_and_ingest_work(
    export, kind, harm
):
    _, first = export(1)
    settings, second = export(2)
    store = store_of(settings)
    before = contents(store)
    names = (
        read_json(store / "deliveries" / f"{second}.json")["parts"] if kind == "parts" else [second]
    )
    HARM[harm](store / kind / f"{names[0]}.json")
    gone = kind == "versions" and harm == "gone"
    assert listed(settings) == {first: []} | (
        {} if gone else {second: ["manifest"] * (kind == "versions")}
    )
    assert jobs.prune_store(settings, keep=9, really=False).removed == [] if not gone else True
    jobs.rollback_store(settings, first)
    assert jobs.ingest(settings).store_version == second
    assert contents(store) == before


ATTEMPTS = [b"", b"{", b"null", b"[]", b"{}", b'{"rejects": [], "stopped": null}']


@pytest.mark.cases(2)
@pytest.mark.parametrize("left", ATTEMPTS)
def test_rejects_when_what_the_last_ingest_left_is_damaged_then_are_those_of_the_version(
    export, left, caplog
):
    settings, _ = export(1)
    (store_of(settings) / "attempt.json").write_bytes(left)
    assert jobs.list_rejects(settings).stopped is None
    assert "attempt.json is damaged" in caplog.text
    jobs.ingest(settings)
    assert jobs.prune_store(settings, keep=1, really=True).removed == []


def test_rejects_when_only_they_are_damaged_then_an_ingest_goes_on_and_names_them_no_more(export):
    settings, _ = export(1)
    store = store_of(settings)
    with (store.parent.parent.parent / "leads.csv").open("a") as file:
        file.write("999,not a date,ann\n")
    loose = settings.model_copy(
        update={"validation": settings.validation.model_copy(update={"max_refused": 0.5})}
    )
    until = parse_moment("2024-03-01", zone="UTC")
    version = jobs.ingest(loose, known_until_us=until).store_version
    before = contents(store)
    flip(read_current(store, project="shop").paths("rejects")[0])
    with pytest.raises(CorruptFileError, match="store list"):
        jobs.list_rejects(loose)
    assert jobs.ingest(loose, known_until_us=until).store_version == version
    assert contents(store) == before


@pytest.mark.cases(2)
@pytest.mark.parametrize("left", [b"", b"{", b"null", b"[1]", b"{}"])
def test_prune_when_a_list_does_not_say_which_version_it_needs_then_nothing_goes_and_words_say_what_to_do(
    export, left
):
    export(1)
    settings, _ = export(2)
    home = settings.project_folder() / "scores" / "20240201T000000Z-0123456789ab"
    home.mkdir(parents=True)
    (home / "manifest.json").write_bytes(left)
    assert len(listed(settings)) == 2
    with pytest.raises(LeadscoreError, match=r"manifest\.json is damaged.*remove its folder"):
        jobs.prune_store(settings, keep=1, really=True)
    assert len(listed(settings)) == 2
    shutil.rmtree(home)
    assert len(jobs.prune_store(settings, keep=1, really=True).removed) == 1


READER = """
import sys
from pathlib import Path
from leadscore.store.version import open_version, read_version
store, version = Path(sys.argv[1]), sys.argv[2]
with open_version(lambda: read_version(store, version)) as opened:
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.cases(1)
@pytest.mark.parametrize("end", ["ends", "is killed"])
def test_prune_when_a_version_is_read_then_it_stays_until_its_reader_ends(export, end):
    _, first = export(1)
    settings, _ = export(2)
    store = store_of(settings)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, store, first], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert reader.stdout.readline() == "open\n"
    assert jobs.prune_store(settings, keep=1, really=True).removed == []
    for path in upkeep.read_version(store, first).files("leads"):
        assert pq.read_table(path).num_rows == 20
    if end == "ends":
        reader.communicate("go\n")
    else:
        reader.kill()
        reader.communicate()
    assert jobs.prune_store(settings, keep=1, really=True).removed == [first]


def test_prune_when_a_reader_refers_to_its_version_before_it_ends_then_it_stays(export):
    """What a score that runs meanwhile publishes is asked for only once nobody reads."""
    _, first = export(1)
    settings, _ = export(2)
    store = store_of(settings)
    asked = []

    def referred():
        with ExitStack() as stack:
            asked.append(stack.enter_context(lease_at_once(manifest_path(store, first))))
        return {first}

    told = upkeep.prune(store, project="shop", keep=1, referred=referred, really=True)
    assert (asked, told["removed"]) == ([False], [])
    with open_version(lambda: upkeep.read_version(store, first)) as opened:
        assert opened.id == first


def lease_at_once(path):
    """A lease that does not wait: whether a reader could come in now."""
    import fcntl
    from contextlib import contextmanager

    @contextmanager
    def trying():
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    return trying()


def test_lease_when_the_file_is_gone_then_is_none(tmp_path):
    with lease(tmp_path / "none") as is_held:
        assert is_held is False
