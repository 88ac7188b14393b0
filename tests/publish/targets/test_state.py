"""What a target holds: leads that it refuses keep it, damage is named, and --full does without it."""

import json

import pytest

from leadscore.errors import CorruptFileError
from leadscore.publish.targets.delta import find_changes
from leadscore.publish.targets.layout import build_layout
from leadscore.publish.targets.rows import build_rows
from leadscore.settings.targets import TargetSettings
from publish.targets.lists import make_list, publication, write

NAMES = [f"2024041{n}T000000Z-00000000000{n}" for n in range(5)]


def layout_of(kind, **how):
    return build_layout(
        "crm", TargetSettings(kind=kind, **how), preset=None, available={"lead_id", "tier"}
    )


def changes_of(leads, before, layout, *, is_full=False):
    rows = build_rows(publication(), make_list({lead: {} for lead in leads}), layout, excluded=())
    return find_changes(rows, before, layout, as_of_us=0, is_full=is_full)


@pytest.mark.parametrize("is_full", [False, True])
def test_lead_when_it_is_on_the_list_but_refused_now_then_is_not_cleared(is_full):
    loose, strict = layout_of("hubspot"), layout_of("hubspot", key="hs_object_id")
    before = changes_of(["a", "7", "8"], None, loose).state
    changes = changes_of(["a", "7"], before, strict, is_full=is_full)
    assert [row.key for row in changes.cleared] == ["8"]
    assert changes.state.leads["a"] == before.leads["a"]


def test_lead_when_it_left_and_its_key_cannot_be_written_then_is_named_and_not_cleared():
    loose, strict = layout_of("hubspot"), layout_of("hubspot", key="hs_object_id")
    before = changes_of(["a", "7"], None, loose).state
    changes = changes_of(["7"], before, strict)
    assert changes.cleared == ()
    (refused,) = changes.refused
    assert refused.lead_id == "a"
    assert "not cleared" in refused.reason
    assert "digits" in refused.reason


def test_target_when_it_returns_to_its_first_records_then_goes_on_from_what_they_hold(tmp_path):
    write(tmp_path, make_list({"1": {}, "2": {}}), "salesforce", name=NAMES[0])
    elsewhere = make_list({"1": {}})
    write(tmp_path, elsewhere, "salesforce", name=NAMES[1], object="Contact")
    back = write(tmp_path, make_list({"1": {}}), "salesforce", name=NAMES[2])
    counts = back.manifest["counts"]
    assert (counts["unchanged"], counts["written"], counts["cleared"]) == (1, 0, 1)


DAMAGE = {
    "another object": b"{}\n",
    "no layout": b'{"publication_id": "x", "mode": "delta", "base": null}',
    "a list": b"[]",
    "no JSON": b"?",
    "nested": b"[" * 100_000,
    "bad bytes": b"\xff",
    "empty": b"",
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("has_base", [False, True])
def test_manifest_when_damaged_then_says_so_and_a_full_delivery_is_the_cure(
    tmp_path, damage, has_base
):
    delivery = write(tmp_path, make_list({"1": {}, "2": {}}), "salesforce", name=NAMES[0])
    if has_base:
        delivery = write(tmp_path, make_list({"1": {}}), "salesforce", name=NAMES[1])
    (delivery.folder / "manifest.json").write_bytes(DAMAGE[damage])
    later = make_list({"1": {}})
    with pytest.raises(CorruptFileError, match="--full"):
        write(tmp_path, later, "salesforce", name=NAMES[2])
    full = write(tmp_path, later, "salesforce", name=NAMES[2], mode="full")
    assert full.manifest["counts"]["written"] == 1


def test_manifest_when_changed_by_hand_then_is_not_trusted(tmp_path):
    delivery = write(tmp_path, make_list({"1": {}}), "salesforce", name=NAMES[0])
    path = delivery.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"base": "another"}))
    with pytest.raises(CorruptFileError, match="--full"):
        write(tmp_path, make_list({"1": {}}), "salesforce", name=NAMES[1])
