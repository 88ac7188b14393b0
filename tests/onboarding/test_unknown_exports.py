"""Exports of kinds that no preset and no fixture knows: what `init` takes each column for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from leadscore import Project
from leadscore.errors import UserError
from leadscore.onboarding.profile import Column
from leadscore.project.starting import start
from leadscore.results import Part
from onboarding.made_exports import (
    BEGIN,
    LEADS,
    leads_of,
    profile_of,
    settings_in,
    start_with,
    state,
    write_rows,
)


def test_start_when_dates_are_eight_digits_then_zeros_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "quotes.csv",
        ["QUOTE_NO", "ERDAT", "CLOSED_ON", "VALID_TO", "STATUS"],
        lambda number, created, closed: (
            f"{20000001 + number}",
            f"{created:%Y%m%d}",
            closed or "00000000",
            f"{created + timedelta(days=30):%Y%m%d}",
            ("open", "won", "lost", "lost")[number % 4],
        ),
        day="%Y%m%d",
    )

    parts, config = start_with(path, monkeypatch)

    settings = settings_in(config)
    assert settings["sources"]["quotes"]["dates"] == "%Y%m%d"
    assert settings["sources"]["quotes"]["missing"] == ["00000000"]
    assert settings["fields"]["valid_to"]["type"] == "date"
    assert parts["id"].place == "quotes.csv: QUOTE_NO"
    assert parts["created"].place == "quotes.csv: ERDAT"
    assert parts["closed"].evidence == "after ERDAT; missing in 10 of 40 rows"
    tables = Project(config).ingest().accounts.to_dict()["tables"]
    assert (tables["leads"]["stored"], tables["outcomes"]["stored"]) == (LEADS, 30)


@pytest.mark.parametrize(
    ("written", "decimal"),
    [
        ("£14,500", "."),
        ("14.500 €", ","),
        ("14,500.00", None),
        ("9500", None),
        ("\uffe5\uff11\uff14\uff0c\uff15\uff10\uff10", "."),
        ("1,450\u4e07\u5186", "."),
        ("$.50", None),
        ("9500.", None),
    ],
)
def test_start_when_numbers_show_only_thousands_then_states_the_other_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, decimal: str | None
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Amount", "Deposit"],
        lambda number, created, _: (f"A{number}", created.date(), written, written),
    )

    _, config = start_with(path, monkeypatch)

    assert settings_in(config)["sources"]["a"].get("decimal") == decimal
    ingested = Project(config).ingest()
    assert ingested.accounts.to_dict()["tables"]["leads"]["stored"] == LEADS
    assert not ingested.rejects


@pytest.mark.parametrize(
    ("name", "values", "is_number", "order"),
    [
        ("Score", [".45", "-.5", "12."], True, None),
        ("Score", [",45", "1,5"], True, None),
        ("Amount", ["\uff13\uff10\uff10", "\uffe5\uff11,\uff10\uff10\uff10"], True, None),
        ("Amount", ["3000\u4e07\u5186", "1.2\u5104"], True, None),
        ("Amount", ["5\ucc9c\ub9cc\uc6d0", "3,000\uc6d0"], True, None),
        ("Note", ["5\u00b2", "\u2460"], False, None),
        ("Created", ["\uff12\uff10\uff12\uff15/\uff11\uff10/\uff10\uff13"], False, "iso"),
        ("Created", ["2025. 10. 3. \uc624\ud6c4 9:05:00"], False, "iso"),
        ("Created", ["1759482300.123", "1759482301.5"], True, "epoch_s"),
        ("Created", ["1759482300123456789"], False, "epoch_ns"),
        ("Size", ["1759482300.123", "1759482301.5"], True, None),
    ],
)
def test_column_when_ingest_can_read_its_values_then_init_knows_what_they_are(
    name: str, values: list[str], is_number: bool, order: str | None
) -> None:
    column = Column(name, pa.array(values))

    assert (column.is_number, column.date_order) == (is_number, order)


def test_profile_when_numbers_have_both_marks_alone_then_none_is_guessed(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Amount", "Deposit"],
        lambda number, *_: (f"A{number}", "1,250", "12.500"),
    )

    assert profile_of(path).likely_decimal is None


@pytest.mark.parametrize(
    ("form", "order"),
    [("%d-%b-%y", "dmy"), ("%y-%b-%d", "ymd"), ("%d/%m/%y", "dmy"), ("%m/%d/%y", "mdy")],
)
def test_dates_when_years_have_two_digits_then_they_lie_close_together(
    tmp_path: Path, form: str, order: str
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created"],
        lambda number, created, _: (f"A{number}", f"{created:{form}}"),
    )

    assert profile_of(path).columns["Created"].date_order == order


def test_start_when_headers_have_no_latin_letter_then_fields_are_numbered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "案件.csv"
    lines = ["案件番号,登録日,担当者,流入経路,確度"]
    for number in range(LEADS):
        created = BEGIN + timedelta(days=2 * number)
        lines.append(f"{number + 100},{created:%Y/%m/%d},高橋,{'展示会' if number % 3 else '紹介'},"
                     f"{'ABC'[number % 3]}")  # fmt: skip
    path.write_bytes("\n".join([*lines, ""]).encode("cp932"))

    parts, config = start_with(path, monkeypatch)

    assert parts["created"].place == "案件.csv: 登録日"
    columns = settings_in(config)["mapping"][0]["columns"]
    assert columns["column"] == "流入経路"
    assert columns["column_2"] == "確度"
    assert Project(config).ingest().accounts.to_dict()["tables"]["leads"]["stored"] == LEADS


def test_start_when_ids_of_events_are_spelled_otherwise_then_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_rows(
        tmp_path / "deals.csv",
        ["Deal Id", "Created", "Status"],
        lambda number, created, _: (f"OPP-{number:06}", created.date(), state(number)),
    )
    write_rows(
        tmp_path / "calls.csv",
        ["deal", "When", "Type"],
        lambda number, created, _: (number, created.date(), "Call"),
    )

    started = start([tmp_path / "deals.csv", tmp_path / "calls.csv"], tmp_path / "leadscore.toml")

    assert started.unused == ["calls.csv"]
    assert unused_evidence(started.parts) == ["dated, but no column has values of Deal Id"]


def unused_evidence(parts: Iterable[Part]) -> list[str]:
    return [part.evidence for part in parts if part.part == "not used"]


def test_start_when_a_file_only_resembles_a_preset_then_reads_it_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Deal stage", "Amount", "Currency", "Created at", "Closed date", "Probability (%)",
         "Lost Reason"],
        lambda number, created, closed: (
            number, ("New", "Won", "Lost", "Lost")[number % 4], 100 + number, "EUR",
            created.date(), closed, 10, "Price",
        ),
    )  # fmt: skip

    parts, config = start_with(path, monkeypatch)

    assert "preset" not in settings_in(config)
    assert parts["preset"].evidence == "zoho was not used: no column 'Created Time', 'Stage'"
    assert parts["outcome"].place == "deals.csv: Deal stage"


@pytest.mark.parametrize("mark", ["\t", ",", ";"])
def test_start_when_a_text_file_is_a_table_then_it_is_read_and_notes_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "exports"
    folder.mkdir()
    path = write_rows(
        folder / "deals.txt",
        ["Nr", "Created", "Status"],
        lambda number, created, _: (f"A{number}", created.date(), state(number)),
    )
    path.write_text(path.read_text(encoding="utf-8").replace(";", mark), encoding="utf-8")
    (folder / "readme.txt").write_text("Deals, as of today\nAsk Ann, Bob, or Eve\nThanks\n")

    started = start([folder], tmp_path / "leadscore.toml")

    assert started.unused == []
    tables = Project(tmp_path / "leadscore.toml").ingest().accounts.to_dict()["tables"]
    assert tables["leads"]["stored"] == LEADS


def test_start_when_a_folder_holds_only_notes_then_says_that_no_file_is_an_export(
    tmp_path: Path,
) -> None:
    (tmp_path / "readme.txt").write_text("Deals, as of today\nAsk Ann\n")

    with pytest.raises(UserError, match="holds no file that ends in"):
        start([tmp_path], tmp_path / "leadscore.toml")


def test_start_when_no_date_is_of_every_lead_then_dates_are_no_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Region", "Visit", "Call", "Status"],
        lambda number, _, closed: (
            f"A{number}",
            "NS"[number % 2],
            closed if number % 4 == 1 else "",
            closed if number % 4 == 2 else "",
            state(number),
        ),
    )

    _, config = start_with(path, monkeypatch)

    settings = settings_in(config)
    assert settings["time"] == "none"
    assert set(settings["fields"]) == {"region"}
    assert Project(config).ingest().accounts.to_dict()["tables"]["leads"]["stored"] == LEADS


def test_start_when_times_are_milliseconds_then_no_order_of_dates_is_stated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Status"],
        lambda number, created, _: (
            f"A{number}",
            int(created.timestamp()) * 1000,
            state(number),
        ),
    )

    parts, config = start_with(path, monkeypatch)

    assert parts["created"].place == "a.csv: Created"
    assert "dates" not in settings_in(config)["sources"]["a"]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("lead_id", "id"), "id"),
        (("Deal", "ID"), "ID"),
        (("Nr", "Deal ID"), "Deal ID"),
        (("Contact Id", "Opportunity No"), "Opportunity No"),
    ],
)
def test_roles_when_two_columns_are_unique_then_the_record_id_is_the_id(
    tmp_path: Path, names: tuple[str, str], chosen: str
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        [*names, "Created"],
        lambda number, created, _: (f"7{number}", f"1{number}", created.date()),
    )

    lead_id = leads_of(path).id

    assert lead_id is not None
    assert lead_id.name == chosen


def test_start_when_another_file_names_leads_then_its_ids_are_the_ids_and_not_those_of_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads = write_rows(
        tmp_path / "leads.csv",
        ["id", "lead_id", "Created", "Status"],
        lambda number, created, _: (number, 9 + number, created.date(), state(number)),
    )
    calls = write_rows(
        tmp_path / "calls.csv",
        ["id", "user_id", "lead_id", "When", "Type"],
        lambda number, created, _: (number, number % 4, 9 + number // 2, created.date(), "Call"),
    )

    parts, config = start_with(leads, monkeypatch, calls)

    assert parts["id"].place == "leads.csv: lead_id"
    assert parts["id"].doubt == "'id' has a different value in every row too"
    assert parts["events"].evidence == "100% of its lead_id are leads; dated by When"
    assert settings_in(config)["mapping"][-1]["columns"]["lead_id"] == "lead_id"


@pytest.mark.parametrize(
    ("name", "written"), [("Quote £", "{}"), ("Quoted", "${}.00"), ("Quoted", "{} €")]
)
def test_roles_when_a_column_of_numbers_has_a_currency_then_it_is_the_amount_and_no_id(
    tmp_path: Path, name: str, written: str
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        [name, "Case", "Created", "Rooms"],
        lambda number, created, _: (
            written.format(1000 + number),
            f"A{number}",
            created.date(),
            number % 7,
        ),
    )

    leads = leads_of(path)

    assert leads.amount is not None
    assert leads.id is not None
    assert (leads.amount.name, leads.id.name) == (name, "Case")


def test_start_when_many_activities_are_of_other_records_then_a_view_leaves_them_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["id", "Created", "Status"],
        lambda number, created, _: (f"D{number}", created.date(), state(number)),
    )
    calls = write_rows(
        tmp_path / "calls.csv",
        ["parent", "When", "Type"],
        lambda number, created, _: (
            (f"D{number}", f"D{number}", f"C{number}", "")[number % 4],
            created.date(),
            "Call",
        ),
    )

    parts, config = start_with(deals, monkeypatch, calls)

    assert parts["events"].doubt == "50% of the rows are of other records, and left out by a view"
    ingested = Project(config).ingest()
    assert ingested.accounts.to_dict()["tables"]["activities"]["stored"] == LEADS / 2
    assert not ingested.rejects


def test_start_when_a_file_names_projects_of_leads_then_says_by_which_column_to_join_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = write_rows(
        tmp_path / "deals.csv",
        ["Id", "Project Id", "Created", "Status"],
        lambda number, created, _: (number, 900 + number // 2, created.date(), state(number)),
    )
    actions = write_rows(
        tmp_path / "actions.csv",
        ["Contact", "ProjectId", "When", "Type"],
        lambda number, created, _: ("Ann", 900 + number // 3, created.date(), "Call"),
    )

    parts, _ = start_with(deals, monkeypatch, actions)

    assert parts["not used"].doubt is not None
    assert parts["not used"].doubt.startswith("its ProjectId has values of Project Id: to use it")
