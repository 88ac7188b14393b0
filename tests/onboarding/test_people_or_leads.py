"""Whether a file names leads, or people of theirs, or lists these; and lists that connect the two."""

from __future__ import annotations

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
    write_contacts,
    write_deals,
)


def test_start_when_a_file_names_leads_and_contacts_then_leads_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Contact Id", "Deal", "When", "Type"],
        lambda number, created, _: (
            f"K{900 + number % CONTACTS}", f"D{number}", iso(created), "Call",
        ),
    )  # fmt: skip

    parts, config = start_with(deals, monkeypatch, calls)

    assert parts["events"].evidence == "100% of its Deal are leads; dated by When"
    assert ingest(config) == (LEADS, 0)


@pytest.mark.parametrize(("missing", "share"), [("", 100), ("-", 95), ("k.A.", 95)])
def test_start_when_calls_lack_the_id_of_a_lead_then_their_contacts_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, share: int
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Contact Id", "Deal", "When", "Type"],
        lambda number, created, _: (
            f"K{900 + number % CONTACTS}", missing if number % 2 else f"D{number}", iso(created), "Call",
        ),
    )  # fmt: skip

    parts, config = start_with(deals, monkeypatch, calls)

    assert parts["events"].evidence == (
        f"{share}% of its Deal are leads; rows without Deal name contacts (Contact Id = Contact Id): 40 "
        "of 40 rows reach a lead; dated by When"
    )
    assert parts["events"].doubt == (
        "by a view, each row without Deal goes to the leads with the same contact that were open at "
        "the time; check that it is right"
    )
    assert ingest(config) == (LEADS, 0)  # no row that names a lead goes to a second one


@pytest.mark.parametrize("column", ["id", "user_id", "contact_id"])
def test_start_when_small_numbers_look_like_ids_of_leads_then_the_contact_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["id", "contact_id", "created_at", "closed_at", "status"],
        lambda number, created, closed: (
            1 + number, 1 + number % CONTACTS, created.date(), closed, STATES[number % 4],
        ),
    )  # fmt: skip
    names = [column] if column == "contact_id" else [column, "contact_id"]
    calls = write_rows(
        tmp_path / "calls.csv",
        [*names, "happened_at", "type"],
        lambda number, created, _: (
            *([] if column == "contact_id" else [1 + number if column == "id" else 1 + number % 3]),
            1 + number % CONTACTS,
            created.date(),
            "call",
        ),
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert "(contact_id = contact_id)" in parts["events"].evidence
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_a_file_lists_people_then_it_is_no_activities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    people = write_rows(
        tmp_path / "people.csv",
        ["Contact Id", "Email", "Added on"],
        lambda number, created, _: (f"K{900 + number}", f"a{number}@x.com", iso(created)),
    )

    parts, _ = start_with(deals, monkeypatch, people)

    assert parts["not used"].place == "people.csv"
    assert (
        parts["not used"].evidence
        == "a list of contacts or companies, not of what happened to leads"
    )
    assert "events" not in parts


def test_start_when_numbers_of_people_look_like_ids_of_leads_then_a_list_of_them_is_no_activities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["id", "contact_id", "company_id", "created_at", "status"],
        lambda number, created, _: (
            1 + number, 1 + number % CONTACTS, 1 + number % 5, created.date(), STATES[number % 4],
        ),
    )  # fmt: skip
    companies = write_rows(
        tmp_path / "companies.csv",
        ["id", "city", "created_at"],
        lambda number, created, _: (1 + number, "Bonn", created.date()),
    )
    contacts = write_rows(
        tmp_path / "contacts.csv",
        ["id", "company_id", "created_at"],
        lambda number, created, _: (1 + number, 1 + number % 5, created.date()),
    )

    parts, config = start_with(deals, monkeypatch, companies, contacts)

    assert "events" not in parts
    assert [entry["table"] for entry in settings_in(config)["mapping"]] == ["leads", "outcomes"]


def test_start_when_files_share_dates_or_numbers_of_contacts_then_these_connect_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Last Contact", "Contacts", "Created", "Status"],
        lambda number, created, _: (
            f"D{number}", created.date(), 2, created.date(),
            STATES[number % 4],
        ),
    )  # fmt: skip
    visits = write_rows(
        tmp_path / "visits.csv",
        ["Last Contact", "Contacts", "Page"],
        lambda number, created, _: (created.date(), 1 + number % 2, f"/p{number % 3}"),
    )

    parts, _ = start_with(deals, monkeypatch, visits)

    assert parts["not used"].place == "visits.csv"


def test_start_when_calls_name_e_mails_of_contacts_then_the_list_of_contacts_connects_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    contacts = write_contacts(tmp_path / "contacts.csv")
    calls = write_calls(
        tmp_path / "calls.csv",
        key="email",
        person=lambda number: f"ann.k{900 + number % CONTACTS}@x.com",
    )

    parts, config = start_with(deals, monkeypatch, calls, contacts)

    assert parts["events"].evidence == (
        "its rows name e-mail addresses, not leads (email = email of contacts.csv, in any case; "
        "id = Contact Id): 40 of 40 rows reach a lead; dated by When"
    )
    assert "not used" not in parts
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_a_file_lists_the_contacts_of_leads_then_it_connects_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Created", "Closed", "Status"],
        lambda number, created, closed: (
            f"D{number}", created.date(), closed, STATES[number % 4],
        ),
    )  # fmt: skip
    links = write_rows(
        tmp_path / "deal_contacts.csv",
        ["deal_id", "contact_id", "role"],
        lambda number, *_: (f"D{number}", f"K{900 + number % CONTACTS}", "buyer"),
    )
    calls = write_calls(tmp_path / "calls.csv")
    with links.open("a", encoding="utf-8") as file:
        file.write("D1;K901;signs\n")  # whose calls count once

    parts, config = start_with(deals, monkeypatch, calls, links)

    assert "(ContactId = contact_id of deal_contacts.csv; deal_id = Id)" in parts["events"].evidence
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_calls_name_contacts_and_leads_companies_then_contacts_name_the_company(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Company Id", "Created", "Closed", "Status"],
        lambda number, created, closed: (
            f"D{number}", f"F{number % 10}", created.date(), closed, STATES[number % 4],
        ),
    )  # fmt: skip
    contacts = write_contacts(tmp_path / "contacts.csv")
    calls = write_calls(tmp_path / "calls.csv")

    parts, config = start_with(deals, monkeypatch, calls, contacts)

    assert parts["events"].doubt is not None
    assert "the leads with the same company that were open" in parts["events"].doubt
    stored, rejects = ingest(config)
    assert stored > 0
    assert rejects == 0


@pytest.mark.parametrize("word", ["k.A.", "Unknown", "Private person", "N/a"])
def test_start_when_words_stand_for_no_contact_then_init_says_that_they_connect_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Contact", "Created", "Status"],
        lambda number, created, _: (
            f"D{number}", f"Ann {number}" if number % 2 else word, iso(created), STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_calls(
        tmp_path / "calls.csv",
        key="contact",
        person=lambda number: f"Ann {number}" if number % 2 else word,
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert f"where '{word}' counts as missing" in parts["events"].evidence
    assert ingest(config) == (LEADS // 2, 0)


def test_start_when_both_files_name_who_entered_a_row_then_the_contact_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Created by email", "Contact email", "Created", "Closed", "Status"],
        lambda number, created, closed: (
            f"D{number}", f"rep{number % 3}@us.com", f"a{number % CONTACTS}@x.com", iso(created),
            closed, STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Created by email", "Email", "When", "Type", "Agent"],
        lambda number, created, _: (
            f"rep{number % 3}@us.com", f"a{number % CONTACTS}@x.com", iso(created), "Call", "Mia",
        ),
    )  # fmt: skip

    parts, config = start_with(deals, monkeypatch, calls)

    assert "(Email = Contact email)" in parts["events"].evidence
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_only_some_names_differ_in_case_then_they_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Company", "Created", "Status"],
        lambda number, created, _: (
            f"D{number}", f"Firm {number}", iso(created), STATES[number % 4],
        ),
    )  # fmt: skip
    calls = tmp_path / "calls.csv"
    write_calls(calls, key="Company", person=lambda number: f"Firm {number}")
    with calls.open("a", encoding="utf-8") as file:
        file.write(f"FIRM 7;{iso(BEGIN + timedelta(days=90))};Call\n")

    parts, config = start_with(deals, monkeypatch, calls)

    assert "(Company = Company, in any case): 41 of 41 rows" in parts["events"].evidence
    assert ingest(config) == (LEADS + 1, 0)


@pytest.mark.parametrize(("key", "named"), [("Company", "'Firm 15'"), ("Contact", "one contact")])
def test_start_when_a_row_reaches_many_leads_then_init_names_the_company_and_no_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, named: str
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", key, "Created", "Status"],
        lambda number, created, _: (
            f"D{number}", f"Firm {max(number, 15)}", iso(created), STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_calls(tmp_path / "calls.csv", key=key, person=lambda number: f"Firm {number}")

    parts, _ = start_with(deals, monkeypatch, calls)

    assert parts["events"].doubt is not None
    assert parts["events"].doubt.endswith(
        f"check that it is right: a row with {named} goes to 16 leads at once"
    )


def test_start_when_only_agents_and_results_tell_calls_apart_then_kinds_are_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Contact Id", "Agent", "When", "Outcome of call"],
        lambda number, created, _: (
            f"K{900 + number % CONTACTS}", ("Mia", "Leo")[number % 2], iso(created),
            ("reached", "no answer", "busy")[number % 3],
        ),
    )  # fmt: skip

    parts, _ = start_with(deals, monkeypatch, calls)

    assert parts["activities"].place == "calls.csv: Outcome of call"


@pytest.mark.parametrize(
    ("name", "hours", "doubt"),
    [
        ("calls.csv", 48, None),
        (
            "invoices.csv",
            48,
            "judging by its name, it may not hold sales activities: if so, leave it out",
        ),
        (
            "mails.csv",
            0,
            "most rows share their time with many others: if they are mailings to all, leave them out",
        ),
    ],
)
@pytest.mark.parametrize("names_leads", [True, False])
def test_start_when_rows_may_be_no_sales_activities_then_init_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    hours: int,
    doubt: str | None,
    *,
    names_leads: bool,
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    rows = write_rows(
        tmp_path / name,
        ["Deal" if names_leads else "Contact Id", "When", "Type"],
        lambda number, *_: (
            f"D{number}" if names_leads else f"K{900 + number % CONTACTS}",
            iso(BEGIN + timedelta(hours=hours * number)), ("Call", "Mail")[number % 2],
        ),
    )  # fmt: skip

    parts, _ = start_with(deals, monkeypatch, rows)

    written = parts["events"].doubt or ""
    assert written.endswith(doubt) if doubt else "leave" not in written


def test_start_when_tasks_of_salesforce_name_who_then_they_reach_leads_of_the_contact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_calls(tmp_path / "calls.csv", key="WhoId")

    parts, config = start_with(deals, monkeypatch, calls)

    assert "(WhoId = Contact Id)" in parts["events"].evidence
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


@pytest.mark.parametrize("column", ["Participants", "Contacts", "Teilnehmer"])
def test_start_when_a_column_says_how_many_came_then_it_names_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Contact Id", "Created", "Status"],
        lambda number, created, _: (
            f"D{number}",
            1 + number % CONTACTS,
            created,
            STATES[number % 4],
        ),
    )
    meetings = write_rows(
        tmp_path / "meetings.csv",
        [column, "When", "Type"],
        lambda number, created, _: (2 + number % 7, created, "Meeting"),
    )

    parts, _ = start_with(deals, monkeypatch, meetings)

    assert parts["not used"].place == "meetings.csv"
