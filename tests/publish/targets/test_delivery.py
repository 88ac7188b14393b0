"""What targets are written: files that their checkers take, of what changed, and clears of leads that left."""

import csv
import hashlib
import io
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from leadscore.errors import CorruptFileError, UserError
from leadscore.publish.targets.text import clean_text, count_units, cut_text
from publish.targets.lists import CRMS, make_list, problems, write

SECOND = "20240411T000000Z-000000000002"
DAY_US = 86_400_000_000


def read(delivery, number=1):
    data = (delivery.folder / f"scores-{number:03d}.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(data, newline="")))


def requests(delivery):
    text = (delivery.folder / "clears-001.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("kind", CRMS)
def test_file_when_texts_are_hostile_then_its_checker_takes_every_part(tmp_path, kind):
    delivery = write(tmp_path, make_list(40), kind)
    assert problems(delivery) == []
    assert delivery.manifest["counts"]["written"] == 40
    assert delivery.manifest["refused"] == []


@pytest.mark.parametrize("kind", CRMS)
def test_file_when_the_list_has_no_date_then_its_checker_takes_it(tmp_path, kind):
    assert problems(write(tmp_path, make_list(3), kind, as_of_us=None)) == []


@pytest.mark.parametrize("kind", CRMS)
@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(max_size=300), min_size=1, max_size=8))
@example(texts=["'@", "''=1", "\u202e'-1", " '+49 30 1234"])
def test_file_when_texts_are_anything_then_its_checker_takes_it(tmp_path_factory, kind, texts):
    rows = {f"{n}": {"reason_up_1": clean(text)} for n, text in enumerate(texts, start=1)}
    delivery = write(tmp_path_factory.mktemp("any"), make_list(rows), kind)
    assert problems(delivery) == []


def clean(text):
    return text.encode("utf-8", "ignore").decode()


@pytest.mark.parametrize("kind", CRMS)
def test_lead_when_it_left_the_list_then_its_fields_are_cleared_once(tmp_path, kind):
    write(tmp_path, make_list({"1": {}, "2": {}, "3": {}}), kind)
    delta = write(tmp_path, make_list({"1": {}}), kind, name=SECOND)
    assert delta.manifest["counts"] == {
        "on_the_list": 1, "written": 0, "unchanged": 1, "cleared": 2, "refused": 0,
    }  # fmt: skip
    assert problems(delta) == []
    assert delta.manifest["parts"] == (
        ["clears-001.jsonl"] if kind in {"hubspot", "dynamics"} else ["scores-001.csv"]
    )
    third = write(tmp_path, make_list({"1": {}}), kind, name=SECOND + "x")
    assert third.manifest["counts"]["cleared"] == 0
    full = write(tmp_path, make_list({"1": {}}), kind, name=SECOND + "x", mode="full")
    assert full.manifest["counts"]["cleared"] == 2


def test_clear_when_written_for_each_crm_then_is_what_empties_a_field_there(tmp_path):
    def cleared(kind, **how):
        write(tmp_path / kind, make_list({"7": {}, "8": {}}), kind, **how)
        return write(tmp_path / kind, make_list({"8": {}}), kind, name=SECOND, **how)

    (row,) = read(cleared("salesforce"))
    assert row.pop("Leadscore_Id__c") == "7"
    assert set(row.values()) == {"#N/A"}

    (row,) = read(cleared("odoo"))
    assert row.pop("id") == "leadscore.lead_7"
    assert set(row.values()) == {""}

    (call,) = requests(cleared("hubspot"))
    (record,) = call["body"]["inputs"]
    assert (record["id"], record["idProperty"]) == ("7", "leadscore_id")
    assert set(record["properties"].values()) == {""}

    (patch,) = requests(cleared("dynamics"))
    assert "msdyn_entityid='7',msdyn_entitytype='lead'" in patch["path"]
    assert patch["headers"] == {"If-Match": "*"}
    assert patch["body"] == {
        "msdyn_score": None, "msdyn_grade": None, "msdyn_scoretrend": 3,
        "msdyn_scoredon": None, "msdyn_scorereasons": None,
    }  # fmt: skip

    (row,) = read(cleared("generic"))
    assert (row["lead_id"], row["status"], row["score"]) == ("7", "cleared", "")


def test_lead_when_excluded_by_hand_then_is_cleared(tmp_path):
    scores = make_list({"1": {}, "2": {}})
    write(tmp_path, scores, "salesforce")
    delta = write(tmp_path, scores, "salesforce", name=SECOND, excluded=("2",))
    assert delta.manifest["counts"]["cleared"] == 1
    assert [row["Leadscore_Id__c"] for row in read(delta)] == ["2"]


def test_text_when_it_is_gone_from_a_lead_then_the_stale_one_is_cleared(tmp_path):
    write(tmp_path / "s", make_list({"1": {}}), "salesforce")
    write(tmp_path / "h", make_list({"1": {}}), "hubspot")
    without = make_list({"1": {"reason_up_1": "", "reason_up_2": "New"}})
    (row,) = read(write(tmp_path / "s", without, "salesforce", name=SECOND))
    assert (row["Leadscore_Reason_Up_1__c"], row["Leadscore_Reason_Up_2__c"]) == ("#N/A", "New")
    (call,) = requests(write(tmp_path / "h", without, "hubspot", name=SECOND))
    (record,) = call["body"]["inputs"]
    assert record["properties"]["leadscore_reason_up_1"] == ""
    assert "leadscore_reason_up_2" not in record["properties"]


def test_owner_when_a_lead_is_cleared_or_not_routed_then_stays_as_it_is(tmp_path):
    import pyarrow as pa

    def routed(rows, reps):
        scores = make_list(rows)
        return scores.append_column("rep_id", pa.array(reps, pa.string()))

    owner = {"rep_id": "OwnerId"}
    write(tmp_path / "s", routed({"1": {}, "2": {}}, ["u", "v"]), "salesforce", fields=owner)
    rows = read(
        write(tmp_path / "s", routed({"1": {"score": 5.0}}, [None]), "salesforce", name=SECOND, fields=owner)
    )  # fmt: skip
    assert [row["OwnerId"] for row in rows] == ["", ""]

    owner = {"rep_id": "user_id/.id"}
    write(tmp_path / "o", routed({"1": {}, "2": {}}, ["3", "4"]), "odoo", fields=owner)
    delta = write(tmp_path / "o", routed({"1": {}}, ["3"]), "odoo", name=SECOND, fields=owner)
    assert problems(delta) == []
    assert "user_id/.id" not in read(delta)[0]


@pytest.mark.parametrize(("value", "written"), [(1.0, "99.99"), (0.0, "0.01"), (0.5, "50.00")])
def test_probability_of_odoo_when_certain_then_neither_wins_nor_loses_the_lead(
    tmp_path, value, written
):
    own = {"win_probability": "probability"}
    scores = make_list({"1": {"win_probability": value}})
    delivery = write(tmp_path, scores, "odoo", fields=own)
    assert read(delivery)[0]["probability"] == written
    cleared = write(tmp_path, make_list({"2": {}}), "odoo", fields=own, name=SECOND)
    assert problems(cleared) == []
    assert "probability" not in read(cleared, 2)[0]


@pytest.mark.parametrize(("changed", "is_sent"), [
    ({"win_probability": 0.27}, False),
    ({"win_probability": 0.275}, True),
    ({"score": 81.9}, False),
    ({"score": 82.5}, True),
    ({"amount": 1019.0}, False),
    ({"amount": 1030.0}, True),
    ({"expected_value": 300.0}, False),
    ({"expected_value": 320.0}, True),
    ({"expected_value": None}, True),
    ({"tier": "A"}, True),
    ({"reason_up_1": "Called"}, True),
    ({"reason_up_1": "Replied 4 times (18% of 1,234 similar leads were won)"}, False),
    ({"reason_up_1": "Replied 4 times, then not (18% of 1,234 similar leads were won)"}, True),
])  # fmt: skip
def test_delta_when_a_value_changes_then_only_beyond_the_tolerance_is_it_written(
    tmp_path, changed, is_sent
):
    own = {"amount": "Amount__c"}
    usual = {
        "amount": 1000.0,
        "reason_up_1": "Replied 3 times (17% of 987 similar leads were won)",
    }
    write(tmp_path, make_list({"1": usual, "2": {}}), "salesforce", fields=own)
    later = make_list({"1": usual | changed, "2": {}})
    delta = write(tmp_path, later, "salesforce", name=SECOND, fields=own)
    assert delta.manifest["counts"]["written"] == is_sent
    assert delta.manifest["counts"]["unchanged"] == 2 - is_sent


def test_delta_when_a_value_creeps_then_is_compared_with_what_was_delivered(tmp_path):
    sent = []
    for step in range(6):
        scores = make_list({"1": {"win_probability": 0.25 + 0.008 * step}})
        delivery = write(tmp_path, scores, "hubspot", name=f"{SECOND}{step}")
        sent.append(delivery.manifest["counts"]["written"])
    assert sent == [1, 0, 0, 1, 0, 0]


def test_delta_when_half_of_the_validity_is_over_then_the_lead_is_written_again(tmp_path):
    from publish.targets.lists import AS_OF

    def after(days):
        scores = make_list({"1": {}}, as_of_us=AS_OF + days * DAY_US)
        delivery = write(
            tmp_path, scores, "salesforce", name=f"{SECOND}{days}", as_of_us=AS_OF + days * DAY_US
        )
        return delivery.manifest["counts"]["written"]  # fmt: skip

    assert [after(days) for days in (0, 3, 7, 8, 9)] == [1, 0, 0, 1, 0]


@pytest.mark.parametrize("kind", CRMS)
def test_delivery_when_repeated_then_writes_the_same_bytes_and_mends_what_was_damaged(
    tmp_path, kind
):
    write(tmp_path, make_list({"1": {}, "2": {}}), kind)
    again = make_list({"1": {"score": 1.0}})
    first = write(tmp_path, again, kind, name=SECOND)
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    damaged = first.folder / first.manifest["parts"][0]
    damaged.write_bytes(b"?")
    second = write(tmp_path, again, kind, name=SECOND)
    assert second.id == first.id
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == before


def test_delivery_when_its_process_died_before_it_counted_then_the_next_is_the_same(tmp_path):
    write(tmp_path, make_list({"1": {}, "2": {}}), "salesforce")
    pointer = (tmp_path / "current.json").read_bytes()
    done = write(tmp_path, make_list({"1": {}}), "salesforce", name=SECOND)
    (tmp_path / "current.json").write_bytes(pointer)
    assert write(tmp_path, make_list({"1": {}}), "salesforce", name=SECOND).id == done.id


def test_delivery_when_what_the_target_holds_is_damaged_then_only_a_full_one_is_written(tmp_path):
    first = write(tmp_path, make_list({"1": {}}), "salesforce")
    (first.folder / "state.parquet").write_bytes(b"?")
    with pytest.raises(CorruptFileError):
        write(tmp_path, make_list({"1": {}}), "salesforce", name=SECOND)
    full = write(tmp_path, make_list({"1": {}}), "salesforce", name=SECOND, mode="full")
    assert full.manifest["counts"]["written"] == 1


def test_checksums_when_recomputed_then_are_those_of_the_files(tmp_path):
    delivery = write(tmp_path, make_list(3), "hubspot")
    lines = (delivery.folder / "SHA256SUMS").read_text().splitlines()
    assert len(lines) == len(list(delivery.folder.iterdir())) - 2
    for line in lines:
        sha256, name = line.split("  ")
        assert hashlib.sha256((delivery.folder / name).read_bytes()).hexdigest() == sha256


def test_file_when_larger_than_its_limit_then_is_split_between_rows(tmp_path):
    delivery = write(tmp_path, make_list(200), "salesforce", max_bytes=10_000)
    parts = delivery.manifest["parts"]
    assert len(parts) == 3
    assert problems(delivery) == []
    keys = [row["Leadscore_Id__c"] for n in range(1, len(parts) + 1) for row in read(delivery, n)]
    assert keys == [f"{n:05d}" for n in range(1, 201)]
    assert all((delivery.folder / name).stat().st_size <= 10_000 for name in parts)


@pytest.mark.parametrize(("kind", "preset", "lead", "reason"), [
    ("salesforce", None, "#N/A", "null"),
    ("salesforce", "salesforce", "12", "15 or 18"),
    ("hubspot", "hubspot/fivetran", "a1", "digits"),
    ("odoo", "odoo", "007", "whole number"),
    ("hubspot", "hubspot", "00012", "begin with 0"),
    ("pipedrive", "pipedrive", "00012", "begin with 0"),
    ("odoo", None, "a b", "one dot"),
    ("pipedrive", "pipedrive", "x", "digits"),
    ("generic", None, "a\x00b", "control"),
    ("generic", None, " a", "blank"),
    ("dynamics", None, "x" * 256, "255"),
])  # fmt: skip
def test_lead_when_its_id_is_no_key_there_then_is_refused_by_name_and_the_rest_written(
    tmp_path, kind, preset, lead, reason
):
    good = {"salesforce": "00Q000000000001"}.get(kind, "12345")
    delivery = write(tmp_path, make_list({lead: {}, good: {}}), kind, preset=preset)
    (refused,) = delivery.manifest["refused"]
    assert refused["lead_id"] == lead
    assert reason in refused["reason"]
    assert delivery.manifest["counts"]["written"] == 1
    assert problems(delivery) == []


@pytest.mark.parametrize(("kind", "key", "job"), [
    ("salesforce", None, {"operation": "upsert", "externalIdFieldName": "Leadscore_Id__c", "object": "Lead"}),
    ("salesforce", "Id", {"operation": "update", "object": "Lead", "lineEnding": "LF"}),
    ("hubspot", None, {"importOperations": {"0-1": "UPDATE"}, "dateFormat": "YEAR_MONTH_DAY"}),
    ("dynamics", None, {"alternateKey": ["msdyn_entityid", "msdyn_entitytype"], "encoding": "utf-8-bom"}),
    ("odoo", None, {"model": "crm.lead"}),
])  # fmt: skip
def test_job_when_written_then_states_object_key_and_operation(tmp_path, kind, key, job):
    lead = "00Q000000000001"
    how = {} if key is None else {"key": key}
    delivery = write(tmp_path, make_list({lead: {}}), kind, **how)
    written = json.loads((delivery.folder / "scores-001.job.json").read_text())
    assert job.items() <= written.items()


def test_fields_when_stated_then_rename_add_and_leave_out(tmp_path):
    fields = {"tier": "Rating", "score": "", "log_odds": "Log_Odds__c"}
    delivery = write(tmp_path, make_list(2), "salesforce", fields=fields)
    (row, _) = read(delivery)
    assert row["Rating"] == "B"
    assert row["Log_Odds__c"] == "-1.1000"
    assert "Leadscore_Score__c" not in row
    listed = json.loads((delivery.folder / "FIELDS.json").read_text())
    assert {"field": "Rating", "type": "Text(255)", "create": "if missing", "of": "tier", "meaning": "A, B, C or D"} in listed["fields"]  # fmt: skip
    assert "| `Rating` |" in (delivery.folder / "FIELDS.md").read_text()


@pytest.mark.parametrize(("how", "problem"), [
    ({"kind": "salesforce", "fields": {"rep_id": "OwnerId"}}, "need \\[routing\\]"),
    ({"kind": "odoo", "empty_cell": "keeps"}, "nothing could clear"),
    ({"kind": "pipedrive", "empty_cell": "keeps"}, "key = 'ID'"),
    ({"kind": "salesforce", "fields": {"tier": "Leadscore_Score__c"}}, "several columns"),
    ({"kind": "generic", "fields": {"tier": "lead_id"}}, "is the key"),
])  # fmt: skip
def test_target_when_it_cannot_work_then_says_why(tmp_path, how, problem):
    with pytest.raises(UserError, match=problem):
        write(tmp_path, make_list(1), how.pop("kind"), **how)


@pytest.mark.parametrize(
    "text", ["abc", "\U0001f469\u200d\U0001f4bb" * 9, "e\u0301" * 30, "\U0001f44d\U0001f3fd" * 9]
)
def test_text_when_cut_then_ends_between_whole_characters(text):
    for most in range(2, 40):
        cut = cut_text(text, most=most)
        assert count_units(cut) <= most
        start = cut.removesuffix("\u2026")
        assert text.startswith(start)
        rest = text[len(start) :]
        assert not rest.startswith(("\u200d", "\u0301", "\U0001f3fd"))
        assert not start.endswith("\u200d")


@given(st.text())
def test_text_when_cleaned_then_cleaning_again_changes_nothing(text):
    assert clean_text(clean_text(text)) == clean_text(text)
