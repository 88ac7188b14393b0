"""Cells that name several leads, contacts or addresses: a view gives each a row of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from onboarding.made_exports import BEGIN, LEADS, settings_in, start_with, write_rows
from onboarding.people_exports import (
    BOTH_OPEN,
    CONTACTS,
    STATES,
    ingest,
    iso,
    write_calls,
    write_deals,
)

OTHER = 7  # how far the second lead or contact of a cell is from the first


def second(number: int) -> int:
    return (number + OTHER) % LEADS


@pytest.mark.parametrize("mark", [";", "; ", ",", " | "])
@pytest.mark.parametrize("share", [1, 3], ids=["all cells", "a third of the cells"])
def test_start_when_cells_name_several_leads_then_each_has_the_activity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, share: int
) -> None:
    deals = write_deals(tmp_path / "deals.csv")

    def row(number: int, *_: object) -> list[object]:
        names = f"D{number}{mark}D{second(number)}" if number % share == 0 else f"D{number}"
        when = BEGIN + timedelta(days=100, hours=number)
        return [f"C{number}", f'"{names}"', iso(when), "Call"]

    calls = write_rows(tmp_path / "calls.csv", ["Call ID", "Deals", "When", "Type"], row)

    parts, config = start_with(deals, monkeypatch, calls)

    assert parts["events"].evidence == "100% of its Deals are leads; dated by When"
    assert parts["events"].doubt == (
        f"cells of Deals hold several values with {mark.strip()!r} between them: a view gives each "
        "a row of its own"
    )
    (entry,) = [each for each in settings_in(config)["mapping"] if each["table"] == "activities"]
    assert entry["columns"]["activity_id"] == "Call ID"
    both = len(range(0, LEADS, share))
    assert ingest(config) == (LEADS + both, 0)


def test_start_when_some_rows_name_no_lead_then_they_are_rejects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Deals", "When", "Type"],
        lambda number, created, _: (
            f'"D{number};D{second(number)};"' if number else "", created + timedelta(days=1), "Call",
        ),
    )  # fmt: skip

    _, config = start_with(deals, monkeypatch, calls)

    assert ingest(config) == (2 * (LEADS - 1), 1)


def test_start_when_calls_name_several_contacts_then_the_leads_of_each_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_calls(
        tmp_path / "calls.csv",
        key="Contact IDs",
        person=lambda number: f'"K{900 + number % CONTACTS};K1"' if number % 2 else f"K{900 + number % CONTACTS}",
    )  # fmt: skip

    parts, config = start_with(deals, monkeypatch, calls)

    assert "(Contact IDs = Contact Id)" in parts["events"].evidence
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_attendees_are_addresses_then_they_connect_and_are_not_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv", key="Email")
    calls = write_calls(
        tmp_path / "calls.csv",
        key="Attendees",
        person=lambda number: f'"ann.k{900 + number % CONTACTS}@x.com, rep@us.com"',
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert (
        "e-mail addresses, not leads (Attendees = Email, in any case)" in parts["events"].evidence
    )
    assert "@" not in config.read_text(encoding="utf-8")
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_leads_name_several_contacts_then_calls_with_either_reach_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def either(number: int) -> list[str]:
        contact = number % CONTACTS
        return [f"K{900 + contact}", f"K{100 + contact}"] if number % 2 else [f"K{900 + contact}"]

    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Contact IDs", "Created", "Closed", "Status"],
        lambda number, created, closed: (
            f"D{number}", f'"{";".join(either(number))}"', iso(created), closed, STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_calls(tmp_path / "calls.csv", person=lambda number: either(number)[-1])

    _, config = start_with(deals, monkeypatch, calls)

    assert list(settings_in(config)["views"]) == ["deals_apart", "calls_of_leads"]
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


@pytest.mark.parametrize(
    ("write", "place"),
    [
        (json.dumps, "in a list"),
        ("\n".join, "on lines of their own"),
        ("\r\n".join, "on lines of their own"),
    ],
    ids=["JSON", "lines", "lines of Windows"],
)
def test_start_when_both_files_have_lists_of_people_then_any_of_them_connects(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[list[str]], str],
    place: str,
) -> None:
    def both(number: int) -> list[str]:
        contact = number % CONTACTS
        people = [f"Ann {contact}", f"Bob {contact}"]
        return people if number % 2 else people[:1]

    def quoted(people: list[str]) -> str:
        return '"' + write(people).replace('"', '""') + '"'

    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Contacts", "Created", "Closed", "Status"],
        lambda number, created, closed: (
            f"D{number}", quoted(both(number)), iso(created), closed, STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_calls(
        tmp_path / "calls.csv",
        key="Participants",
        person=lambda number: quoted([*both(number)[::-1], "Eve"]) if number % 3 else quoted(both(number)[:1]),
    )  # fmt: skip

    parts, config = start_with(deals, monkeypatch, calls)

    doubt = parts["events"].doubt
    assert doubt is not None
    assert f"cells of Participants hold several values {place}: a view" in doubt
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_names_have_a_comma_within_then_they_are_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Contact", "Created", "Closed", "Status"],
        lambda number, created, closed: (
            f"D{number}", f'"Doe {number}, Ann"', iso(created), closed, STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_calls(
        tmp_path / "calls.csv", key="Contact", person=lambda number: f'"Doe {number}, Ann"'
    )

    _, config = start_with(deals, monkeypatch, calls)

    assert list(settings_in(config)["views"]) == ["calls_of_leads"]
    assert ingest(config) == (LEADS, 0)


@pytest.mark.parametrize(
    ("column", "cell"),
    [("Cost", "{},5"), ("Products", "{};7"), ("Score", "{}|3")],
)
def test_start_when_ids_are_small_numbers_then_prices_and_products_are_not_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str, cell: str
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Created", "Closed", "Status"],
        lambda number, created, closed: (1 + number, iso(created), closed, STATES[number % 4]),
    )
    calls = write_rows(
        tmp_path / "calls.csv",
        [column, "When", "Type"],
        lambda number, created, _: (f'"{cell.format(1 + number)}"', iso(created), "Call"),
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert "views" not in settings_in(config)
    assert parts["not used"].place == "calls.csv"
