"""Settings read from a file: what they mean, and what stands where."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from builders import make_settings
from leadscore.settings.read import read_settings
from settings.written import BANT, BASE, STAGE_ENTRY, read, refusal

EXAMPLES = Path(__file__).parents[2] / "examples"
NOON_US = 1_717_156_800_000_000  # 2024-05-31T12:00:00Z


def test_mapping_when_a_value_map_or_a_constant_fills_what_is_required_then_it_is_accepted(
    tmp_path,
):
    mapped = (
        STAGE_ENTRY
        + 'columns = { lead_id = "id", event_at = "t" }\n[mapping.values.s]\na = { stage = "new" }\n'
    )
    constant = (
        STAGE_ENTRY
        + 'columns = { lead_id = "id", event_at = "t" }\nconstants = { stage = "new" }\n'
    )
    settings = read(tmp_path, BASE + mapped + constant)
    assert (
        settings.mapping[1].targets()
        == settings.mapping[2].targets()
        == {"lead_id", "event_at", "stage"}
    )
    assert settings.mapping[1].sources() == {"id", "t", "s"}


def test_tiers_when_one_of_them_is_set_then_the_others_keep_their_defaults(tmp_path):
    tiers = read(tmp_path, BASE + "[tiers]\na = 95").tiers
    assert (tiers.a, tiers.b, tiers.c) == (95, 70, 40)


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ('levels = ["no", "yes"]', "text"),
        ('titles = [["*chief*", 1], ["*", 0]]', "text"),
        ("full_amount = 1", "number"),
        ("within_days = [0, 1]", "date"),
    ],
)
@pytest.mark.parametrize("declared", ["text", "number", "date"])
def test_bant_letter_when_one_way_is_given_then_it_is_accepted_for_the_type_that_it_can_read(
    tmp_path, way, kind, declared
):
    text = BASE.replace("[fields.industry]", f'[fields.industry]\ntype = "{declared}"') + BANT + way
    if declared == kind:
        assert read(tmp_path, text).bant["budget"].field == "industry"
    else:
        told = refusal(tmp_path, text)
        assert f"bant.budget: field 'industry' is of type {declared!r}, {kind!r} is needed" in told


@pytest.mark.parametrize(
    ("stated", "us"),
    [
        ("2024-05-31T12:00:00Z", NOON_US),
        ("2024-05-31T14:00:00+02:00", NOON_US),
        ('"2024-05-31T14:00:00+02:00"', NOON_US),
        ("2024-05-31T14:00:00", NOON_US),  # local to the settings' zone
        ("2024-05-31 14:00:00", NOON_US),
        ("2024-05-31", NOON_US - 14 * 3_600_000_000),  # its 00:00 in the settings' zone
        ('"2024-05-31"', NOON_US - 14 * 3_600_000_000),
        ("2024-05-31T12:00:00.000001Z", NOON_US + 1),
    ],
)
def test_known_until_when_it_is_stated_in_any_form_then_it_is_one_moment(tmp_path, stated, us):
    text = 'timezone = "Europe/Berlin"\n' + BASE.replace("2024-05-31T12:00:00Z", stated)
    assert read(tmp_path, text).known_until_us() == us


def test_known_until_when_it_is_not_stated_then_there_is_none(tmp_path):
    assert (
        read(tmp_path, BASE.replace("known_until = 2024-05-31T12:00:00Z", "")).known_until_us()
        is None
    )


def test_settings_when_an_editor_has_marked_the_file_as_utf8_then_they_are_read(tmp_path):
    (tmp_path / "leadscore.toml").write_bytes(BASE.encode("utf-8-sig"))
    assert read_settings(tmp_path / "leadscore.toml").project


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (lambda s: s, "seed"),
        (lambda s: s.target, "horizon_days"),
        (lambda s: s.engine, "threads"),
        (lambda s: s.sources["leads"], "path"),
        (lambda s: s.mapping[0], "table"),
        (lambda s: s.fields["industry"], "label"),
        (lambda s: s.stages, "open"),
        (lambda s: s.tiers, "a"),
    ],
)
def test_settings_when_something_sets_a_value_then_they_are_frozen(tmp_path, path, name):
    part = path(read(tmp_path, BASE))
    before = getattr(part, name)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(part, name, before)


def test_input_folder_when_it_is_relative_then_it_is_beside_the_settings_file_wherever_one_stands(
    tmp_path, monkeypatch
):
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    path = tmp_path / "here" / "leadscore.toml"
    path.write_text('input_folder = "exports"\n' + BASE)
    settings = read_settings(path)
    assert settings.input_folder.resolve() == (tmp_path / "here" / "exports").resolve()
    assert (
        settings.project_folder().resolve() == (tmp_path / "elsewhere" / "data" / "shop").resolve()
    )
    assert settings.models_folder.resolve() == (tmp_path / "elsewhere" / "models").resolve()


def test_input_folder_when_it_is_not_set_then_it_is_the_folder_of_the_settings_file(tmp_path):
    assert read(tmp_path, BASE).input_folder == tmp_path


def test_input_folder_when_it_is_absolute_then_it_stands(tmp_path):
    assert read(tmp_path, 'input_folder = "/exports"\n' + BASE).input_folder == Path("/exports")


def test_input_folder_when_it_is_overridden_then_what_the_file_says_does_not_count(tmp_path):
    path = tmp_path / "leadscore.toml"
    path.write_text('input_folder = "exports"\n' + BASE)
    assert read_settings(path, input_folder=Path("other/folder")).input_folder == Path(
        "other/folder"
    )


def test_ignore_and_where_when_one_value_is_given_then_it_means_a_list_of_one(tmp_path):
    text = BASE.replace(
        'path = "leads.csv"',
        'path = "leads.csv"\nignore.tests = { name = "Test*", owner = ["x", "y"] }',
    )
    assert read(tmp_path, text).sources["leads"].ignore == {
        "tests": {"name": ("Test*",), "owner": ("x", "y")}
    }


def test_activity_kinds_when_they_come_from_all_places_then_each_is_listed_once_in_order():
    entry = {
        "source": "leads",
        "table": "activities",
        "columns": {"lead_id": "id", "event_at": "t"},
    }
    settings = make_settings(
        kinds={"visit": "visits", "call": "calls"},
        mapping=[
            *make_settings().model_dump()["mapping"],
            entry | {"constants": {"kind": "webinar"}},
            entry
            | {
                "values": {"what": {"A": {"kind": "call"}, "B*": {"kind": "demo", "actor": "lead"}}}
            },
        ],
    )
    assert settings.activity_kinds() == ["call", "demo", "visit", "webinar"]


@pytest.mark.parametrize(
    ("entries", "changing"),
    [
        ([], set()),
        (
            [{"constants": {"field": "owner_id"}}, {"constants": {"field": "size"}}],
            {"owner_id", "size"},
        ),
        ([{"values": {"what": {"A": {"field": "size"}, "B": {"value": "x"}}}}], {"size"}),
        (
            [{"columns": {"field": "what"}}, {"constants": {"field": "size"}}],
            {"owner_id", "amount", "size", "city"},
        ),
    ],
)
def test_changing_fields_when_changes_are_mapped_then_they_are_those_that_a_row_can_name(
    entries, changing
):
    columns = {"lead_id": "id", "event_at": "t"}
    leads = {"source": "leads", "table": "leads", "columns": columns}
    made = [
        {"source": "leads", "table": "changes"} | e | {"columns": columns | e.get("columns", {})}
        for e in entries
    ]
    settings = make_settings(
        fields={"size": {"type": "number"}, "city": {}}, mapping=[leads, *made]
    )
    assert settings.changing_fields() == changing


def test_stage_order_when_stages_close_then_they_come_after_the_open_ones():
    assert make_settings().stages.order() == {
        "new": 0,
        "qualified": 1,
        "proposal": 2,
        "rejected": 3,
        "signed": 4,
    }


def test_lead_fields_when_a_built_in_one_is_declared_then_the_declaration_counts():
    fields = make_settings(
        fields={"owner_id": {"known_from": "creation"}, "size": {"type": "number"}}
    ).lead_fields()
    assert list(fields) == ["owner_id", "amount", "size"]
    assert (fields["owner_id"].known_from, fields["amount"].known_from) == ("creation", None)
    assert fields["amount"].type == "number"


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.glob("*/leadscore.toml")), ids=lambda path: path.parent.name
)
def test_example_when_it_is_read_then_it_is_accepted(path):
    settings = read_settings(path)
    assert settings.project == path.parent.name
    assert {entry.source for entry in settings.mapping} == set(settings.sources)


def test_bpic2012_example_when_it_is_read_then_it_says_what_the_log_needs():
    settings = read_settings(EXAMPLES / "bpic2012" / "leadscore.toml")
    assert (settings.target.horizon_days, settings.target.cadence_days) == (30, 3)
    assert settings.known_until_us() == 1_328_054_400_000_000  # 2012-02-01T00:00:00Z
    assert len(settings.activity_kinds()) == 14
    assert settings.sources["events"].ignore == {
        "work_not_completed": {"activity": ("W_*",), "lifecycle": ("SCHEDULE", "START")}
    }
    assert [entry.table for entry in settings.mapping] == [
        "leads", "stages", "outcomes", "activities", "activities", "changes",
    ]  # fmt: skip
