"""The pages are followed as a reader would: their settings are read, their commands typed."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from commands import run
from leadscore.cli.main import app
from leadscore.sample.sample import write_sample
from leadscore.settings.preset import apply_preset
from leadscore.settings.settings import Settings
from leadscore.settings.stage_preset import apply_stage_preset

sys.path.insert(0, str(Path(__file__).parent / "presets"))

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path.read_text() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]}
SHELL = "sh"

# What the pages take for granted around a part of the settings.
AROUND = """
project = "acme"
[sources.deals]
path = "deals.csv"
[sources.calls]
path = "calls.csv"
[fields]
discount = {}
country = {}
language = {}
[kinds]
call = "calls"
[[mapping]]
source = "deals"
table = "leads"
columns = { lead_id = "Id", event_at = "Created", discount = "Discount", client_size = "Size" }
[[mapping]]
source = "deals"
table = "outcomes"
where = { Status = ["Won", "Lost"] }
columns = { lead_id = "Id", event_at = "Closed" }
[mapping.values.Status]
Won = { outcome = "won" }
Lost = { outcome = "lost" }
[[mapping]]
source = "calls"
table = "activities"
columns = { lead_id = "Deal", event_at = "When" }
"""


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Every block of code of a language: page and text."""
    for name, page in sorted(PAGES.items()):
        for match in re.finditer(rf"```{language}\n(.*?)```", page, re.DOTALL):
            yield name, match[1]


def commands_of(text: str) -> list[list[str]]:
    """The words of every leadscore command in a block, without `leadscore`."""
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["leadscore"]]


def completed(part: dict[str, Any]) -> dict[str, Any]:
    """Whole settings around a part of them."""
    if "preset" in part:
        return apply_preset(part)
    whole = tomllib.loads(AROUND)
    entries = part.pop("mapping", [])
    if isinstance(entries, dict):  # a piece of an entry, which is that of the calls
        whole["mapping"][-1] |= entries
        entries = []
    if "leads" in [entry["table"] for entry in entries]:
        sources = {entry["source"]: {"path": f"{entry['source']}.csv"} for entry in entries}
        around = {} if "sources" in part else {"project": "docs", "sources": sources}
        return around | part | {"mapping": entries}
    replaced = {(entry["source"], entry["table"]) for entry in entries}
    feeds_view = "views" in part
    whole["mapping"] = [
        entry
        for entry in whole["mapping"]
        if (entry["source"], entry["table"]) not in replaced
        and not (feeds_view and entry["source"] == "calls")
    ]
    whole["mapping"] += entries
    if "client_size" not in part.get("fields", {}):
        del whole["mapping"][0]["columns"]["client_size"]
    for section, values in part.items():
        whole[section] = whole.get(section, {}) | values if isinstance(values, dict) else values
    for entry in whole["mapping"]:
        if entry["source"] == "calls" and not entry.get("values"):
            entry.setdefault("constants", {"kind": "call"})
    return whole


@pytest.mark.parametrize(("page", "text"), [*blocks("toml")])
def test_settings_of_a_page_when_completed_then_they_are_valid(page: str, text: str) -> None:
    part = tomllib.loads(text)
    settings = Settings.model_validate(
        apply_stage_preset(completed(part)) | {"input_folder": Path()}
    )
    assert settings.mapping, page


def commands() -> Iterator[tuple[str, str]]:
    for page, text in blocks(SHELL):
        for words in commands_of(text):
            yield page, shlex.join(words)


@pytest.mark.parametrize(("page", "command"), [*commands()])
def test_command_of_a_page_when_typed_then_it_is_one(page: str, command: str) -> None:
    group: click.Command = typer.main.get_command(app)
    words = shlex.split(command)
    context = None
    while isinstance(group, click.Group):
        context = group.make_context(group.name or "leadscore", words, parent=context)
        name, found, words = group.resolve_command(
            context, [*context.protected_args, *context.args]
        )
        assert found is not None, (page, name)
        group = found
    group.make_context(group.name or "", words, parent=context)


@pytest.mark.parametrize(("page", "text"), [*blocks(SHELL)])
def test_flow_of_a_page_when_typed_then_its_file_knows_the_options(page: str, text: str) -> None:
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        for file in [word for word in words if word.startswith("flows/")]:
            options = {word for word in words if word.startswith("--")}
            source = "".join(path.read_text() for path in (ROOT / "flows").glob("*.py"))
            assert (ROOT / file).is_file(), page
            assert all(option in source for option in options), (page, options)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a reader of the pages works."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def follow(page: str, *, until: str | None = None) -> list[str]:
    """Type the commands of a page, one after the other; what they printed."""
    printed = []
    for text in re.findall(r"```sh\n(.*?)```", PAGES[page], re.DOTALL):
        for words in commands_of(text):
            if words[0] == until:
                return printed
            if any(word.startswith("$") for word in words):
                continue  # the same, for a database
            done = run(*words)
            assert done.code == 0, (words, done.err)
            printed.append(done.out)
    return printed


def test_start_page_when_followed_to_the_audit_then_every_command_succeeds(desk: Path) -> None:
    write_sample(desk / "crm", leads=80, seed=1)
    (desk / "crm" / "exports").rename(desk / "exports")
    first, *_ = follow("start.md", until="train")
    assert (desk / "leadscore.toml").is_file()
    assert "leadscore train" in first


@pytest.mark.slow
def test_start_page_when_followed_to_its_end_then_a_list_is_published(desk: Path) -> None:
    write_sample(desk / "crm", leads=1500, seed=1)
    (desk / "crm" / "exports").rename(desk / "exports")
    follow("start.md")
    assert list(desk.glob("data/*/scores/current.json"))


DEALS = """Id,Created,Status,Closed,People
D1,2026-01-05 09:00,Open,,p1;p2
D2,2026-01-06 09:00,Won,2026-02-01 09:00,p2
D3,2026-01-07 09:00,Lost,2026-02-02 09:00,p3
"""
CALLS = """caller,started,seconds
p1,2026-01-08 10:00,5
p2,2026-01-09 10:00,300
p3,2026-01-10 10:00,40
p3,2026-01-11 10:00,8
"""
LEADS = """
[[mapping]]
source = "deals"
table = "leads"
columns = { lead_id = "Id", event_at = "Created" }
[[mapping]]
source = "deals"
table = "outcomes"
where = { Status = ["Won", "Lost"] }
columns = { lead_id = "Id", event_at = "Closed" }
[mapping.values.Status]
Won = { outcome = "won" }
Lost = { outcome = "lost" }
"""


def test_views_page_when_followed_then_its_view_prints_the_rows_that_the_page_shows(
    desk: Path,
) -> None:
    (desk / "deals.csv").write_text(DEALS)
    (desk / "calls.csv").write_text(CALLS)
    text = re.findall(r"```toml\n(.*?)```", PAGES["views.md"], re.DOTALL)[0]
    head = 'project = "acme"\nknown_until = 2026-03-01T00:00:00Z\n'
    (desk / "leadscore.toml").write_text(head + text + LEADS)
    done = run("ingest")
    assert done.code == 0, done.err
    shown = re.findall(r"```\n(View talks: .*?)\n```", PAGES["views.md"])[0]
    assert shown in " ".join(done.out.split())


def test_sources_page_when_its_database_is_sqlite_then_its_settings_read_it(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    with sqlite3.connect(desk / "crm.sqlite") as crm:
        crm.execute("CREATE TABLE deals (Id, Created, Status, Closed)")
        rows = [row.split(",")[:4] for row in DEALS.splitlines()[1:]]
        crm.executemany("INSERT INTO deals VALUES (?, ?, ?, ?)", rows)
    monkeypatch.setenv("LEADSCORE_SOURCE_URL", f"sqlite:///{desk / 'crm.sqlite'}")
    text = re.findall(
        r"```toml\n(\[sources.deals\]\ndb_table.*?)\n\n", PAGES["sources.md"], re.DOTALL
    )
    head = 'project = "acme"\nknown_until = 2026-03-01T00:00:00Z\n'
    settings = text[0].replace("crm.deals", "deals")
    (desk / "leadscore.toml").write_text(f"{head}{settings}\n{LEADS}")
    done = run("ingest")
    assert done.code == 0, done.err


def write_hubspot(folder: Path) -> None:
    from hubspot_export import Lists

    lists = Lists(60)
    lists.write(folder, without=[name for name in lists.tables if name not in ("deals", "calls")])


def write_salesforce(folder: Path) -> None:
    from salesforce import build_organisation

    trio = ("Opportunity", "OpportunityHistory", "Task")
    organisation = build_organisation(60)
    organisation.write(folder, without=[name for name in organisation.tables if name not in trio])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "preset", "files"),
    [(write_salesforce, "salesforce", 3), (write_hubspot, "hubspot", 2)],
)
def test_exports_of_a_known_crm_when_init_looks_at_them_then_two_commands_ingest_them(
    desk: Path, write: Any, preset: str, files: int
) -> None:
    from world import END

    (desk / "exports").mkdir()
    write(desk / "exports")
    assert len(list((desk / "exports").iterdir())) == files
    first = run("init", "exports/", "--known-until", END.isoformat())
    assert first.code == 0, first.err
    assert f'preset = "{preset}"' in (desk / "leadscore.toml").read_text()
    second = run("ingest")
    assert second.code == 0, second.err
