"""Exports as people really have them, small: what should come of each kind of oddity."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.results import Ingested
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current

DEALS = {
    "source": "deals",
    "table": "leads",
    "where": {"Status": ["Open", "Won", "Lost"]},
    "columns": {"lead_id": "Id", "event_at": "Created", "amount": "Amount"},
}
CLOSES = {
    "source": "deals",
    "table": "outcomes",
    "where": {"Status": ["Won", "Lost"]},
    "columns": {"lead_id": "Id", "event_at": "Closed"},
    "values": {"Status": {"Won": {"outcome": "won"}, "Lost": {"outcome": "lost"}}},
}
CALLS = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "Deal", "event_at": "When"},
    "constants": {"kind": "call"},
}
HEADER = "Id,Status,Created,Closed,Amount"


class Export:
    """A folder of exports and the settings that read them: deals, and calls where there are any."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: Settings | None = None

    def write(self, name: str, text: str | bytes) -> None:
        """One of its files."""
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / name).write_bytes(data)

    def ingest(
        self,
        deals: str | bytes,
        calls: str | None = None,
        *,
        of_deals: dict[str, Any] | None = None,
        of_calls: dict[str, Any] | None = None,
        **changes: Any,
    ) -> Ingested:
        """What comes of the files; `of_deals` and `of_calls` are settings of these sources."""
        self.write("deals.csv", deals)
        sources: dict[str, Any] = {"deals": {"path": "deals.csv"} | (of_deals or {})}
        mapping = [DEALS, CLOSES]
        if calls is not None:
            self.write("calls.csv", calls)
            sources["calls"] = {"path": "calls.csv"} | (of_calls or {})
            mapping.append(CALLS)
        plain = {
            "sources": sources,
            "mapping": mapping,
            "kinds": {"call": "calls"},
            "known_until": "2026-06-01",
            "validation": {},
        }
        settings = make_settings(
            input_folder=self.folder, data_folder=self.folder / "data", **(plain | changes)
        )
        self.settings = settings
        return jobs.ingest(settings, known_until_us=settings.known_until_us())

    def rows(self, table: str, *columns: str) -> list[tuple]:
        """The stored rows of a table."""
        assert self.settings is not None
        version = read_current(self.settings.project_folder() / "store", project="built")
        tables = [pq.read_table(path) for path in version.files(table)]
        return [tuple(row[name] for name in columns) for t in tables for row in t.to_pylist()]

    def ids(self) -> list[str]:
        """The ids of the stored leads."""
        return sorted(lead_id for (lead_id,) in self.rows("leads", "lead_id"))


@pytest.fixture
def export(tmp_path):
    return Export(tmp_path)


def deals_csv(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows, ""])


@pytest.mark.parametrize(
    ("created", "dates"),
    [
        ("Jan 27, 2026", None),
        ("2026/01/27 09:05", None),
        ("1769500000000", None),
        ("46049.4", "excel"),
        ("1769500000", "epoch_s"),
        ("1/27/26", "mdy"),
        ("27.01.26", "%d.%m.%y"),
    ],
)
def test_dates_when_each_means_one_moment_then_the_leads_are_dated(export, created, dates):
    deals = {} if dates is None else {"dates": dates}
    done = export.ingest(deals_csv(f'D1,Open,"{created}",,5'), of_deals=deals)
    assert export.ids() == ["D1"]
    assert not done.warnings


@pytest.mark.parametrize(
    ("created", "line"),
    [
        ("46049.4", 'dates = "excel"'),
        ("1769500000", 'dates = "epoch_s"'),
        ("1/2/26", 'dates = "dmy"'),
    ],
)
def test_dates_when_they_may_mean_several_then_the_message_names_the_line_that_reads_them(
    export, created, line
):
    with pytest.raises(UserError, match=line) as e:
        export.ingest(deals_csv(f"D1,Open,{created},,5", f"D2,Open,{created},,5"))
    assert created in str(e.value)


def test_percent_when_only_some_values_have_a_sign_then_it_is_asked_what_the_others_mean(export):
    leads = DEALS | {"columns": DEALS["columns"] | {"fit": "Fit"}}
    deals = deals_csv(
        "D1,Open,2026-01-02,,5,45%", "D2,Open,2026-01-02,,5,0.4", header=HEADER + ",Fit"
    )
    with pytest.raises(UserError, match="set maximum = 1 for the field"):
        export.ingest(deals, mapping=[leads, CLOSES], fields={"fit": {"type": "number"}})
    export.ingest(deals, mapping=[leads, CLOSES], fields={"fit": {"type": "number", "maximum": 1}})
    assert sorted(export.rows("leads", "fit")) == [(40,), (45,)]


def test_durations_when_the_column_counts_milliseconds_then_seconds_are_stored(export):
    calls = CALLS | {"columns": CALLS["columns"] | {"duration_ms": "Length"}}
    export.ingest(
        deals_csv("D1,Open,2026-01-02,,5"),
        "Deal,When,Length\nD1,2026-01-03,90000\n",
        mapping=[DEALS, CLOSES, calls],
    )
    assert export.rows("activities", "duration_s") == [(90,)]


ROWS = [f"D{n},Open,2026-01-0{n},,{n}" for n in range(1, 6)]


@pytest.mark.parametrize("footer", [["Grand Total (5)", "", '"Copyright (c) 2026"'], ["Sum,,"]])
def test_footer_when_an_ignore_rule_matches_what_its_rows_hold_then_it_is_counted_there(
    export, footer
):
    rule = {"footer": {"Id": ["Grand Total*", "Copyright*", "Sum"]}}
    done = export.ingest(deals_csv(*ROWS, *footer), of_deals={"ignore": rule})
    lines = len([row for row in footer if row])
    account = done.accounts.sources["deals"]
    assert (account.read, account.used, account.ignored) == (5 + lines, 5, lines)
    assert not done.rejects


def test_footer_when_nothing_ignores_it_then_the_message_proposes_the_rule(export):
    with pytest.raises(UserError) as e:
        export.ingest(deals_csv(*ROWS, '"Grand Total (5 rows)"', '"Created by Ann"'))
    assert 'ignore.footer = { "Id" = ["Grand*", "Created*"] }' in str(e.value)


def test_malformed_row_when_a_rule_asks_for_a_missing_value_then_it_does_not_match_a_cut_off_row(
    export,
):
    rule = {"no_amount": {"Amount": ""}}
    done = export.ingest(
        deals_csv(*ROWS, "D6"), of_deals={"ignore": rule}, validation={"max_refused": 0.5}
    )
    assert done.rejects == {"columns": 1}


@pytest.mark.parametrize(
    ("before", "line", "stated"),
    [
        ('"Pipeline by stage"\n"Filtered by: all, as of today"\n\n', 4, None),
        ("Report;of;Ann\n", 2, None),
        ("Id,Status\nD0,Open\n", 3, 3),
    ],
)
def test_header_when_other_lines_stand_before_then_it_is_found_or_stated(
    export, before, line, stated
):
    of_deals = {} if stated is None else {"header_row": stated}
    done = export.ingest(before + deals_csv(*ROWS), of_deals=of_deals)
    assert export.ids() == ["D1", "D2", "D3", "D4", "D5"]
    assert any(f"line {line}" in warning for warning in done.warnings) == (stated is None)


def test_header_when_two_rows_could_be_it_then_none_is_chosen(export):
    with pytest.raises(UserError, match="has no column"):
        export.ingest("Report\n" + deals_csv(*ROWS) + deals_csv(*ROWS))


def test_header_when_a_sheet_begins_with_a_title_then_it_is_found_too(export):
    from openpyxl import Workbook

    book = Workbook()
    for row in (["Deals of 2026"], [], HEADER.split(","), *(row.split(",") for row in ROWS)):
        book.active.append(row)
    book.save(export.folder / "deals.xlsx")
    done = export.ingest("", of_deals={"path": "deals.xlsx"})
    assert export.ids() == ["D1", "D2", "D3", "D4", "D5"]
    assert "named in line 3" in done.warnings[0]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_separator_when_the_first_line_names_it_then_it_is_obeyed(export, mark, quote):
    text = deals_csv(*ROWS).replace(",", mark)
    export.ingest(f"{quote}sep={mark}{quote}\r\n{text}")
    assert export.ids() == ["D1", "D2", "D3", "D4", "D5"]


def test_rows_when_they_end_early_or_late_then_they_are_mended_and_counted(export):
    rows = [
        "D1,Open,2026-01-01",
        "D2,Won,2026-01-02,2026-02-01,5,",
        "D3,Open,2026-01-03,,7,,",
        "D4,Open",
    ]
    done = export.ingest(deals_csv(*rows), validation={"max_refused": 0.5})
    assert export.ids() == ["D1", "D2", "D3"]
    assert done.rejects == {"columns": 1}
    assert any("1 row ends before the last column" in warning for warning in done.warnings)
    assert any("2 rows have empty values past" in warning for warning in done.warnings)


@pytest.mark.parametrize(
    "note", ['say "hi" to Ann', 'ends in "quotes"', 'a "comma, within"', '"', "x" * 200_000]
)
def test_text_when_its_quotes_are_wrong_or_it_is_very_long_then_no_other_row_suffers(export, note):
    rows = [
        f'"D{n}","Open","2026-01-0{n}","","{n}","{note if n == 3 else "fine"}"' for n in range(1, 6)
    ]
    done = export.ingest(
        deals_csv(*rows, header=HEADER + ",Notes"), validation={"max_refused": 0.5}
    )
    assert {"D1", "D2", "D4", "D5"} <= set(export.ids())
    assert sum(done.rejects.values()) <= 1


NULLS = [
    "D1,Open,2026-01-01,NULL,NULL,N/A",
    "D2,Won,2026-01-02,2026-02-01,5,Web",
    "D3,Open,2026-01-03,,NULL,Fair",
]


def test_missing_words_when_they_break_a_rule_then_the_message_proposes_to_declare_them(export):
    leads = DEALS | {"columns": DEALS["columns"] | {"channel": "Source"}}
    changes = {"mapping": [leads, CLOSES], "fields": {"channel": {}}}
    deals = deals_csv(*NULLS, header=HEADER + ",Source")
    with pytest.raises(UserError) as e:
        export.ingest(deals, **changes)
    assert 'add to [sources.deals]: missing = ["N/A", "NULL"]' in str(e.value)

    export.ingest(deals, **changes, of_deals={"missing": ["NULL"]})
    rows = export.rows("leads", "lead_id", "amount", "channel")
    assert sorted(rows) == [("D1", None, "N/A"), ("D2", 500, "Web"), ("D3", None, "Fair")]


def test_missing_words_when_they_are_declared_later_then_the_past_is_read_so_too(export):
    leads = DEALS | {"columns": DEALS["columns"] | {"channel": "Source"}}
    changes = {"mapping": [leads, CLOSES], "fields": {"channel": {"known_from": "creation"}}}
    deals = deals_csv("D1,Open,2026-01-01,,1,N/A", header=HEADER + ",Source")
    export.ingest(deals, **changes)
    later = deals_csv("D1,Open,2026-01-01,,1,Web", header=HEADER + ",Source")
    export.ingest(later, **changes, of_deals={"missing": ["N/A"]}, known_until="2026-07-01")
    assert export.rows("leads", "channel") == [(None,)]


GUID = "6513270e-269e-0d37-f2a7-4de452e6b438"
SALESFORCE = "0015000000Gv7qJ"  # of 15 characters; AAR makes it 18
INTEGER = "16147805824397"


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("kind", "of_lead", "of_call", "stored"),
    [
        ("guid", GUID, "{" + GUID.upper() + "}", GUID),
        ("guid", GUID.replace("-", ""), GUID, GUID),
        ("salesforce", SALESFORCE, SALESFORCE + "AAR", SALESFORCE + "AAR"),
        ("salesforce", SALESFORCE, (SALESFORCE + "AAR").lower(), SALESFORCE + "AAR"),
        ("integer", "1.6147805824397E13", INTEGER, INTEGER),
        ("integer", "1.614780582439E+13", "16147805824390.0", "16147805824390"),
        ("integer", "0042", "42", "42"),
    ],
)
def test_ids_when_two_exports_spell_them_differently_then_the_hint_names_the_kind_that_joins_them(
    export, kind, of_lead, of_call, stored
):
    deals = deals_csv(f"{of_lead},Won,2026-01-01,2026-02-01,5")
    calls = f"Deal,When\n{of_call},2026-01-03\n{of_call},2026-01-04\n"
    done = export.ingest(deals, calls, validation={"max_refused": 1.0})
    assert done.rejects == {"reference": 2}
    line = f'add to [sources.calls] and [sources.deals]: id = "{kind}"'
    assert any(line in warning and "2 rows" in warning for warning in done.warnings)

    shutil.rmtree(export.folder / "data")
    of_source = {"id": kind}
    done = export.ingest(deals, calls, of_deals=of_source, of_calls=of_source)
    assert not done.rejects
    assert export.ids() == [stored]
    assert export.rows("activities", "lead_id") == [(stored,), (stored,)]


def test_ids_when_more_are_lost_than_are_looked_at_then_the_hint_says_at_least_how_many(export):
    numbers = range(1, 1102)
    deals = deals_csv(*(f"{n:08},Won,2026-01-01,2026-02-01,5" for n in numbers))
    calls = "Deal,When\n" + "".join(f"{n},2026-01-03\n" for n in numbers)
    done = export.ingest(deals, calls, validation={"max_refused": 1.0})
    assert done.rejects == {"reference": 1101}
    assert any("at least 1,000 rows without a lead" in warning for warning in done.warnings)


def test_ids_when_a_lead_is_ignored_then_its_facts_are_too_in_any_spelling(export):
    rule = {"ignore": {"open": {"Status": "Open"}}, "id": "guid"}
    deals = deals_csv(f"{GUID},Open,2026-01-01,,5", f"{GUID[::-1]},Won,2026-01-01,2026-02-01,5")
    calls = f"Deal,When\n{GUID.upper()},2026-01-03\n"
    deals = deals.replace(GUID[::-1], GUID.replace("6", "7"))
    done = export.ingest(deals, calls, of_deals=rule, of_calls={"id": "guid"})
    assert not done.rejects
    assert done.accounts.tables["activities"].ignored == 1


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("kind", "rule", "bad"),
    [
        (None, "id_rounded", "1.61E+17"),
        (None, "id_rounded", '"1,61E+17"'),
        ("integer", "id_rounded", "1.61478E13"),
        ("integer", "id_rounded", "1.6147805824397E17"),
        ("integer", "id_kind", "D1"),
        ("guid", "id_kind", "12345"),
        ("salesforce", "id_kind", SALESFORCE + "AAA"),
        ("salesforce", "id_kind", SALESFORCE[:-1]),
    ],
)
def test_ids_when_they_are_rounded_or_of_another_kind_then_a_rule_names_them(
    export, kind, rule, bad
):
    good = {None: "D1", "integer": INTEGER, "guid": GUID, "salesforce": SALESFORCE}[kind]
    deals = deals_csv(f"{good},Open,2026-01-01,,5", f"{bad},Open,2026-01-02,,5")
    done = export.ingest(deals, of_deals={"id": kind}, validation={"max_refused": 1.0})
    assert done.rejects == {rule: 1}
    is_said = any("lost precision in a spreadsheet" in warning for warning in done.warnings)
    assert is_said == (rule == "id_rounded")


def test_ids_when_all_are_rounded_then_the_message_says_so(export):
    rows = [f"1.61E+17,Open,2026-01-0{n},,5" for n in range(1, 6)]
    with pytest.raises(UserError) as e:
        export.ingest(deals_csv(*rows))
    assert "5 ids such as '1.61E+17' lost precision in a spreadsheet" in str(e.value)


UPDATED = HEADER + ",Updated"


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("keep", "updated", "amount"),
    [
        ({"latest": "Updated"}, ["9", "10", "8"], 200),
        ({"first": "Updated"}, ["9", "10", "8"], 300),
        ({"latest": "Updated"}, ["2026-01-02", "2026-03-01 10:00", ""], 200),
        ({"first": "Updated"}, ["", "2026-03-01", "2026-02-01"], 300),
        ({"latest": "Updated"}, ["b", "a", "b"], 300),
        ({"first": "Updated"}, ["", "", ""], 100),
        ({"latest": "Updated"}, ["2026-01-02", "2026-01-02", "2026-01-01"], 200),
    ],
)
def test_rows_of_one_lead_when_keep_says_which_counts_then_the_others_are_ignored_by_name(
    export, keep, updated, amount
):
    rows = [f"D1,Won,2026-01-01,2026-02-0{n},{n},{text}" for n, text in enumerate(updated, 1)]
    rows.insert(1, "D2,Open,2026-01-05,,7,2026-01-05")
    if updated[0] == "9":
        rows[1] = "D2,Open,2026-01-05,,7,1"
    done = export.ingest(deals_csv(*rows, header=UPDATED), of_deals={"keep": keep})
    assert not done.rejects
    stored = sorted(export.rows("leads", "lead_id", "amount"))
    assert stored == [("D1", amount), ("D2", 700)]
    assert len(export.rows("outcomes", "lead_id")) == 1
    account = done.accounts.sources["deals"]
    assert (account.read, account.used, account.ignored) == (4, 2, 2)
    assert account.ignored_by["keep"] == 2


def test_rows_of_one_lead_when_ids_have_two_spellings_then_one_of_them_counts(export):
    rows = [f"{GUID},Open,2026-01-01,,1", f"{{{GUID.upper()}}},Open,2026-01-01,,2"]
    export.ingest(deals_csv(*rows), of_deals={"id": "guid", "keep": {"latest": "Amount"}})
    assert export.rows("leads", "lead_id", "amount") == [(GUID, 200)]


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({}, "give either latest or first"),
        ({"latest": "Updated", "first": "Created"}, "give either latest or first"),
    ],
)
def test_keep_when_it_says_nothing_or_too_much_then_it_is_refused(export, keep, message):
    with pytest.raises(ValueError, match=message):
        export.ingest(deals_csv(), of_deals={"keep": keep})


def test_keep_when_a_source_has_no_leads_then_it_is_refused(export):
    with pytest.raises(ValueError, match="must read leads from it"):
        export.ingest(deals_csv(), "Deal,When\n", of_calls={"keep": {"latest": "When"}})


def test_rows_of_one_lead_when_nothing_says_which_counts_then_the_message_names_the_setting(export):
    with pytest.raises(UserError) as e:
        export.ingest(deals_csv(*ROWS, "D5,Open,2026-01-05,,6"))
    assert "1 lead has several rows in one file of deals" in str(e.value)
    assert 'add to [sources.deals]: keep = { latest = "..." }' in str(e.value)


BY_PARTS = {"lead_id": ["Region", "No"], "event_at": "Created"}
PARTS = "Region,No,Status,Created,Closed"
CALLS_BY_PARTS = {**CALLS, "columns": {"lead_id": ["Area", "Number"], "event_at": "When"}}


def by_parts(**changes: Any) -> dict[str, Any]:
    closes = CLOSES | {"columns": BY_PARTS | {"event_at": "Closed"}}
    leads = {"source": "deals", "table": "leads", "columns": BY_PARTS}
    return {"mapping": [leads, closes]} | changes


def test_id_when_several_columns_are_it_together_then_all_tables_share_the_joined_id(export):
    rows = ["North,1,Won,2026-01-01,2026-02-01", "South,1,Open,2026-01-02,"]
    changes = by_parts()
    changes["mapping"].append(CALLS_BY_PARTS)
    calls = "Area,Number,When\nNorth,1,2026-01-03\nSouth,1,2026-01-04\n"
    done = export.ingest(deals_csv(*rows, header=PARTS), calls, **changes)
    assert not done.rejects
    assert export.ids() == ["North|1", "South|1"]
    assert export.rows("outcomes", "lead_id") == [("North|1",)]
    assert sorted(export.rows("activities", "lead_id")) == [("North|1",), ("South|1",)]


@pytest.mark.parametrize(
    ("one", "other"),
    [(("a|b", "c"), ("a", "b|c")), (("a\\", "b"), ("a", "\\b")), (("a\\|b", "c"), ("a\\", "b|c"))],
)
def test_id_when_its_parts_hold_the_separator_then_two_leads_stay_two(export, one, other):
    rows = [f"{','.join(parts)},Open,2026-01-01," for parts in (one, other)]
    done = export.ingest(deals_csv(*rows, header=PARTS), **by_parts())
    assert not done.rejects
    assert len(export.ids()) == 2


def test_id_when_a_part_of_it_is_missing_then_the_row_is_refused_and_counted(export):
    rows = ["North,1,Open,2026-01-01,", ",2,Open,2026-01-02,", "South,,Open,2026-01-02,"]
    done = export.ingest(
        deals_csv(*rows, header=PARTS), **by_parts(validation={"max_refused": 1.0})
    )
    assert done.rejects == {"required": 2}
    assert export.ids() == ["North|1"]


def test_id_when_a_part_of_it_was_rounded_then_the_rule_says_so(export):
    rows = ["North,1,Open,2026-01-01,", "North,1.61E+17,Open,2026-01-02,"]
    done = export.ingest(
        deals_csv(*rows, header=PARTS), **by_parts(validation={"max_refused": 1.0})
    )
    assert done.rejects == {"id_rounded": 1}


def test_id_of_several_columns_when_leads_are_ignored_or_kept_once_then_it_is_used_there_too(
    export,
):
    rows = [
        "North,1,Open,2026-01-01,",
        "North,1,Won,2026-01-01,2026-03-01",
        "East,7,Open,2026-01-01,",
        "South,1,Test,2026-01-02,",
    ]
    changes = by_parts(
        of_deals={"keep": {"latest": "Closed"}, "ignore": {"test": {"Status": "Test"}}}
    )
    changes["mapping"].append(CALLS_BY_PARTS)
    calls = "Area,Number,When\nSouth,1,2026-01-03\nEast,7,2026-01-04\n"
    done = export.ingest(deals_csv(*rows, header=PARTS), calls, **changes)
    assert not done.rejects
    assert export.ids() == ["East|7", "North|1"]
    assert export.rows("outcomes", "lead_id") == [("North|1",)]
    assert done.accounts.tables["activities"].ignored == 1


def test_id_of_several_columns_when_settings_are_saved_then_they_come_back_the_same(export):
    export.ingest(deals_csv("North,1,Open,2026-01-01,", header=PARTS), **by_parts())
    assert export.settings is not None
    assert export.settings.restore(export.settings.public()) == export.settings


@pytest.mark.parametrize(
    ("columns", "of_deals", "message"),
    [
        (["No", "No"], {}, "two or more different"),
        ([], {}, "nothing fills 'lead_id'"),
        (["Region", "No"], {"id": "guid"}, "is for ids in one column"),
    ],
)
def test_id_of_several_columns_when_it_makes_no_sense_then_it_is_refused(
    export, columns, of_deals, message
):
    leads = {
        "source": "deals",
        "table": "leads",
        "columns": {"lead_id": columns, "event_at": "Created"},
    }
    with pytest.raises(ValueError, match=message):
        export.ingest(deals_csv(header=PARTS), of_deals=of_deals, mapping=[leads])


def test_leads_when_they_have_no_id_then_the_message_shows_how_columns_are_one_together(export):
    leads = {"source": "deals", "table": "leads", "columns": {"event_at": "Created"}}
    with pytest.raises(ValueError, match=r'lead_id = \["Company", "Created"\]'):
        export.ingest(deals_csv(), mapping=[leads])


PEOPLE = "Id,Status,Created,Closed,Amount,Contact Email"
KEYED = {
    "several ids in a cell": ("D1;D2", ["D1", "D2"], "the ids of several leads in one cell"),
    "an e-mail address": ("a@example.com", ["D1"], "'Contact Email' of deals"),
    "other records": ("case 7", [], "to records that are no leads"),
}


@pytest.mark.parametrize(("key", "found", "words"), KEYED.values(), ids=KEYED)
def test_facts_when_they_point_elsewhere_then_the_view_of_the_message_brings_them_to_leads(
    export, key, found, words
):
    rows = ["D1,Open,2026-01-01,,1,a@example.com", "D2,Open,2026-01-01,,2,b@example.com"]
    deals = deals_csv(*rows, header=PEOPLE)
    calls = f"Deal,When\n{key},2026-01-05\nD2,2026-01-06\n"
    if "@" in key:
        calls = calls.replace("D2,", "b@example.com,")
        found = ["D1"]
    with pytest.raises(UserError, match=words) as e:
        export.ingest(deals, calls)
    (section,) = re.findall(r"add \[views\.(\w+)\] with (sql = \".*\"), and name it", str(e.value))
    view = {section[0]: tomllib.loads(section[1])}
    calls_of_leads = CALLS | {"source": section[0]}
    done = export.ingest(deals, calls, mapping=[DEALS, CLOSES, calls_of_leads], views=view)
    assert not done.rejects
    assert sorted(export.rows("activities", "lead_id")) == sorted(
        [*((lead,) for lead in found), ("D2",)]
    )


def test_facts_when_one_of_many_points_nowhere_then_no_view_is_proposed(export):
    deals = deals_csv("D1,Open,2026-01-01,,1")
    calls = "Deal,When\n" + "".join(f"D1,2026-01-{n % 28 + 1:02}\n" for n in range(200))
    done = export.ingest(deals, calls + "D9,2026-01-05\n")
    assert done.rejects == {"reference": 1}
    assert not any("view" in warning for warning in done.warnings)


def test_facts_when_nothing_of_the_leads_is_their_key_then_the_view_looks_up_a_further_source(
    export,
):
    deals = deals_csv("D1,Open,2026-01-01,,1", "D2,Open,2026-01-01,,2")
    calls = "Deal,When\nA7,2026-01-05\n"
    with pytest.raises(UserError, match="what no column of deals holds, such as 'A7'") as e:
        export.ingest(deals, calls)
    (section,) = re.findall(r"add \[views\.(\w+)\] with (sql = \".*\"), and name it", str(e.value))
    view = {section[0]: tomllib.loads(section[1])}
    export.write("links.csv", "Deal,Id\nA7,D2\n")
    sources = {
        "deals": {"path": "deals.csv"},
        "calls": {"path": "calls.csv"},
        "link": {"path": "links.csv"},
    }
    entries = [DEALS, CLOSES, CALLS | {"source": section[0]}]
    export.ingest(deals, calls, sources=sources, mapping=entries, views=view)
    assert export.rows("activities", "lead_id") == [("D2",)]


def test_facts_when_their_lead_was_rejected_then_no_lookup_is_proposed(export):
    rows = ["D1,Won,2026-01-01,2026-02-01,1", "D1,Won,2026-01-01,2026-02-01,2"]
    with pytest.raises(UserError, match="several rows") as e:
        export.ingest(deals_csv(*rows, "D2,Open,2026-01-01,,3"))
    assert "look the lead up" not in str(e.value)


@pytest.mark.parametrize(
    ("table", "column", "line"),
    [("stages", "stage", "stage_before"), ("changes", "value", "before")],
)
def test_log_when_its_old_values_are_not_read_then_the_line_that_reads_them_is_proposed(
    export, table, column, line
):
    export.write("log.csv", "Deal,Was,OldValue,NewValue,When\nD1,x,5,9,2026-01-05\n")
    entry = {
        "source": "log",
        "table": table,
        "columns": {"lead_id": "Deal", "event_at": "When", column: "NewValue"},
        "constants": {"field": "amount"} if table == "changes" else {},
    }
    sources = {"deals": {"path": "deals.csv"}, "log": {"path": "log.csv"}}
    deals = deals_csv("D1,Open,2026-01-01,,9")
    known = {"sources": sources, "stages": {"open": ["5", "9"]}, "known_until": "2026-06-01"}
    done = export.ingest(deals, mapping=[DEALS, CLOSES, entry], **known)
    assert any(f'{line} = "OldValue"' in warning for warning in done.warnings)

    entry["columns"] |= {line: "OldValue"}
    done = export.ingest(deals, mapping=[DEALS, CLOSES, entry], **known)
    assert not any("OldValue" in warning for warning in done.warnings)
    values = [value for _, value in sorted(export.rows(table, "event_us", column))]
    assert values in (["5", "9"], ["500", "900"])
