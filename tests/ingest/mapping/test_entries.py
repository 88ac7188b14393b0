from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import make_settings
from leadscore import project as jobs
from leadscore.errors import SourceFormatError, UserError
from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers import csv_text
from leadscore.ingest.readers.sources import Batch
from leadscore.store.version import StoreVersion, read_current

LEADS = {"source": "leads", "table": "leads", "columns": {"lead_id": "id", "event_at": "created"}}
TWO_LEADS = "id,created\n1,2024-01-01\n2,2024-01-01\n"
SOURCES = {"leads": {"path": "leads.csv"}, "log": {"path": "log.csv"}}
DAY_END_US = 1_704_153_599_999_999  # 2024-01-01T23:59:59.999999Z


def ingest(folder: Path, files: dict[str, str], **changes: Any) -> StoreVersion:
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())
    settings = make_settings(
        input_folder=folder,
        data_folder=folder / "data",
        **({"known_until": "2100-01-01"} | changes),
    )
    jobs.ingest(settings)
    return read_current(settings.project_folder() / "store", project=settings.project)


def ingest_log(folder: Path, log: str, *entries: dict[str, Any], **changes: Any) -> StoreVersion:
    """Two leads and a log that the entries map."""
    mapping = [LEADS, *({"source": "log"} | entry for entry in entries)]
    return ingest(
        folder,
        {"leads.csv": TWO_LEADS, "log.csv": log},
        **({"sources": SOURCES, "mapping": mapping} | changes),
    )


def rows(version: StoreVersion, table: str, *columns: str) -> list[tuple]:
    """The stored values of some columns, in the stored order."""
    return [
        tuple(row[c] for c in columns)
        for path in version.files(table)
        for row in pq.read_table(path).to_pylist()
    ]


def rejects(version: StoreVersion) -> list[tuple]:
    return rows(version, "rejects", "source", "line", "table", "rule", "column", "value")


def account(version: StoreVersion, kind: str, name: str) -> dict[str, Any]:
    return version.manifest["accounts"][kind][name]


CALLS = {
    "table": "activities",
    "columns": {"lead_id": "id", "event_at": "t"},
    "constants": {"kind": "meeting"},
}
LOG = "id,t,what,who\n1,2024-01-01,call,ann\n1,2024-01-02,mail in,\n2,2024-01-03,mail out,bob\n2,2024-01-04,,ann\n"


CHOSEN = [
    ({}, {}, [2, 3, 4, 5]),
    ({"what": "call"}, {}, [2]),
    ({"what": ["call", "mail in"]}, {}, [2, 3]),
    ({"what": "mail*"}, {}, [3, 4]),
    ({"what": "*"}, {}, [2, 3, 4]),  # begins with anything, but is there
    ({"what": ""}, {}, [5]),
    ({"what": ["", "mail*"]}, {}, [3, 4, 5]),
    ({"what": "mail"}, {}, []),
    ({"what": "Call"}, {}, []),
    ({"what": "mail*", "who": "bob"}, {}, [4]),
    ({}, {"what": "mail*"}, [2, 5]),
    ({}, {"what": "mail*", "who": "ann"}, []),  # none of them may hold
    ({}, {"what": "call", "who": ""}, [4, 5]),
    ({"who": "*"}, {"what": ""}, [2, 4]),
    ({"what": []}, {}, []),
    ({}, {"what": []}, [2, 3, 4, 5]),
]


@pytest.fixture(scope="module")
def taken(tmp_path_factory) -> list[tuple[str, int]]:
    """(kind, line) of the rows that each case of `CHOSEN` takes, its number being the kind."""
    entries = [
        CALLS | {"where": where, "where_not": where_not, "constants": {"kind": str(case)}}
        for case, (where, where_not, _) in enumerate(CHOSEN)
    ]
    version = ingest_log(tmp_path_factory.mktemp("chosen"), LOG, *entries, kinds={})
    return [
        (kind, 2 + (us - DAY_END_US) // 86_400_000_000)
        for kind, us in rows(version, "activities", "kind", "event_us")
    ]


@pytest.mark.parametrize("case", range(len(CHOSEN)), ids=lambda case: str(CHOSEN[case][:2]))
def test_entry_when_where_and_where_not_are_set_then_it_takes_the_rows_that_hold(taken, case):
    assert sorted(line for kind, line in taken if kind == str(case)) == CHOSEN[case][2]


def test_rows_when_no_entry_takes_them_then_each_is_a_reject_of_the_source(tmp_path):
    version = ingest_log(tmp_path, LOG, CALLS | {"where": {"what": "mail*"}})
    assert rejects(version) == [
        ("log", 2, None, "unselected", "what", "call"),
        ("log", 5, None, "unselected", "what", ""),
    ]
    assert account(version, "sources", "log") == {
        "read": 4,
        "used": 2,
        "ignored": 0,
        "rejected": 2,
        "ignored_by": {},
    }
    assert account(version, "tables", "activities") == {
        "selected": 2,
        "stored": 2,
        "ignored": 0,
        "ignored_by": {},
        "rejected": 0,
        "duplicates": 0,
    }


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(*[st.text("ab.[*", max_size=3)] * 2), max_size=8),
    st.dictionaries(
        st.sampled_from("xy"), st.lists(st.text("ab.[*", max_size=3), max_size=3).map(tuple)
    ),
)
def test_select_rows_when_values_are_any_text_then_a_star_at_the_end_is_the_only_pattern(
    found, where
):
    columns = {
        name: pa.array([row["xy".index(name)] for row in found], pa.string()) for name in "xy"
    }
    texts = Texts(Batch(np.arange(len(found)), pa.table(columns)))

    def holds(text: str, value: str) -> bool:
        if value[-1:] == "*":
            return text != "" and text[: len(value) - 1] == value[:-1]
        return text == value

    expected = [
        all(
            any(holds(row["xy".index(column)], value) for value in values)
            for column, values in where.items()
        )
        for row in found
    ]
    assert texts.select(where).tolist() == expected


def test_values_when_an_exact_one_and_prefixes_fit_then_the_exact_one_counts_else_the_longest_prefix(
    tmp_path,
):
    log = "id,t,what\n" + "".join(f"1,2024-01-0{i},{what}\n" for i, what in enumerate(
        ["mail", "mail in", "mail in late", "mail out", "mailbox", "", "call"], 1
    ))  # fmt: skip
    kinds = {
        "mail*": "prefix",
        "mail": "exact",
        "mail in*": "longer",
        "mail in late*": "longest",
        "mail out": "out",
        "": "none",
        "*": "any",
    }
    entry = {
        "table": "activities",
        "columns": {"lead_id": "id", "event_at": "t"},
        "values": {"what": {value: {"kind": kind} for value, kind in kinds.items()}},
    }
    version = ingest_log(tmp_path, log, entry)
    assert [kind for (kind,) in rows(version, "activities", "kind")] == [
        "exact", "longer", "longest", "out", "prefix", "none", "any",
    ]  # fmt: skip
    assert rejects(version) == []


def test_values_when_one_is_not_mapped_then_the_row_is_a_reject_that_shows_it(tmp_path):
    entry = {
        "table": "outcomes",
        "columns": {"lead_id": "id", "event_at": "t"},
        "values": {"what": {"W": {"outcome": "won"}, "L*": {"outcome": "lost", "reason": "price"}}},
    }
    log = "id,t,what\n1,2024-01-02,W\n3,2024-01-02,Cancelled\n4,2024-01-03,\n2,2024-01-03,L2\n"
    version = ingest_log(tmp_path, log, entry)
    assert rows(version, "outcomes", "lead_id", "outcome", "reason") == [
        ("1", "won", None),
        ("2", "lost", "price"),
    ]
    assert rejects(version) == [
        ("log", 3, "outcomes", "unmapped", "what", "Cancelled"),
        ("log", 4, "outcomes", "unmapped", "what", ""),
    ]


def test_values_when_they_fill_several_columns_then_constants_stand_where_a_value_says_nothing(
    tmp_path,
):
    entry = {
        "table": "activities",
        "columns": {"lead_id": "id", "event_at": "t"},
        "constants": {"actor": "system"},
        "values": {"what": {"in": {"kind": "email", "actor": "lead"}, "out": {"kind": "email"}}},
    }
    version = ingest_log(tmp_path, "id,t,what\n1,2024-01-02,in\n1,2024-01-03,out\n", entry)
    assert rows(version, "activities", "kind", "actor") == [("email", "lead"), ("email", "system")]


def test_activity_when_nothing_says_who_acted_then_it_was_the_rep(tmp_path):
    version = ingest_log(tmp_path, "id,t,who\n1,2024-01-02,\n", CALLS | {
        "columns": {"lead_id": "id", "event_at": "t", "actor": "who"}
    })  # fmt: skip
    assert rows(version, "activities", "actor", "duration_s", "seq") == [("rep", None, 0)]


def test_one_source_when_it_feeds_several_tables_then_each_row_is_used_once_and_counted_per_table(
    tmp_path,
):
    columns = {"lead_id": "id", "event_at": "t"}
    version = ingest_log(
        tmp_path,
        "id,t,what\n1,2024-01-02,new\n1,2024-01-03,won\n2,2024-01-03,mail\n2,2024-01-03,strange\n",
        {"table": "changes", "columns": columns | {"value": "what"}, "constants": {"field": "owner_id"},
         "where_not": {"what": "strange"}},
        {"table": "stages", "columns": columns | {"stage": "what"}, "where": {"what": "new"}},
        {"table": "outcomes", "columns": columns | {"outcome": "what"}, "where": {"what": ["won", "lost"]}},
        CALLS | {"where": {"what": ["mail", "new"]}},
    )  # fmt: skip
    assert account(version, "sources", "log") == {
        "read": 4, "used": 3, "ignored": 0, "rejected": 1, "ignored_by": {},
    }  # fmt: skip
    stored = {
        table: account(version, "tables", table)["stored"] for table in version.manifest["tables"]
    }
    filled = {table: rows for table, rows in stored.items() if rows}
    assert filled == {"leads": 2, "stages": 1, "outcomes": 1, "activities": 2, "changes": 3}
    assert rejects(version) == [("log", 5, None, "unselected", "what", "strange")]


def test_ignore_when_rules_overlap_then_each_row_counts_under_the_first_and_is_no_reject(tmp_path):
    log = "id,t,what,who\n1,2024-01-02,a,x\n1,2024-01-03,b,x\n1,2024-01-04,a,y\n1,2024-01-05,b,y\nragged\n"
    ignore = {"of_a": {"what": "a"}, "of_x": {"who": "x"}, "both": {"what": "b", "who": "z"}}
    version = ingest_log(
        tmp_path, log, CALLS, sources=SOURCES | {"log": {"path": "log.csv", "ignore": ignore}}
    )
    assert account(version, "sources", "log") == {
        "read": 5, "used": 1, "ignored": 3, "rejected": 1, "ignored_by": {"of_a": 2, "of_x": 1, "both": 0},
    }  # fmt: skip
    assert [reject[:4] for reject in rejects(version)] == [("log", 6, None, "columns")]


TYPED = {
    "table": "activities",
    "columns": {
        "lead_id": "id", "event_at": "t", "available_at": "known", "kind": "what", "actor": "who", "duration_s": "s",
        "seq": "n",
    },
}  # fmt: skip


GOOD = {
    "id": "1",
    "t": "2024-01-02",
    "known": "2024-01-03",
    "what": "email",
    "who": "lead",
    "s": "90",
    "n": "4",
}
BROKEN = [
    ({"id": ""}, "required", "lead_id", ""),
    ({"id": "  "}, "required", "lead_id", ""),
    ({"what": ""}, "required", "kind", ""),
    ({"what": "fax"}, "allowed", "kind", "fax"),
    ({"who": "boss"}, "allowed", "actor", "boss"),
    ({"s": "1:3x"}, "type", "duration_s", "1:3x"),
    ({"n": "first"}, "type", "seq", "first"),
    ({"t": ""}, "required", "event_at", ""),
    ({"t": "31.1.2024"}, "type", "event_at", "31.1.2024"),
    ({"t": "1024-01-01"}, "type", "event_at", "1024-01-01"),
    ({"t": "3024-01-01T00:00:00Z"}, "type", "event_at", "3024-01-01T00:00:00Z"),
    ({"known": "soon"}, "type", "available_at", "soon"),
    ({"known": "3024-01-01"}, "type", "available_at", "3024-01-01"),
    ({"id": "9"}, "reference", "lead_id", "9"),
]


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> StoreVersion:
    """A good row on line 2, then one for each case of `BROKEN`."""
    lines = [GOOD, *(GOOD | row for row, *_ in BROKEN)]
    log = "\n".join([",".join(GOOD), *(",".join(line.values()) for line in lines), ""])
    return ingest_log(tmp_path_factory.mktemp("broken"), log, TYPED)


@pytest.mark.parametrize("case", range(len(BROKEN)), ids=lambda case: str(BROKEN[case]))
def test_row_when_a_value_breaks_a_rule_then_the_reject_says_where_which_and_what(broken, case):
    _, rule, column, value = BROKEN[case]
    assert rejects(broken)[case] == ("log", 3 + case, "activities", rule, column, value)


def test_rows_when_some_break_rules_then_the_others_are_stored_and_the_rules_counted(broken):
    assert rows(broken, "activities", "lead_id", "kind", "actor", "duration_s", "seq") == [
        ("1", "email", "lead", 90, 4)
    ]
    assert broken.manifest["rejects"]["rules"] == {
        "allowed": 2,
        "reference": 1,
        "required": 4,
        "type": 7,
    }
    assert account(broken, "tables", "activities") == {
        "selected": 15,
        "stored": 1,
        "ignored": 0,
        "ignored_by": {},
        "rejected": 14,
        "duplicates": 0,
    }


@pytest.mark.parametrize(
    ("entry", "value", "column"),
    [
        (
            {"table": "stages", "columns": {"lead_id": "id", "event_at": "t", "stage": "v"}},
            "closed",
            "stage",
        ),
        (
            {"table": "outcomes", "columns": {"lead_id": "id", "event_at": "t", "outcome": "v"}},
            "Won",
            "outcome",
        ),
        (
            {"table": "changes", "columns": {"lead_id": "id", "event_at": "t", "field": "v"}},
            "colour",
            "field",
        ),
    ],
)
def test_row_when_a_value_is_not_among_the_allowed_then_it_is_rejected(
    tmp_path, entry, value, column
):
    version = ingest_log(tmp_path, f"id,t,v\n3,2024-01-02,{value}\n", entry)
    assert rejects(version) == [("log", 2, entry["table"], "allowed", column, value)]


def test_row_when_it_breaks_several_rules_then_it_is_one_reject_with_its_lead(tmp_path):
    version = ingest_log(tmp_path, "id,t,known,what,who,s,n\n1,never,soon,fax,boss,x,y\n", TYPED)
    assert rejects(version) == [
        ("log", 2, "activities", "allowed", "kind", "fax")
    ]  # the first in the table's order
    assert rows(version, "rejects", "lead_id") == [("1",)]
    assert account(version, "tables", "activities") == {
        "selected": 1,
        "stored": 0,
        "ignored": 0,
        "ignored_by": {},
        "rejected": 1,
        "duplicates": 0,
    }


FIELDS = {
    "size": {"type": "number", "decimals": 0},
    "budget": {"type": "number"},
    "decides": {"type": "date"},
    "city": {},
}


def test_lead_attributes_when_they_are_typed_then_they_are_stored_in_minor_units_microseconds_and_text(
    tmp_path,
):
    columns = {
        "lead_id": "id",
        "event_at": "created",
        "amount": "amount",
        **{name: name for name in FIELDS},
    }
    header, row = (
        "id,created,amount,size,budget,decides,city",
        "1,2024-01-01,12.5,7,0.29,1970-01-01,Ulm",
    )
    version = ingest(
        tmp_path,
        {"leads.csv": f"{header}\n{row}\n2,2024-01-01,,,,,\n"},
        fields=FIELDS,
        mapping=[LEADS | {"columns": columns}],
    )  # fmt: skip
    assert rows(version, "leads", "lead_id", "amount", *FIELDS) == [
        ("1", 1250, 7, 29, 86_399_999_999, "Ulm"),
        ("2", None, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("column", "value"), [("size", "many"), ("budget", "1,5,7"), ("decides", "soon")]
)
def test_lead_when_an_attribute_cannot_be_read_then_the_lead_is_rejected_with_it(
    tmp_path, column, value
):
    version = ingest(
        tmp_path,
        {"leads.csv": f'id,created,v\n1,2024-01-01,\n2,2024-01-01,"{value}"\n'},
        fields=FIELDS,
        mapping=[LEADS | {"columns": {"lead_id": "id", "event_at": "created", column: "v"}}],
    )
    assert rows(version, "leads", "lead_id", column) == [("1", None)]
    assert rejects(version) == [("leads", 3, "leads", "type", column, value)]


def test_changes_when_fields_are_typed_then_numbers_and_dates_are_the_text_of_their_integer(
    tmp_path,
):
    log = (
        "id,t,f,v\n1,2024-01-01,size,7\n1,2024-01-02,budget,0.29\n1,2024-01-03,decides,1970-01-01T00:00:01Z\n"
        "1,2024-01-04,city,Ulm\n1,2024-01-05,amount,12.5\n1,2024-01-06,size,\n1,2024-01-07,size,many\n"
        "1,2024-01-08,city,7.50\n"
    )
    entry = {
        "table": "changes",
        "columns": {"lead_id": "id", "event_at": "t", "field": "f", "value": "v"},
    }
    version = ingest_log(tmp_path, log, entry, fields=FIELDS)
    assert rows(version, "changes", "field", "value") == [
        ("size", "7"), ("budget", "29"), ("decides", "1000000"), ("city", "Ulm"), ("amount", "1250"), ("size", None),
        ("city", "7.50"),
    ]  # fmt: skip
    assert rejects(version) == [("log", 8, "changes", "type", "value", "many")]


@pytest.mark.parametrize(
    ("log", "question"),
    [
        ("budget,21360\n1,2024-01-02,budget,21361\n1,2024-01-03,decides,1970-01-02", ""),
        ("decides,45000\n1,2024-01-02,budget,45001", "'decides' holds dates like '45000'"),
        ("budget,45 %\n1,2024-01-02,city,50", ""),
        ("budget,45 %\n1,2024-01-02,budget,50", "with or without a per cent sign"),
    ],
)
def test_changes_when_other_fields_look_like_dates_or_shares_then_nothing_is_asked_about_them(
    tmp_path, log, question
):
    entry = {
        "table": "changes",
        "columns": {"lead_id": "id", "event_at": "t", "field": "f", "value": "v"},
    }
    text = f"id,t,f,v\n1,2024-01-01,{log}\n"
    if question:
        with pytest.raises(UserError, match=question):
            ingest_log(tmp_path, text, entry, fields=FIELDS)
    else:
        assert rejects(ingest_log(tmp_path, text, entry, fields=FIELDS)) == []


def test_ids_when_they_look_like_numbers_then_they_stay_text(tmp_path):
    text = "id,created\n00012,2024-01-01\n12,2024-01-01\n1e3,2024-01-01\nNA,2024-01-01\n"
    version = ingest(tmp_path, {"leads.csv": text}, mapping=[LEADS])
    assert rows(version, "leads", "lead_id") == [("00012",), ("12",), ("1e3",), ("NA",)]


def test_source_zone_when_it_is_set_then_it_counts_for_that_source_only(tmp_path):
    version = ingest_log(
        tmp_path, "id,t\n1,2024-01-02T00:00\n", CALLS, timezone="Asia/Tokyo",
        sources=SOURCES | {"log": {"path": "log.csv", "timezone": "Europe/Berlin"}},
    )  # fmt: skip
    assert rows(version, "activities", "event_us") == [(DAY_END_US + 1 - 3_600_000_000,)]
    assert rows(version, "leads", "event_us") == [(DAY_END_US - 9 * 3_600_000_000,)] * 2


def test_available_at_when_it_is_stated_then_the_fact_is_known_from_the_later_of_it_and_the_event(
    tmp_path,
):
    known = {
        "": "2024-01-02T12:00:00",
        "2024-01-05T08:00:00": "2024-01-05T08:00:00",
        "2024-01-02T11:00:00": "2024-01-02T12:00:00",  # nothing is known before it happens
        "2024-01-02": "2024-01-02T23:59:59.999999",
    }
    entry = CALLS | {
        "columns": {"lead_id": "id", "event_at": "t", "available_at": "known", "seq": "n"}
    }
    lines = [f"1,2024-01-02T12:00:00,{stated},{n}" for n, stated in enumerate(known)]
    version = ingest_log(tmp_path, "\n".join(["id,t,known,n", *lines, ""]), entry)
    found = sorted(rows(version, "activities", "seq", "event_us", "available_us"))
    assert {event for _, event, _ in found} == {DAY_END_US + 1 + 12 * 3_600_000_000}
    assert [pd.Timestamp(us, unit="us") for _, _, us in found] == [
        pd.Timestamp(text) for text in known.values()
    ]


def test_number_when_it_is_no_plain_decimal_then_only_its_row_is_rejected(tmp_path):
    sizes = ["nan", "\u0661", "12 EUR", "inf", "5"]
    lines = [f"{n},2024-01-01,{size}" for n, size in enumerate(sizes)]
    version = ingest(
        tmp_path,
        {"leads.csv": "\n".join(["id,created,size", *lines, ""])},
        fields=FIELDS,
        mapping=[LEADS | {"columns": {"lead_id": "id", "event_at": "created", "size": "size"}}],
    )
    assert rows(version, "leads", "lead_id", "size") == [("4", 5)]
    assert rejects(version) == [
        ("leads", 2 + n, "leads", "type", "size", size) for n, size in enumerate(sizes[:4])
    ]


SIZED = {
    "fields": {"size": {"type": "number", "decimals": 0}},
    "mapping": [LEADS | {"columns": {"lead_id": "id", "event_at": "created", "size": "size"}}],
}


def sizes(monkeypatch: pytest.MonkeyPatch, *texts: str) -> dict[str, str]:
    """A file with numbers, of which one batch has two."""
    monkeypatch.setattr(csv_text, "BATCH_ROWS", 2)
    monkeypatch.setattr(csv_text, "read_block", lambda *_, **__: None)
    lines = [f"{n};2024-01-01;{text}" for n, text in enumerate(texts)]
    return {"leads.csv": "\n".join(["id;created;size", *lines, ""])}


@pytest.mark.parametrize(("shown", "size"), [("1.234,00", 12_000), ("8.5", 12)])
def test_number_when_a_later_batch_first_shows_the_decimal_mark_then_it_counts_from_there(
    tmp_path, monkeypatch, shown, size
):
    files = sizes(monkeypatch, "7", "1000", shown, "3", "12.000")
    version = ingest(tmp_path, files, **SIZED)
    stored = dict(rows(version, "leads", "lead_id", "size"))
    assert (stored["0"], stored["1"], stored["4"]) == (7, 1000, size)


def test_number_when_only_a_later_batch_has_marks_and_they_are_doubtful_then_it_is_asked(
    tmp_path, monkeypatch
):
    files = sizes(monkeypatch, "7", "1000", "12.000", "3")
    with pytest.raises(SourceFormatError, match=r"'12\.000' in column 'size' may have"):
        ingest(tmp_path, files, **SIZED)


def test_date_when_it_stands_for_never_then_only_its_row_is_rejected(tmp_path):
    text = "id,created\n1,9999-12-31\n2,2024-01-01\n"
    version = ingest(tmp_path, {"leads.csv": text}, timezone="Europe/Berlin", mapping=[LEADS])
    assert rows(version, "leads", "lead_id") == [("2",)]
    assert rejects(version) == [("leads", 2, "leads", "type", "event_at", "9999-12-31")]
