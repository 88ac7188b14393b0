"""Dates and their times of day in two columns: init says that the times are not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from onboarding.made_exports import start_with, write_rows


@pytest.mark.parametrize(
    ("date", "clock", "is_doubted"),
    [
        ("Created Date", "Created Time", True),
        ("Erstelldatum", "Uhrzeit", False),  # that of which date?
        ("Created Date", "Call Duration", False),
    ],
)
def test_start_when_the_time_of_day_is_in_a_second_column_then_says_that_it_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, date: str, clock: str, *, is_doubted: bool
) -> None:
    path = write_rows(
        tmp_path / "deals.csv",
        ["Deal ID", "Stage", date, clock, "Closed"],
        lambda number, created, closed: (
            f"D{number}", ("Offer", "Won", "Lost", "Lost")[number % 4], created.date(),
            f"{number % 12}:{number:02} PM", closed,
        ),
    )  # fmt: skip
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Deal ID", "Datum", "Uhrzeit"],
        lambda number, created, _: (f"D{number}", created.date(), f"{number % 24:02}:15"),
    )

    parts, _ = start_with(path, monkeypatch, calls)

    expected = f"{clock} seems to be its time of day, which is not read"
    assert (expected in (parts["created"].doubt or "")) == is_doubted
    assert "Uhrzeit seems to be its time of day" in (parts["events"].doubt or "")


def test_start_when_few_values_are_leads_then_a_file_is_not_said_to_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "deals.csv",
        ["Deal ID", "Stage", "Created"],
        lambda number, created, _: (f"D{number}", ("Won", "Lost")[number % 2], created.date()),
    )
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Deal ID", "When"],
        lambda number, created, _: (f"D{number + 28}", created.date()),
    )

    parts, _ = start_with(path, monkeypatch, calls)

    assert parts["not used"].evidence == "dated, but only 30% of its Deal ID are leads"
