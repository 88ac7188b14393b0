"""What the command line says when the user, or the disk, made a mistake."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.shop import LEADS, SETTINGS, assert_told
from commands import Ended, run
from leadscore.store.version import read_current


def leads_file(store: Path) -> Path:
    """Where the store keeps the rows of `leads`."""
    return read_current(store, project="shop").files("leads")[0]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("explain", "\udcff"), "it is not UTF-8 text"),
        (("replay", "x", "\udcff"), "it is not UTF-8 text"),
        (("explain", ""), "it is empty"),
        (("publish", ""), "it is empty"),
    ],
)
def test_id_when_it_is_empty_or_no_text_then_the_command_does_not_run(folder, command, words):
    told = run(*command)
    assert told.code == 2
    assert words in told.err


@pytest.mark.parametrize("command", ["ingest", "train", "score", "backtest"])
def test_command_when_there_is_no_settings_file_then_it_is_said_how_to_name_one(folder, command):
    (folder / "leadscore.toml").unlink()
    assert_told(run(command), "leadscore.toml", "no such file", "--config")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("known_until =", "know_until =", ["know_until", "'known_until'"]),
        ("path =", "pth =", ["sources.leads.pth", "'path'"]),
        ("columns =", "colums =", ["mapping.0.colums", "'columns'"]),
        ('source = "leads"', 'source = "lead"', ["'lead'", "'leads'"]),
        ('event_at = "created"', 'event = "created"', ["'event'", "'event_at'"]),
        ('lead_id = "id", ', "", ["nothing fills 'lead_id'"]),
        ("[sources.leads]", "[sources.leads", ["TOML"]),
        ("known_until = 2024-02-01", 'known_until = "soon"', ["known_until", "'soon'"]),
        ('project = "shop"', 'project = "shop"\ntimezone = "Berlin"', ["timezone", "'Berlin'"]),
        ('path = "leads.csv"', 'path = "leads.csv"\ntimezone = "Berlin"', ["timezone", "'Berlin'"]),
        ('project = "shop"', 'project = "shop"\ninput_folder = 5', ["input_folder"]),
        ('project = "shop"', 'project = "sh[op]"', ["project"]),
    ],
)
def test_settings_when_something_in_them_is_wrong_then_it_is_named_on_any_command(
    folder, old, new, words
):
    text = SETTINGS.format(folder=folder)
    assert old in text
    (folder / "leadscore.toml").write_text(text.replace(old, new))
    assert_told(run("ingest"), "leadscore.toml", *words)
    assert_told(run("score"), "leadscore.toml", *words)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, ["'leads'", "there is no file", "leads.csv", "--data"]),
        (b"", ["leads.csv", "empty"]),
        (b"\xef\xbb\xbf", ["leads.csv", "empty"]),
        (b"id,created\n", ["leads.csv", "no rows"]),
        (b"id:created\n1:2024-01-01\n", ["no column", "'id:created'"]),
        (b"id,create\n1,2024-01-01\n", ["no column 'created'", "did you mean 'create'"]),
        (b'id,created\n1,"2024-01-01\n', ["no lead could be stored", "1 by columns"]),
        (b'"id,created\n1,2024-01-01\n', ["line 1", "quote"]),
        (b"id,created\n1,2024-01-01\n1,2024-01-02\n", ["no lead could be stored", "2 by unique"]),
        (
            b"id,created\n,2024-01-01\n2,never\n",
            ["no lead could be stored", "1 by required", "1 by type"],
        ),
        (b"id,created\nM\xfcller,\xc3\xa4\n", ["UTF-8"]),
        (b"id,created\n1,03/04/2024\n", ["'created'", "'03/04/2024'", 'dates = "dmy" or "mdy"']),
        (b"PAR1....PAR1", ["ends in .csv but holds Parquet"]),
        (b"PK\x03\x04....", ["Excel"]),
    ],
)
def test_ingest_when_the_file_cannot_be_used_then_words_say_why_and_no_store_appears(
    folder, data, words
):
    (folder / "leads.csv").unlink()
    if data is not None:
        (folder / "leads.csv").write_bytes(data)
    assert_told(run("ingest"), *words)
    assert not list(folder.rglob("current.json"))


def test_ingest_when_the_ending_is_another_one_then_the_right_ones_are_named(folder):
    for name, words in (
        ("leads.xlsx", "holds something else"),
        ("leads.xls", "must end in '.csv', '.tsv'"),
    ):
        (folder / "leads.csv").rename(folder / name)
        (folder / "leadscore.toml").write_text(
            SETTINGS.format(folder=folder).replace("leads.csv", name)
        )
        assert_told(run("ingest"), name, words)
        (folder / name).rename(folder / "leads.csv")


@pytest.mark.parametrize("name", ["with [bold] marks", "with [/] marks", 'it\'s "odd"'])
def test_error_when_a_name_looks_like_markup_then_it_is_shown_as_it_is(folder, name):
    assert_told(run("ingest", "--config", f"{name}.toml"), f"{name}.toml")
    assert_told(run("ingest", "--data", name), f"{name}/leads.csv")


@pytest.mark.parametrize("command", ["train", "score", "backtest"])
def test_command_when_nothing_was_ingested_then_it_is_said_what_to_run(folder, command):
    assert_told(run(command), "'shop'", "leadscore ingest")


def test_score_when_nothing_was_trained_then_it_is_said_what_to_run(stored):
    assert_told(run("score"), "'shop'", "leadscore train")


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("2023-12-31", ["2023-12-31T00:00:00Z", "before all data", "2024-01-01T23:59:59.999999Z"]),
        ("2024-01-01", ["before all data"]),
        (
            "2024-02-02T12:00:00.000001Z",
            ["known_until 2024-02-01T00:00:00Z", "max_staleness_hours"],
        ),
        ("2025-01-01", ["2025-01-01T00:00:00Z", "known_until"]),
        ("tomorrow", ["'tomorrow'", "2024-05-31T14:00:00Z"]),
        ("31.01.2024", ["'31.01.2024'"]),
        ("", ["''"]),
        ("9999-12-31T23:59:59-01:00", []),  # no calendar shows it in UTC
        ("0001-01-01T00:00:00+01:00", []),
    ],
)
def test_as_of_when_the_data_cannot_answer_for_it_then_words_say_why(stored, as_of, words):
    for command in ("train", "score"):
        assert_told(run(command, "--as-of", as_of), *words)


@pytest.mark.slow
@pytest.mark.parametrize("as_of", ["2024-02-01", "2024-01-20"])
def test_as_of_when_history_is_too_short_and_nothing_gives_points_then_no_list_is_made_and_it_is_said(
    stored, as_of
):
    told = run("train", "--as-of", as_of)
    assert told.code == 0
    alike = "gives all leads the same points"
    for words in ("Scorecard", "no lead is marked won or lost", "within 30 days of", alike):
        assert words in " ".join(told.out.split())
    assert_told(run("score", "--as-of", as_of), alike)


@pytest.mark.parametrize(
    ("setting", "within", "beyond", "words"),
    [
        ("", "2024-02-02T12:00", "2024-02-02T12:00:01", "more than 36 hours after known_until"),
        ("", "2024-02-02T12:00", "2024-02-03T18:00", "the export is 66 hours old by then"),
        ("", "2024-02-02T12:00", "2024-02-11T12:00", "the export is 10.5 days old by then"),
        (
            "max_staleness_hours = 1.5\n",
            "2024-02-01T01:30",
            "2024-02-01T01:30:01",
            "more than 1.5 hours after",
        ),
        (
            "max_staleness_hours = 0\n",
            "2024-02-01",
            "2024-02-01T00:00:01",
            "more than 0 hours after",
        ),
    ],
)
def test_as_of_when_it_is_past_the_export_then_it_is_refused_only_beyond_what_is_allowed(
    stored, setting, within, beyond, words
):
    path = stored / "leadscore.toml"
    path.write_text(setting + path.read_text())
    assert_told(
        run("score", "--as-of", within), "leadscore train"
    )  # it went on to look for a model
    assert_told(run("score", "--as-of", beyond), words)


@pytest.mark.parametrize("moment", ["2999-01-01", "9999-12-31"])
def test_ingest_when_the_stated_moment_is_past_the_clock_then_words_say_so(folder, moment):
    assert_told(
        run("ingest", "--known-until", moment), f"known_until {moment}", "later than the clock"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--from", "2025-01-01", "--to", "2026-01-01", "--dates", "1"], []),
        (["--from", "2024-01-20", "--to", "2024-01-10"], []),
        (["--from", "soon"], ["'soon'"]),
        (["--to", "later"], ["'later'"]),
        ([], ["no date to back-test"]),
    ],
)
def test_backtest_when_there_is_no_date_for_it_then_it_is_said(stored, words, told):
    assert_told(run("backtest", *words), *told)


@pytest.mark.parametrize(
    "damage",
    [
        lambda store: leads_file(store).write_bytes(b"x"),
        lambda store: leads_file(store).unlink(),
        lambda store: next((store / "versions").iterdir()).write_bytes(b"{}"),
        lambda store: next((store / "versions").iterdir()).unlink(),
    ],
    ids=["object", "no object", "manifest", "no manifest"],
)
def test_command_when_the_store_is_damaged_then_it_is_said_with_the_exit_code_for_what_can_be_mended(
    stored, damage
):
    damage(stored / "data" / "shop" / "store")
    for command in ("train", "score", "backtest"):
        assert_told(run(command), "store")


def test_ingest_when_the_store_cannot_be_written_then_words_say_so(folder):
    (folder / "data").write_text("a file where a folder should be")
    assert_told(run("ingest"), "could not write", "what was there before is intact")


@pytest.mark.parametrize(
    "words",
    [["frobnicate"], ["ingest", "--confg", "x"], ["ingest", "x"], ["backtest", "--dates", "0"]],
)
def test_command_line_when_it_is_mistyped_then_its_usage_is_shown(folder, words):
    told = run(*words)
    assert (told.code, told.out) == (2, "")
    assert "Usage: leadscore" in told.err
    assert "Traceback" not in told.err


def test_json_when_it_is_asked_for_then_exactly_one_object_is_printed(folder):
    (folder / "leads.csv").write_text(LEADS + "3,never\n")
    told = run("ingest", "--json")
    assert (told.code, told.err) == (0, "")
    assert told.out.count("\n") == 1
    result = json.loads(told.out)
    assert result["accounts"]["tables"]["leads"] == {
        "selected": 3, "stored": 2, "ignored": 0, "ignored_by": {}, "rejected": 1, "duplicates": 0,
    }  # fmt: skip
    assert result["rejects"] == {"type": 1}


def test_json_when_something_is_wrong_then_nothing_is_printed_but_the_error(folder):
    (folder / "leads.csv").unlink()
    assert_told(run("ingest", "--json"), "leads.csv")
    assert_told(run("score", "--json"), "leadscore ingest")


def test_data_when_it_names_another_folder_then_the_files_are_read_there(folder):
    (folder / "leads.csv").unlink()
    (folder / "exports").mkdir()
    (folder / "exports" / "leads.csv").write_text(LEADS)
    assert_told(run("ingest"), "there is no file")
    assert run("ingest", "--data", "exports").code == 0


def test_console_script_when_the_user_made_a_mistake_then_it_exits_with_2_and_words(tmp_path):
    script = Path(sys.executable).with_name("leadscore")
    told = subprocess.run(
        [script, "ingest"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert_told(Ended(told.returncode, told.stdout, told.stderr), "leadscore.toml", "--config")


def test_publish_when_no_list_begins_so_then_is_refused_in_words(stored):
    told = run("publish", "nosuch")
    assert told.code == 2
    assert told.err == (
        "error: no single publication of 'shop' begins with 'nosuch'. Available: none\n"
    )


@pytest.mark.parametrize("words", [("rejects", "--to"), ("funnel", "--html")])
def test_command_when_the_folder_to_write_in_does_not_exist_then_it_is_not_made(stored, words):
    told = run(*words, str(stored / "mistyped" / "a.out"))
    assert told.code == 2
    assert "mistyped does not exist; create it, or correct the path" in " ".join(told.err.split())
    assert not (stored / "mistyped").exists()
