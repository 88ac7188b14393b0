"""Which rows an entry takes, and the values that it gives to our columns."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.mapping.mapped import SOURCES, account, ingest_log, rejects, rows
from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers.sources import Batch

DAY_END_US = 1_704_153_599_999_999  # 2024-01-01T23:59:59.999999Z
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
