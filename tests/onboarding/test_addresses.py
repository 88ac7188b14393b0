"""Columns of e-mail addresses connect activities with leads, but for those of our own people."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from onboarding.made_exports import LEADS, start_with, write_rows
from onboarding.people_exports import CONTACTS, ingest, write_deals


@pytest.mark.parametrize("recipient", ["To", "Para", "An", "Sent to"])
def test_start_when_a_column_holds_addresses_then_it_names_people_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipient: str
) -> None:
    deals = write_deals(tmp_path / "deals.csv", key="E-mail")
    mails = write_rows(
        tmp_path / "mails.csv",
        ["Message ID", "From", recipient, "When"],
        lambda number, created, _: (
            f"<{number}@us.com>", "kim@us.com", f"ann.K{900 + number % CONTACTS}@x.com",
            created + timedelta(days=1),
        ),
    )  # fmt: skip

    parts, config = start_with(deals, monkeypatch, mails)

    assert f"({recipient} = E-mail, in any case)" in parts["events"].evidence
    assert ingest(config)[0] >= LEADS


@pytest.mark.parametrize("column", ["Login", "Last modified", "Benutzer"])
def test_start_when_addresses_are_of_our_own_people_then_they_connect_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    deals = write_deals(tmp_path / "deals.csv", key="E-mail")
    mails = write_rows(
        tmp_path / "mails.csv",
        [column, "When"],
        lambda number, created, _: (f"Ann.K{900 + number % CONTACTS}@X.com", created),
    )

    parts, _ = start_with(deals, monkeypatch, mails)

    assert "events" not in parts
