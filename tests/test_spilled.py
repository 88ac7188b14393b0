"""Tables that wait on the disk."""

import errno

import pyarrow as pa
import pytest
from pyarrow import feather

from leadscore import locks
from leadscore.errors import UnavailableError
from leadscore.spilled import Spilled


def test_tables_when_kept_then_all_but_the_last_are_files_that_go_with_them(tmp_path, monkeypatch):
    monkeypatch.setattr(locks.tempfile, "tempdir", str(tmp_path))
    tables = [pa.table({"n": [place]}) for place in range(3)]
    waiting = Spilled()
    for files, table in enumerate(tables):
        waiting.add(table)
        assert len(list(tmp_path.glob("*/*.arrow"))) == files
    assert len(waiting) == 3
    assert list(waiting) == tables
    del waiting
    assert not list(tmp_path.iterdir())


def test_tables_when_the_disk_is_full_then_says_so(monkeypatch):
    def fail(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(feather, "write_feather", fail)
    waiting = Spilled()
    waiting.add(pa.table({"n": [1]}))
    with pytest.raises(UnavailableError, match="No space left on device"):
        waiting.add(pa.table({"n": [2]}))
