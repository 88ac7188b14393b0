"""Names that thousands of leads share: they are words for many companies or people, and connect nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from leadscore.errors import UserError
from leadscore.onboarding import people_view
from onboarding.made_exports import BEGIN, LEADS, settings_in, start_with, write_rows
from onboarding.people_exports import STATES, ingest

CROWD = 1_200  # leads with one name
OTHERS = 600  # leads with a name of their own


def write_lines(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def name_of(number: int, crowd: str) -> str:
    return crowd if number >= OTHERS else f"Firm{number}@x.com"


def write_leads(path: Path, crowd: str | None) -> Path:
    """Leads of an hour each; without a crowd they have ids alone."""
    lines = ["Id,Created,Status" + (",Company" if crowd else "")]
    for number in range(OTHERS + CROWD):
        created = BEGIN + timedelta(hours=number)
        line = f"D{number},{created},{STATES[number % 4]}"
        lines.append(f"{line},{name_of(number, crowd)}" if crowd else line)
    return write_lines(path, lines)


def write_calls(path: Path, column: str, crowd: str) -> Path:
    """Calls after all leads came: of each lead with a name of its own, and as many of the crowd."""
    names = [name_of(number, crowd) for number in range(LEADS)] + [crowd] * LEADS
    when = BEGIN + timedelta(days=100)
    calls = [f"{name},{when + timedelta(hours=n)},Call" for n, name in enumerate(names)]
    return write_lines(path, [f"{column},When,Type", *calls])


def test_start_when_a_company_has_thousands_of_leads_then_its_rows_reach_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_leads(tmp_path / "deals.csv", "Private customer")
    calls = write_calls(tmp_path / "calls.csv", "Company", "Private customer")

    parts, config = start_with(deals, monkeypatch, calls)

    assert parts["events"].doubt is not None
    assert parts["events"].doubt.endswith(
        "check that it is right: a row with 'Private customer' goes to none, because 1,200 leads "
        "have that company"
    )
    assert f"{LEADS} of {2 * LEADS} rows reach a lead" in parts["events"].evidence
    assert ingest(config) == (LEADS, 0)


def test_start_when_an_address_has_thousands_of_leads_in_a_list_then_it_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = "office@agency.com"
    deals = write_leads(tmp_path / "deals.csv", None)
    rows = [f"D{number},{name_of(number, crowd)}" for number in range(OTHERS + CROWD)]
    people = write_lines(tmp_path / "deal_contacts.csv", ["Deal Id,Email", *rows])
    calls = write_calls(tmp_path / "calls.csv", "Email", crowd)

    parts, config = start_with(deals, monkeypatch, people, calls)

    assert parts["events"].doubt is not None
    assert "a row with one contact goes to none, because 1,200 leads have" in parts["events"].doubt
    assert crowd not in config.read_text(encoding="utf-8")
    assert ingest(config) == (LEADS, 0)


def test_start_when_the_view_fails_then_says_so_and_leaves_no_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_leads(tmp_path / "deals.csv", "Private customer")
    calls = write_calls(tmp_path / "calls.csv", "Company", "Private customer")
    monkeypatch.setattr(people_view, "_view_sql", lambda *_: "SELECT missing FROM calls")

    with pytest.raises(UserError, match=r"calls.csv: the view .* cannot run: .*Leave the file out"):
        start_with(deals, monkeypatch, calls)

    assert not (tmp_path / "leadscore.toml").exists()


def test_start_when_every_company_has_few_leads_then_the_view_counts_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Company", "Created", "Status"],
        lambda number, created, _: (f"D{number}", f"Firm {number}", created, STATES[number % 4]),
    )
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Company", "When", "Type"],
        lambda number, created, _: (f"Firm {number}", created, "Call"),
    )

    _, config = start_with(deals, monkeypatch, calls)

    assert "COUNT" not in settings_in(config)["views"]["calls_of_leads"]["sql"]
