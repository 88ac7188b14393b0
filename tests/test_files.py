import hashlib
import json
import os
import tempfile
from pathlib import Path

import pytest

from leadscore.atomic import write_bytes, write_file, write_folder, write_pointer
from leadscore.errors import CorruptFileError, LeadscoreError, UnavailableError, UserError
from leadscore.files import check_file, hash_bytes, hash_file, open_verified, read_verified
from leadscore.json_files import canonical_json, read_json

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # SHA-256 of "abc" in FIPS 180-2


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_hash_when_the_content_is_known_then_it_is_the_published_one(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert hash_bytes(b"abc") == hash_file(tmp_path / "abc") == ABC


def test_hash_file_when_it_is_large_then_it_is_that_of_all_its_bytes(tmp_path):
    data = bytes(range(256)) * 5_000
    (tmp_path / "large").write_bytes(data)
    assert hash_file(tmp_path / "large") == hashlib.sha256(data).hexdigest()


def test_canonical_json_when_keys_come_in_another_order_then_the_bytes_are_equal():
    a = {"b": 1, "a": {"y": [1, 2], "x": None}}
    b = {"a": {"x": None, "y": [1, 2]}, "b": 1}
    assert canonical_json(a) == canonical_json(b)
    assert (
        canonical_json(a)
        == b'{\n  "a": {\n    "x": null,\n    "y": [\n      1,\n      2\n    ]\n  },\n  "b": 1\n}\n'
    )


def test_canonical_json_when_text_is_not_ascii_then_it_is_kept_as_utf8():
    data = canonical_json({"name": "Müller 株式会社"})
    assert "Müller 株式会社".encode() in data
    assert json.loads(data) == {"name": "Müller 株式会社"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_canonical_json_when_a_number_is_none_then_it_is_refused(number):
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"x": number})


def test_read_json_when_it_was_written_canonically_then_the_value_comes_back(tmp_path):
    value = {"a": [1, 2.5, "x", None, True], "b": {}}
    write_bytes(tmp_path / "value.json", canonical_json(value))
    assert read_json(tmp_path / "value.json") == value


def test_write_bytes_when_folders_are_missing_then_they_are_made_and_others_may_read(tmp_path):
    path = tmp_path / "a" / "b" / "c.txt"
    write_bytes(path, b"one")
    write_bytes(path, b"two")
    assert everything(tmp_path) == {"a/b/c.txt": b"two"}


def test_write_bytes_when_the_path_is_a_link_then_it_stays_and_its_file_is_written(tmp_path):
    write_bytes(tmp_path / "far" / "file", b"old")
    (tmp_path / "second").symlink_to(tmp_path / "far" / "file")
    (tmp_path / "first").symlink_to("second")
    write_bytes(tmp_path / "first", b"new")
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert everything(tmp_path / "far") == {"file": b"new"}


@pytest.fixture(params=[0o022, 0o027, 0o077, 0o002], ids=oct)
def umask(request):
    """What this process takes from the rights of its new files."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_files_and_folders_when_written_then_the_umask_is_kept_but_a_private_file_is_its_owners(
    tmp_path, umask
):
    write_bytes(tmp_path / "made" / "file", b"1")
    write_folder(tmp_path / "folder", {"inner": b"1"})
    write_bytes(tmp_path / "private", b"1", private=True)
    modes = {
        path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777
        for path in tmp_path.rglob("*")
    }
    file, folder = 0o666 & ~umask, 0o777 & ~umask
    assert modes == {
        "made": folder,
        "made/file": file,
        "folder": folder,
        "folder/inner": file,
        "private": 0o600,
    }


def test_write_file_when_the_name_depends_on_the_content_then_the_name_that_was_returned_is_used(
    tmp_path,
):
    def fill(beside: Path) -> Path:
        beside.write_bytes(b"abc")
        return tmp_path / "objects" / hash_file(beside)

    write_file(tmp_path, fill)
    assert everything(tmp_path) == {f"objects/{ABC}": b"abc"}


def test_write_file_when_nothing_shall_be_kept_then_nothing_is_left(tmp_path):
    write_file(tmp_path, lambda beside: None if beside.write_bytes(b"abc") else beside)
    assert everything(tmp_path) == {}


def test_write_file_when_a_reader_looks_while_it_is_filled_then_the_old_content_is_seen(tmp_path):
    path = tmp_path / "current.json"
    write_bytes(path, b"old")

    def fill(beside: Path) -> Path:
        beside.write_bytes(b"half")
        assert path.read_bytes() == b"old"
        return path

    write_file(tmp_path, fill)
    assert path.read_bytes() == b"half"


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (OSError(28, "No space left on device"), UnavailableError),
        (KeyError("a mistake of ours"), KeyError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_write_file_when_filling_fails_then_the_old_content_stays_and_nothing_lies_about(
    tmp_path, error, seen
):
    path = tmp_path / "current.json"
    write_bytes(path, b"old")

    def fill(beside: Path) -> Path:
        beside.write_bytes(b"half")
        raise error

    with pytest.raises(seen):
        write_file(tmp_path, fill)
    assert everything(tmp_path) == {"current.json": b"old"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_write_file_when_the_disk_is_full_then_words_say_so_and_that_nothing_changed(tmp_path):
    def fill(beside: Path) -> Path:
        Path("/dev/full").write_bytes(b"x" * 100_000)
        return tmp_path / "never"

    with pytest.raises(
        UnavailableError, match=r"No space left on device; what was there before is intact"
    ) as told:
        write_file(tmp_path, fill)
    assert str(tmp_path) in str(told.value)
    assert isinstance(told.value, LeadscoreError)
    assert not isinstance(told.value, UserError)


@pytest.mark.parametrize("write", [
    lambda folder: write_bytes(folder / "a.txt", b"x"),
    lambda folder: write_pointer(folder / "a.txt", b"x"),
    lambda folder: write_folder(folder / "a", {"b.txt": b"x"}),
])  # fmt: skip
@pytest.mark.parametrize("depth", ["", "deeper/still"])
def test_write_when_a_file_stands_where_the_folder_should_then_words_say_so(tmp_path, write, depth):
    (tmp_path / "taken").write_bytes(b"a file")
    with pytest.raises(UnavailableError, match="taken"):
        write(tmp_path / "taken" / depth)
    assert everything(tmp_path) == {"taken": b"a file"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_write_when_the_folder_is_read_only_then_words_say_so(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o555)
    with pytest.raises(UnavailableError, match="Permission denied"):
        write_bytes(folder / "a.txt", b"x")


MKSTEMP, MKDTEMP, FSYNC = (tempfile, "mkstemp"), (tempfile, "mkdtemp"), (os, "fsync")
CHMOD, REPLACE, RENAME = (Path, "chmod"), (Path, "replace"), (Path, "rename")


def fail_at(monkeypatch: pytest.MonkeyPatch, step: tuple[object, str], number: int) -> None:
    """Let the `number`-th call of a step of the system fail."""
    real, calls = getattr(*step), []

    def failing(*args, **kwargs):
        calls.append(args)
        if len(calls) == number:
            raise OSError(5, "Input/output error")
        return real(*args, **kwargs)

    monkeypatch.setattr(*step, failing)


@pytest.mark.parametrize(
    ("step", "number", "left"),
    [
        (MKSTEMP, 1, b"old content"),
        (FSYNC, 1, b"old content"),
        (CHMOD, 1, b"old content"),
        (REPLACE, 1, b"old content"),
        (FSYNC, 2, b"new"),  # of the folder: the file has its name by then
    ],
)
def test_write_bytes_when_a_step_fails_then_the_content_is_whole(
    tmp_path, monkeypatch, step, number, left
):
    path = tmp_path / "current.json"
    write_bytes(path, b"old content")
    fail_at(monkeypatch, step, number)
    with pytest.raises(UnavailableError, match="Input/output error"):
        write_bytes(path, b"new")
    assert everything(tmp_path) == {"current.json": left}
    write_bytes(path, b"newer")
    assert everything(tmp_path) == {"current.json": b"newer"}


def test_write_pointer_when_it_says_so_already_then_it_is_left_alone_else_replaced(tmp_path):
    write_pointer(tmp_path / "current.json", b"one")
    before = (tmp_path / "current.json").stat().st_ino
    write_pointer(tmp_path / "current.json", b"one")
    assert (tmp_path / "current.json").stat().st_ino == before
    write_pointer(tmp_path / "current.json", b"two")
    assert everything(tmp_path) == {"current.json": b"two"}


def test_read_verified_when_the_content_is_as_promised_then_it_comes_back(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert read_verified(tmp_path / "abc", sha256=ABC) == b"abc"


def test_check_file_when_it_is_changed_or_gone_then_is_refused(tmp_path):
    path = tmp_path / "abc"
    with pytest.raises(CorruptFileError, match="is gone"):
        check_file(path, sha256=ABC)
    path.write_bytes(b"abc")
    check_file(path, sha256=ABC)
    path.write_bytes(b"abb")
    with pytest.raises(CorruptFileError, match=hash_bytes(b"abb")[:12]):
        check_file(path, sha256=ABC)


def test_open_verified_when_it_is_changed_or_gone_then_is_refused_else_read_from_its_start(
    tmp_path,
):
    path = tmp_path / "abc"
    with pytest.raises(CorruptFileError, match="is gone"), open_verified(path, sha256=ABC):
        pass
    path.write_bytes(b"abc")
    with open_verified(path, sha256=ABC) as file:
        assert file.read() == b"abc"
    path.write_bytes(b"abb")
    with pytest.raises(CorruptFileError, match=ABC[:12]), open_verified(path, sha256=ABC):
        pass


def test_read_verified_when_one_bit_differs_then_both_hashes_are_shown(tmp_path):
    (tmp_path / "abc").write_bytes(b"abb")
    with pytest.raises(CorruptFileError) as told:
        read_verified(tmp_path / "abc", sha256=ABC)
    assert ABC[:12] in str(told.value)
    assert hash_bytes(b"abb")[:12] in str(told.value)
    assert str(tmp_path / "abc") in str(told.value)


def test_write_folder_when_it_is_new_then_all_files_are_there_and_others_may_read(tmp_path):
    write_folder(tmp_path / "scores" / "p1", {"a.csv": b"1", "b.json": b"2"})
    assert everything(tmp_path) == {"scores/p1/a.csv": b"1", "scores/p1/b.json": b"2"}
    assert (tmp_path / "scores" / "p1").stat().st_mode & 0o777 == 0o755


def test_write_folder_when_it_is_there_then_it_is_left_alone(tmp_path):
    files = {"a.csv": b"1", "b.csv": b"2"}
    write_folder(tmp_path / "p1", files)
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")}
    write_folder(tmp_path / "p1", files)
    assert {
        path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")
    } == before


def test_write_folder_when_files_of_it_were_damaged_or_are_gone_then_only_they_are_written_again(
    tmp_path,
):
    (tmp_path / "b").write_bytes(b"2")
    files = {"a.csv": b"1", "b.csv": tmp_path / "b", "c.csv": b"3"}
    write_folder(tmp_path / "p1", files)
    (tmp_path / "p1" / "a.csv").write_bytes(b"damaged")
    (tmp_path / "p1" / "b.csv").unlink()
    untouched = (tmp_path / "p1" / "c.csv").stat().st_ino
    write_folder(tmp_path / "p1", files)
    assert everything(tmp_path / "p1") == {"a.csv": b"1", "b.csv": b"2", "c.csv": b"3"}
    assert (tmp_path / "p1" / "c.csv").stat().st_ino == untouched


@pytest.mark.parametrize(
    ("step", "number"),
    [(MKDTEMP, 1), *((FSYNC, n) for n in (1, 2, 3, 4)), (REPLACE, 2), (RENAME, 1)],
)
def test_write_folder_when_a_step_fails_then_there_is_no_half_folder(
    tmp_path, monkeypatch, step, number
):
    fail_at(monkeypatch, step, number)
    with pytest.raises(UnavailableError, match="Input/output error"):
        write_folder(tmp_path / "p1", {"a.csv": b"1", "b.csv": b"2"})
    assert list(tmp_path.iterdir()) == []


def test_write_folder_when_another_process_writes_the_same_one_meanwhile_then_that_one_stands(
    tmp_path,
):
    class Racing(dict):
        def items(self):
            yield from super().items()
            (tmp_path / "p1").mkdir()
            (tmp_path / "p1" / "a.csv").write_bytes(b"1")

    write_folder(tmp_path / "p1", Racing({"a.csv": b"1"}))
    assert everything(tmp_path) == {"p1/a.csv": b"1"}
