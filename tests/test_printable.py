"""Nothing that comes from outside commands a terminal, hides, or is read as markup, whichever command shows it."""

import csv
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commands import run
from leadscore.cli.rendering.console import escaped
from leadscore.printable import as_markdown, is_hidden, one_line, printable

HOSTILE = "[red]\x1b[31m\x07\x9b2J\x7f\u202e\u2066\u200b\u2028\U000e0041[/]"
NAME = "\x1b\u202e\x9b.csv"
SETTINGS = """
project = "shop"
known_until = 2024-02-01

[sources.leads]
path = {path}

[fields.origin]
known_from = "creation"

[[mapping]]
source = "leads"
table = "leads"
columns = {{ lead_id = "id", event_at = "created", origin = "origin", owner_id = "owner" }}

[validation]
max_refused = 1
"""


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\n", "\x7f", "\x85", "\x9b", "\u202a", "\u2069", "\u200b",
                                       "\ufeff", "\u2028", "\udcff", "\ue000", "\u3164", "\U000e0041"])  # fmt: skip
def test_character_when_it_cannot_be_seen_then_a_mark_stands_in_its_place(character):
    assert printable(f"a{character}b") == "a�b"


@pytest.mark.parametrize("text", ["plain", "Zürich", "日本", "5 €", "a b", "❤️", "नमस्ते", "ﷺ", ""])
def test_text_when_all_of_it_can_be_seen_then_it_stays(text):
    assert printable(text) == text


@given(st.text())
def test_text_when_printable_then_nothing_in_it_is_hidden_and_it_is_as_long(text):
    shown = printable(text)
    assert len(shown) == len(text)
    assert not any(map(is_hidden, shown))


@example({"\u034f": "\ufe00"})  # printable to Python
@given(st.dictionaries(st.text(), st.text()))
def test_json_when_written_in_one_line_then_reads_as_it_was_and_hides_nothing(value):
    text = one_line(value)
    assert json.loads(text) == value
    assert not any(map(is_hidden, text))


def test_markdown_when_text_looks_like_it_then_it_is_shown_as_it_is():
    assert as_markdown("**a** [b](http://c) | <i>") == r"\*\*a\*\* \[b\]\(http\://c\) \| \<i\>"
    assert as_markdown("WWW.c.example @all") == r"WWW\.c.example \@all"


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A working directory whose file, ids, values and owners are hostile; one row of each is refused."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    path = json.dumps(NAME)
    (tmp_path / "leadscore.toml").write_text(SETTINGS.format(path=path), encoding="utf-8")
    with (tmp_path / NAME).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "created", "origin", "owner"])
        rows.writerows(
            [f"{HOSTILE}{i}", "2024-01-01", f"{HOSTILE}{i % 3}", HOSTILE] for i in range(12)
        )
        rows.writerow([f"{HOSTILE}x", HOSTILE, HOSTILE, HOSTILE])
    return tmp_path


def assert_shown(ended, *, code, shows=True):
    assert ended.code == code, ended
    both = ended.out + ended.err
    assert [c for c in both if is_hidden(c) and c != "\n"] == []
    assert any(text in both for text in ("[red]�[31m", "���.")) == shows, both


def assert_holds(ended):
    """One JSON object, in which nothing is hidden and which reads as what was given."""
    assert ended.code == 0, ended
    assert [c for c in ended.out if is_hidden(c) and c != "\n"] == []
    assert any(text in given for given in texts(json.loads(ended.out)) for text in (HOSTILE, NAME))


def test_commands_when_names_and_values_are_hostile_then_people_see_them_as_they_are_and_machines_exactly(
    hostile,
):
    assert_shown(run("ingest"), code=0)
    assert_holds(run("ingest", "--json"))
    assert_shown(run("rejects"), code=0)
    assert_holds(run("rejects", "--json"))
    assert_shown(run("rejects", "--to", NAME.replace("csv", "out")), code=0)
    assert_shown(run("audit"), code=0, shows=False)
    assert_shown(run("train", "--by", HOSTILE), code=0, shows=False)
    assert_shown(run("models", "list"), code=0)
    assert_holds(run("models", "list", "--json"))
    assert_shown(run("models", "show", "1"), code=0, shows=False)
    assert_shown(run("models", "promote", "1", "--why", HOSTILE), code=0, shows=False)
    assert_shown(run("models", "rollback", "--why", HOSTILE), code=2, shows=False)
    assert_shown(run("score"), code=0)
    assert_holds(run("score", "--json"))
    assert_shown(run("explain", f"{HOSTILE}1"), code=0)
    assert_holds(run("explain", f"{HOSTILE}1", "--json"))
    assert_shown(run("store", "list"), code=0, shows=False)
    assert_shown(run("store", "prune", "--keep", "1"), code=0, shows=False)


def texts(value):
    """Every text in a JSON value."""
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in (key, *texts(each))]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.cases(9)
@pytest.mark.parametrize(
    "words",
    [
        [HOSTILE],
        ["store", HOSTILE],
        ["ingest", f"--{HOSTILE}"],
        ["backtest", "--dates", HOSTILE],
        ["ingest", "--config", HOSTILE],
        ["ingest", "--accept", HOSTILE],
        ["ingest", "--data", HOSTILE],
        ["rejects", "--rule", HOSTILE],
        ["score", "--as-of", HOSTILE],
        ["train", "--as-of", HOSTILE],
        ["backtest", "--from", HOSTILE],
        ["explain", HOSTILE],
        ["explain", "1", "--publication", HOSTILE],
        ["replay", HOSTILE, HOSTILE],
        ["models", "show", HOSTILE],
        ["models", "compare", HOSTILE, HOSTILE],
        ["models", "promote", HOSTILE, "--why", "so"],
        ["store", "rollback", HOSTILE],
    ],
    ids=lambda words: " ".join(words[:2])[:20],
)
def test_errors_when_what_they_name_is_hostile_then_show_nothing_hidden(hostile, words):
    assert run("ingest").code == 0
    ended = run(*words)
    assert ended.code == 2
    assert [c for c in ended.out + ended.err if is_hidden(c) and c != "\n"] == []
    assert "Traceback" not in ended.err


def test_terminal_when_a_text_from_outside_is_very_long_then_it_is_cut_and_its_length_is_told():
    assert escaped("x" * 10_000) == "x" * 1000 + "... (10,000 characters)"


def test_terminal_when_a_text_from_outside_has_lines_then_they_stand_in_one():
    assert escaped("Proposal\r\nsent") == "Proposal sent"
