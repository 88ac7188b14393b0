"""Exports as people write them: dates, titles, footers, separators, quotes, and words for nothing."""

from __future__ import annotations

import pytest

from ingest.hard_export import CALLS, CLOSES, DEALS, HEADER, ROWS, deals_csv
from leadscore.errors import UserError
from leadscore.ingest.readers.text import LINE_LIMIT


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


def test_header_when_a_report_repeats_it_on_every_page_then_it_is_the_first(export):
    pages = "Report\n" + deals_csv(*ROWS[:2]) + "\nPage 2\n" + deals_csv(*ROWS[2:])
    rule = {"again": {"Id": ["Id", "Page*"]}}
    done = export.ingest(pages, of_deals={"ignore": rule})
    assert export.ids() == ["D1", "D2", "D3", "D4", "D5"]
    assert done.accounts.sources["deals"].ignored == 2


def test_header_when_two_rows_could_be_it_then_none_is_chosen(export):
    other = deals_csv(*ROWS, header=HEADER.replace("Id,Status", "Status,Id"))
    with pytest.raises(UserError, match=r"'Report' is a title above the header.* header_row = "):
        export.ingest("Report\n" + deals_csv(*ROWS) + other)


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


def test_text_when_a_line_is_longer_than_the_limit_then_it_is_a_reject_of_its_own(export):
    endless = "D3,Open,2026-01-03,,3," + "x" * (LINE_LIMIT + 1)
    rows = ["D1,Open,2026-01-01,,1,", "D2,Open,2026-01-02,,2,", endless, "D4,Open,2026-01-04,,4,"]
    done = export.ingest(
        deals_csv(*rows, header=HEADER + ",Notes"), validation={"max_refused": 0.5}
    )
    assert export.ids() == ["D1", "D2", "D4"]
    assert done.rejects == {"columns": 1}


def test_durations_when_none_is_longer_than_a_second_then_they_are_no_seconds(export):
    deals = deals_csv(*ROWS)
    calls = "Deal,When,Length\n" + "".join(f"D{n},2026-01-1{n},0.00{n}\n" for n in range(1, 6))
    entry = CALLS | {"columns": CALLS["columns"] | {"duration_s": "Length"}}
    with pytest.raises(UserError, match=r"'Length' holds durations like '0\.001'.* in a view"):
        export.ingest(deals, calls, mapping=[DEALS, CLOSES, entry])
    seconds = calls.replace("0.005", "90")
    export.ingest(deals, seconds, mapping=[DEALS, CLOSES, entry])
    assert max(export.rows("activities", "duration_s")) == (90,)


def test_durations_when_most_are_hours_long_then_it_is_asked_whether_minutes_are_meant(export):
    deals = deals_csv(*ROWS)
    calls = "Deal,When,Length\n" + "".join(f"D{n},2026-01-1{n},0{n}:12\n" for n in range(1, 6))
    entry = CALLS | {"columns": CALLS["columns"] | {"duration_s": "Length"}}
    mapping = [DEALS, CLOSES, entry]
    with pytest.raises(UserError, match=r"'Length' holds durations like '03:12'.* in a view"):
        export.ingest(deals, calls, mapping=mapping)
    export.ingest(deals, calls.replace(",0", ",0:0"), mapping=mapping)
    assert max(export.rows("activities", "duration_s")) == (312,)
    export.ingest(deals, calls.replace(":12", ":12:00"), mapping=mapping)
    assert max(export.rows("activities", "duration_s")) == (5 * 3600 + 720,)


def test_durations_when_a_comma_may_be_decimal_then_it_is_asked(export):
    calls = 'Deal,When,Length\nD1,2026-01-03,"1,500"\n'
    entry = CALLS | {"columns": CALLS["columns"] | {"duration_min": "Length"}}
    with pytest.raises(UserError, match="'1,500' in column 'Length' may have a decimal comma"):
        export.ingest(deals_csv("D1,Open,2026-01-02,,5"), calls, mapping=[DEALS, CLOSES, entry])


@pytest.mark.parametrize(
    ("created", "line"),
    [
        ("3 moons ago", 'dates = ..., a pattern of Python\'s strptime, such as "%d.%m.%y %H:%M"'),
        ("2026-01-02 09:05 PST", 'timezone = "America/Los_Angeles"'),
    ],
)
def test_dates_when_no_form_fits_then_the_message_shows_one_and_says_what_to_write(
    export, created, line
):
    with pytest.raises(UserError) as e:
        export.ingest(deals_csv(*(f"D{n},Open,{created},,5" for n in range(3))))
    words = str(e.value)
    assert created in words
    assert line in words
    assert 'type = "warn"' not in words  # which a creation date never obeys


def test_totals_when_they_are_too_many_then_the_message_proposes_to_ignore_them(export):
    totals = deals_csv(*ROWS, "Subtotal,,,,3", "Grand Total,,,,15")
    every_row = DEALS | {"where": {}}
    with pytest.raises(UserError) as e:
        export.ingest(totals, mapping=[every_row, CLOSES])
    assert 'ignore.totals = { "Id" = ["Subtotal", "Grand Total"] }' in str(e.value)
    with pytest.raises(UserError) as e:
        export.ingest(totals)
    assert 'ignore.not_needed = { "Status" = [""] }' in str(e.value)


def test_text_when_a_formula_keeps_it_from_a_spreadsheet_then_it_is_what_stands_within(export):
    rows = [
        '"=""00012""",Open,2026-01-01,,"=""5"""',
        '="00013",Won,2026-01-02,="2026-02-01",6',
    ]
    export.ingest(deals_csv(*rows), "Deal,When\n00012,2026-01-03\n")
    assert export.ids() == ["00012", "00013"]
    assert len(export.rows("activities", "lead_id")) == 1


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


@pytest.mark.parametrize(
    ("name", "encoding", "doubts"),
    [
        ("Wałęsa Żabka Łódź", "cp1250", 0),
        ("Größe", "cp1252", 0),
        ("Molière", "cp1252", 1),
        ("Molière", "utf-8", 0),
    ],
)
def test_encoding_when_few_words_show_it_then_the_other_one_and_its_setting_are_printed(
    export, name, encoding, doubts
):
    deals = deals_csv(f"D1,Open,2026-01-02,,5,{name}", header=HEADER + ",Name")
    done = export.ingest(deals.encode(encoding))
    printed = [line for line in done.warnings if "set encoding" in line]
    assert len(printed) == doubts
    assert all("if so, set encoding = 'cp1250' (in [sources.deals])" in line for line in printed)


@pytest.mark.parametrize(
    ("status", "value"),
    [("WON", "Won"), ("won", "Won"), ("Won  Back", None), ("Lost", None), ("Maybe", None)],
)
def test_status_when_only_its_case_differs_from_the_settings_then_it_is_named(
    export, status, value
):
    every_status = {"source": "deals", "table": "leads", "columns": DEALS["columns"]}
    row = f"D6,{status},2026-01-01,2026-02-01,5"
    done = export.ingest(deals_csv(*ROWS, row), mapping=[every_status, CLOSES])
    warnings = [w for w in done.warnings if f"'{status}' in 'Status'" in w]
    assert len(warnings) == (value is not None)
    if value is not None:
        assert f"is not '{value}'" in warnings[0]
