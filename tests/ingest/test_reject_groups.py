import pyarrow as pa
import pytest

from builders import make_settings
from leadscore.ingest.reject_groups import group_rejects
from leadscore.tables import REJECTS

ENTRY = {
    "source": "calls",
    "table": "activities",
    "columns": {"lead_id": "Deal", "event_at": "Started", "duration_min": "Length"},
    "values": {"Type": {"in": {"kind": "call"}}},
}
LEADS = {"source": "calls", "table": "leads", "columns": {"lead_id": "Deal", "event_at": "Started"}}


def rejects(*rows: tuple[str, str | None, str, str | None]) -> pa.Table:
    """Rejected rows by rule, table, column and value."""
    table = [
        {
            "source": "calls",
            "file": "calls.csv",
            "line": line,
            "severity": "refused",
            "rule": rule,
            "table": name,
            "column": column,
            "value": value,
            "lead_id": None,
        }
        for line, (rule, name, column, value) in enumerate(rows)
    ]
    return pa.Table.from_pylist(table, schema=REJECTS)


@pytest.mark.parametrize(
    ("row", "column", "cure"),
    [
        (("unmapped", "activities", "Type", 'an "odd" one'), "Type", r'"an \"odd\" one" = { ... }'),
        (("unselected", None, "Type", "x"), "Type", 'ignore.not_needed = { "Type" = ["x"] }'),
        (
            ("unselected", None, "Type", "x"),
            "Type",
            "to use them: add a mapping entry that selects",
        ),
        (("allowed", "stages", "stage", "Demo"), "stage", 'open = ["New", "Demo"]'),
        (("allowed", "activities", "kind", "fax"), "kind", 'under [kinds]: "fax" = "..."'),
        (("type", "activities", "event_at", "never"), "Started", "dates = ..., a pattern"),
        (("type", "outcomes", "event_at", "never"), "event_at", 'type = "warn"'),
        (("type", "activities", "duration_s", "long"), "Length", "durations are read as"),
        (("type", "activities", "duration_s", "26:15"), "Length", "'0:' || \"Length\" for minutes"),
        (("not_a_lead", "leads", "lead_id", "Sum"), "Deal", 'ignore.totals = { "Deal" = ["Sum"] }'),
        (("id_kind", "leads", "lead_id", "x"), "Deal", 'ignore.other_ids = { "Deal" = ["x"] }'),
        (("money", "leads", "currency", "GBP"), "currency", "[money.rates]: GBP = ..."),
        (
            ("money", "leads", "currency", "kr"),
            "currency",
            "of SEK, NOK, DKK, ISK that 'kr' means;",
        ),
        (("money", "leads", "currency", "EUR"), "currency", "the mark beside the number name two"),
    ],
)
def test_group_when_a_rule_was_broken_then_names_the_file_column_and_the_line_to_write(
    row: tuple[str, str | None, str, str], column: str, cure: str
) -> None:
    settings = make_settings(
        sources={"calls": {"path": "calls.csv"}},
        mapping=[LEADS, ENTRY],
        stages={"open": ["New"]},
        money={"currency": "EUR"},
    )

    (group,) = group_rejects(rejects(row, row, row), settings)

    assert (group.rows, group.values, group.distinct) == (3, ((row[3], 3),), 1)
    assert group.column == column
    assert any(cure in line for line in group.cure)


def test_groups_when_many_values_are_wrong_then_the_commonest_come_first() -> None:
    settings = make_settings(sources={"calls": {"path": "calls.csv"}}, mapping=[LEADS, ENTRY])
    rows = [("unmapped", "activities", "Type", f"v{n % 9}") for n in range(30)]
    rows.append(("required", "activities", "event_at", None))

    first, second = group_rejects(rejects(*rows), settings)

    assert (first.rows, first.distinct, len(first.values)) == (30, 9, 6)
    assert (second.rule, second.rows, second.values, second.cure) == ("required", 1, (), ())
