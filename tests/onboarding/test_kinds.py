"""Which column of a file of activities says what happened, and when its name says it instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from onboarding.made_exports import settings_in, start_with, write_rows
from onboarding.people_exports import write_deals


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("Visitor", ["Kim"], "visits"),
        ("Place", ["Madrid"], "visits"),
        ("Outcome", ["connected"], "visits"),
        ("Type", ["Demo"], "demo"),
        ("Type", ["Demo", "Visit"], "demo visit"),
    ],
)
def test_start_when_a_column_is_the_same_in_every_row_then_it_is_no_kind_unless_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, values: list[str], kind: str
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    visits = write_rows(
        tmp_path / "visits.csv",
        ["Deal ID", "When", column],
        lambda number, created, _: (f"D{number}", created.date(), values[number % len(values)]),
    )

    _, config = start_with(deals, monkeypatch, visits)

    (entry,) = [each for each in settings_in(config)["mapping"] if each["table"] == "activities"]
    given = entry.get("values", {}).get(column, {}).values()
    names = [value["kind"] for value in given] or [entry["constants"]["kind"]]
    assert sorted(names) == kind.split()


def test_start_when_a_subject_is_always_the_same_then_another_column_says_the_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    tasks = write_rows(
        tmp_path / "tasks.csv",
        ["Deal ID", "When", "Subject", "TaskSubtype"],
        lambda number, created, _: (
            f"D{number}", created.date(), "Follow up", ("Call", "Email")[number % 2],
        ),
    )  # fmt: skip

    parts, _ = start_with(deals, monkeypatch, tasks)

    assert parts["activities"].place == "tasks.csv: TaskSubtype"
