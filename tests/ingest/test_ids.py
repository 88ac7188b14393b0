"""Ids in several spellings, rounded ones, and those of several columns; which row of a lead counts."""

from __future__ import annotations

import shutil
from datetime import date
from typing import Any

import openpyxl
import pytest

from ingest.hard_export import CALLS, CLOSES, HEADER, ROWS, deals_csv
from leadscore.errors import UserError

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


def test_ids_when_a_sheet_holds_long_ones_as_numbers_then_they_are_rounded_and_not_whole(export):
    book = openpyxl.Workbook()
    book.active.append(HEADER.split(","))
    for n in range(3):
        book.active.append([4000000000180000001 + n, "Open", date(2026, 1, 1 + n), None, 5])
    book.active.append([16147805824397, "Open", date(2026, 1, 5), None, 5])
    book.save(export.folder / "deals.xlsx")
    done = export.ingest("", of_deals={"path": "deals.xlsx"}, validation={"max_refused": 1.0})
    assert done.rejects == {"id_rounded": 3}
    assert export.ids() == ["16147805824397"]


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
        ({"latest": "Updated"}, ["9 EUR", "10 EUR", "8 EUR"], 200),
        ({"latest": "Updated"}, ["9.5 EUR", "10.25 EUR", "8 EUR"], 200),
        ({"first": "Updated"}, ['"9.500,00 \u20ac"', '"10.000,00 \u20ac"', "9 \u20ac"], 300),
        ({"latest": "Updated"}, ["2026-01-02", "2026-01-02", "2026-01-01"], 200),
    ],
)
def test_rows_of_one_lead_when_keep_says_which_counts_then_the_others_are_ignored_by_name(
    export, keep, updated, amount
):
    rows = [f"D1,Won,2026-01-01,2026-02-0{n},{n},{text}" for n, text in enumerate(updated, 1)]
    rows.insert(1, "D2,Open,2026-01-05,,7,2026-01-05")
    if updated[0].lstrip('"').startswith("9"):
        rows[1] = "D2,Open,2026-01-05,,7,1"
    done = export.ingest(deals_csv(*rows, header=UPDATED), of_deals={"keep": keep})
    assert not done.rejects
    stored = sorted(export.rows("leads", "lead_id", "amount"))
    assert stored == [("D1", amount), ("D2", 700)]
    assert len(export.rows("outcomes", "lead_id")) == 1
    account = done.accounts.sources["deals"]
    assert (account.read, account.used, account.ignored) == (4, 2, 2)
    assert account.ignored_by["keep"] == 2


@pytest.mark.parametrize(
    ("updated", "words"),
    [
        (["1/9/2026", "1/10/2026", "never"], "times and 'never'"),
        (["9", "10", "N/A"], "numbers and 'N/A'"),
    ],
)
def test_rows_of_one_lead_when_only_most_values_have_an_order_then_keep_asks_about_the_others(
    export, updated, words
):
    rows = [f"D1,Open,2026-01-01,,{n},{text}" for n, text in enumerate(updated)]
    deals = deals_csv(*rows, header=UPDATED)
    of_deals = {"keep": {"latest": "Updated"}, "dates": "mdy"}
    with pytest.raises(UserError) as e:
        export.ingest(deals, of_deals=of_deals)
    assert words in str(e.value)
    export.ingest(deals, of_deals=of_deals | {"missing": updated[2:]})
    assert export.rows("leads", "amount") == [(100,)]


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
