"""What a CRM would refuse is refused before: broken files of every kind, with line and reason."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadscore.errors import UserError
from leadscore.publish.checkers.check import CHECKS, check_file
from leadscore.publish.checkers.csv_bytes import read_table

MOMENT = "2026-03-01T00:00:00.000Z"
BOM = b"\xef\xbb\xbf"
JOBS = {
    "salesforce": {
        "object": "Lead", "operation": "upsert", "externalIdFieldName": "K__c", "contentType": "CSV",
        "columnDelimiter": "COMMA", "lineEnding": "LF",
    },
    "hubspot": {
        "name": "scores", "importOperations": {"0-1": "UPDATE"}, "dateFormat": "YEAR_MONTH_DAY",
        "files": [{
            "fileName": "f.csv", "fileFormat": "CSV", "fileImportPage": {"hasHeader": True, "columnMappings": [
                {"columnObjectTypeId": "0-1", "columnName": "k", "propertyName": "k",
                 "columnType": "HUBSPOT_ALTERNATE_ID"},
                {"columnObjectTypeId": "0-1", "columnName": "score", "propertyName": "score"},
            ]},
        }],
    },
    "dynamics": {
        "operation": "upsert", "alternateKey": ["msdyn_entityid", "msdyn_entitytype"], "encoding": "utf-8-bom",
        "dateFormat": "%Y-%m-%d", "columnMappings": [
            {"source": name} for name in ("msdyn_entityid", "msdyn_entitytype", "msdyn_score", "msdyn_grade",
                                          "msdyn_scoretrend", "msdyn_scoredon", "msdyn_scorereasons")],
    },
    "odoo": {
        "model": "crm.lead", "fields": ["id", "x_score", "probability", "user_id/.id"],
        "options": {"separator": ",", "quoting": '"', "encoding": "utf-8", "has_headers": True,
                    "float_decimal_separator": ".", "datetime_format": "%Y-%m-%d %H:%M:%S"},
    },
    "pipedrive": {"key": "ID", "dateFormat": "%Y-%m-%d", "columnMappings": [{"column": "ID"}, {"column": "Score"}]},
    "generic": {"resources": [{"path": "f.csv", "schema": {"primaryKey": ["k"], "fields": [
        {"name": "k", "type": "string"}, {"name": "score", "type": "number"}, {"name": "on", "type": "datetime"}]}}]},
}  # fmt: skip
FILES = {
    "salesforce": b'K__c,Score__c,At__c,Why__c\na,80.5,' + MOMENT.encode() + b',"x, ""y"""\nb,#N/A,,z\n',
    "hubspot": b"k,score\na,80.5\nb,\n",
    "dynamics": BOM + b"msdyn_entityid,msdyn_entitytype,msdyn_score,msdyn_grade,msdyn_scoretrend,msdyn_scoredon,"
    b"msdyn_scorereasons\r\na,lead,80,0,1,2026-03-01,why\r\nb,lead,,,3,,\r\n",
    "odoo": b"id,x_score,probability,user_id/.id\nls.lead_1,80,50.00,7\nls.lead_2,81,51.00,7\n",
    "pipedrive": b"ID,Score\r\n1,80\r\n2,\r\n",
    "generic": b"k,score,on\na,80.5,2026-03-01T00:00:00.000000Z\nb,,\n",
}  # fmt: skip
FIELDS = {
    "key": {"field": "K__c"},
    "fields": [
        {"field": "Score__c", "type": "Number(16, 2)"},
        {"field": "At__c", "type": "Date/Time"},
        {"field": "Why__c", "type": "Text(20)"},
    ],
}


def check(folder, kind, data=None, job=None, *, fields=False, name="f.csv"):
    (folder / name).write_bytes(FILES[kind] if data is None else data)
    if job is not False:
        (folder / "f.job.json").write_text(json.dumps(JOBS[kind] if job is None else job))
    if fields:
        (folder / "FIELDS.json").write_text(json.dumps(FIELDS))
    return check_file(folder / name, kind)


@pytest.mark.parametrize("kind", CHECKS)
def test_file_when_it_keeps_the_contract_then_nothing_is_refused(tmp_path, kind):
    assert check(tmp_path, kind, fields=kind == "salesforce") == []


BROKEN = [
    # as CSV, wherever it goes
    ("salesforce", "b,#N/A", 'b,"#N/A" ', 3, "beside a value"),
    ("salesforce", "b,#N/A", 'b, "#N/A"', 3, "beside a value"),
    ("salesforce", "b,#N/A", 'b,#"N/A', 3, "beside a value"),
    ("salesforce", "80.5", '"80.5', 2, "beside a value"),
    ("salesforce", ",z\n", "\n", 3, "3 values; the header has 4"),
    ("salesforce", ",z\n", ",z,\n", 3, "5 values"),
    ("salesforce", ",z\n", ",z\r\n", 3, "does not end with LF"),
    ("salesforce", "x, ", "x\x00 ", 2, "hidden character U+0000"),
    ("salesforce", "x, ", "x\u202e ", 2, "hidden character U+202E"),
    ("salesforce", "x, ", "x\x1b[31m ", 2, "hidden character U+001B"),
    ("salesforce", ",z\n", ",'=1+1\n", 3, "apostrophe"),
    ("salesforce", ",z\n", ",z\n\n", 4, "1 values"),
    ("salesforce", "K__c", "\ufeffK__c", 1, "byte order mark"),
    ("salesforce", "Why__c", "Score__c", 1, "there twice"),
    ("salesforce", "Why__c", "why text", 1, "no API name"),
    ("salesforce", "Why__c", "", 1, "no API name"),
    # keys
    ("salesforce", "b,#N/A", "a,#N/A", 3, "already, on line 2"),
    ("salesforce", "b,#N/A", ",#N/A", 3, "the key is empty"),
    ("salesforce", "b,#N/A", "#N/A,#N/A", 3, "the key is null"),
    ("salesforce", "K__c", "Other__c", 1, "column is missing"),
    # types, by the list of fields
    ("salesforce", "80.5", "1.234,5", 2, "values"),
    ("salesforce", "80.5", "NaN", 2, "no number"),
    ("salesforce", "80.5", "inf", 2, "no number"),
    ("salesforce", "80.5", "1e999", 2, "more digits"),
    ("salesforce", "80.5", "1e21", 2, "more digits"),
    ("salesforce", MOMENT, "2026-03-01 00:00:00", 2, "no date"),
    ("salesforce", MOMENT, "2026-02-30T00:00:00.000Z", 2, "no date"),
    ("salesforce", MOMENT, "2026-03-01T00:00:00Z", 2, "no date"),
    ("salesforce", ",z\n", "," + "z" * 21 + "\n", 3, "longer than 20"),
    ("salesforce", ",z\n", "," + "\U0001f600" * 11 + "\n", 3, "longer than 20"),
    ("salesforce", ",z\n", "," + "z" * 32_001 + "\n", 3, "longer than 32,000"),
    ("hubspot", "b,", "a,", 3, "already"),
    ("hubspot", "k,score", "k,other", 0, "order of the file"),
    ("dynamics", "\ufeff", "", 1, "no byte order mark"),
    ("dynamics", "a,lead,80", "a,lead,80.5", 2, "whole number from 0 to 100"),
    ("dynamics", "a,lead,80", "a,lead,101", 2, "whole number"),
    ("dynamics", "80,0,1", "80,A,1", 2, "from 0 to 3"),
    ("dynamics", "80,0,1", "80,0,4", 2, "from 0 to 3"),
    ("dynamics", "a,lead", "a,account", 2, "no type that has scores"),
    ("dynamics", "2026-03-01", "01.03.2026", 2, "no date"),
    ("dynamics", "why", "w" * 2001, 2, "longer than 2,000"),
    ("dynamics", "b,lead", "a,lead", 3, "already"),
    ("dynamics", "why\r\n", "why\n", 2, "CRLF"),
    ("odoo", "50.00", "100", 2, "won"),
    ("odoo", "50.00", "0", 2, "lost"),
    ("odoo", "50.00", "", 2, "read as 0"),
    ("odoo", "51.00,7", "51.00,", 3, "erases"),
    ("odoo", "ls.lead_2", "lead_2", 3, "prefix"),
    ("odoo", "ls.lead_2", "ls.lead_1", 3, "already"),
    ("odoo", "x_score", "automated_probability", 1, "read-only"),
    ("odoo", "user_id/.id", "user_id", 1, "user_id/id"),
    ("odoo", "x_score", "Lead Score", 1, "no technical name"),
    ("pipedrive", "\r\n2,", "\r\nx,", 3, "whole number"),
    ("pipedrive", "\r\n2,", "\r\n02,", 3, "whole number"),
    ("pipedrive", "\r\n2,", "\r\n1,", 3, "already"),
    ("generic", "80.5", "high", 2, "no number"),
    ("generic", "00.000000Z", "00", 2, "no datetime"),
    ("generic", "b,,", "a,,", 3, "already"),
    ("generic", "b,,", ",,", 3, "empty"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "old", "new", "line", "reason"), BROKEN)
def test_file_when_broken_then_is_refused_with_line_and_reason(
    tmp_path, kind, old, new, line, reason
):
    text = FILES[kind].decode()
    assert old in text
    broken = text.replace(old, new, 1).encode()
    problems = check(tmp_path, kind, broken, fields=kind == "salesforce")
    assert any(p.line == line and reason in p.reason for p in problems), problems


@pytest.mark.parametrize(("data", "reason"), [
    (b"", "is empty"),
    (b"K__c\nb\xff\n", "not UTF-8: byte 0xff"),
    ("K__c\nb\u00e9\n".encode("latin-1"), "not UTF-8"),
    ("K__c\nb\n".encode("utf-16"), "not UTF-8"),
    (BOM + b"K__c\nb\n", "byte order mark"),
])  # fmt: skip
def test_file_when_its_bytes_are_none_of_csv_then_is_refused(tmp_path, data, reason):
    assert any(reason in problem.reason for problem in check(tmp_path, "salesforce", data))


def changed(kind, **keys):
    return JOBS[kind] | keys


def dropped(kind, key):
    return {name: value for name, value in JOBS[kind].items() if name != key}


@pytest.mark.parametrize(("kind", "job", "reason"), [
    ("salesforce", False, "--job"),
    ("salesforce", changed("salesforce", lineEnding="CRLF"), "does not end with CRLF"),
    ("salesforce", changed("salesforce", lineEnding="CR"), 'is "CR"; it must be LF or CRLF'),
    ("salesforce", changed("salesforce", columnDelimiter="SEMICOLON"), "column is missing"),
    ("salesforce", changed("salesforce", operation="delete"), "it must be upsert or update"),
    ("salesforce", changed("salesforce", extra=1), "is no key of a job"),
    ("salesforce", changed("salesforce", object=""), "is missing; it must be an API name"),
    ("salesforce", dropped("salesforce", "externalIdFieldName"), "is missing; it must be an API name, as an upsert needs it"),
    ("salesforce", changed("salesforce", operation="update"), "column is missing"),
    ("hubspot", False, "--job"),
    ("hubspot", changed("hubspot", importOperations={"0-1": "CREATE"}), "UPDATE"),
    ("hubspot", changed("hubspot", importOperations={"contacts": "UPDATE"}), "type id"),
    ("hubspot", changed("hubspot", dateFormat="DAY_MONTH_YEAR"), "YEAR_MONTH_DAY"),
    ("hubspot", changed("hubspot", files=[]), "must name one file"),
    ("dynamics", changed("dynamics", operation="create"), "must be upsert"),
    ("dynamics", changed("dynamics", alternateKey=["msdyn_entityid"]), "msdyn_entitytype"),
    ("dynamics", changed("dynamics", encoding="utf-8"), "byte order mark"),
    ("odoo", changed("odoo", model="Lead"), "technical name of a model"),
    ("odoo", changed("odoo", fields=["id"]), "order of the file"),
    ("odoo", changed("odoo", options={}), "is missing; it must be ,"),
    ("pipedrive", changed("pipedrive", key="Other"), "column is missing"),
    ("generic", {"resources": []}, "describe f.csv once"),
])  # fmt: skip
def test_job_when_it_does_not_fit_the_file_then_is_refused(tmp_path, kind, job, reason):
    problems = check(tmp_path, kind, job=job)
    assert any(reason in problem.reason for problem in problems), problems


CALL = {
    "method": "POST", "path": "/crm/v3/objects/0-1/batch/update",
    "body": {"inputs": [{"id": "a", "idProperty": "k", "properties": {"score": ""}}]},
}  # fmt: skip
PATCH = {
    "method": "PATCH", "headers": {"If-Match": "*"}, "body": {"msdyn_score": None, "msdyn_scoretrend": 3},
    "path": "/api/data/v9.2/msdyn_predictivescores(msdyn_entityid='a',msdyn_entitytype='lead')",
}  # fmt: skip
EDIT = {"method": "PATCH", "path": "/api/v2/deals/1", "body": {"custom_fields": {"S": None}}}


def inputs(*records):
    return CALL | {"body": {"inputs": list(records)}}


RECORD = CALL["body"]["inputs"][0]


@pytest.mark.parametrize(("kind", "request_", "reason"), [
    ("hubspot", CALL, None),
    ("hubspot", CALL | {"method": "PUT"}, "no POST"),
    ("hubspot", inputs(), "0 records"),
    ("hubspot", inputs(*[RECORD | {"id": str(n)} for n in range(101)]), "101 records"),
    ("hubspot", inputs(RECORD, RECORD), "there twice"),
    ("hubspot", inputs(RECORD | {"idProperty": "email"}), "by email"),
    ("hubspot", inputs({"id": "x", "properties": {"score": ""}}), "whole number"),
    ("hubspot", inputs(RECORD | {"properties": {"score": None}}), "must be text"),
    ("hubspot", inputs(RECORD | {"properties": {"createdate": ""}}), "no property"),
    ("hubspot", {}, "no request"),
    ("dynamics", PATCH, None),
    ("dynamics", PATCH | {"headers": {}}, "would be created"),
    ("dynamics", PATCH | {"path": "/leads(1)"}, "no PATCH"),
    ("dynamics", PATCH | {"body": {"msdyn_grade": 9}}, "from 0 to 3"),
    ("hubspot", inputs(RECORD | {"idProperty": None}), "no internal name"),
    ("hubspot", inputs(RECORD | {"idProperty": []}), "no internal name"),
    ("hubspot", inputs(1), "without id"),
    ("hubspot", CALL | {"body": {"inputs": None}}, "0 records"),
    ("dynamics", PATCH | {"body": ""}, "names no column"),
    ("dynamics", PATCH | {"body": {"msdyn_scorereasons": {"a": 1}}}, "no text"),
    ("dynamics", PATCH | {"body": {"msdyn_score": "80"}}, "whole number"),
    ("dynamics", PATCH | {"body": {"Name": "x"}}, "no column"),
    ("pipedrive", EDIT, None),
    ("pipedrive", EDIT | {"body": {}}, "custom_fields"),
    ("pipedrive", EDIT | {"method": None}, "no PATCH"),
    ("pipedrive", EDIT | {"path": "x"}, "no PATCH"),
    ("pipedrive", EDIT | {"body": {"custom_fields": {"S": []}}}, "no text"),
])  # fmt: skip
def test_request_when_its_crm_would_refuse_it_then_is_refused_by_line(
    tmp_path, kind, request_, reason
):
    good = {
        "hubspot": CALL,
        "dynamics": PATCH,
        "pipedrive": EDIT,
    }
    lines = f"{json.dumps(good[kind])}\n{json.dumps(request_)}\n".encode()
    problems = check(tmp_path, kind, lines, name="f.jsonl")
    if reason is None:
        assert problems == []
    else:
        assert {problem.line for problem in problems} == {2}
        assert any(reason in problem.reason for problem in problems)


CELLS = st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Cn"]), max_size=9)
ROWS = st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6)


@given(ROWS)
def test_parser_when_compared_with_another_then_reads_the_same(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("a", "b"), *rows])
    table = read_table(text.getvalue().encode(), ending="LF", bom=False)
    assert [record.values for record in table.records] == rows


@given(ROWS, st.data())
def test_parser_when_a_quote_is_lost_then_never_passes_silently(rows, data):
    text = io.StringIO()
    quoted = [('x,"y"', second) for _, second in rows]
    csv.writer(text, lineterminator="\n").writerows([("a", "b"), *quoted])
    whole = text.getvalue()
    quotes = [place for place, character in enumerate(whole) if character == '"']
    place = data.draw(st.sampled_from(quotes))
    broken = whole[:place] + whole[place + 1 :]
    table = read_table(broken.encode(), ending="LF", bom=False)
    assert table.problems


@given(st.binary(max_size=200), st.sampled_from(list(CHECKS)))
def test_checker_when_given_any_bytes_then_answers(data, kind):
    CHECKS[kind]("f.csv", data, JOBS[kind], None)


def test_check_when_asked_for_an_unknown_contract_then_names_the_nearest(tmp_path):
    with pytest.raises(UserError, match="did you mean 'salesforce'"):
        check_file(tmp_path / "x.csv", "sales_force")
    with pytest.raises(UserError, match="there is no file"):
        check_file(tmp_path / "x.csv", "odoo")


OWNERS = [
    ("R05", "is no id of a user (005...) or a queue (00G...)"),
    ("00Q000000000001", "is no id of a user (005...) or a queue (00G...)"),  # a lead's
    ("005000000000001", ""),
    ("00G000000000001AAA", ""),
    ("", ""),
    ("#N/A", ""),
]


@pytest.mark.parametrize(("owner", "words"), OWNERS)
def test_owner_when_it_is_no_user_of_salesforce_then_is_refused(tmp_path, owner, words):
    problems = check(tmp_path, "salesforce", f"K__c,OwnerId\na,{owner}\n".encode())
    assert [(problem.line, problem.field) for problem in problems] == [(2, "OwnerId")] * bool(words)
    assert all(words in problem.reason for problem in problems)


@pytest.mark.parametrize(("owner", "is_refused"), [("R05", True), ("0", True), ("42", False)])
def test_owner_when_it_is_no_number_of_a_hubspot_user_then_is_refused(tmp_path, owner, is_refused):
    column = {
        "columnObjectTypeId": "0-1",
        "columnName": "hubspot_owner_id",
        "propertyName": "hubspot_owner_id",
    }
    job = json.loads(json.dumps(JOBS["hubspot"]))
    page = job["files"][0]["fileImportPage"]
    page["columnMappings"] = [page["columnMappings"][0], column]
    problems = check(tmp_path, "hubspot", f"k,hubspot_owner_id\na,{owner}\n".encode(), job)
    assert [problem.line for problem in problems] == [2] * is_refused
