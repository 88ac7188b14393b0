"""What is said where leads have several rows: which cure fits depends on where the rows are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import UserError

HEADER = "Deal ID,Company,Created,Amount"
ROWS = ["1,Acme,2024-01-01,5", "2,Acme,2024-01-02,6", "3,Bolt,2024-01-03,7", "4,Bolt,2024-01-04,8"]
CALLS = ["1,2024-02-01", "2,2024-02-02", "3,2024-02-03"]


def refusal(
    folder: Path,
    files: dict[str, list[str]],
    sources: dict[str, Any],
    *,
    lead_id: str = "Deal ID",
) -> list[str]:
    """The lines of the message with which an export of deals and calls is refused."""
    for name, rows in files.items():
        text = "\n".join([HEADER, *rows, ""])
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "calls.csv").write_text("\n".join(["deal,day", *CALLS, ""]), encoding="utf-8")
    columns = {"lead_id": lead_id, "event_at": "Created", "amount": "Amount"}
    leads = [{"source": name, "table": "leads", "columns": columns} for name in sources]
    calls = {
        "source": "calls",
        "table": "activities",
        "columns": {"lead_id": "deal", "event_at": "day"},
        "constants": {"kind": "call"},
    }
    settings = make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        sources=sources | {"calls": {"path": "calls.csv"}},
        mapping=[*leads, calls],
        kinds={"call": "calls"},
        validation={"max_refused": 0.2},
    )
    with pytest.raises(UserError) as refused:
        jobs.ingest(settings, known_until_us=1_717_200_000_000_000)
    return str(refused.value).splitlines()[1:]


def test_rows_when_their_id_is_a_company_then_the_columns_that_may_be_the_id_are_named(
    tmp_path: Path,
) -> None:
    hints = refusal(tmp_path, {"a.csv": ROWS}, {"deals": {"path": "a.csv"}}, lead_id="Company")

    assert len(hints) == 1
    assert "2 leads have the same 'Company' as another row of deals" in hints[0]
    assert "'Deal ID'" in hints[0]
    assert "keep" not in hints[0]


def test_rows_when_a_lead_was_exported_twice_then_the_one_that_counts_can_be_chosen(
    tmp_path: Path,
) -> None:
    rows = [*ROWS, "4,Bolt,2024-01-04,9"]

    hints = refusal(tmp_path, {"a.csv": rows}, {"deals": {"path": "a.csv"}})

    assert len(hints) == 1
    assert 'add to [sources.deals]: keep = { latest = "..." }' in hints[0]


def test_rows_when_exports_of_two_days_are_in_one_folder_then_both_files_are_named(
    tmp_path: Path,
) -> None:
    later = [row.replace(",8", ",9").replace(",5", ",6") for row in ROWS]

    hints = refusal(
        tmp_path, {"d-jan.csv": ROWS, "d-feb.csv": later}, {"deals": {"path": "d-*.csv"}}
    )

    assert len(hints) == 1
    assert "2 leads have different rows in several files of deals" in hints[0]
    assert "d-feb.csv and d-jan.csv" in hints[0]


def test_rows_when_two_sources_have_the_same_leads_then_said(tmp_path: Path) -> None:
    later = [row.replace(",8", ",9") for row in ROWS]
    sources = {"crm": {"path": "crm.csv"}, "web": {"path": "web.csv"}}

    hints = refusal(tmp_path, {"crm.csv": ROWS, "web.csv": later}, sources)

    assert len(hints) == 1
    assert "1 lead has different rows in several sources, crm among them" in hints[0]
