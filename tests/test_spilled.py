"""Tables that wait on the disk."""

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather

from builders import make_settings
from leadscore import locks
from leadscore import project as jobs
from leadscore.background import BackgroundWriter, temporary_parquet
from leadscore.errors import UnavailableError
from leadscore.spilled import Spilled
from leadscore.store.version import read_current


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


@contextmanager
def room_for(n: int) -> Iterator[None]:
    """Files cannot be longer than `n` bytes, as if the disk were full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 4, 100_000])
@pytest.mark.parametrize("tables", [1, 2, 10])
def test_background_when_the_disk_is_full_then_the_first_error_says_so(tables, room, tmp_path):
    rows = pa.table({"n": np.random.default_rng(1).random(20_000)})
    full = pytest.raises(UnavailableError, match="File too large")

    with full, room_for(room), temporary_parquet(tmp_path / "a", rows.schema) as file:  # noqa: SIM117
        with BackgroundWriter() as background:
            for _ in range(tables):
                background.run(file.write_table, rows)


@pytest.mark.parametrize("leads", [1_000, 100_000])
def test_ingest_when_the_disk_of_temporary_files_is_full_then_says_so_and_the_next_one_completes(
    leads: int, tmp_path: Path
) -> None:
    ids = np.random.default_rng(1).permutation(10 * leads)[:leads]
    lines = [f"{number},2024-01-01" for number in ids]
    (tmp_path / "leads.csv").write_text("\n".join(["id,created", *lines]))
    leads_alone = {
        "source": "leads",
        "table": "leads",
        "columns": {"lead_id": "id", "event_at": "created"},
    }
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        known_until="2024-03-01",
        mapping=[leads_alone],
        validation={"max_refused": 1.0},
    )

    with pytest.raises(UnavailableError, match="File too large"), room_for(1000):
        jobs.ingest(settings)

    jobs.ingest(settings)
    version = read_current(settings.project_folder() / "store", project="built")
    assert version.manifest["accounts"]["tables"]["leads"]["stored"] == leads
