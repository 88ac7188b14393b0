import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from builders import make_settings
from leadscore.errors import SettingsError, UserError
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples"
NOON_US = 1_717_156_800_000_000  # 2024-05-31T12:00:00Z

BASE = """
project = "shop"
known_until = 2024-05-31T12:00:00Z

[sources.leads]
path = "leads.csv"

[fields.industry]

[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created" }
"""
STAGE_ENTRY = '[[mapping]]\nsource = "leads"\ntable = "stages"\n'
BANT = '[bant.budget]\nfield = "industry"\n'


def read(folder: Path, text: str | bytes) -> Settings:
    path = folder / "leadscore.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_settings(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(SettingsError) as told:
        read(folder, text)
    assert isinstance(told.value, UserError)
    assert str(folder / "leadscore.toml") in str(told.value)
    return "; ".join(told.value.problems)


@pytest.mark.parametrize(
    ("top", "below", "wrong", "right"),
    [
        ('projet = "x"', "", "projet", "project"),
        ("know_until = 2024-01-01", "", "know_until", "known_until"),
        ("", '[source.calls]\npath = "calls.csv"', "source", "sources"),
        ("", "[target]\nhorizon_day = 3", "target.horizon_day", "horizon_days"),
        ("", "[engine]\nmemory_limit = 3000", "engine.memory_limit", "memory_limit_mb"),
        ("", '[stages]\nopened = ["new"]', "stages.opened", "open"),
        ("", "[tiers]\nA = 95\naa = 95", "tiers.aa", "a"),
        ("", '[audit]\nkept = ["industry"]', "audit.kept", "keep"),
        (
            "",
            '[sources.calls]\npath = "c.csv"\ndelimeter = ";"',
            "sources.calls.delimeter",
            "delimiter",
        ),
        ("", '[fields.size]\ntyp = "number"', "fields.size.typ", "type"),
        ("", BANT + 'levls = ["no", "yes"]', "bant.budget.levls", "levels"),
        ("", STAGE_ENTRY + 'colums = { lead_id = "id" }', "mapping.1.colums", "columns"),
        ("", STAGE_ENTRY + 'where_nott = { a = "b" }', "mapping.1.where_nott", "where_not"),
    ],
)
def test_settings_when_a_key_is_mistyped_then_the_nearest_right_one_is_named(
    tmp_path, top, below, wrong, right
):
    assert f"unknown key {wrong}; did you mean {right!r}?" in refusal(
        tmp_path, f"{top}\n{BASE}\n{below}"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("industri", "did you mean 'industry'?"),
        ("zzz", "known are 'owner_id', 'amount', 'industry'"),
    ],
)
def test_audit_when_it_keeps_a_field_that_is_not_there_then_the_right_ones_are_named(
    tmp_path, name, words
):
    assert f"audit.keep: there is no field {name!r}; {words}" in refusal(
        tmp_path, f'{BASE}[audit]\nkeep = ["{name}"]'
    )


@pytest.mark.parametrize(
    ("field", "words"),
    [("industri", "there is no field 'industri'; did you mean 'industry'?"),
     ("amount", "field 'amount' is of type 'number', 'text' is needed")],
)  # fmt: skip
def test_routing_when_it_compares_with_a_field_that_cannot_be_then_it_is_refused(
    tmp_path, field, words
):
    told = refusal(
        tmp_path, f'{BASE}[routing]\nreps = "reps.csv"\nmatch = {{ territories = "{field}" }}'
    )
    assert f"routing.match.territories: {words}" in told


def test_settings_when_no_key_is_near_then_the_known_ones_are_listed(tmp_path):
    told = refusal(tmp_path, BASE + "[tiers]\nplatinum = 99")
    assert "unknown key tiers.platinum; known are 'by', 'a', 'b', 'c'" in told


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ('[money]\ncurency = "EUR"', "unknown key money.curency; did you mean 'currency'?"),
        ('[routing]\nrepz = "reps.csv"', "unknown key routing.repz; did you mean 'reps'?"),
        ('[routing]\nreps = "reps.csv"\nmatch = { teritories = "country" }',
         "unknown key routing.match.teritories; did you mean 'territories'?"),
        ('[[qualification.rules]]\nname = "a"\nverdict = "nurture"\ntierz = ["A"]',
         "unknown key qualification.rules.0.tierz; did you mean 'tiers'?"),
        ('[sources.more]\npath = "more.csv"\nshet = "x"', "unknown key sources.more.shet; did you mean 'sheet'?"),
    ],
)  # fmt: skip
def test_settings_when_a_key_of_any_section_is_mistyped_then_the_right_one_is_offered(
    tmp_path, section, told
):
    assert told in refusal(tmp_path, f"{BASE}\n{section}")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            '[[mapping]]\nsource = "leds"\ntable = "stages"\ncolumns = { lead_id = "id", event_at = "t", stage = "s" }',
            ["leds", "did you mean 'leads'"],
        ),
        (STAGE_ENTRY + 'columns = { lead_idd = "id", event_at = "t", stage = "s" }', ["'lead_idd'", "'lead_id'"]),
        (STAGE_ENTRY + 'columns = { lead_id = "id", event_at = "t", stage = "s", kind = "k" }', ["'kind'", "stages"]),
        (STAGE_ENTRY + 'columns = { lead_id = "id", event_at = "t", industry = "s" }', ["'industry'", "stages"]),
        (
            STAGE_ENTRY + 'columns = { lead_id = "id", event_at = "t" }\n'
            '[mapping.values.s]\na = { stag = "new" }',
            ["'stag'", "did you mean 'stage'"],
        ),
        (STAGE_ENTRY + 'columns = { lead_id = "id", event_at = "t" }', ["nothing fills 'stage'"]),
        (STAGE_ENTRY + 'columns = { event_at = "t", stage = "s" }', ["nothing fills 'lead_id'"]),
        (STAGE_ENTRY + 'columns = { lead_id = "id", stage = "s" }', ["nothing fills 'event_at'"]),
        (
            '[[mapping]]\nsource = "leads"\ntable = "outcomes"\ncolumns = { lead_id = "id", event_at = "t" }',
            ["nothing fills 'outcome'"],
        ),
        (
            '[[mapping]]\nsource = "leads"\ntable = "changes"\ncolumns = { lead_id = "id", event_at = "t" }',
            ["nothing fills 'field'"],
        ),
        (
            '[[mapping]]\nsource = "leads"\ntable = "activities"\ncolumns = { lead_id = "id", event_at = "t" }',
            ["nothing fills 'kind'"],
        ),
        (
            '[[mapping]]\nsource = "leads"\ntable = "stage"\ncolumns = { lead_id = "id" }',
            ["mapping.1.table", "'stages'"],
        ),
        (
            STAGE_ENTRY + 'columns = { lead_id = "id", event_at = "t", stage = "s" }\nwhere = { s = 5 }',
            ["mapping.1.where.s"],
        ),
    ],
)  # fmt: skip
def test_mapping_when_it_refers_to_what_is_not_there_then_words_say_what_and_where(
    tmp_path, entry, words
):
    told = refusal(tmp_path, BASE + entry)
    for word in words:
        assert word in told


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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mapping": []}, "leads"),
        ({"sources": {"leads": {"path": "leads.csv"}, "calls": {"path": "calls.csv"}}}, "'calls'"),
        ({"fields": {"event_us": {}}}, "event_us"),
        ({"fields": {"lead_id": {}}}, "lead_id"),
        ({"fields": {"Industry": {}}}, "Industry"),
        ({"bant": {"need": {"field": "pain", "levels": ["no", "yes"]}}}, "'pain'"),
        ({"bant": {"needs": {"field": "amount", "full_amount": 1}}}, "bant.needs"),
        ({"kinds": {"e-mail": "e-mails", "e_mail": "mails"}}, "e_mail"),
        ({"project": "../elsewhere"}, "project"),
        ({"project": ""}, "project"),
        ({"seed": -1}, "seed"),
        ({"max_staleness_hours": -1}, "max_staleness_hours"),
        ({"max_staleness_days": 1.5}, "write max_staleness_hours = 36"),
        ({"max_staleness_days": 0}, "leave it out for the default, 36 hours"),
        ({"pass_through": []}, "leave it out"),
        ({"pass_through": ["company"]}, 'write [show] with the line company = "Company"'),
        (
            {"known_until_file": "at.txt", "known_until": "2024-03-01"},
            "stated by 'known_until', 'known_until_file'; keep one of them",
        ),
        ({"target": {"horizon_days": 0}}, "target.horizon_days"),
        ({"target": {"weight_cap": 0.5}}, "target.weight_cap"),
        ({"model": {"outcome_delay": 5}}, "model.outcome_delay counts leads in their order"),
        ({"fields": {"size": {"type": "integer"}}}, "fields.size.type"),
        ({"fields": {"size": {"known_from": "always"}}}, "fields.size.known_from"),
    ],
)
def test_settings_when_a_value_cannot_be_meant_then_it_is_refused_by_its_name(change, words):
    with pytest.raises(ValidationError) as told:
        make_settings(**change)
    places = [
        ".".join(map(str, problem["loc"])) + " " + problem["msg"] for problem in told.value.errors()
    ]
    assert any(words in place for place in places), places


@pytest.mark.parametrize("zone", ["Europe/Berlinn", "CEST+2", "", "../../etc/passwd"])
@pytest.mark.parametrize("place", ["top", "source"])
def test_time_zone_when_there_is_none_of_that_name_then_it_is_refused_before_any_file_is_read(
    tmp_path, zone, place
):
    top = f'timezone = "{zone}"\n' if place == "top" else ""
    source = (
        f'path = "leads.csv"\ntimezone = "{zone}"\n'
        if place == "source"
        else 'path = "leads.csv"\n'
    )
    told = refusal(tmp_path, top + BASE.replace('path = "leads.csv"\n', source))
    assert "timezone" in told
    assert repr(zone) in told


@pytest.mark.parametrize(
    ("a", "b", "c"), [(50, 70, 40), (90, 70, 70), (90, 90, 40), (90, 30, 40), (101, 70, 40)]
)
def test_tiers_when_they_do_not_fall_then_they_are_refused(tmp_path, a, b, c):
    assert "tiers" in refusal(tmp_path, BASE + f"[tiers]\na = {a}\nb = {b}\nc = {c}")


def test_tiers_when_one_of_them_is_set_then_the_others_keep_their_defaults(tmp_path):
    tiers = read(tmp_path, BASE + "[tiers]\na = 95").tiers
    assert (tiers.a, tiers.b, tiers.c) == (95, 70, 40)


@pytest.mark.parametrize(
    ("ways", "words"),
    [
        ("", "exactly one of levels, titles, full_amount, within_days"),
        ('levels = ["no", "yes"]\nfull_amount = 5000', "exactly one"),
        ('levels = ["no", "yes"]\ntitles = [["*chief*", 1]]', "exactly one"),
        ("full_amount = 5000\nwithin_days = [30, 365]", "exactly one"),
        ('levels = ["yes"]', "two or more"),
        ('levels = ["yes", "no", "yes"]', "different"),
        ('titles = [["*chief*", 1.5]]', "at most 1, got 1.5"),
        ('titles = [["*chief*", -0.1]]', "at least 0, got -0.1"),
        ("within_days = [365, 30]", "within_days"),
        ("within_days = [-1, 30]", "within_days"),
        ("within_days = [30, 30]", "within_days"),
        ("full_amount = 0", "full_amount"),
    ],
)
def test_bant_letter_when_not_one_sound_way_is_given_then_it_is_refused(tmp_path, ways, words):
    told = refusal(tmp_path, BASE + BANT + ways)
    assert "bant.budget" in told
    assert words in told


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


@pytest.mark.parametrize(
    "stated", ['"31.5.2024"', '"yesterday"', '""', "true", "12:00:00", '["2024-05-31"]']
)
def test_known_until_when_it_cannot_be_read_then_it_is_refused(tmp_path, stated):
    assert "known_until" in refusal(tmp_path, BASE.replace("2024-05-31T12:00:00Z", stated))


@pytest.mark.parametrize("stated", ["20240531", "1717156800", "20240531.0"])
def test_known_until_when_it_is_a_number_then_it_is_not_taken_for_seconds_since_1970(
    tmp_path, stated
):
    assert "known_until" in refusal(tmp_path, BASE.replace("2024-05-31T12:00:00Z", stated))


@pytest.mark.parametrize(
    "text",
    [
        "project = ",
        'project = "a"\nproject = "b"',
        "just words",
        BASE.encode("utf-16"),
        b'project = "\xe9t\xe9"',
    ],
)
def test_settings_when_the_file_is_no_toml_then_it_is_said(tmp_path, text):
    told = refusal(tmp_path, text)
    assert "TOML" in told
    assert "codec" not in told
    assert ("save it as UTF-8" in told) == isinstance(text, bytes)


def test_settings_when_an_editor_has_marked_the_file_as_utf8_then_they_are_read(tmp_path):
    (tmp_path / "leadscore.toml").write_bytes(BASE.encode("utf-8-sig"))
    assert read_settings(tmp_path / "leadscore.toml").project


@pytest.mark.parametrize(
    "text", ["input_folder = 5\n" + BASE, "mapping = 5", "sources = []", 'tiers = "steep"\n' + BASE]
)
def test_settings_when_a_key_holds_another_type_then_it_is_refused_in_words(tmp_path, text):
    assert text.split()[0] in refusal(tmp_path, text)


def test_settings_when_there_is_no_file_then_the_option_that_names_it_is_said(tmp_path):
    with pytest.raises(SettingsError, match="--config"):
        read_settings(tmp_path / "nowhere.toml")


def test_settings_when_the_path_is_a_folder_then_it_is_refused_in_words(tmp_path):
    with pytest.raises(SettingsError):
        read_settings(tmp_path)


def test_settings_when_two_things_are_wrong_then_both_are_told(tmp_path):
    told = refusal(tmp_path, "projet = 1\n" + BASE + "[target]\nhorizon_days = 0\ncadence = 2")
    for word in ("projet", "target.horizon_days", "target.cadence"):
        assert word in told


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


LEADS_ENTRY = {"source": "leads", "table": "leads", "columns": {"city": "city"}}
ENDS_ENTRY = {"source": "leads", "table": "outcomes", "columns": {"outcome": "end"}}
MORE = {"sources": {"leads": {"path": "leads.csv"}, "more": {"path": "more.csv"}}}


def named(entry, **columns):
    return entry | {"columns": {"lead_id": "id"} | entry["columns"] | columns}


def undated(time, **changes):
    plain = {
        "project": "shop",
        "time": time,
        "sources": {"leads": {"path": "leads.csv"}},
        "fields": {"city": {}},
    }
    return Settings.model_validate(plain | {"mapping": [LEADS_ENTRY, ENDS_ENTRY]} | changes)


@pytest.mark.parametrize("time", ["ordered", "none"])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": {"horizon_days": 30}}, "nothing is dated, so leave out 'target'"),
        (
            {"stages": {"open": ["new"]}, "kinds": {"call": "calls"}},
            "nothing is dated, so leave out 'kinds', 'stages'",
        ),
        ({"max_staleness_hours": 1}, "nothing is dated, so leave out 'max_staleness_hours'"),
        (
            {"fields": {"city": {}, "due": {"type": "date"}}},
            "the field 'due' is a date, which says nothing without",
        ),
        (
            {
                "mapping": [
                    named(LEADS_ENTRY),
                    named(ENDS_ENTRY)
                    | {"table": "stages", "columns": {"lead_id": "id", "stage": "s"}},
                ]
            },
            "rows of stages need dates; only leads and outcomes can be mapped",
        ),
        (
            {"mapping": [named(LEADS_ENTRY, event_at="created"), named(ENDS_ENTRY)]},
            "leads has no column 'event_at'",
        ),
        (
            {"mapping": [LEADS_ENTRY, named(ENDS_ENTRY)]},
            "leads -> outcomes: either leads and outcomes of one source all",
        ),
        (
            {"mapping": [named(LEADS_ENTRY), ENDS_ENTRY]},
            "leads -> outcomes: either leads and outcomes of one source all",
        ),
        (
            {"mapping": [LEADS_ENTRY, ENDS_ENTRY | {"source": "more"}], **MORE},
            "more -> outcomes: either leads and outcomes of one source all",
        ),
        ({"mapping": [LEADS_ENTRY, ENDS_ENTRY | {"columns": {}}]}, "nothing fills 'outcome'"),
        (
            {"mapping": [LEADS_ENTRY, named(ENDS_ENTRY, sequence="n")]},
            "outcomes has no column 'sequence'",
        ),
        ({"fields": {"city": {}, "sequence": {}}}, "fields.sequence: the name is taken"),
        ({"fields": {"city": {}, "stage_now": {}}}, "fields.stage_now: the name is taken"),
        ({"fields": {"city": {}, "before": {}}}, "fields.before: the name is taken"),
    ],
)
def test_settings_when_nothing_is_dated_then_what_needs_dates_or_cannot_be_joined_is_refused(
    time, changes, words
):
    with pytest.raises(ValidationError, match=re.escape(words)):
        undated(time, **changes)


@pytest.mark.parametrize(
    ("time", "changes", "words"),
    [
        ("none", {"mapping": [named(LEADS_ENTRY, sequence="n"), named(ENDS_ENTRY)]}, "leads has no column 'sequence'"),
        (
            "ordered", {"mapping": [LEADS_ENTRY, ENDS_ENTRY, LEADS_ENTRY | {"source": "more"}], **MORE},
            "lines of several sources have no common order; map a column to sequence",
        ),
        ("sorted", {}, "Input should be 'dated', 'ordered' or 'none'"),
    ],
)  # fmt: skip
def test_settings_when_an_order_is_asked_for_that_is_not_there_then_they_are_refused(
    time, changes, words
):
    with pytest.raises(ValidationError, match=re.escape(words)):
        undated(time, **changes)


@pytest.mark.parametrize(
    ("time", "changes", "by_line"),
    [
        ("ordered", {}, True),
        ("none", {}, False),
        (
            "none",
            {"mapping": [LEADS_ENTRY, ENDS_ENTRY, LEADS_ENTRY | {"source": "more"}], **MORE},
            False,
        ),
        (
            "ordered",
            {"mapping": [named(LEADS_ENTRY), named(ENDS_ENTRY) | {"source": "more"}], **MORE},
            True,
        ),
        (
            "ordered",
            {
                "mapping": [
                    named(LEADS_ENTRY, sequence="n"),
                    named(LEADS_ENTRY, sequence="n") | {"source": "more"},
                ],
                **MORE,
            },
            False,
        ),
    ],
)
def test_settings_when_leads_have_an_order_or_none_then_are_accepted(time, changes, by_line):
    settings = undated(time, **changes)
    assert not settings.is_dated
    assert settings.ordered_by_line("leads") is by_line
    assert settings.fields_of_leads() == {"city"}
    assert settings.assumption().startswith(
        f"time = {time}: it is not known when fields were filled in"
    )


def test_settings_when_they_are_dated_then_they_assume_nothing_and_read_no_line_as_an_order():
    settings = make_settings()
    assert (settings.is_dated, settings.assumption(), settings.ordered_by_line("leads")) == (
        True,
        None,
        False,
    )
