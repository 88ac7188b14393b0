"""Facts that do not reach their lead, and the lines that a message proposes for them."""

from __future__ import annotations

import re
import tomllib

import pytest

from ingest.hard_export import CALLS, CLOSES, DEALS, deals_csv
from leadscore.errors import UserError

PEOPLE = "Id,Status,Created,Closed,Amount,Contact Email"
KEYED = {
    "several ids in a cell": ("D1;D2", ["D1", "D2"], "the ids of several leads in one cell"),
    "a JSON list": ('"[""D1"",""D2""]"', ["D1", "D2"], "the ids of several leads in one cell"),
    "ids with slashes": ("D1 / D2", ["D1", "D2"], "the ids of several leads in one cell"),
    "an id in small letters": ("d1", ["D1"], "in other letters, capital or small, such as 'd1'"),
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
