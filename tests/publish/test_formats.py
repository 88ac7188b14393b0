"""Score files that are written slice by slice."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadscore.publish import formats
from leadscore.publish.formats import CSV, PARQUET, parse_parquet, write_files

ROWS = 9_000


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(2)
    texts = [f"reason {number}" * 9 for number in rng.integers(0, 3 * ROWS, ROWS)]
    few = rng.choice(["A", "B", None], ROWS)
    return pa.table(
        {
            "lead_id": pa.array([f"l{place:05d}" for place in range(ROWS)]),
            "tier": pa.array(few, pa.string()),
            "bant": texts,
            "log_odds": rng.normal(size=ROWS),
        }
    )


@pytest.mark.parametrize("rows", [1_024, 2_048, 4_096, ROWS])
def test_files_when_written_in_slices_then_have_the_bytes_of_one_table(
    scores, tmp_path, monkeypatch, rows
):
    monkeypatch.setattr(formats, "GROUP_ROWS", 4_096)
    slices = [scores.slice(begin, rows) for begin in range(0, ROWS, rows)]
    write_files(slices, tmp_path)
    pq.write_table(scores, tmp_path / "whole", row_group_size=4_096, compression="zstd")
    assert (tmp_path / PARQUET).read_bytes() == (tmp_path / "whole").read_bytes()
    written = (tmp_path / CSV).read_text(encoding="utf-8").splitlines()
    assert len(written) == 1 + ROWS
    assert written[-1].startswith(f'"l{ROWS - 1:05d}",')


def test_files_when_written_then_only_one_group_of_rows_is_in_memory(scores, tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "GROUP_ROWS", 4_096)
    before = pa.total_allocated_bytes()
    taken = []

    def read_slices():
        for begin in range(0, ROWS, 512):
            taken.append(pa.total_allocated_bytes() - before)
            yield scores.take(np.arange(begin, min(begin + 512, ROWS)))

    write_files(read_slices(), tmp_path)
    group = scores.nbytes * 4_096 / ROWS
    assert max(taken) < 2 * group  # one that waits, and what the writer keeps of the one before


def test_scores_when_some_columns_are_asked_for_then_only_those_are_read(scores, tmp_path):
    write_files([scores], tmp_path)
    with (tmp_path / PARQUET).open("rb") as file:
        asked = parse_parquet(file, columns=["tier", "rep_id", "lead_id"])
        assert asked.equals(scores.select(["lead_id", "tier"]))
        assert parse_parquet(file).equals(scores)
