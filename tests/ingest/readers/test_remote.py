import os
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

from leadscore.errors import SourceFormatError
from leadscore.ingest.readers.remote import RemoteFile, find_remote_files
from leadscore.settings.source import Source
from leadscore.times import to_us

NAMES = ["a.csv", "b.jsonl", "deep/c.parquet"]
HIDDEN = ["_SUCCESS", "deep/.hidden.csv", "notes.txt"]


@pytest.fixture(params=["memory", "file"])
def root(request, tmp_path):
    """An address below which files of each kind are."""
    address = f"{request.param}://{tmp_path if request.param == 'file' else '/exports'}"
    storage, path = fsspec.url_to_fs(address)
    for name in NAMES + HIDDEN:
        storage.makedirs(f"{path}/{name}".rpartition("/")[0], exist_ok=True)
        storage.pipe_file(f"{path}/{name}", name.encode())
    yield address
    storage.rm(path, recursive=True)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.csv", ["a.csv"]),
        ("", NAMES),
        ("*", ["_SUCCESS", "a.csv", "b.jsonl", "notes.txt"]),
        ("*.csv", ["a.csv"]),
        ("**/*.parquet", ["deep/c.parquet"]),
        ("none.csv", []),
        ("nowhere/*.csv", []),
    ],
)
def test_files_when_they_are_in_a_storage_then_a_path_a_folder_and_a_pattern_name_them(
    root, tmp_path, pattern, names
):
    files = find_remote_files("deals", f"{root}/{pattern}".rstrip("/"))
    assert [file.address for file in files] == [f"{root}/{name}" for name in names]
    for file, name in zip(files, names, strict=True):
        file.copy_to(tmp_path / "copy")
        assert (tmp_path / "copy").read_text() == name


def test_file_when_it_is_in_a_storage_then_its_time_is_that_of_the_storage(root):
    (file,) = find_remote_files("deals", f"{root}/a.csv")
    age_us = to_us(datetime.now(UTC)) - file.modified_us()
    assert 0 <= age_us < 60_000_000
    if root.startswith("file"):
        path = Path(root.removeprefix("file://")) / "a.csv"
        os.utime(path, (1, 1_700_000_000))
        assert file.modified_us() == 1_700_000_000_000_000


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("strange://bucket/x.csv", "cannot be read: Protocol not known"),
        ("s3://bucket/x.csv", "needs a package: Install s3fs"),
    ],
)
def test_storage_when_it_is_unknown_or_its_package_is_missing_then_that_is_said(address, words):
    if address.startswith("s3:") and "s3fs" in fsspec.available_protocols():
        pytest.importorskip("not_installed", reason="s3fs is installed")
    with pytest.raises(SourceFormatError, match=words):
        find_remote_files("deals", address)


def test_file_when_it_is_gone_then_that_is_said(tmp_path):
    file = RemoteFile("deals", f"file://{tmp_path}/gone.csv")
    with pytest.raises(SourceFormatError, match="is no longer there"):
        file.copy_to(tmp_path / "copy")
    with pytest.raises(SourceFormatError, match="is no longer there"):
        file.modified_us()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("ftp://me:secret@host/x.csv", "holds a password"),
        ("s3://", "must be a path, or an address like"),
        ("simplecache::s3://bucket/x.csv", "must be a path, or an address like"),
    ],
)
def test_address_when_it_is_none_or_holds_a_password_then_it_is_refused(path, words):
    with pytest.raises(ValueError, match=words) as caught:
        Source(path=path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "path", ["s3://b/x.csv", "abfs://box@account.dfs.core.windows.net/x.csv", "gs://b/*.csv"]
)
def test_address_when_it_is_one_then_it_stays_as_it_is(path):
    source = Source(path=path)
    assert source.path == path
    assert source.is_remote
