"""Exports that say won, lost, open and closed in unusual ways."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from leadscore import Project
from onboarding.made_exports import (
    LEADS,
    leads_of,
    start_with,
    state,
    write_rows,
)


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


def test_roles_when_only_a_row_of_totals_has_no_date_then_open_states_have_not_ended(
    tmp_path: Path,
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Close date", "Status"],
        lambda number, created, _: (
            f"A{number}",
            created.date(),
            (created + timedelta(days=30)).date(),
            ("neu", "gewonnen", "verloren", "Angebot")[number % 4],
        ),
    )
    path.write_text(f"{path.read_text()}Total;;;\n")

    assert leads_of(path).ended_values() == []


@pytest.mark.parametrize("has_date", [True, False])
def test_start_when_one_flag_says_closed_and_another_won_then_the_rest_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_date: bool
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Settled", "Is closed", "Is won"],
        lambda number, created, closed: (
            f"A{number}",
            created.date(),
            closed if has_date else "",
            "Y" if number % 4 else "N",
            "Y" if number % 4 == 1 else "N",
        ),
    )

    parts, config = start_with(path, monkeypatch)

    assert parts["outcome"].evidence == "won: 'Y'; lost: 'N'; both only where Is closed is 'Y'"
    tables = Project(config).ingest().accounts.to_dict()["tables"]
    assert (tables["leads"]["stored"], tables["outcomes"]["stored"]) == (LEADS, 30)


def test_start_when_a_win_is_verbal_and_a_flag_says_not_closed_then_the_lead_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Close date", "Stage", "Is closed"],
        lambda number, created, _: (
            f"A{number}",
            created.date(),
            (created + timedelta(days=20)).date(),
            ("Verbally won", "Closed won", "Lost", "Lost")[number % 4],
            int(number % 4 > 0),
        ),
    )

    parts, config = start_with(path, monkeypatch)

    assert "both only where Is closed is '1'" in parts["outcome"].evidence
    tables = Project(config).ingest().accounts.to_dict()["tables"]
    assert tables["outcomes"]["stored"] == LEADS - LEADS // 4


def test_start_when_nothing_says_which_leads_are_open_then_doubts_the_losses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Is won"],
        lambda number, created, _: (f"A{number}", created.date(), "NYN"[number % 3]),
    )

    parts, _ = start_with(path, monkeypatch)

    assert parts["outcome"].doubt is not None
    assert "no lead would be open" in parts["outcome"].doubt


@pytest.mark.parametrize(
    "word", ["Dublette", "Closed - Duplicate", "Junk", "Spam", "Closed - No Response"]
)
def test_roles_when_a_state_says_that_it_has_closed_or_was_no_lead_then_it_has_ended(
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


def test_start_when_a_stage_of_a_history_says_closed_and_not_how_then_doubts_that_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "leads.csv",
        ["Nr", "Created", "Closed on", "Status"],
        lambda number, created, closed: (f"A{number}", created.date(), closed, state(number)),
    )
    steps = [
        f"A{number},{day},{stage}"
        for number in range(LEADS)
        for day, stage in (("2024-03-01", "Open"), ("2024-05-01", "Closed"))
    ]
    history = tmp_path / "history.csv"
    history.write_text("\n".join(["Nr,When,Stage", *steps, ""]), encoding="utf-8")

    parts, config = start_with(path, monkeypatch, history)

    assert parts["stages"].doubt == "'Closed' may not be open: lost, or to be left out?"
    assert "# CHECK: 'Closed' may not be open" in config.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("capitals", "small", "doubt"),
    [
        ("A", "a", "20 ids are there in capitals and in small letters: maybe the same leads twice"),
        (
            "D\uff12",
            "D2",
            "20 ids are there in full-width and in plain characters: maybe the same leads twice",
        ),
        ("5gX", "5gx", None),  # such ids differ in case alone
    ],
)
def test_start_when_ids_are_there_in_capitals_and_small_letters_then_doubts_that_they_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capitals: str, small: str, doubt: str | None
) -> None:
    path = write_rows(
        tmp_path / "leads.csv",
        ["Nr", "Created", "Closed on", "Status"],
        lambda number, created, closed: (
            f"{(capitals, small)[number % 2]}{number // 2}",
            created.date(),
            closed,
            state(number),
        ),
    )

    parts, _ = start_with(path, monkeypatch)

    assert parts["id"].doubt == doubt


@pytest.mark.parametrize("has_date", [True, False])
def test_start_when_one_flag_says_won_and_another_lost_then_leads_with_neither_are_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_date: bool
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Settled", "is_won", "is_lost"],
        lambda number, created, closed: (
            f"A{number}",
            created.date(),
            closed if has_date else "",
            number % 4 == 1,
            number % 4 in (2, 3),
        ),
    )

    parts, config = start_with(path, monkeypatch)

    assert (
        parts["outcome"].evidence == "won: 'True'; lost: 'False'; lost only where is_lost is 'True'"
    )
    assert parts["outcome"].doubt is not None
    assert "no lead would be open" not in parts["outcome"].doubt
    outcomes = Project(config).ingest().accounts.to_dict()["tables"]["outcomes"]
    assert outcomes["stored"] == LEADS - LEADS // 4


@pytest.mark.parametrize(
    ("name", "values", "won", "lost"),
    [
        ("W/L", ("", "W", "L", "L"), ["W"], ["L"]),
        ("Result", ("pending", "w", "l", "l"), ["w"], ["l"]),
        ("Этап сделки", ("Переговоры", "Успешно реализовано", "Закрыто и не реализовано", "Неуспешно"),
         ["Успешно реализовано"], ["Закрыто и не реализовано", "Неуспешно"]),
        ("销售阶段", ("初步接洽", "赢单", "输单", "未成交"), ["赢单"], ["输单", "未成交"]),
        ("フェーズ", ("受注見込", "受注", "失注", "失注"), ["受注"], ["失注"]),
        ("단계", ("협상", "수주", "실주", "실주"), ["수주"], ["실주"]),
        ("Auftrag j/n", ("offen", "j", "n", "n"), ["j"], ["n"]),
        ("Stand", ("Angebot", "Auftrag", "kein Auftrag", "kein Auftrag"), ["Auftrag"], ["kein Auftrag"]),
        ("Status", ("Quoted", "Bound", "Declined", "Lost order"), ["Bound"], ["Declined", "Lost order"]),
    ],
)  # fmt: skip
def test_roles_when_outcomes_are_letters_or_in_other_scripts_then_they_are_known(
    tmp_path: Path, name: str, values: tuple[str, ...], won: list[str], lost: list[str]
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", name],
        lambda number, created, _: (f"A{number}", created.date(), values[number % 4]),
    )

    leads = leads_of(path)

    assert (leads.won, leads.lost) == (won, lost)


def test_start_when_no_word_means_won_then_names_the_column_that_says_lost_and_all_that_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Progress"],
        lambda number, created, _: (
            f"A{number}",
            created.date(),
            ("Viewing", "Exchanged", "Withdrawn", "Fell through")[number % 4],
        ),
    )

    parts, _ = start_with(path, monkeypatch)

    assert "maybe Progress ('Viewing', 'Exchanged'" in parts["outcome"].evidence
    assert [parts[part].place for part in ("outcome", "amount", "owner")] == ["not found"] * 3


def test_start_when_no_date_fits_the_close_then_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", "Status"],
        lambda number, created, _: (f"A{number}", created.date(), state(number)),
    )

    parts, _ = start_with(path, monkeypatch)

    assert parts["closed"].place == "not found"
    assert parts["closed"].evidence.endswith("count as closed when an export first shows it")


@pytest.mark.parametrize("forecast", ["estimated_close_date", "Est. Close Date", "Close Date"])
def test_start_when_one_date_is_a_forecast_and_another_of_the_last_stage_then_the_latter_is_the_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forecast: str
) -> None:
    path = write_rows(
        tmp_path / "a.csv",
        ["Nr", "Created", forecast, "Last stage change", "Stage"],
        lambda number, created, closed: (
            f"A{number}",
            created.date(),
            (created + timedelta(days=30)).date(),
            closed or (created + timedelta(days=1)).date(),
            ("Demo", "Won", "Lost", "Lost")[number % 4],
        ),
    )

    parts, _ = start_with(path, monkeypatch)

    is_forecast_by_name = forecast != "Close Date"
    chosen = "Last stage change" if is_forecast_by_name else forecast
    assert parts["closed"].place == f"a.csv: {chosen}"
    assert parts["closed"].doubt is not None
