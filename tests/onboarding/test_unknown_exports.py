"""Exports of kinds that no preset and no fixture knows: what `init` takes each column for."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from leadscore import Project
from leadscore.onboarding.exports import find_exports, read_exports
from leadscore.onboarding.profile import Profile
from leadscore.onboarding.roles import Leads, find_roles
from leadscore.project.starting import start
from leadscore.results import Part

BEGIN = datetime(2025, 1, 6)  # noqa: DTZ001 (exports state no zone)
LEADS = 40
Row = Callable[[int, datetime, str], Sequence[object]]


def write_rows(path: Path, header: Sequence[str], row: Row, *, day: str = "%Y-%m-%d") -> Path:
    """A file of leads two days apart, of which every fourth is open; the others close after 20 days.

    A row is made of the lead's number, its creation, and the text of its close.
    """
    lines = [";".join(header)]
    for number in range(LEADS):
        created = BEGIN + timedelta(days=2 * number)
        closed = f"{created + timedelta(days=20):{day}}" if number % 4 else ""
        lines.append(";".join(map(str, row(number, created, closed))))
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def profile_of(path: Path) -> Profile:
    (profile,) = read_exports(find_exports([path]), lambda *_: None).profiles
    return profile


def leads_of(path: Path) -> Leads:
    return find_roles([profile_of(path)]).leads


def start_with(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Part], Path]:
    """The parts that `init` names, and the settings, with the store beside them."""
    monkeypatch.chdir(path.parent)
    config = path.with_name("leadscore.toml")
    parts = start([path], config).parts
    return {part.part: part for part in parts}, config


def settings_in(config: Path) -> dict[str, Any]:
    return tomllib.loads(config.read_text(encoding="utf-8"))


def state(number: int) -> str:
    return ("offen", "gewonnen", "verloren", "Dublette")[number % 4]


@pytest.mark.parametrize(
    ("forecast", "actual"),
    [
        ("Geplanter Abschluss", "Beendet am"),
        ("Forecast Close Date", "Finished on"),
        ("Date de clôture prévue", "Date de clôture"),
        ("Closing estimate", "Settled"),  # only the dates show which is which
    ],
)
def test_roles_when_a_forecast_stands_before_the_close_then_the_close_is_taken(
    tmp_path: Path, forecast: str, actual: str
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", forecast, actual, "Status"],
        lambda number, created, closed: (
            f"A{number}",
            f"{created:%Y-%m-%d}",
            f"{created + timedelta(days=30):%Y-%m-%d}",
            closed,
            ("offen", "gewonnen", "verloren", "verloren")[number % 4],
        ),
    )

    closed = leads_of(path).closed

    assert closed is not None
    assert closed.name == actual


def test_start_when_the_only_close_is_a_forecast_by_its_name_then_doubts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Expected Close Date", "Status"],
        lambda number, created, closed: (f"A{number}", created.date(), closed, state(number)),
    )

    parts, _ = start_with(path, monkeypatch)

    assert parts["closed"].place == "a.csv: Expected Close Date"
    assert parts["closed"].doubt is not None
    assert parts["closed"].doubt.startswith("a forecast by its name")


def test_start_when_a_state_has_close_dates_then_asks_whether_it_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Closed", "Status"],
        lambda number, created, closed: (
            f"A{number}",
            created.date(),
            closed,
            state(number).replace("Dublette", "zurückgestellt"),  # no word that we know
        ),
    )

    parts, config = start_with(path, monkeypatch)

    assert parts["outcome"].doubt is not None
    assert "'zurückgestellt' may not be open: lost, or to be left out?" in parts["outcome"].doubt
    assert parts["closed"].doubt is None  # no other open lead has a date
    proposed = '# ignore.ended = { "Status" = ["zurückgestellt"] }'
    text = config.read_text(encoding="utf-8")
    assert proposed in text
    place = 'path = "a.csv"'
    config.write_text(
        text.replace(place, f"{place}\n{proposed.removeprefix('# ')}"), encoding="utf-8"
    )
    leads = Project(config).ingest().accounts.to_dict()["tables"]["leads"]
    assert leads["stored"] == LEADS - LEADS // 4


@pytest.mark.parametrize("word", ["Dublette", "Closed - Duplicate", "Junk", "Spam"])
def test_roles_when_a_state_says_that_it_was_no_lead_then_it_has_ended(
    tmp_path: Path, word: str
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Status"],
        lambda number, created, _: (
            f"A{number}",
            created.date(),
            state(number).replace("Dublette", word),
        ),
    )

    leads = leads_of(path)

    assert leads.ended_values() == [word]
    assert set(leads.open_values()) == {"offen", word}


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
    [("£14,500", "."), ("14.500 €", ","), ("14,500.00", None), ("9500", None)],
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


def test_roles_when_two_dates_say_sold_and_fell_through_then_they_are_the_outcome(
    tmp_path: Path,
) -> None:
    path = write_rows(
        tmp_path / "buyers.csv",
        ["Buyer #", "Inquiry Date", "Closed (Sold) Date", "Fell Through Date"],
        lambda number, created, closed: (
            f"B{number}",
            created.date(),
            closed if number % 2 else "",
            "" if number % 2 else closed,
        ),
    )

    closing = leads_of(path).closing

    assert closing is not None
    assert (closing.won.name, closing.lost.name) == ("Closed (Sold) Date", "Fell Through Date")


def test_start_when_codes_say_the_outcome_then_names_the_columns_that_may_hold_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "STATUS", "Enrolled", "Region"],
        lambda number, created, _: (
            f"A{number}",
            created.date(),
            "ACRX"[number % 4],
            ("", "Yes", "No", "No")[number % 4],
            "NS"[number % 2],
        ),
    )

    parts, _ = start_with(path, monkeypatch)

    assert parts["outcome"].place == "not found"
    assert parts["outcome"].evidence.endswith(
        "maybe STATUS ('A', 'C', 'R', 'X') or Enrolled ('Yes', 'No')"
    )


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
