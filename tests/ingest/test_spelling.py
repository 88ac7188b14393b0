from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.store.version import read_current

COLUMNS = {"lead_id": "id", "event_at": "created", "amount": "amount"}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("with_view", [False, True])
def test_columns_when_stated_in_another_case_then_read_all_the_same(
    tmp_path: Path, ending: str, with_view: bool
) -> None:
    path = tmp_path / f"deals.{ending}"
    rows = pa.table({"ID": ["1"], "Created": ["2024-01-01"], "AMOUNT": [12.5]})
    if ending == "csv":
        path.write_text("ID,Created,AMOUNT\n1,2024-01-01,12.5\n")
    else:
        pq.write_table(rows, path)
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        known_until="2024-03-01",
        sources={"deals": {"path": path.name, "columns": ["id", "created", "amount", "type"]}},
        views={"same": {"sql": "SELECT id, created, amount, type FROM deals"}} if with_view else {},
        mapping=[
            {"source": "same" if with_view else "deals", "table": "leads", "columns": COLUMNS}
        ],
    )

    jobs.ingest(settings, known_until_us=settings.known_until_us())

    version = read_current(settings.project_folder() / "store", project=settings.project)
    (row,) = pq.read_table(version.files("leads")[0]).to_pylist()
    assert (row["lead_id"], row["amount"]) == ("1", 12_50)


@pytest.mark.parametrize(
    ("stated", "theirs"),
    [
        ("Deal Size", "deal_size"),
        ("Deal Size", "Deal  Size"),
        ("Größe", "Groesse"),
        ("Größe", "Grosse"),
    ],
)
def test_column_when_it_may_be_missing_and_is_there_in_another_spelling_then_the_warning_names_it(
    tmp_path: Path, stated: str, theirs: str
) -> None:
    (tmp_path / "deals.csv").write_text(f"id,created,{theirs}\n1,2024-01-01,5\n")
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        known_until="2024-03-01",
        sources={"deals": {"path": "deals.csv", "columns": [stated, "Region"]}},
        mapping=[
            {
                "source": "deals",
                "table": "leads",
                "columns": {"lead_id": "id", "event_at": "created", "amount": stated},
            }
        ],
    )
    done = jobs.ingest(settings, known_until_us=settings.known_until_us())
    (warning,) = [text for text in done.warnings if "there is no column" in text]
    assert repr(stated) in warning
    assert repr(theirs) in warning
