"""Activities that name a contact, an e-mail or a company of leads: the view that `init` writes."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from onboarding.made_exports import BEGIN, LEADS, settings_in, start_with, write_rows
from onboarding.people_exports import (
    BOTH_OPEN,
    CONTACTS,
    STATES,
    Written,
    epoch_ms,
    ingest,
    iso,
    write_calls,
    write_deals,
)


def mixed_offsets(moment: datetime) -> str:
    """In UTC, or two hours later by the clock and two hours off."""
    if moment.day % 2:
        return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
    return f"{moment + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00"


@pytest.mark.parametrize(
    ("written", "when"),
    [
        (iso, "at the time"),
        (epoch_ms, "at the time"),
        (lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}+02:00", "at the time"),
        (mixed_offsets, "at the time"),
        (lambda moment: f"{moment:%d.%m.%Y %H:%M}", "at the time"),
        (lambda moment: f"{moment:%d/%m/%Y}", "on that day"),
        (lambda moment: f"{moment:%m/%d/%Y %I:%M %p}", "at the time"),
        (lambda moment: f"{moment:%d-%b-%Y %H:%M}", "at the time"),
        (lambda moment: f"{moment:%b %d, %Y, %I:%M:%S %p}", "at the time"),
        (lambda moment: f"{moment:%Y%m%d}", "on that day"),
    ],
)
def test_start_when_calls_name_contacts_then_they_go_to_the_leads_open_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Written, when: str
) -> None:
    deals = write_deals(tmp_path / "deals.csv", written)
    calls = write_calls(tmp_path / "calls.csv", written)

    parts, config = start_with(deals, monkeypatch, calls)

    assert "not used" not in parts
    assert parts["events"].evidence == (
        "its rows name contacts, not leads (ContactId = Contact Id): 40 of 40 rows reach a lead; "
        "dated by When"
    )
    assert parts["events"].doubt == (
        f"by a view, each row goes to the leads with the same contact that were open {when}; "
        "check that it is right"
    )
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


@pytest.mark.parametrize(
    ("after", "stored"),
    [
        (timedelta(0), LEADS + BOTH_OPEN),
        (timedelta(seconds=-1), BOTH_OPEN),
        (timedelta(days=20), LEADS + BOTH_OPEN),
        (timedelta(days=20, seconds=1), 2 * BOTH_OPEN + BOTH_OPEN),
    ],
)
def test_start_when_a_call_is_at_an_end_of_the_time_open_then_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: timedelta, stored: int
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_calls(tmp_path / "calls.csv", after=after)

    _, config = start_with(deals, monkeypatch, calls)

    assert ingest(config) == (stored, 0)


def test_start_when_calls_have_days_and_leads_have_times_then_the_day_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv", lambda moment: iso(moment + timedelta(hours=9)))
    calls = write_calls(
        tmp_path / "calls.csv", lambda moment: f"{moment:%Y-%m-%d}", after=timedelta(0)
    )

    _, config = start_with(deals, monkeypatch, calls)

    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_exports_are_workbooks_then_calls_reach_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [BEGIN + timedelta(days=2 * number, hours=9) for number in range(LEADS)]
    contacts = [900 + number % CONTACTS for number in range(LEADS)]
    deals = pd.DataFrame(
        {
            "Id": [f"D{number}" for number in range(LEADS)],
            "Contact Id": contacts,
            "Created": moments,
            "Closed": [
                moment + timedelta(days=20) if number % 4 else None
                for number, moment in enumerate(moments)
            ],
            "Status": STATES * 10,
        }
    )
    calls = pd.DataFrame({"Contact": contacts, "When": moments, "Type": "Call"})
    deals.to_excel(tmp_path / "deals.xlsx", index=False)
    calls.to_excel(tmp_path / "calls.xlsx", index=False)

    _, config = start_with(tmp_path / "deals.xlsx", monkeypatch, tmp_path / "calls.xlsx")

    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_a_date_cannot_be_read_then_its_row_is_a_reject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_calls(tmp_path / "calls.csv")
    mails = write_calls(tmp_path / "mails.csv", after=timedelta(days=2))
    rows = calls.read_text(encoding="utf-8") + mails.read_text(encoding="utf-8").partition("\n")[2]
    calls.write_text(f"{rows}K901;soon;Call\n", encoding="utf-8")

    _, config = start_with(deals, monkeypatch, calls)

    assert ingest(config) == (2 * (LEADS + BOTH_OPEN), 2)  # one for each lead of the contact


def test_start_when_a_contact_has_no_lead_then_its_calls_are_left_out_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    calls = write_calls(
        tmp_path / "calls.csv",
        person=lambda number: f"K{900 + number % CONTACTS + 100 * (number % 2)}",
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert "20 of 40 rows reach a lead" in parts["events"].evidence
    assert ingest(config) == (LEADS // 2 + BOTH_OPEN, 0)


def test_start_when_files_are_called_like_words_of_sql_then_views_read_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "order.csv")
    calls = write_calls(tmp_path / "group.csv")

    _, config = start_with(deals, monkeypatch, calls)

    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_e_mails_differ_in_case_then_they_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv", key="Email")
    calls = write_calls(
        tmp_path / "calls.csv",
        key="Contact Email",
        person=lambda number: f"ann.k{900 + number % CONTACTS}@x.com",
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert (
        "e-mail addresses, not leads (Contact Email = Email, in any case)"
        in parts["events"].evidence
    )
    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_wins_and_losses_have_a_date_each_then_either_ends_the_lead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row(number: int, created: datetime, closed: str) -> tuple[object, ...]:
        ends = (closed, "") if number % 4 == 1 else ("", closed)
        return (f"D{number}", f"K{900 + number % CONTACTS}", created.date(), *ends)

    names = ["Id", "Contact Id", "Created", "Won on", "Lost on"]
    deals = write_rows(tmp_path / "deals.csv", names, row)
    calls = write_calls(tmp_path / "calls.csv")

    _, config = start_with(deals, monkeypatch, calls)

    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_a_flag_says_which_losses_are_final_then_others_stay_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Contact Id", "Created", "Closed", "Is Closed", "Status"],
        lambda number, created, closed: (
            f"D{number}", f"K{900 + number % CONTACTS}", created.date(), closed,
            "yes" if closed else "no", ("lost", "won", "lost", "lost")[number % 4],
        ),
    )  # fmt: skip
    calls = write_calls(tmp_path / "calls.csv")

    _, config = start_with(deals, monkeypatch, calls)

    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def both_keys(number: int) -> tuple[str, str]:
    return f"K{900 + number % CONTACTS}", f"C{number % 4}"


def test_start_when_calls_name_contacts_and_companies_then_the_contact_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Account Id", "Contact Id", "Created", "Status"],
        lambda number, created, _: (
            f"D{number}", *both_keys(number)[::-1], iso(created), STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_rows(
        tmp_path / "calls.csv",
        ["account_id", "contact_id", "When", "Type"],
        lambda number, created, _: (*both_keys(number)[::-1], iso(created), "Call"),
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert "(contact_id = Contact Id)" in parts["events"].evidence
    assert parts["events"].doubt == (
        "by a view, each row goes to the leads with the same contact that existed by then: no "
        "column says for sure when they closed; check that it is right"
    )
    assert ingest(config) == (LEADS + CONTACTS, 0)  # no close is known: the first lead has both


def test_start_when_calls_name_companies_only_then_all_their_open_leads_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Company", "Created", "Closed", "Status"],
        lambda number, created, closed: (
            f"D{number}", f"Firm {number // 2}", created.date(), closed, STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_rows(
        tmp_path / "calls.csv",
        ["Account Name", "When", "Type"],
        lambda number, created, _: (f"Firm {number // 2}", created.date(), "Call"),
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert "companies, not leads (Account Name = Company)" in parts["events"].evidence
    assert ingest(config) == (LEADS + CONTACTS, 0)  # of two leads the second was not there yet


def test_start_when_open_leads_have_an_expected_date_then_it_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Contact Id", "Created", "Close Date", "Status"],
        lambda number, created, _: (
            f"D{number}", f"K{900 + number % CONTACTS}", created.date(),
            (created + timedelta(days=20)).date(), STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_calls(tmp_path / "calls.csv")

    _, config = start_with(deals, monkeypatch, calls)

    assert ingest(config) == (LEADS + BOTH_OPEN, 0)


def test_start_when_sql_reads_no_date_then_the_view_has_no_limit_in_time_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_deals(tmp_path / "deals.csv")
    months = ("janvier", "février", "mars", "avril")
    calls = write_calls(
        tmp_path / "calls.csv",
        lambda moment: f"{moment.day} {months[moment.month - 1]} {moment.year}",
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert parts["events"].doubt == (
        "by a view, each row goes to all leads with the same contact, open or not: SQL cannot read "
        "every date in 'When'; check that it is right"
    )
    assert "WHERE" not in settings_in(config)["views"]["calls_of_leads"]["sql"]
    assert ingest(config) == (2 * LEADS, 0)


def test_start_when_words_stand_for_a_missing_contact_then_they_connect_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Email", "Created", "Status"],
        lambda number, created, _: (
            f"D{number}", f"a{number}@x.com" if number % 2 else "n/a", iso(created),
            STATES[number % 4],
        ),
    )  # fmt: skip
    calls = write_calls(
        tmp_path / "calls.csv",
        key="email",
        person=lambda number: f"a{number}@x.com" if number % 2 else "n/a",
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert "20 of 40 rows reach a lead" in parts["events"].evidence
    assert ingest(config) == (LEADS // 2, 0)
