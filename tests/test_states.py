"""Whatever became of a file of ours, every command ends in words, and only what is truly damaged is made anew."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from commands import Ended, run

LIBC = ctypes.CDLL(None)
CAPABILITIES_3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
DAC = 0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
SETTINGS = """
project = "shop"

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created", owner_id = "owner", email = "email" }
"""
FILES = {
    "current list": "data/shop/scores/current.json",
    "current version": "data/shop/store/current.json",
    "last ingest": "data/shop/store/attempt.json",
    "salt": "data/shop/store/salt",
    "older version": "data/shop/store/versions/{older}.json",
    "newer version": "data/shop/store/versions/{newer}.json",
    "delivery": "data/shop/store/deliveries/{newer}.json",
    "part": "data/shop/store/parts/*.json",
    "older list": "data/shop/scores/202402*/manifest.json",
    "newer list": "data/shop/scores/202403*/manifest.json",
    "scores": "data/shop/scores/202403*/scores.parquet",
    "older scores": "data/shop/scores/202402*/scores.parquet",
    "receipts": "data/shop/store/receipts/202402*.parquet",
    "model": "models/shop/*/manifest.json",
    "decision": "models/shop/cards/*/promotion.json",
    "served model": "models/artifacts/**/artifacts/*/manifest.json",
}
FOLDERS = {
    "older list": "data/shop/scores/202402*",
    "newer list": "data/shop/scores/202403*",
    "lists": "data/shop/scores",
    "versions": "data/shop/store/versions",
    "objects": "data/shop/store/objects/*",
    "receipts": "data/shop/store/receipts",
    "models": "models/shop",
    "model": "models/shop/????????????????",
    "cards": "models/shop/cards",
    "card": "models/shop/cards/*",
}
COMMANDS = {
    "ingest": ["ingest", "--known-until", "2024-04-01", "--accept", "same_files"],
    "score": ["score"],
    "explain": ["explain", "007"],
    "replay": ["replay", "202403", "007"],
    "store list": ["store", "list"],
    "rollback": ["store", "rollback", "{older}"],
    "prune": ["store", "prune", "--keep", "1", "--lists", "1", "--yes"],
    "models list": ["models", "list"],
    "train": ["train"],
}


TELLING = {  # file -> commands that read it
    "current list": ("score", "explain"),
    "current version": ("ingest",),
    "last ingest": ("prune",),
    "salt": ("ingest",),
    "older version": ("store list", "prune"),
    "newer version": ("score",),
    "delivery": ("prune",),
    "part": ("ingest",),
    "older list": ("score", "prune"),
    "newer list": ("replay",),
    "scores": ("explain",),
    "older scores": ("score",),
    "receipts": ("score",),
    "model": ("prune",),
    "served model": ("score", "models list"),
}
TELLING_HARMS = ("not permitted", "a folder in its place", "cut")
REFUSED = re.compile(r"cannot be read: |Permission denied|Is a directory|could not write in")
# what every run may write again, or another way
WRITTEN_AGAIN = re.compile(r"(current|attempt|promotion)\.json|mlflow\.db|cards/|receipts/")


def other_shape(path: Path) -> None:
    path.write_text(
        '{"version": [], "publication_id": {}, "parts": 5, "tables": {"leads": 1}, "salt": [1]}'
    )


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


UNREADABLE = {"not permitted": lambda path: path.chmod(0), "a folder in its place": become_folder}
DAMAGED = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "other shape": other_shape,
    "gone": lambda path: path.unlink(),
}


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything, unless this thread, and those it starts, give that up meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    if not hasattr(LIBC, "capset"):
        pytest.skip("root cannot give up its rights here")
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_3, 0)
    before, without = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    for sets in (before, without):
        assert LIBC.capget(header, sets) == 0
    without[0] &= ~DAC
    assert LIBC.capset(header, without) == 0
    try:
        yield
    finally:
        assert LIBC.capset(header, before) == 0


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in {".lock", ".mlflow.lock"}
    }


TRAIL = "data/shop/audit.jsonl"


@dataclass(frozen=True)
class Project:
    """A working directory with two store versions, a champion and two lists, as it is before every case."""

    folder: Path
    before: dict[str, bytes]
    names: dict[str, str]
    prunable: frozenset[str]

    def lists(self) -> list[Path]:
        return sorted((self.folder / "data/shop/scores").glob("2*"))

    def find(self, pattern: str) -> Path:
        return sorted(self.folder.glob(pattern.format(**self.names)))[0]

    def run(self, command: str) -> Ended:
        with without_privileges():
            return run(*(word.format(**self.names) for word in COMMANDS[command]))

    def restore(self) -> None:
        """In place, since MLflow keeps its database open."""
        for path in [self.folder, *self.folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        for path in sorted(self.folder.rglob("*"), reverse=True):
            name = path.relative_to(self.folder).as_posix()
            if path.is_dir() and not any(known.startswith(f"{name}/") for known in self.before):
                shutil.rmtree(path)
            elif path.is_file() and name not in self.before:
                path.unlink()
        for name, data in self.before.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() or path.read_bytes() != data:
                path.write_bytes(data)
        (self.folder / "data/shop/store/salt").chmod(0o600)


def write_export(folder: Path) -> None:
    rows = [f"{i:03d},2024-01-{i % 28 + 1:02d},{'ab'[i % 2]},u{i}@example.com" for i in range(30)]
    (folder / "leads.csv").write_text("\n".join(["id,created,owner,email", *rows]) + "\n")
    (folder / "leadscore.toml").write_text(SETTINGS)


@pytest.fixture(scope="module")
def made():
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        folder = Path(name)
        patched.chdir(folder)
        patched.setenv("HOME", name)
        write_export(folder)
        versions = []
        with without_privileges():
            for moment in ("2024-02-01", "2024-03-01"):
                told = run("ingest", "--known-until", moment, "--accept", "same_files")
                assert told.code == 0
                versions.append(
                    max(
                        (folder / "data/shop/store/versions").iterdir(),
                        key=lambda p: p.stat().st_mtime_ns,
                    )
                )
                if not (folder / "models").exists():
                    assert run("train", "--promote", "--by", "ann").code == 0
                ended = run("score")
                assert ended.code == 0, ended.err
        names = {which: path.stem for which, path in zip(("older", "newer"), versions, strict=True)}
        before = contents(folder)
        whole = Project(folder, before, names, frozenset())
        assert whole.run("prune").code == 0
        prunable = frozenset(before.keys() - contents(folder).keys())
        whole.restore()
        yield Project(folder, before, names, prunable)


@pytest.fixture
def project(made):
    made.restore()
    yield made
    made.restore()


@pytest.mark.cases(3)
@pytest.mark.parametrize("command", COMMANDS)
def test_command_when_nothing_is_wrong_then_ends_well(project, command):
    ended = project.run(command)
    assert ended.code == 0, ended.err


def find_lost(project: Project, harmed: Path, *, command: str) -> set[str]:
    """What is gone or changed and was not to be harmed, written again, or pruned."""
    now = contents(project.folder)
    lost = {name for name, data in project.before.items() if now.get(name) != data}
    if now[TRAIL].startswith(project.before[TRAIL]):  # lines are only ever added
        lost.discard(TRAIL)
    if command == "prune":
        lost -= {name for name in project.prunable if name not in now}
        part = project.before.get(harmed.relative_to(project.folder).as_posix(), b"").decode(
            errors="replace"
        )
        lost -= {
            name for name in lost if Path(name).stem in part
        }  # what only a damaged file knew of
    lost = {name for name in lost if not (project.folder / name).is_relative_to(harmed)}
    return {name for name in lost if not WRITTEN_AGAIN.search(name)}


def cases(harms):
    """(harm, file, command); the telling ones are for every run."""
    for harm in harms:
        for file in FILES:
            for command in COMMANDS:
                is_telling = harm in TELLING_HARMS and command in TELLING.get(file, ())
                yield pytest.param(
                    harm, file, command, marks=() if is_telling else pytest.mark.slow
                )


@pytest.mark.cases(8)
@pytest.mark.parametrize(("harm", "file", "command"), list(cases(UNREADABLE)))
def test_command_when_a_file_cannot_be_read_then_says_so_and_replaces_nothing(
    project, harm, file, command
):
    path = project.find(FILES[file])
    UNREADABLE[harm](path)
    lists = project.lists()
    ended = project.run(command)
    assert ended.code in {0, 2}, ended.err
    assert "score again" not in ended.err
    if ended.code == 2:
        assert REFUSED.search(ended.err), ended.err
        assert project.lists() == lists
    if path.is_file():
        assert path.stat().st_mode & 0o777 == 0
        path.chmod(0o600)
    assert find_lost(project, path, command=command) == set()
    if ended.code == 2 and path.is_file():
        assert project.run(command).code == 0


@pytest.mark.cases(6)
@pytest.mark.parametrize(("harm", "file", "command"), list(cases(DAMAGED)))
def test_command_when_a_file_is_damaged_then_ends_in_words_and_nothing_else_is_lost(
    project, harm, file, command
):
    path = project.find(FILES[file])
    DAMAGED[harm](path)
    ended = project.run(command)
    assert ended.code in {0, 2, 3}, ended.err
    assert ended.code == 0 or ended.err.startswith("error: ")
    harmed = (
        path.parent if path.parent.parent.name == "scores" else path
    )  # a damaged list may go as a whole
    assert find_lost(project, harmed, command=command) == set()


@pytest.mark.parametrize(
    "command", [pytest.param(name, marks=pytest.mark.slow) for name in COMMANDS]
)
@pytest.mark.parametrize("folder", FOLDERS)
def test_command_when_a_folder_cannot_be_looked_into_then_says_so_and_replaces_nothing(
    project, folder, command
):
    path = project.find(FOLDERS[folder])
    path.chmod(0)
    ended = project.run(command)
    path.chmod(0o755)
    assert ended.code in {0, 2}, ended.err
    if ended.code == 2:
        assert REFUSED.search(ended.err), ended.err
        assert len(project.lists()) == 2
    assert find_lost(project, path, command=command) == set()


@pytest.mark.parametrize("folder", ["lists", "versions", "older list"])
def test_score_when_a_folder_cannot_be_looked_into_then_makes_no_list(project, folder):
    project.find(FOLDERS[folder]).chmod(0)
    ended = project.run("score")
    project.find(FOLDERS[folder]).chmod(0o755)
    assert ended.code == 2
    assert "cannot be read: permission denied" in ended.err
    assert len(project.lists()) == 2


@pytest.mark.slow
def test_database_of_mlflow_when_it_was_removed_then_training_again_scores_again(tmp_path):
    write_export(tmp_path)

    def command(*words: str) -> None:  # MLflow keeps a database open as long as its process lives
        argv = [sys.executable, "-m", "leadscore", *words]
        subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)

    command("ingest", "--known-until", "2024-02-01")
    command("train", "--promote", "--by", "ann")
    command("score")
    lists = contents(tmp_path / "data/shop/scores")
    (tmp_path / "models/mlflow.db").unlink()
    command("train", "--promote", "--by", "ann")
    command("score")
    assert contents(tmp_path / "data/shop/scores") == lists


@pytest.mark.parametrize(
    "command",
    [
        ["init", "locked/leads.csv", "--config", "new.toml"],
        ["sample", "locked/crm"],
        ["doctor", "--config", "locked/leadscore.toml"],
        ["ingest", "--data", "locked"],
        ["worklist", "--to", "locked/list.xlsx"],
        ["report", "--to", "locked/report.html"],
    ],
    ids=" ".join,
)
def test_command_when_a_named_place_cannot_be_looked_into_then_ends_in_words(project, command):
    locked = project.folder / "locked"
    locked.mkdir()
    locked.chmod(0)
    with without_privileges():
        ended = run(*command)
    assert ended.code == 2
    assert "cannot be reached: permission denied" in ended.err
    assert find_lost(project, locked, command="status") == set()
