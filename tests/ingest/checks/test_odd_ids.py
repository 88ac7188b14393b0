"""Rows that are no leads: totals and footers, and leads that only look a little odd."""

import pyarrow as pa
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.ingest.checks.odd_ids import find_odd_ids

USUAL = {
    "numbers": [str(n) for n in range(1, 1200, 7)],
    "salesforce": [f"006Hs0000{n:03}AbCd" for n in range(50)],
    "guids": [f"{n:08x}-0f3a-4b2c-9d1e-{n * 7919:012x}" for n in range(50)],
    "prefixed": [f"D{n:04}" for n in range(50)],
    "names": ["Acme", "Globex", "Initech", "Umbrella", "Hooli", "Soylent"],
}


@pytest.mark.parametrize(
    ("usual", "word", "odd"),
    [
        *((name, "Total", True) for name in USUAL if name != "names"),
        *((name, "Grand total", True) for name in USUAL),
        *((name, "Summe:", True) for name in USUAL),
        *((name, "Copyright (c) 2026 Acme", True) for name in USUAL),
        ("names", "Total", False),  # nothing tells it from a name
        ("salesforce", "1500", True),  # the number of rows
        ("numbers", "1500", False),
        ("numbers", "123456", False),
        ("numbers", "1,500", True),
        ("salesforce", "006Hs0000777XyZz", False),
        ("salesforce", "006Hs0000777XyZzz", False),
        ("guids", "0000000f-0f3a-4b2c-9d1e-00000000beef", False),
        ("prefixed", "D9999", False),
        ("prefixed", "D10000", False),
    ],
)
def test_id_when_it_is_unlike_the_usual_ones_then_it_is_odd(usual, word, odd):
    assert find_odd_ids(pa.array([word]), pa.array(USUAL[usual])).tolist() == [odd]


def test_id_when_the_others_are_few_then_they_show_no_form():
    assert find_odd_ids(pa.array(["Total"]), pa.array(["1", "2", "3", "4"])).tolist() == [False]


def test_rows_when_they_are_totals_or_footers_then_they_are_refused_by_name_and_undated_leads_stay(
    tmp_path,
):
    leads = [f"{n:04},2024-01-{n % 28 + 1:02},5" for n in range(100)]
    more = [
        "Total,,500",
        "Grand total,,500",
        ",,500",
        "0777,,5",
        "ABC,2024-01-05,5",
        ",2024-01-05,5",
        "Total,,500",
    ]
    (tmp_path / "leads.csv").write_text("\n".join(["id,created,amount", *leads, *more]))
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        known_until="2024-03-01",
        mapping=[
            {
                "source": "leads",
                "table": "leads",
                "columns": {"lead_id": "id", "event_at": "created", "amount": "amount"},
            }
        ],
    )
    result = jobs.ingest(settings)
    assert result.rejects == {"not_a_lead": 3, "required": 1}
    account = result.accounts.tables["leads"]
    assert (account.stored, account.rejected, account.duplicates) == (102, 4, 1)
    refused = jobs.list_rejects(settings).first["not_a_lead"]
    assert [(row["line"], row["value"]) for row in refused] == [
        (102, "Total"),
        (103, "Grand total"),
        (104, ""),
    ]


@pytest.mark.parametrize(
    ("last", "is_doubted"),
    [
        ("Total,2024-02-01,500", True),
        ("100 rows,2024-02-01,500", True),
        ("123456,2024-02-01,5", False),
        ("Total,,500", False),  # refused
    ],
)
def test_last_row_when_it_is_dated_but_looks_like_a_total_then_it_is_doubted(
    tmp_path, last, is_doubted
):
    leads = [f"{n:04},2024-01-{n % 28 + 1:02},5" for n in range(100)]
    (tmp_path / "leads.csv").write_text("\n".join(["id,created,amount", *leads, last]))
    columns = {"lead_id": "id", "event_at": "created", "amount": "amount"}
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        known_until="2024-03-01",
        mapping=[{"source": "leads", "table": "leads", "columns": columns}],
    )
    warnings = jobs.ingest(settings).warnings
    assert any("last row of leads.csv" in warning for warning in warnings) == is_doubted
