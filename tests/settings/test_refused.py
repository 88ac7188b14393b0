"""Settings that cannot be meant are refused in words that say what to write."""

import pytest
from pydantic import ValidationError

from builders import make_settings
from leadscore.errors import SettingsError
from leadscore.settings.read import read_settings
from settings.written import BANT, BASE, STAGE_ENTRY, refusal


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
