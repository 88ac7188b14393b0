"""Values by the type of their column: what is stored of them, and which rows they cost."""

import pytest

from builders import make_settings
from ingest.mapping.mapped import LEADS, account, ingest, ingest_log, rejects, rows
from leadscore import project as jobs
from leadscore.errors import SourceFormatError, UserError
from leadscore.ingest.readers import csv_text
from leadscore.store.version import StoreVersion

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
        ("budget,45 %\n1,2024-01-02,budget,50", "with or without a percent sign"),
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


CHANGED = {
    "table": "changes",
    "columns": {"lead_id": "id", "event_at": "t", "field": "f", "value": "v"},
}


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        (["amount;12.000,50", "amount;13.000"], ["1200050", "1300000"]),
        (["amount;$1,200.50", "amount;13,000"], ["60025", "1300000"]),
        (["amount;12.000", "budget;1,5"], ["1200000", "150"]),
        (["amount;\u20ac5", "amount;USD 4", "amount;3"], ["500", "200", "300"]),
        (["amount;12.000", "city;1,5"], None),
        (["city;12.000", "amount;1,5"], ["12.000", "150"]),
    ],
)
def test_changes_when_fields_are_numbers_then_they_show_the_decimal_mark_and_amounts_their_currency(
    tmp_path, changes, values
):
    lines = [f"1;2024-01-0{day};{change}" for day, change in enumerate(changes, 1)]
    text = "\n".join(["id;t;f;v", *lines, ""])
    money = {"currency": "EUR", "rates": {"USD": "0.5"}}
    if values is None:
        with pytest.raises(SourceFormatError, match=r"'12\.000' in column 'v' may have a decimal"):
            ingest_log(tmp_path, text, CHANGED, fields=FIELDS)
    else:
        version = ingest_log(tmp_path, text, CHANGED, fields=FIELDS, money=money)
        assert [value for (value,) in rows(version, "changes", "value")] == values


@pytest.mark.parametrize("rates", [{"USD": "0.5"}, {}])
def test_changes_when_leads_have_currencies_then_it_is_said_what_amounts_without_one_count_as(
    tmp_path, rates
):
    columns = {"lead_id": "id", "event_at": "created", "amount": "a", "currency": "c"}
    settings = make_settings(
        input_folder=tmp_path,
        data_folder=tmp_path / "data",
        known_until="2100-01-01",
        sources={"leads": {"path": "leads.csv"}, "log": {"path": "log.csv"}},
        mapping=[LEADS | {"columns": columns}, {"source": "log"} | CHANGED],
        money={"currency": "EUR", "rates": rates},
    )
    (tmp_path / "leads.csv").write_text("id,created,a,c\n1,2024-01-01,5,EUR\n")
    (tmp_path / "log.csv").write_text("id,t,f,v\n1,2024-01-02,amount,9\n")
    warnings = jobs.ingest(settings).warnings
    assert any("changes count as EUR" in warning for warning in warnings) == bool(rates)


def test_ids_when_they_look_like_numbers_then_they_stay_text(tmp_path):
    text = "id,created\n00012,2024-01-01\n12,2024-01-01\n1e3,2024-01-01\nNA,2024-01-01\n"
    version = ingest(tmp_path, {"leads.csv": text}, mapping=[LEADS])
    assert rows(version, "leads", "lead_id") == [("00012",), ("12",), ("1e3",), ("NA",)]


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
