import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadscore.store.receipts import is_receipt_of, read_receipts
from leadscore.tables import RECEIPTS

ROWS = [
    {
        "publication_id": "20260301T000000Z-000000000000", "lead_id": lead, "as_of": 1_772_323_200_000_000,
        "log_odds": -1.5, "win_probability": 0.25, "score": 61.0, "tier": tier, "rep_id": None,
        "exploration_probability": None, "model_version": "m" * 16, "store_version": "s" * 16,
    }
    for lead, tier in (("L1", "A"), ("L2", "B"))
]  # fmt: skip
PUBLISHED = pa.Table.from_pylist(ROWS, schema=RECEIPTS)


def renamed(name, to):
    return PUBLISHED.rename_columns([to if each == name else each for each in RECEIPTS.names])


@pytest.mark.parametrize(
    ("stored", "is_whole"),
    [
        (PUBLISHED, True),
        (renamed("log_odds", "raw"), True),
        (PUBLISHED.drop_columns(["exploration_probability"]), True),
        (PUBLISHED.append_column("of_later", pa.array(["", ""])), True),
        (PUBLISHED.drop_columns(["lead_id"]), False),
        (PUBLISHED.slice(1), False),
        (pa.concat_tables([PUBLISHED, PUBLISHED]), False),
        (pa.Table.from_pylist([ROWS[0], ROWS[1] | {"win_probability": 0.26}], RECEIPTS), False),
        (pa.Table.from_pylist([ROWS[0], ROWS[1] | {"rep_id": "R1"}], RECEIPTS), False),
        (pa.table({"of_others": [1, 2]}), False),
    ],
)
def test_file_of_receipts_when_it_is_compared_then_the_columns_that_both_have_decide(
    tmp_path, stored, is_whole
):
    path = tmp_path / "receipts.parquet"
    pq.write_table(stored, path)
    assert is_receipt_of(path, PUBLISHED) == is_whole


@pytest.mark.parametrize(
    "damage", ["gone", "empty", "cut", "overwritten", "a name not in UTF-8", "a text"]
)
def test_file_of_receipts_when_it_is_damaged_then_is_none(tmp_path, damage):
    path = tmp_path / "receipts" / "receipts.parquet"
    path.parent.mkdir()
    pq.write_table(PUBLISHED, path)
    whole = path.read_bytes()
    middle = len(whole) // 4
    damaged = {
        "empty": b"",
        "cut": whole[:-20],
        "overwritten": whole[:middle] + b"\xff" * middle + whole[2 * middle :],
        "a name not in UTF-8": whole.replace(b"tier", b"\xffier"),
        "a text": b"lead_id,win_probability\n",
    }
    path.unlink()
    if damage != "gone":
        path.write_bytes(damaged[damage])
    assert not is_receipt_of(path, PUBLISHED)
    assert read_receipts(tmp_path).num_rows == 0
