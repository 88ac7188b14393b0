"""Severities, limits, money and personal columns: what happens to a row that is not as it should be."""

import csv
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import SourceFormatError, UserError
from leadscore.ingest.mapping.personal import NORMALISED, PersonalHash
from leadscore.settings.rules import RULES
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion, read_current
from leadscore.times import parse_moment

COLUMNS = {"lead_id": "id", "event_at": "created"}


def settings_of(
    folder: Path, header: str, leads: list[str], columns: dict[str, str], **changes: Any
) -> Settings:
    (folder / "leads.csv").write_text(
        "\n".join([f"id,created,{header}", *leads, ""]), encoding="utf-8"
    )
    mapping = [{"source": "leads", "table": "leads", "columns": COLUMNS | columns}]
    return make_settings(
        input_folder=folder, data_folder=folder / "data", mapping=changes.pop("mapping", mapping),
        known_until="2024-03-01", **changes,
    )  # fmt: skip


def current(settings: Settings) -> StoreVersion:
    return read_current(settings.project_folder() / "store", project=settings.project)


def rows(version: StoreVersion, table: str, *columns: str) -> list[tuple]:
    return [
        tuple(row[c] for c in columns)
        for path in version.files(table)
        for row in pq.read_table(path).to_pylist()
    ]


SIZE = {"size": {"type": "number", "decimals": 0, "minimum": 1, "maximum": 1000}}


@pytest.mark.parametrize(
    ("severity", "stored", "rejected"),
    [
        ({}, [("1", 5)], [("type", "refused"), ("range", "refused"), ("range", "refused")]),
        (
            {"type": "warn"},
            [("1", 5), ("2", None)],
            [("type", "warned"), ("range", "refused"), ("range", "refused")],
        ),
        (
            {"type": "warn", "range": "warn"},
            [("1", 5), ("2", None), ("3", None), ("4", None)],
            [("type", "warned"), ("range", "warned"), ("range", "warned")],
        ),
    ],
)
def test_value_when_it_breaks_a_rule_that_warns_then_the_row_is_kept_and_the_value_missing(
    tmp_path, severity, stored, rejected
):
    leads = ["1,2024-01-01,5", "2,2024-01-01,many", "3,2024-01-01,0", "4,2024-01-01,1001"]
    settings = settings_of(
        tmp_path,
        "size",
        leads,
        {"size": "size"},
        fields=SIZE,
        validation={"severity": severity, "max_refused": 1},
    )
    told = jobs.ingest(settings)
    assert rows(current(settings), "leads", "lead_id", "size") == stored
    assert rows(current(settings), "rejects", "rule", "severity") == rejected
    assert told.accounts.tables["leads"].to_dict() == {
        "selected": 4, "stored": len(stored), "ignored": 0, "ignored_by": {},
        "rejected": 4 - len(stored), "duplicates": 0,
    }  # fmt: skip


def test_row_when_one_rule_warns_and_another_refuses_then_only_the_refusal_is_told(tmp_path):
    leads = ["1,2024-01-01,5", "2,never,many"]
    settings = settings_of(
        tmp_path, "size", leads, {"size": "size"}, fields=SIZE,
        validation={"severity": {"type": "warn"}, "max_refused": 1},
    )  # fmt: skip
    jobs.ingest(settings)  # a creation date that cannot be read is never only a warning
    assert rows(current(settings), "rejects", "rule", "column", "severity") == [
        ("type", "event_at", "refused")
    ]


@pytest.mark.parametrize("name", sorted(RULES))
def test_severity_when_a_rule_has_no_choice_then_it_is_refused_with_those_that_have(name):
    if RULES[name].choosable:
        assert (
            make_settings(validation={"severity": {name: "warn"}}).validation.severity_of(name)
            == "warn"
        )
    else:
        with pytest.raises(ValidationError, match=f"there is no choice for '{name}'"):
            make_settings(validation={"severity": {name: "warn"}})


@pytest.mark.parametrize(
    ("bad", "limit", "stops"), [(1, 0.05, False), (2, 0.05, True), (2, 0.1, False), (1, 0, True)]
)
def test_ingest_when_more_rows_are_refused_than_the_limit_then_it_stops_and_the_rejects_can_be_seen(
    tmp_path, bad, limit, stops
):
    leads = [f"{n},2024-01-01,{'x' if n < bad else 1}" for n in range(20)]
    settings = settings_of(
        tmp_path, "size", leads, {"size": "size"}, fields=SIZE, validation={"max_refused": limit}
    )
    if not stops:
        assert jobs.ingest(settings).rejects == {"type": bad}
        return
    with pytest.raises(UserError, match=f"table leads: {bad} of 20 rows.*{bad} by type"):
        jobs.ingest(settings)
    assert not (settings.project_folder() / "store" / "current.json").exists()
    told = jobs.list_rejects(settings)
    assert (told.rules, [row["value"] for row in told.first["type"]]) == (
        {"type": bad},
        ["x"] * bad,
    )
    assert "more than" in told.stopped
    assert jobs.write_rejects(settings, tmp_path / "rejects.csv") == bad
    with (tmp_path / "rejects.csv").open() as file:
        assert [row["rule"] for row in csv.DictReader(file)] == ["type"] * bad


def test_events_when_they_lie_outside_their_time_then_the_settings_say_whether_they_stay(tmp_path):
    (tmp_path / "calls.csv").write_text(
        "id,at\n1,2023-12-01\n1,2024-01-02\n1,2024-03-01T00:00:00Z\n"
    )
    calls = {"source": "calls", "table": "activities", "columns": {"lead_id": "id", "event_at": "at"},
             "constants": {"kind": "meeting"}}  # fmt: skip
    leads = {"source": "leads", "table": "leads", "columns": COLUMNS}
    for severity, stored in (({}, 3), ({"before_creation": "refuse", "after_export": "refuse"}, 1)):
        settings = settings_of(
            tmp_path, "x", ["1,2024-01-01,"], {}, mapping=[leads, calls],
            sources={"leads": {"path": "leads.csv"}, "calls": {"path": "calls.csv"}},
            validation={"severity": severity, "max_refused": 1, "max_shrink": 1},
        )  # fmt: skip
        told = jobs.ingest(settings)
        counted = {"before_creation": 1, "after_export": 1}
        assert (told.warned, told.rejects) == ((counted, {}) if not severity else ({}, counted))
        assert len(rows(current(settings), "activities", "lead_id")) == stored


PLANNED = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "id", "event_at": "at", "booked_at": "booked", "duration_s": "length"},
    "values": {
        "status": {
            "Attended": {"kind": "call", "outcome": "reached"},
            "Scheduled": {"kind": "call", "outcome": "planned"},
            "Cancelled": {"kind": "call", "outcome": "cancelled"},
        }
    },
}


def test_activities_when_they_are_planned_or_cancelled_then_no_warning_calls_them_late(tmp_path):
    (tmp_path / "calls.csv").write_text(
        "id,at,status,booked,length\n"
        "1,2024-01-02,Attended,,61\n"
        "1,2024-04-01T09:00:00Z,Scheduled,2024-02-01T10:00:00Z,\n"
        "1,2024-04-02T09:00:00Z,Scheduled,,\n"
        "1,2024-04-03T09:00:00Z,Cancelled,,\n"
        "1,2024-04-04T09:00:00Z,Attended,,\n"
    )
    leads = {"source": "leads", "table": "leads", "columns": COLUMNS}
    settings = settings_of(
        tmp_path, "x", ["1,2024-01-01,"], {}, mapping=[leads, PLANNED],
        sources={"leads": {"path": "leads.csv"}, "calls": {"path": "calls.csv"}},
    )  # fmt: skip
    result = jobs.ingest(settings)
    assert result.warned == {"after_export": 1}  # what is dated later cannot have been attended
    stored = rows(current(settings), "activities", "outcome", "booked_at", "duration_s")
    booked_us = parse_moment("2024-02-01T10:00:00Z", zone="UTC")
    assert stored == [
        ("reached", None, 61),
        ("planned", booked_us, None),
        ("planned", None, None),
        ("cancelled", None, None),
        ("reached", None, None),
    ]
    unbooked = [text for text in result.warnings if text.startswith("1 planned activity has no")]
    assert len(unbooked) == 1
    assert "booked_at" in unbooked[0]


def settings_of_meetings(folder: Path, columns: dict[str, str], **changes: Any) -> Settings:
    """One lead, and meetings with it from calls.csv."""
    leads = {"source": "leads", "table": "leads", "columns": COLUMNS}
    meetings = {
        "source": "calls",
        "table": "activities",
        "columns": {"lead_id": "id", "event_at": "at", **columns},
        "constants": {"kind": "meeting"},
    }
    sources = {"leads": {"path": "leads.csv"}, "calls": {"path": "calls.csv"}}
    return settings_of(
        folder,
        "x",
        ["1,2024-01-01,"],
        {},
        mapping=[leads, meetings],
        sources=sources,
        **changes,
    )


def test_activities_when_one_takes_longer_than_a_year_or_less_than_nothing_then_it_is_refused(
    tmp_path,
):
    year_s = 366 * 24 * 3600
    (tmp_path / "calls.csv").write_text(
        f"id,at,took\n1,2024-01-02,{year_s}\n1,2024-01-03,{year_s + 1}\n1,2024-01-04,-1\n"
    )
    settings = settings_of_meetings(tmp_path, {"duration_s": "took"})
    assert jobs.ingest(settings).rejects == {"range": 2}
    assert rows(current(settings), "activities", "duration_s") == [(year_s,)]


def test_activities_when_the_outcome_is_none_of_ours_then_the_row_is_refused(tmp_path):
    (tmp_path / "calls.csv").write_text("id,at,result\n1,2024-01-02,spoke\n1,2024-01-03,reached\n")
    settings = settings_of_meetings(tmp_path, {"outcome": "result"}, validation={"max_refused": 1})
    assert jobs.ingest(settings).rejects == {"allowed": 1}


MONEY = {"currency": "EUR", "rates": {"USD": "0.9", "JPY": "0.006"}}
AMOUNTS = [
    ("100.00", "EUR", (10000, "EUR")),
    ("100.00", "USD", (9000, "EUR")),
    ("€99.99", "", (9999, "EUR")),
    ("USD 10", "", (900, "EUR")),
    ("1234.5", "JPY", (741, "EUR")),
    ("", "USD", (None, "EUR")),
    ("5", "GBP", "money"),
    ("5", "", "money"),
    ("€5", "USD", "money"),
    ("$5", "USD", (450, "EUR")),
    ("$10", "", (900, "EUR")),  # of the dollars, only that of the United States has a rate
    ("¥1000", "", (600, "EUR")),
    ("$5", "EUR", "money"),
    ("5 kr", "", "money"),
    ("Rs. 5", "", "money"),
    ("5", "€", (500, "EUR")),
]


@pytest.mark.cases(4)
@pytest.mark.parametrize("case", AMOUNTS, ids=str)
def test_amount_when_there_are_rates_then_it_is_kept_in_one_currency_or_refused(tmp_path, case):
    amount, currency, expected = case
    columns = {"amount": "amount", "currency": "currency"}
    leads = ["0,2024-01-01,1.50,EUR", f"1,2024-01-01,{amount},{currency}"]
    settings = settings_of(tmp_path, "amount,currency", leads, columns, money=MONEY)
    told = jobs.ingest(settings)
    if expected == "money":
        assert told.rejects == {"money": 1}
    else:
        assert rows(current(settings), "leads", "amount", "currency")[1] == expected


def test_amount_when_nothing_can_tell_its_currency_then_it_is_that_of_the_settings(tmp_path):
    settings = settings_of(
        tmp_path, "amount", ["1,2024-01-01,12.50"], {"amount": "amount"}, money=MONEY
    )
    jobs.ingest(settings)
    assert rows(current(settings), "leads", "amount", "currency") == [(1250, "EUR")]


def test_amounts_when_they_are_of_several_currencies_without_rates_then_it_is_said(tmp_path):
    columns = {"amount": "amount", "currency": "currency"}
    leads = ["1,2024-01-01,1.5,EUR", "2,2024-01-01,1.5,USD"]
    told = jobs.ingest(settings_of(tmp_path, "amount,currency", leads, columns))
    assert [w for w in told.warnings if "currency" in w or "compared" in w] == [
        "amounts in 'EUR', 'USD' are compared as they stand: give rates under money"
    ]


@pytest.mark.parametrize(
    ("amounts", "names"),
    [
        (["$1", "€1"], "'$', 'EUR'"),
        (["5 kr", "$5"], "'$', 'kr'"),
        (["USD 5", "5"], "'USD' and in no stated currency"),
    ],
)
def test_amounts_when_their_marks_differ_then_it_is_said_too(tmp_path, amounts, names):
    leads = [f"{n},2024-01-01,{amount}" for n, amount in enumerate(amounts)]
    told = jobs.ingest(settings_of(tmp_path, "amount", leads, {"amount": "amount"}))
    assert told.warnings[0].startswith(f"amounts in {names} are compared as they stand")


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (["€1.234,50", "99,00 €"], [123450, 9900]),
        (["1,234.50", "7.25"], [123450, 725]),
        (["1.234,50", "1.234"], [123450, 123400]),
        (["1,234", "2,500"], SourceFormatError),
    ],
)
def test_amounts_when_they_show_their_decimal_mark_then_it_is_used_and_stated(
    tmp_path, amounts, expected
):
    leads = [f'{n},2024-01-01,"{amount}"' for n, amount in enumerate(amounts)]
    settings = settings_of(tmp_path, "amount", leads, {"amount": "amount"})
    if expected is SourceFormatError:
        with pytest.raises(
            SourceFormatError,
            match="'1,234' in column 'amount' may have a decimal comma or thousands; set decimal",
        ):
            jobs.ingest(settings)
        return
    told = jobs.ingest(settings)
    assert [amount for (amount,) in rows(current(settings), "leads", "amount")] == expected
    mark = "," if "," in amounts[0].rsplit(".", 1)[-1] else "."
    assert told.files[0].dialect.endswith(f"'{mark}' before decimals")


def test_dates_when_day_and_month_cannot_be_told_apart_then_the_settings_are_asked(tmp_path):
    (tmp_path / "leads.csv").write_text("id,created\n1,03/04/2025\n2,25/03/2025\n")
    chosen = {"input_folder": tmp_path, "data_folder": tmp_path / "data", "known_until": "2025-05-01",
              "mapping": [{"source": "leads", "table": "leads", "columns": COLUMNS}]}  # fmt: skip
    with pytest.raises(
        UserError,
        match=r"'created' holds dates like '03/04/2025'.*1 of its values can only have",
    ):
        jobs.ingest(make_settings(**chosen))
    settings = make_settings(**chosen, sources={"leads": {"path": "leads.csv", "dates": "dmy"}})
    jobs.ingest(settings)
    assert [us for (us,) in rows(current(settings), "leads", "event_us")] == [
        1_743_724_799_999_999,
        1_742_947_199_999_999,
    ]


PEOPLE = [
    "email,phone,company,contact",
    "ann@example.com,+49 30 1234567,Acme GmbH,Ann Lee",
    "Ann+crm@Example.com,,Bolt,Bo",
    "c@example.com,030 1234567,Cargo,Cy",
    "d@example.com,,ACME,lee ann",
    "e@example.com,,Acme,Eve",
]


def test_leads_when_they_may_be_the_same_then_they_are_reported_with_evidence_and_kept(tmp_path):
    leads = [f"{n},2024-01-01,{row}" for n, row in enumerate(PEOPLE[1:])]
    personal = {name: name for name in ("email", "phone", "company", "contact")}
    settings = settings_of(tmp_path, PEOPLE[0], leads, personal)
    told = jobs.ingest(settings)
    with (settings.project_folder() / "duplicates.csv").open() as file:
        assert [tuple(row.values()) for row in csv.DictReader(file)] == [
            ("1", "0", "same e-mail"), ("2", "0", "same phone"), ("3", "0", "same company and name"),
        ]  # fmt: skip
    assert told.duplicates == 3
    assert len(rows(current(settings), "leads", "lead_id")) == 5


def test_personal_columns_when_they_are_mapped_then_only_hashes_enter_the_store(tmp_path):
    leads = [f"{n},2024-01-01,{row}" for n, row in enumerate(PEOPLE[1:])]
    personal = {name: name for name in ("email", "phone", "company", "contact")}
    settings = settings_of(tmp_path, PEOPLE[0], leads, personal)
    jobs.ingest(settings)
    values = {value for row in PEOPLE[1:] for value in row.split(",") if len(value) > 3}
    for path in (settings.project_folder() / "store").rglob("*"):
        if path.suffix == ".parquet":
            cells = {str(cell) for row in pq.read_table(path).to_pylist() for cell in row.values()}
            assert not cells & values
        elif path.is_file():
            assert not any(value.encode() in path.read_bytes() for value in values)


@pytest.mark.parametrize(
    "harm", [lambda salt: salt.unlink(), lambda salt: salt.write_bytes(b"x" * 16)]
)
def test_salt_when_it_is_lost_while_hashes_are_stored_then_it_is_told_and_what_is_told_mends_it(
    tmp_path, harm
):
    leads = [f"{n},2024-01-01,{row}" for n, row in enumerate(PEOPLE[1:])]
    settings = settings_of(tmp_path, PEOPLE[0], leads, {"email": "email"})
    jobs.ingest(settings)
    store = settings.project_folder() / "store"
    assert (store / "salt").stat().st_mode & 0o777 == 0o600
    (store / "salt").chmod(0o644)
    settings = settings_of(
        tmp_path, PEOPLE[0], [*leads, f"9,2024-01-01,{PEOPLE[1]}"], {"email": "email"}
    )
    jobs.ingest(settings, known_until_us=parse_moment("2024-03-02", zone="UTC"))
    assert (store / "salt").stat().st_mode & 0o777 == 0o600
    harm(store / "salt")
    settings = settings_of(
        tmp_path, PEOPLE[0], [*leads, f"10,2024-01-01,{PEOPLE[1]}"], {"email": "email"}
    )
    until = parse_moment("2024-03-03", zone="UTC")
    with pytest.raises(UserError, match=r"remove .*salt .* and the folder .*parts") as told:
        jobs.ingest(settings, known_until_us=until)
    assert "leadscore ingest" in str(told.value)
    (store / "salt").unlink(missing_ok=True)
    shutil.rmtree(store / "parts")
    assert jobs.ingest(settings, known_until_us=until).duplicates == 2


@given(st.text(max_size=20), st.text(max_size=20))
def test_hash_when_two_projects_have_the_same_person_then_their_hashes_differ(one, other):
    column = pa.array([one, other])
    for name, normalise in NORMALISED.items():
        first, second = (PersonalHash(salt).hash(name, column).to_pylist() for salt in (b"a", b"b"))
        assert (first[0] == first[1]) == (normalise(one) == normalise(other))
        assert [value is None for value in first] == [not normalise(one), not normalise(other)]
        assert all(a is None or a != b for a, b in zip(first, second, strict=True))
