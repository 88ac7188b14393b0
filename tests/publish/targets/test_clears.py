"""Requests that empty fields: for what the target may hold, and nothing else."""

import json

import pytest

from publish.targets.lists import make_list, problems, write

NAMES = [f"2024041{n}T000000Z-00000000000{n}" for n in range(5)]
WITH_REQUESTS = ("hubspot", "dynamics")
TEXT = {"hubspot": "leadscore_reason_up_1", "dynamics": "msdyn_scorereasons"}
FULL, BARE = {"reason_up_1": "Replied"}, {"reason_up_1": ""}


def emptied(delivery):
    """The keys of records whose text is emptied."""
    path = delivery.folder / "clears-001.jsonl"
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    kind = delivery.manifest["layout"]["kind"]
    if kind == "dynamics":
        return [line["path"].split("'")[1] for line in lines if TEXT[kind] in line["body"]]
    records = [record for line in lines for record in line["body"]["inputs"]]
    return [record["id"] for record in records if TEXT[kind] in record["properties"]]


@pytest.mark.parametrize("kind", WITH_REQUESTS)
def test_clears_when_it_is_the_first_delivery_then_are_none(tmp_path, kind):
    scores = make_list({"1": BARE, "2": FULL})
    first = write(tmp_path, scores, kind, name=NAMES[0])
    assert first.manifest["parts"] == ["scores-001.csv"]
    again = write(tmp_path, scores, kind, name=NAMES[0])
    assert (again.id, again.manifest) == (first.id, first.manifest)


@pytest.mark.parametrize("kind", WITH_REQUESTS)
def test_clears_when_the_delivery_is_full_then_are_of_every_empty_field(tmp_path, kind):
    scores = make_list({"1": BARE, "2": FULL})
    assert emptied(write(tmp_path, scores, kind, name=NAMES[0], mode="full")) == ["1"]
    again = write(tmp_path, scores, kind, name=NAMES[0], mode="full")
    assert emptied(again) == ["1"]
    assert problems(again) == []


@pytest.mark.parametrize("kind", WITH_REQUESTS)
def test_clears_when_a_list_follows_another_then_are_of_fields_that_were_set(tmp_path, kind):
    moved = {"score": 5.0}
    lists = [
        {"1": FULL, "2": BARE},
        {"1": BARE, "2": BARE | moved, "3": BARE},  # emptied; was empty; new
        {"1": BARE | moved},  # is empty already; the others left
        {"1": FULL, "2": BARE},  # set again; came back
        {"1": BARE, "2": FULL},
    ]
    done = [
        emptied(write(tmp_path, make_list(rows), kind, name=name))
        for rows, name in zip(lists, NAMES, strict=True)
    ]
    assert done == [[], ["1"], ["2", "3"], [], ["1"]]


def test_clears_when_a_field_is_written_again_after_a_pause_then_empty_it_too(tmp_path):
    write(tmp_path, make_list({"1": FULL}), "hubspot", name=NAMES[0])
    without = {"reason_up_1": ""}
    write(tmp_path, make_list({"1": FULL}), "hubspot", name=NAMES[1], fields=without)
    again = write(tmp_path, make_list({"1": BARE}), "hubspot", name=NAMES[2])
    assert emptied(again) == ["1"]


@pytest.mark.parametrize(("kind", "how"), [
    ("salesforce", {"object": "Opportunity"}),
    ("salesforce", {"key": "Other_Id__c"}),
    ("hubspot", {"object": "deals"}),
    ("dynamics", {"object": "opportunity"}),
    ("odoo", {"id_prefix": "other.lead_"}),
])  # fmt: skip
def test_list_when_the_target_finds_other_records_now_then_is_written_as_if_it_were_the_first(
    tmp_path, kind, how
):
    write(tmp_path, make_list({"1": FULL, "2": {}}), kind, name=NAMES[0])
    moved = write(tmp_path, make_list({"1": BARE}), kind, name=NAMES[1], **how)
    counts = moved.manifest["counts"]
    assert (counts["written"], counts["cleared"]) == (1, 0)
    assert moved.manifest["parts"] == ["scores-001.csv"]
    again = write(tmp_path, make_list({"1": BARE}), kind, name=NAMES[1], **how)
    assert again.manifest == moved.manifest
