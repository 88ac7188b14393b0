"""Exports with several columns that could say won and lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from onboarding.made_exports import leads_of, write_rows


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Budget approved", ("yes", "no", "", "yes")),
        ("NDA signed", ("no", "yes", "yes", "no")),
        ("Quote status", ("approved", "declined", "pending", "approved")),
    ],
)
def test_roles_when_something_else_is_approved_or_signed_then_the_stage_says_won_and_lost(
    tmp_path: Path, name: str, values: tuple[str, ...]
) -> None:
    stages = ("New", "Closed won", "Closed lost", "Talks", "Offer")
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", name, "Stage"],
        lambda number, created, _: (
            f"A{number}",
            created.date(),
            values[number % 4],
            stages[number % 5],
        ),
    )

    leads = leads_of(path)

    assert (leads.won, leads.lost) == (["Closed won"], ["Closed lost"])
