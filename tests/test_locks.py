"""Locks, and what killed processes leave."""

import logging
import os
import subprocess
import sys

import pytest

from leadscore import locks
from leadscore.locks import WRITING, locked, scratch

CODE = {
    "a file": """
from leadscore.atomic import write_file
write_file(folder, lambda beside: wait(beside))
""",
    "a folder": """
from leadscore.atomic import fill_folder
fill_folder(folder / "new", lambda beside: wait(beside / "x"))
""",
    "scratch": """
from leadscore.locks import scratch
with scratch() as place:
    wait(place / "x")
""",
    "lock": """
from leadscore.locks import locked
with locked(folder):
    wait(folder / "x")
""",
}
START = """
import sys
from pathlib import Path

folder = Path(sys.argv[1])


def wait(path):
    path.write_bytes(b"half")
    print("ready", flush=True)
    sys.stdin.readline()

"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts a process that writes something and waits; temporary folders are made in one of this test."""
    processes = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def run(what):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TMPDIR": str(tmp_path),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", START + CODE[what], tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=environment,
        )  # fmt: skip
        processes.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def left(folder):
    return [
        path.name for path in folder.iterdir() if path.name.startswith((WRITING, locks.SCRATCH))
    ]


@pytest.mark.parametrize("what", ["a file", "a folder"])
def test_half_written_when_its_process_was_killed_then_the_next_writer_removes_it_and_not_before(
    start, tmp_path, what
):
    process = start(what)
    assert len(left(tmp_path)) == 1
    with locked(tmp_path):
        assert len(left(tmp_path)) == 1  # its process is alive
    process.kill()
    process.communicate()
    with locked(tmp_path):
        assert left(tmp_path) == []


def test_scratch_when_its_process_was_killed_then_the_next_one_removes_it_and_not_before(
    start, tmp_path
):
    process = start("scratch")
    (tmp_path / f"{locks.SCRATCH}mine").mkdir()  # without the marker it is somebody else's
    with scratch():
        assert len(left(tmp_path)) == 3
    process.kill()
    process.communicate()
    with scratch():
        assert len(left(tmp_path)) == 2
    assert left(tmp_path) == [f"{locks.SCRATCH}mine"]


def test_lock_when_another_process_holds_it_then_words_soon_name_that_process(
    start, tmp_path, monkeypatch
):
    process = start("lock")
    said = []

    class LetGo(logging.Handler):
        def emit(self, record):
            said.append(record.getMessage())
            process.stdin.write(b"go\n")  # it holds the lock until the one that waits has said so
            process.stdin.flush()

    handler = LetGo()
    locks.logger.addHandler(handler)
    try:
        with locked(tmp_path):
            assert said == [
                f"another leadscore process (pid {process.pid}) is writing in {tmp_path}; waiting"
            ]
    finally:
        locks.logger.removeHandler(handler)
    assert locks.PATIENCE_S <= 5


def test_lock_when_it_is_free_then_nothing_is_said(tmp_path, caplog):
    with locked(tmp_path):
        pass
    assert caplog.text == ""
