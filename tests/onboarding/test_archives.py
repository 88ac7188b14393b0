"""Open and closed leads in two files, such as an archive beside what is open."""

from __future__ import annotations

from pathlib import Path

import pytest

from onboarding.made_exports import settings_in, start_with, write_rows
from onboarding.people_exports import ingest


def write_half(path: Path, *, closed: bool, overlap: int = 0) -> Path:
    """The leads that have closed, or those that are open and some of the others."""
    whole = write_rows(
        path,
        ["Deal ID", "Stage", "Created", "Closed", "Amount"],
        lambda number, created, end: (
            f"D{number}", ("Offer", "Won", "Lost", "Lost")[number % 4], created.date(), end, 100,
        ),
    )  # fmt: skip
    header, *rows = whole.read_text(encoding="utf-8").splitlines()
    of_closed = [row for row in rows if ";Offer;" not in row]
    of_open = [row for row in rows if ";Offer;" in row]
    kept = of_closed if closed else [*of_open, *of_closed[:overlap]]
    path.write_text("\n".join([header, *kept, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("still_open", "archive", "pattern"),
    [
        ("open_deals.csv", "closed_deals.csv", "*_deals.csv"),
        ("deals.csv", "deals archive.csv", "deals*.csv"),
        ("Deals (open).csv", "Deals (closed).csv", "Deals (*).csv"),
    ],
)
def test_start_when_closed_leads_are_in_a_file_of_their_own_then_one_pattern_reads_both(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    still_open: str,
    archive: str,
    pattern: str,
) -> None:
    first = write_half(tmp_path / still_open, closed=False)
    second = write_half(tmp_path / archive, closed=True)
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Deal ID", "When"],
        lambda number, created, _: (f"D{number}", created.date()),
    )

    parts, config = start_with(first, monkeypatch, second, calls)

    assert (parts["leads"].place, parts["leads"].evidence) == (pattern, "40 rows")
    assert [each["path"] for each in settings_in(config)["sources"].values()] == [
        pattern,
        "calls.csv",
    ]
    assert ingest(config) == (40, 0)


def test_start_when_a_lead_is_in_both_files_then_one_is_named_as_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_half(tmp_path / "open_deals.csv", closed=False, overlap=3)
    second = write_half(tmp_path / "closed_deals.csv", closed=True)

    parts, _ = start_with(first, monkeypatch, second)

    assert parts["not used"].evidence == f"the same columns as {parts['leads'].place}"
    assert "no lead may be in both" in (parts["not used"].doubt or "")
