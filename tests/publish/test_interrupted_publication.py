"""Publications that fail, are killed or meet each other: readers see a whole one at all times."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from leadscore.errors import UnavailableError
from publish.publishing import AS_OF, FILES, contents, make_scores, publish, read_whole

OPERATIONS = {
    "fsync": (os, "fsync"),
    "replace": (Path, "replace"),
    "rename": (Path, "rename"),
    "chmod": (Path, "chmod"),
    "write": (Path, "write_bytes"),
    "file": (tempfile, "mkstemp"),
    "folder": (tempfile, "mkdtemp"),
}


class Faults:
    """Counts every call that touches the disk, and lets one of them fail, before or after it has done its work."""

    def __init__(self, monkeypatch):
        self.calls = 0
        self.fails_at = None
        self.is_after = False
        for owner, name in OPERATIONS.values():
            monkeypatch.setattr(owner, name, self.wrap(getattr(owner, name)))

    def wrap(self, real):
        def faulty(*args, **more):
            self.calls += 1
            if self.calls != self.fails_at:
                return real(*args, **more)
            if self.is_after:
                real(*args, **more)
            raise OSError(errno.ENOSPC, "No space left on device")

        return faulty


@pytest.mark.cases(2)
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("is_first", [True, False], ids=["the first publication", "a second one"])
def test_publication_when_any_single_write_fails_then_readers_see_a_whole_one_and_the_next_run_mends_it(
    tmp_path, monkeypatch, is_first, is_after
):
    undisturbed = tmp_path / "undisturbed"
    if not is_first:
        publish(undisturbed, make_scores())
    new = publish(undisturbed, make_scores(shift=1))
    faults = Faults(monkeypatch)
    publish(tmp_path / "count", make_scores(shift=1))
    total = faults.calls
    assert total > 25
    for n in range(1, total + 1):
        folder = tmp_path / str(n)
        faults.fails_at = None
        old = None if is_first else publish(folder, make_scores())
        faults.calls, faults.fails_at, faults.is_after = 0, n, is_after
        # a rename that did its work all the same is as if another process had been quicker
        is_told = (
            suppress(UnavailableError)
            if is_after
            else pytest.raises(UnavailableError, match="No space left on device")
        )
        with is_told:
            publish(folder, make_scores(shift=1))
        faults.fails_at = None
        if (folder / "scores" / "current.json").exists():
            assert read_whole(folder) in {new.id} | ({old.id} if old else set()), n
        else:
            assert is_first
        publish(folder, make_scores(shift=1))
        assert read_whole(folder) == new.id
        kept = {name: data for name, data in contents(folder).items() if ".writing-" not in name}
        assert kept == contents(undisturbed), n


def test_publication_when_a_write_fails_then_leaves_no_litter(tmp_path, monkeypatch):
    faults = Faults(monkeypatch)
    publish(tmp_path / "count", make_scores())
    for n in range(1, faults.calls + 1):
        folder = tmp_path / str(n)
        folder.mkdir()
        faults.calls, faults.fails_at = 0, n
        with pytest.raises(UnavailableError):
            publish(folder, make_scores())
        assert [path for path in folder.rglob("*") if ".writing-" in path.name] == [], n
        faults.calls, faults.fails_at = 0, None


KILLED = """
import os, signal, sys
from pathlib import Path

import pyarrow.parquet as pq

from leadscore.publish.publication import write_publication
from leadscore.publish.published import publish

folder, table, name, nth, moment = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5]
owner = os if name == "fsync" else Path
real, calls = getattr(owner, name), []


def deadly(*args, **more):
    calls.append(None)
    if len(calls) == nth and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*args, **more)
    if len(calls) == nth:
        os.kill(os.getpid(), signal.SIGKILL)
    return result


setattr(owner, name, deadly)
written = write_publication(
    [pq.read_table(table, use_threads=False)], folder=folder / "scores", as_of_us=int(sys.argv[6]),
    model_version="m" * 16,
    store_version="s" * 16, project="synthetic", counts={"scored": 7}, basis={},
)
publish(written.id, folder=folder / "scores", store_folder=folder / "store")
"""


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("name", "nth", "moment", "is_new"),
    [
        pytest.param("fsync", 3, "before", False, id="while the files of the folder are written"),
        pytest.param("rename", 1, "after", False, id="after the folder has its name"),
        pytest.param("replace", 4, "after", False, id="after the receipts have their name"),
        pytest.param("replace", 5, "before", False, id="before current.json is replaced"),
        pytest.param("replace", 5, "after", True, id="after current.json is replaced"),
    ],
)
def test_publication_when_the_process_is_killed_then_readers_see_a_whole_one_and_the_next_run_mends_it(
    tmp_path, name, nth, moment, is_new
):
    undisturbed, folder, table = (
        tmp_path / "undisturbed",
        tmp_path / "folder",
        tmp_path / "new.parquet",
    )
    for place in (undisturbed, folder):
        old = publish(place, make_scores())
    new = publish(undisturbed, make_scores(shift=1))
    pq.write_table(make_scores(shift=1), table)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, folder, table, name, str(nth), moment, str(AS_OF)],
        check=False, capture_output=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (-9, b"")
    assert read_whole(folder) == (new.id if is_new else old.id)
    names = [path.name for path in (folder / "scores").iterdir() if not path.name.startswith(".")]
    assert set(names) <= {"current.json", old.id, new.id}
    assert all(
        sorted(path.name for path in (folder / "scores" / n).iterdir()) == FILES
        for n in names
        if n != "current.json"
    )
    assert publish(folder, make_scores(shift=1)).id == read_whole(folder) == new.id
    kept = {file: data for file, data in contents(folder).items() if ".writing-" not in file}
    assert kept == contents(undisturbed)


AGAIN_AND_AGAIN = """
import os, sys
from pathlib import Path

import pyarrow.parquet as pq

from leadscore.publish.publication import write_publication
from leadscore.publish.published import publish

folder, as_of_us, times, user, tables = Path(sys.argv[1]), *map(int, sys.argv[2:5]), sys.argv[5:]
# Arrow's own threads can abort a process that ends while they do
scores = [pq.ParquetFile(table, pre_buffer=False).read(use_threads=False) for table in tables]
os.seteuid(user)
print("ready", flush=True)
sys.stdin.readline()
for i in range(times):
    written = write_publication(
        [scores[i % len(scores)]], folder=folder / "scores", as_of_us=as_of_us, model_version="m" * 16,
        store_version="s" * 16, project="synthetic", counts={"scored": 7}, basis={},
    )
    publish(written.id, folder=folder / "scores", store_folder=folder / "store")
"""


def publishing(folder, *tables, times, user=None):
    """A process that is ready to publish the tables in turn, once it is told to `go`."""
    process = subprocess.Popen(
        [sys.executable, "-c", AGAIN_AND_AGAIN, folder, str(AS_OF), str(times), str(user or os.geteuid()), *tables],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdout.readline() == b"ready\n", process.stderr.read()
    return process


def go(process):
    process.stdin.write(b"go\n")
    process.stdin.flush()


def tables_of(folder, *shifts):
    paths = [folder / f"{shift}.parquet" for shift in shifts]
    for path, shift in zip(paths, shifts, strict=True):
        pq.write_table(make_scores(shift=shift), path)
    return paths


@pytest.mark.cases(2)
@pytest.mark.parametrize("seed", range(5))
def test_publication_when_killed_at_a_random_moment_then_readers_see_a_whole_one_and_the_next_run_mends_it(
    tmp_path, seed
):
    undisturbed, folder = tmp_path / "undisturbed", tmp_path / "folder"
    ids = [publish(undisturbed, make_scores(shift=shift)).id for shift in range(4)]
    publish(folder, make_scores(shift=0))
    process = publishing(folder, *tables_of(tmp_path, 0, 1, 2, 3), times=10**6)
    moment = np.random.default_rng(seed).uniform(0.01, 0.3)
    go(process)
    with pytest.raises(subprocess.TimeoutExpired):  # it would go on for ever
        process.wait(timeout=moment)
    process.kill()
    _, errors = process.communicate()
    assert (process.returncode, errors) == (-9, b"")
    assert read_whole(folder) in ids
    for shift in range(4):
        publish(folder, make_scores(shift=shift))
    assert read_whole(folder) == ids[3]
    kept = {file: data for file, data in contents(folder).items() if ".writing-" not in file}
    assert kept == contents(undisturbed)


@pytest.mark.slow
def test_publications_when_two_processes_make_them_at_once_then_a_reader_never_sees_a_mixture(
    tmp_path,
):
    undisturbed, folder = tmp_path / "undisturbed", tmp_path / "folder"
    ids = {publish(undisturbed, make_scores(shift=shift)).id for shift in range(4)}
    publish(folder, make_scores(shift=0))
    tables = tables_of(tmp_path, 0, 1, 2, 3)
    processes = [publishing(folder, *each, times=300) for each in (tables, tables[::-1])]
    for process in processes:
        go(process)
    reads = set()
    while any(process.poll() is None for process in processes):
        reads.add(read_whole(folder))
    assert [process.communicate()[1] for process in processes] == [b"", b""]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(reads) > 1
    assert reads <= ids
    publish(folder, make_scores(shift=3))
    publish(undisturbed, make_scores(shift=3))
    assert contents(folder) == contents(undisturbed)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 32 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", folder]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607


def test_publication_when_the_disk_is_full_then_words_say_so_and_the_old_one_is_whole(small_disk):
    old = publish(small_disk, make_scores())
    before = contents(small_disk)
    with pytest.raises(
        UnavailableError, match="No space left on device; what was there before is intact"
    ):
        publish(small_disk, make_scores(500))
    assert contents(small_disk) == before
    assert read_whole(small_disk) == old.id


def test_publication_when_the_folder_may_not_be_written_then_words_say_so_and_the_old_one_is_whole(
    tmp_path,
):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        folder.chmod(0o755)
        old = publish(folder, make_scores())
        (table,) = tables_of(folder, 1)
        before = contents(folder)
        (folder / "scores").chmod(0o555)
        user = 65534 if os.geteuid() == 0 else None  # root may write anywhere, nobody may not
        process = publishing(folder, table, times=1, user=user)
        go(process)
        _, errors = process.communicate()
        assert process.returncode == 1
        assert b"UnavailableError" in errors
        assert b"Permission denied; what was there before is intact" in errors
        assert contents(folder) == before
        assert read_whole(folder) == old.id
        (folder / "scores").chmod(0o755)
