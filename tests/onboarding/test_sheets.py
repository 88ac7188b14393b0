"""Workbooks with several sheets: each is a file of its own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook

from onboarding.made_exports import BEGIN, LEADS, settings_in, start_with
from onboarding.people_exports import ingest


def write_workbook(path: Path) -> Path:
    """Deals, their calls, and a sheet that only says who made the workbook."""
    book = Workbook()
    deals = book.active
    deals.title = "Deals"
    deals.append(["Deal ID", "Stage", "Created", "Closed"])
    calls = book.create_sheet("Phone calls")
    calls.append(["Deal ID", "When"])
    for number in range(LEADS):
        created = BEGIN + timedelta(days=2 * number)
        closed = created + timedelta(days=20) if number % 4 else None
        deals.append([f"D{number}", ("Offer", "Won", "Lost", "Lost")[number % 4], created, closed])
        calls.append([f"D{number}", created + timedelta(days=1)])
    book.create_sheet("About").append(["Made by Kim"])
    book.create_sheet("Empty")
    book.save(path)
    return path


def test_start_when_a_workbook_has_several_sheets_then_each_is_a_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_workbook(tmp_path / "crm.xlsx")

    parts, config = start_with(path, monkeypatch)

    assert parts["leads"].place == "Deals in crm.xlsx"
    assert parts["events"].place == "Phone calls in crm.xlsx"
    assert parts["not read"].place == "Empty in crm.xlsx"
    settings = settings_in(config)
    assert settings["sources"] == {
        "deals": {"path": "crm.xlsx", "sheet": "Deals"},
        "phone_calls": {"path": "crm.xlsx", "sheet": "Phone calls"},
    }
    assert ingest(config) == (LEADS, 0)
