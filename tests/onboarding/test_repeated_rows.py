"""Exports that have some rows of leads more than once."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore import Project
from onboarding.made_exports import LEADS, start_with, state, write_rows

REPEATED = 12


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Leads of which some rows come again, in the order of the file."""
    path = write_rows(
        tmp_path / "a.csv",
        ["Lead ID", "Created", "Closed", "Status"],
        lambda number, created, closed: (f"A{number}", created.date(), closed, state(number)),
    )
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines, *lines[1 : 1 + REPEATED], ""]), encoding="utf-8")
    return path


def test_start_when_rows_come_again_then_the_id_is_the_column_that_they_keep_from_being_unique(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, config = start_with(export, monkeypatch)

    assert parts["id"].place == "a.csv: Lead ID"
    assert parts["leads"].evidence == f"{LEADS} rows"
    assert parts["leads"].doubt == f"{REPEATED} rows equal an earlier one"
    table = Project(config).ingest().accounts.to_dict()["tables"]["leads"]
    assert (table["stored"], table["duplicates"]) == (LEADS, REPEATED)
