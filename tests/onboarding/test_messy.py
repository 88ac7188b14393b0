"""Exports that no preset knows, messy as people have them: `init` writes settings that ingest them."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from leadscore import Project
from leadscore.errors import AlarmError
from leadscore.ingest.readers.batch import SourceFile
from leadscore.ingest.readers.rows import RowsOfFile
from leadscore.onboarding.header import find_header_row
from leadscore.project.starting import start
from leadscore.results import Ingested
from leadscore.settings.source import Source

BEGIN = datetime(2025, 1, 6, 9, tzinfo=UTC)
END = BEGIN + timedelta(days=200)
LEADS = 60
DASH = "\N{EN DASH}"  # between the parts of Pipedrive's headers


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is written where the command runs."""
    monkeypatch.chdir(tmp_path)


def created(number: int) -> datetime:
    """The creations are two days apart; two of three leads close after 20 days."""
    return BEGIN + timedelta(days=2 * number)


def state(number: int) -> int:
    """0 is open, 1 won, 2 lost."""
    return number % 3


def write(path: Path, lines: list[str], *, encoding: str = "utf-8") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([*lines, ""]), encoding=encoding)


def start_in(folder: Path) -> tuple[dict[str, Any], Ingested]:
    """The settings that `init` writes for the files of a folder, and what comes of them."""
    config = folder / "leadscore.toml"
    start([folder / "exports"], config)
    settings = tomllib.loads(config.read_text())
    return settings, Project(config).ingest(known_until=END)


def counts(ingested: Ingested) -> dict[str, int]:
    return {name: account.stored for name, account in ingested.accounts.tables.items()}


def test_init_when_the_export_is_german_then_closes_have_their_dates(tmp_path: Path) -> None:
    deals = ["Datensatz-ID;Firma;Phase;Betrag;Erstellt am;Abschlussdatum"]
    calls = ["Anruf-ID;Geschäft-ID;Anruftyp;Startzeit"]
    for number in range(LEADS):
        begin = created(number)
        end = begin + timedelta(days=20)
        phase = ("Angebot", "Gewonnen", "Verloren")[state(number)]
        deals.append(
            f"555{number:05};Groß {number % 9} AG;{phase};{number + 5}.100,00 €;"
            f"{begin:%d.%m.%Y %H:%M};{end:%d.%m.%Y}"
        )
        calls.append(f"777{number:05};555{number:05};Ausgehend;{begin:%d.%m.%Y} 15:00")
    write(tmp_path / "exports" / "Geschäfte.csv", deals, encoding="cp1252")
    write(tmp_path / "exports" / "Anrufe.csv", calls, encoding="cp1252")

    _, ingested = start_in(tmp_path)

    stored = counts(ingested)
    assert (stored["leads"], stored["outcomes"], stored["activities"]) == (60, 40, 60)
    assert not ingested.rejects


def test_init_when_it_is_a_report_then_header_and_footer_are_no_rows(tmp_path: Path) -> None:
    report = ["Opportunities with History", "As of 2025-09-01", ""]
    report.append("Opportunity ID,Opportunity Name,Stage,Amount,Created Date,Close Date")
    log = ["Opportunity ID,From Stage,To Stage,Edit Date"]
    tasks = ["Opportunity ID,Type,Date,Status"]
    for number in range(LEADS):
        lead = f"0065g{number:010}"
        begin = created(number)
        end = begin + timedelta(days=20)
        stage = ("Proposal", "Closed Won", "Closed Lost")[state(number)]
        report.append(
            f'{lead},"Opp, {number}",{stage},"${number + 1},500.00",'
            f"{begin:%m/%d/%Y %I:%M %p},{end:%m/%d/%Y}"
        )
        moved = begin + timedelta(days=10)
        log.append(f"{lead},,Prospecting,{begin:%m/%d/%Y %I:%M %p}")
        log.append(f"{lead},Prospecting,Proposal,{moved:%m/%d/%Y %I:%M %p}")
        if state(number):
            log.append(f"{lead},Proposal,{stage},{end:%m/%d/%Y %I:%M %p}")
        tasks.append(f"{lead},{('Call', 'Email')[number % 2]},{moved:%m/%d/%Y},Completed")
    report += ['"Grand Totals (60 records)"']
    write(tmp_path / "exports" / "Opportunities Report.csv", report)
    write(tmp_path / "exports" / "Stage History.csv", log)
    write(tmp_path / "exports" / "Activities.csv", tasks)

    settings, ingested = start_in(tmp_path)

    assert settings["sources"]["opportunities_report"]["header_row"] == 4
    assert settings["stages"] == {
        "open": ["Prospecting", "Proposal"],
        "won": ["Closed Won"],
        "lost": ["Closed Lost"],
    }
    stored = counts(ingested)
    assert (stored["leads"], stored["stages"], stored["activities"]) == (60, 160, 60)
    assert ingested.rejects == {"columns": 1}
    assert any("ignore.footer" in warning for warning in ingested.warnings)


def test_init_when_nothing_stands_for_missing_values_then_the_word_is_declared(
    tmp_path: Path,
) -> None:
    deals = ["uuid\tsegment\tstatus\tcreated_ms\tclosed_ms"]
    touches = ["deal_uuid,touch,ts_ms"]
    for number in range(LEADS):
        lead = f"6513270e-269e-0d37-f2a7-{number:012}"
        begin = int(created(number).timestamp()) * 1000
        end = begin + 20 * 86_400_000 if state(number) else "NULL"
        status = ("open", "won", "lost")[state(number)]
        segment = "NULL" if number % 5 == 0 else "Retail"
        deals.append(f"{lead}\t{segment}\t{status}\t{begin}\t{end}")
        touches.append(f"{lead.upper()},demo,{begin + 86_400_000}")
    write(tmp_path / "exports" / "deals_export.csv", deals)
    write(tmp_path / "exports" / "touchpoints.csv", touches)

    settings, ingested = start_in(tmp_path)

    assert settings["sources"]["deals_export"]["missing"] == ["NULL"]
    assert "missing" not in settings["sources"]["touchpoints"]
    stored = counts(ingested)
    assert (stored["leads"], stored["outcomes"], stored["activities"]) == (60, 40, 60)
    assert not ingested.rejects


def test_init_when_two_dates_say_won_and_lost_then_each_is_an_outcome(tmp_path: Path) -> None:
    deals = ["id,created_at,won_at,lost_at,value"]
    for number in range(LEADS):
        begin = created(number)
        end = f"{begin + timedelta(days=20):%Y-%m-%d %H:%M}"
        won, lost = (("", ""), (end, ""), ("", end))[state(number)]
        deals.append(f"D{number:03},{begin:%Y-%m-%d %H:%M},{won},{lost},{number * 100}")
    write(tmp_path / "exports" / "deals.csv", deals)

    settings, ingested = start_in(tmp_path)

    assert [entry["table"] for entry in settings["mapping"]] == ["leads", "outcomes", "outcomes"]
    assert counts(ingested)["outcomes"] == 40
    assert not ingested.rejects


def test_init_when_stages_stand_side_by_side_then_a_view_gives_each_a_row(tmp_path: Path) -> None:
    deals = ["id,created_at,Date entered Qualified,Date entered Offer,closed_at,status,modified"]
    for number in range(LEADS):
        begin = created(number)
        qualified, offer, closed = (begin + timedelta(days=days) for days in (3, 9, 20))
        entered = [f"{qualified:%Y-%m-%d %H:%M}", "", ""]
        if number % 2:
            entered[1] = f"{offer:%Y-%m-%d %H:%M}"
        if state(number):
            entered[2] = f"{closed:%Y-%m-%d %H:%M}"
        if number == 4:  # won without an offer, which the CRM dates at the close
            entered[1] = entered[2]
        if number == 0:
            entered[0] = ""
        status = ("open", "won", "lost")[state(number)]
        deals.append(
            f"D{number:03},{begin:%Y-%m-%d %H:%M},{','.join(entered)},{status},{closed:%Y-%m-%d}"
        )
    write(tmp_path / "exports" / "deals.csv", deals)

    settings, ingested = start_in(tmp_path)

    assert settings["stages"] == {"open": ["qualified", "offer"]}
    assert counts(ingested)["stages"] == 59 + 30
    assert not ingested.rejects
    assert "date_entered_offer" not in settings.get("fields", {})


@pytest.mark.parametrize(
    ("lines", "header_row"),
    [
        (["a,b,c", "1,2,3"], None),
        (["Title", "a,b,c", "1,2,3", "4,5,6"], 2),
        (["Title;of it", '"two', 'lines"', "a;b;c;d", "1;2;3;4"], 4),
        (["a,b,", "1,2,3", "4,5,6"], None),  # a header may lack a name
        (["a", "1", "2"], None),
        (["name;x;y;z", "n;1,5;2,5;3,5", "m;1,5;2,5;3,5"], None),  # the commas are no delimiters
        (["a,b,c", f"1,2,{'x' * 200_000}"], None),
    ],
)
def test_header_when_a_title_stands_above_then_its_line_is_known(
    tmp_path: Path, lines: list[str], header_row: int | None
) -> None:
    write(tmp_path / "x.csv", lines)
    file = SourceFile("x", tmp_path / "x.csv", "x.csv")

    assert find_header_row(RowsOfFile(file, Source(path="x.csv"))) == header_row


def test_header_when_a_title_stands_above_in_a_sheet_then_its_row_is_known(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["Deals of 2026"], [], ["Id", "Created", "Status"], ["1", "2026-01-02", "Won"]):
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    file = SourceFile("x", tmp_path / "x.xlsx", "x.xlsx")

    assert find_header_row(RowsOfFile(file, Source(path="x.xlsx"))) == 3


def test_init_when_a_flag_says_unknown_of_some_leads_then_says_that_these_are_open(
    tmp_path: Path,
) -> None:
    words = ("Unknown", "Yes", "No")
    deals = ["Deal Id;Created;Closed;Won"]
    for number in range(LEADS):
        closed = f"{created(number) + timedelta(days=20):%Y-%m-%d}" if state(number) else ""
        deals.append(f"D{number};{created(number):%Y-%m-%d};{closed};{words[state(number)]}")
    write(tmp_path / "exports" / "deals.csv", deals)

    _, ingested = start_in(tmp_path)

    assert counts(ingested)["outcomes"] == LEADS - LEADS // 3
    text = (tmp_path / "leadscore.toml").read_text()
    assert "# Leads with any other value are open: 'Unknown'" in text


def german_deals() -> Workbook:
    """A sheet with a merged title, a column for the date of each end, and a line for the sum."""
    book = Workbook()
    book.active.append([f"Deals {DASH} Export vom 23.05.2025"])
    book.active.merge_cells("A1:G1")
    book.active.append([])
    names = [
        "ID",
        "Titel",
        "Kontaktperson",
        "Status",
        "Deal erstellt",
        "Gewonnen am",
        "Verloren am",
    ]
    book.active.append([f"Deal {DASH} {name}" for name in names])
    words = ("Offen", "Gewonnen", "Verloren")
    for number in range(LEADS):
        ends: list[str | None] = [None, None]
        if state(number):
            ends[state(number) - 1] = f"{created(number) + timedelta(days=20):%d.%m.%Y %H:%M}"
        begins = f"{created(number):%d.%m.%Y %H:%M}"
        who = [f"Deal {number}", f"Anna Muster {number}"]
        book.active.append([number + 1000, *who, words[state(number)], begins, *ends])
    book.active.append(["Summe"])
    return book


def german_activities() -> list[str]:
    """Activities that are done some days after they were due."""
    lines = [f"Aktivität {DASH} ID;Typ;Richtung;Fälligkeitsdatum;Erledigt am;Dauer;Deal {DASH} ID"]
    for number in range(LEADS):
        done = created(number) + timedelta(days=3)
        times = f"{done - timedelta(days=2):%d.%m.%Y};{done:%d.%m.%Y %H:%M}"
        kind = ("Anruf;Eingehend", "Anruf;", "E-Mail;Ausgehend")[number % 3]
        lines.append(f"{number};{kind};{times};00:15;{number + 1000}")
    return lines


def test_init_when_a_workbook_has_titles_and_a_date_for_each_end_then_all_is_found(
    tmp_path: Path,
) -> None:
    (tmp_path / "exports").mkdir()
    german_deals().save(tmp_path / "exports" / "deals.xlsx")
    write(tmp_path / "exports" / "aktivitaeten.csv", german_activities(), encoding="cp1252")

    settings, ingested = start_in(tmp_path)

    assert counts(ingested)["leads"] == LEADS
    assert counts(ingested)["outcomes"] == LEADS - LEADS // 3
    assert ingested.rejects == {"not_a_lead": 1}
    columns = {entry["table"]: entry["columns"] for entry in settings["mapping"]}
    assert columns["activities"] == {
        "lead_id": f"Deal {DASH} ID",
        "event_at": "Erledigt am",
        "activity_id": f"Aktivität {DASH} ID",
        "duration_s": "Dauer",
    }
    assert settings["mapping"][-1]["values"]["Richtung"] == {
        "Eingehend": {"actor": "lead"},
        "Ausgehend": {"actor": "rep"},
        "": {},
    }
    assert counts(ingested)["activities"] == LEADS
    assert "fields" not in settings  # a name of a deal is no field, and one of a person still less


def test_init_when_a_file_only_says_what_happened_then_leads_are_its_first_rows(
    tmp_path: Path,
) -> None:
    events: list[tuple[datetime, str, int]] = []
    for number in range(LEADS):
        events.append((created(number), "deal.created", number))
        events.append((created(number) + timedelta(days=2), "activity.call", number))
        if state(number):
            ends = ("deal.won", "deal.lost")[state(number) - 1]
            events.append((created(number) + timedelta(days=20), ends, number))
    events.sort()
    lines = []
    for place, (moment, kind, number) in enumerate(events):
        row: dict[str, Any] = {"event_id": place, "ts": int(moment.timestamp() * 1000)}
        row |= {"type": kind, "deal": {"id": f"d-{number}"}}
        if kind == "deal.created":
            row["props"] = {"source": ("web", "ads")[number % 2], "amount": 100 + number}
        if kind == "deal.won":
            row["props"] = {"amount": 9}
        lines.append(json.dumps(row))
    write(tmp_path / "exports" / "events.ndjson", lines)

    settings, ingested = start_in(tmp_path)

    assert counts(ingested)["leads"] == LEADS
    assert counts(ingested)["outcomes"] == LEADS - LEADS // 3
    assert counts(ingested)["activities"] == 2 * LEADS
    leads = settings["mapping"][0]
    assert (leads["source"], leads["columns"]["lead_id"]) == ("first_rows", "deal.id")
    assert leads["columns"]["amount"] == "props.amount"


def test_init_when_columns_are_like_those_of_a_preset_but_its_id_is_missing_then_not_that_preset(
    tmp_path: Path,
) -> None:
    names = "Deal Id;Name;Account name;Amount;Probability (%);Created Time;Closing Date;Stage"
    deals = [f"{names};Lead Source;Deal Owner;Currency"]
    stages = ("Demo", "Won", "Lost")
    for number in range(LEADS):
        closed = created(number) + timedelta(days=20)
        days = f"{created(number):%Y-%m-%d};{closed:%Y-%m-%d}"
        deals.append(f"D{number};x;y;5;40;{days};{stages[state(number)]};Web;Ann;USD")
    write(tmp_path / "exports" / "deals.csv", deals)

    settings, ingested = start_in(tmp_path)

    assert "preset" not in settings
    assert counts(ingested)["leads"] == LEADS


def test_init_when_groups_have_titles_headers_and_totals_then_only_leads_are_read(
    tmp_path: Path,
) -> None:
    header = ["Name", "Owner", "Stage", "Value", "Created", "Closed", "Item"]
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Deals"])
    for group, title in enumerate(("Active", "Won", "Lost")):
        sheet.append([title])
        sheet.append(header)
        for number in range(group, LEADS, 3):
            begin = created(number)
            end = f"{begin + timedelta(days=20):%Y-%m-%d}" if group else None
            stage = ("Demo", "Won", "Lost")[group]
            sheet.append(
                [f"Deal {number}", "Ann", stage, number, f"{begin:%Y-%m-%d}", end, 900 + number]
            )
        sheet.append([None, None, None, 1000])
        sheet.append([])
    (tmp_path / "exports").mkdir()
    book.save(tmp_path / "exports" / "board.xlsx")

    settings, ingested = start_in(tmp_path)

    assert settings["mapping"][0]["columns"]["lead_id"] == "Item"
    assert settings["sources"]["board"]["ignore"] == {
        "header": {"Item": ["Item"]},
        "no_lead": {"Item": [""], "Created": [""]},
    }
    assert (counts(ingested)["leads"], counts(ingested)["outcomes"]) == (60, 40)
    assert not ingested.rejects


def deals_with(amount: str) -> Workbook:
    """Deals, each with that amount."""
    book = Workbook()
    book.active.append(["Deal", "Status", "Created", "Closed", "Amount"])
    for number in range(LEADS):
        closed = created(number) + timedelta(days=20) if state(number) else None
        days = [f"{day:%Y-%m-%d}" if day else None for day in (created(number), closed)]
        status = ("Open", "Won", "Lost")[state(number)]
        book.active.append([number + 1, status, *days, amount.format(row=number + 2)])
    return book


def test_init_and_ingest_when_formulas_were_never_computed_then_both_name_the_column(
    tmp_path: Path,
) -> None:
    path = tmp_path / "exports" / "deals.xlsx"
    path.parent.mkdir()
    deals_with("={row}*2").save(path)
    words = f"sheet 'Sheet' has {LEADS} formulas in 'Amount' that no program has computed"

    started = start([path.parent], tmp_path / "first.toml")

    doubts = [part.doubt or "" for part in started.parts if part.part == "values"]
    assert len(doubts) == 1
    assert words in doubts[0]

    deals_with("{row}.5").save(path)
    _, ingested = start_in(tmp_path)
    assert not [line for line in ingested.warnings if words in line]

    deals_with("={row}*2").save(path)
    project = Project(tmp_path / "leadscore.toml")
    with pytest.raises(AlarmError, match=f"emptied.*\ndeals.xlsx: {words}"):
        project.ingest(known_until=END)
    again = project.ingest(known_until=END, accept=["emptied"])
    assert [line for line in again.warnings if line.startswith("deals.xlsx: " + words)]
