"""Every number that a user can state has bounds, and everything that is refused is refused in words."""

import re
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
import typer
from pydantic import BaseModel, TypeAdapter, ValidationError

from commands import run
from leadscore.cli import main as cli
from leadscore.errors import SettingsError
from leadscore.settings.limits import LONGEST_PROJECT, OURS, PATTERNS
from leadscore.settings.problems import describe_problems
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings

BASE = """
project = "shop"
known_until = 2024-02-01

[sources.leads]
path = "leads.csv"

[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created" }
"""
PYDANTIC = re.compile(
    r"Input should|pattern|regex|\^\[|valid |pydantic|constrained|For further", re.IGNORECASE
)
HUGE = (10**18, -(10**18), 1e300, -1e300, float("inf"), float("nan"), 10**4000)
WRONG = (
    *HUGE,
    "many",
    [1],
    [[]],
    {"a": 1},
    True,
    None,
    "",
    "x" * 300,
    "a\0b",
    [{"a": 1}],
    0x10**5000,
)


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    """A working directory of its own, should a command not be refused."""
    monkeypatch.chdir(tmp_path)


def numbers(schema, place=""):
    """(place, schema) of every number in a JSON schema."""
    if schema.get("type") in {"number", "integer"}:
        yield place, schema
    for key in ("properties", "$defs"):
        for name, inner in schema.get(key, {}).items():
            yield from numbers(inner, f"{place}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(inner := schema.get(key), dict):
            yield from numbers(inner, place)
    for key in ("anyOf", "prefixItems"):
        for inner in schema.get(key, []):
            yield from numbers(inner, place)


@pytest.mark.parametrize(("place", "schema"), list(numbers(TypeAdapter(Settings).json_schema())))
def test_settings_number_when_declared_then_has_a_lower_and_an_upper_bound(place, schema):
    assert {"minimum", "exclusiveMinimum"} & set(schema), place
    assert {"maximum", "exclusiveMaximum"} & set(schema), place


def commands(group, path=()):
    """Every command of a group with the words that lead to it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def name_of(each):
    """How a test is called after a command's words, or an option."""
    return "_".join(each) if isinstance(each, tuple) else each.name


def kind_of(option):
    """What a command line's option or argument is read as, be it given or not."""
    annotation = option.type_descriptor.annotation
    return next(
        (kind for kind in (annotation, *get_args(annotation)) if kind in {int, float, Path}), str
    )


COMMANDS = list(commands(typer.main.get_command(cli.app)))
OPTIONS = [
    (words, option)
    for words, command in COMMANDS
    for option in command.params
    if option.name != "help"
]
NUMBERS = [(words, option) for words, option in OPTIONS if kind_of(option) in {int, float}]
PATHS = [(words, option) for words, option in OPTIONS if kind_of(option) is Path]


def test_command_line_numbers_and_paths_are_found():
    assert len(NUMBERS) >= 5
    assert len(PATHS) >= 10
    assert not [
        (words, option.name) for words, option in NUMBERS if None in {option.min, option.max}
    ]


@pytest.mark.parametrize(("words", "option"), NUMBERS, ids=name_of)
@pytest.mark.parametrize("beyond", ["below", "above", "far above", "digits"])
def test_command_line_number_when_it_is_beyond_all_use_then_is_refused_in_words(
    words, option, beyond
):
    number = {
        "below": option.min - 1,
        "above": option.max + 1,
        "far above": 10**30,
        "digits": "9" * 5000,
    }[beyond]
    ended = run(*words, f"{option.opts[0]}={number}", *(["x"] if words == ("sample",) else []))
    assert ended.code == 2, ended
    assert option.opts[0] in ended.err


@pytest.mark.cases(12)
@pytest.mark.parametrize(("words", "option"), PATHS, ids=name_of)
@pytest.mark.parametrize("path", ["x" * 300, "/".join(["x" * 200] * 30)], ids=["name", "path"])
def test_command_line_path_when_no_file_can_be_called_so_then_is_refused_in_words(
    words, option, path
):
    needed = [part for part in ("--why=so",) if any(part.startswith(o) for p in dict(COMMANDS)[words].params
                                                     for o in p.opts)]  # fmt: skip
    places = [
        "x"
        for each in dict(COMMANDS)[words].params
        if each.param_type_name == "argument" and each != option
    ]
    given = [f"{option.opts[0]}={path}"] if option.param_type_name == "option" else [path]
    ended = run(*words, *needed, *given, *places)
    assert ended.code == 2, ended
    assert "bytes" in ended.err


def keys(model, path=()):
    """The path of every key of a section and of those in it."""
    for name, field in model.model_fields.items():
        yield (*path, name)
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                between = {dict: ("need",), tuple: (0,)}.get(
                    getattr(field.annotation, "__origin__", None), ()
                )
                yield from keys(inner, (*path, name, *between))


def nested(path, value):
    """A value at a path of keys and places in lists."""
    for part in reversed(path):
        value = [value] if part == 0 else {part: value}
    return value


@pytest.mark.parametrize(
    "path", sorted(set(keys(Settings)), key=str), ids=lambda path: ".".join(map(str, path))
)
def test_settings_key_when_its_value_is_wrong_then_words_say_what_is_right(path):
    for value in WRONG:
        with pytest.raises(ValidationError) as refused:  # other keys are missing in any case
            Settings.model_validate(nested(path, value))
        lines = describe_problems(refused.value, Settings)
        assert lines
        for line in lines:
            assert not PYDANTIC.search(line), line
            assert len(line) < 700


def sections(model):
    """A section and all within it, once."""
    yield model
    for field in model.model_fields.values():
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from sections(inner)


def kinds_of(annotation):
    """What a value may be, within any lists, tables and alternatives."""
    parts = get_args(annotation)
    return set().union(*map(kinds_of, parts)) if parts else {annotation}


LOOK_FIRST = {"LeadField", "Source", "TargetSettings"}  # at all their keys together
PLAIN = [
    (section, name)
    for section in sorted(set(sections(Settings)), key=lambda section: section.__name__)
    for name, field in section.model_fields.items()
    if section.__name__ not in LOOK_FIRST
    and kinds_of(field.annotation) - {type(None)} in ({int}, {float}, {bool})
]


@pytest.mark.parametrize(
    ("section", "name"), PLAIN, ids=lambda part: getattr(part, "__name__", part)
)
def test_settings_number_or_switch_when_another_kind_stands_for_it_then_is_refused(section, name):
    is_switch = kinds_of(section.model_fields[name].annotation) == {bool}
    for value in (1, 0, "yes", "true") if is_switch else (True, False, "7"):
        with pytest.raises(ValidationError) as refused:
            section.model_validate({name: value})
        assert (name,) in [problem["loc"] for problem in refused.value.errors()], value


def test_patterns_when_settings_use_them_then_each_is_put_in_words():
    used = set(re.findall(r"'(\^[^']+\$)'", str(TypeAdapter(Settings).json_schema())))
    assert used == set(PATTERNS)
    for pattern, words in PATTERNS.items():
        assert re.match(pattern, re.search(r"'(.+)'", words)[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = " + "[" * 900 + "]" * 900, "nested too deeply"),
        ("x = " + "[" * 90_000, "nested too deeply"),
        ("a" + ".a" * 20_000 + " = 1", "nested too deeply"),
        ("[a" + " . 'b c'" * 20_000 + "]", "nested too deeply"),
        ("x = { a" + '."b"' * 20_000 + " = 1 }", "nested too deeply"),
        ("seed = " + "9" * 5000, "leadscore.toml: holds a number of thousands of digits"),
        ("x" * 10_000 + " = 1", "unknown key xxx"),
        (f"fields.{'x' * 10_000}.kind = 1", "fields.xxx"),
        ("seed = 1\nx = " + "y" * 10_000, "is not valid TOML"),
        ("seed = 0x" + "f" * 5000, "seed: must be at most"),
        ("\0", "TOML"),
        ("engine.threads = 100_000", "engine.threads: must be at most 256, got 100000"),
        ("engine.threads = 1_000_000_000_000_000_000", "engine.threads: must be at most 256"),
        (
            "engine.memory_limit_mb = 1_000_000_000_000_000_000",
            "engine.memory_limit_mb: must be at most",
        ),
        ("engine.chunk_snapshots = 0", "engine.chunk_snapshots: must be at least 1, got 0"),
        ("target.horizon_days = 100_000", "target.horizon_days: must be at most 3,650, got 100000"),
        ("target.weight_cap = nan", "target.weight_cap: must be a number, got nan"),
        ("seed = true", "seed: must be a whole number, got True"),
        ("retraining.every_days = '7'", "retraining.every_days: must be a number, got '7'"),
        ("retraining.shadow = 1", "retraining.shadow: must be true or false, got 1"),
        (
            "targets.crm = { kind = 'csv', bom = 1 }",
            "targets.crm.bom: must be true or false, got 1",
        ),
        ("data_folder = '" + "x" * 300 + "'", "data_folder: holds a name of 300 bytes"),
        ("timezone = '" + "x" * 300 + "'", "no such time zone"),
        ("timezone = '" + "x/" * 5000 + "'", "no such time zone"),
    ],
    ids=lambda each: each[:30],
)
def test_settings_when_a_number_or_a_name_is_beyond_all_use_then_is_refused_in_words(
    tmp_path, text, words
):
    path = tmp_path / "leadscore.toml"
    path.write_text(f"{text}\n{BASE}")
    with pytest.raises(SettingsError) as refused:
        read_settings(path)
    assert words in str(refused.value)
    assert "set_int_max" not in str(refused.value)
    assert len(str(refused.value)) < 1000


ADDRESSES = {
    "http://localhost:99999999": "has no valid port",
    "http://localhost:0": "has the port 0",
    "http://localhost:x": "has no valid port",
    "https://user:SECRET/TOK@localhost:1": "has no valid port",
    "http://[::1": "has no valid port",
    "http://": "names no host",
    "databricks://SECRETTOK": "begins with 'databricks:'; it must begin with one of http, https, sqlite",
    "SECRETTOK": "names no scheme",
    "./mlruns": "names no scheme",
}


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("place", ["settings", "environment"])
def test_address_when_no_server_can_be_there_then_is_refused_at_once_without_its_secrets(
    tmp_path, monkeypatch, address, place
):
    text = BASE
    if place == "settings":
        text += f'[registry]\ntracking_uri = "{address}"\n'
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    (tmp_path / "leadscore.toml").write_text(text)
    ended = run("models", "list")
    assert ended.code == 2
    assert ADDRESSES[address] in ended.err
    assert "SECRET" not in ended.err
    assert "TOK" not in ended.err


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:5000",
        "https://host/path",
        "sqlite:///a.db",
        "postgresql+psycopg2://me@host/db",
        "mysql://h/d",
    ],
)
def test_address_when_a_server_can_be_there_then_is_accepted(tmp_path, address):
    (tmp_path / "leadscore.toml").write_text(f'{BASE}\n[registry]\ntracking_uri = "{address}"\n')
    assert read_settings(tmp_path / "leadscore.toml").tracking_uri() == address


def test_data_folder_when_it_cannot_be_one_then_is_refused_in_words(tmp_path):
    (tmp_path / "leads.csv").write_text("id,created\n1,2024-01-01\n")
    (tmp_path / "leadscore.toml").write_text(f'data_folder = "/dev/null"\n{BASE}')
    ended = run("ingest")
    assert (ended.code, ended.out) == (2, "")
    assert "/dev/null" in ended.err


@pytest.mark.parametrize(
    "name", ["x" * 300, "x" * (LONGEST_PROJECT + 1), *OURS, "Shop", "../shop", ""]
)
def test_project_when_its_name_is_too_long_or_ours_or_no_folder_then_is_refused(tmp_path, name):
    path = tmp_path / "leadscore.toml"
    path.write_text(BASE.replace('"shop"', f'"{name}"'))
    with pytest.raises(SettingsError, match="project: "):
        read_settings(path)


def test_folders_that_leadscore_makes_beside_projects_are_no_names_of_projects():
    given = re.compile(r"^[a-z0-9][a-z0-9_-]*$")
    for name in OURS:
        assert given.match(name)


def test_fields_when_several_are_mapped_and_not_declared_then_all_are_named_with_what_to_paste(
    tmp_path,
):
    path = tmp_path / "leadscore.toml"
    more = 'authority = "auth", company_size = "size", '
    text = BASE.replace("columns = { lead_id", "columns = { " + more + "lead_id")
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        read_settings(path)
    first, hint, *lines = str(refused.value).splitlines()
    assert "'authority', 'company_size' (did you mean 'company'?)" in first
    assert "paste" in hint
    assert lines == ["[fields.authority]", "[fields.company_size]"]
    path.write_text(text + "\n".join(lines))
    assert set(read_settings(path).fields) == {"authority", "company_size"}


def test_rate_when_it_is_a_decimal_then_is_kept_exactly():
    section = Settings.model_fields["money"].annotation
    money = get_args(section)[0](currency="EUR", rates={"USD": Decimal("0.92")})
    assert money.rate("USD") == Decimal("0.92")
