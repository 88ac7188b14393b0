"""The commands of the pages are run, one page after the other, in one small project."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from commands import run
from leadscore.sample.sample import write_sample
from test_docs_followed import PAGES, SHELL, blocks, commands_of

pytestmark = pytest.mark.slow

# Pages whose commands are run, in this order: what a page needs is made by one before it. README lists
# commands without what they are about; start.md, views.md and sources.md have tests of their own.
ORDER = (
    "audit.md",
    "monitor.md",
    "funnel.md",
    "forecast.md",
    "customers.md",
    "report.md",
    "targets.md",
    "operate.md",
    "worklist.md",
)
ELSEWHERE = {"README.md", "start.md", "views.md", "sources.md"}

# Commands that are only parsed, and why.
NOT_RUN = {
    "serve": "a server, which does not end",
    "report --open": "opens a browser",
}

# What `monitor`, `judge` and targets need beside the sample.
MORE = """
[model]
scorer = "logistic"

[engine]
threads = 1

[targets.crm]
kind = "salesforce"

[sources.score_history]
path = "score_history.csv"

[[mapping]]
source = "score_history"
table = "scores"
columns = { lead_id = "lead_id", event_at = "changed_at", value = "score" }
constants = { name = "HubSpot" }

[memory]
account = "creation"
"""
LISTS = ("2025-07-01", "2025-08-01", "2025-09-01", "2025-10-01", "2025-11-01", "2025-12-01")
COMPANY = 'job_title = "job_title", account = "company" }'  # customers are known by it


@dataclass(frozen=True)
class Desk:
    """A project in the working directory, and what stands for the examples of the pages."""

    folder: Path
    stand_ins: dict[str, str]

    def words(self, words: list[str]) -> list[str]:
        """The words of a command, about things that are there."""
        return [self.stand_ins.get(word, word) for word in words]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Two models, published lists, a file for a CRM, and somebody else's scores."""
    folder = tmp_path_factory.mktemp("desk")
    write_sample(folder, leads=900, seed=1)
    config = folder / "leadscore.toml"
    text = config.read_text().replace("cadence_days = 7", "cadence_days = 14")
    text = text.replace("max_per_lead = 6", "max_per_lead = 2")
    config.write_text(text.replace('job_title = "job_title" }', COMPANY) + MORE)
    leads = pd.read_csv(folder / "exports" / "leads.csv", dtype=str)
    write_other_scores(folder, leads)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        type_command("ingest")
        type_command("train", "--as-of", LISTS[0], "--promote")
        for day in LISTS:
            type_command("score", "--as-of", day)
        type_command("train")
        type_command("score")
        yield Desk(folder, build_stand_ins(folder, leads))


def write_other_scores(folder: Path, leads: pd.DataFrame) -> None:
    """Points by size, given the day after a lead came."""
    given = pd.to_datetime(leads["created_at"]) + pd.Timedelta(days=1)
    points = pd.to_numeric(leads["employees"]).fillna(0)
    scores = {"lead_id": leads["lead_id"], "changed_at": given, "score": points}
    pd.DataFrame(scores).to_csv(folder / "exports" / "score_history.csv", index=False)


def build_stand_ins(folder: Path, leads: pd.DataFrame) -> dict[str, str]:
    *_, delivered = sorted(folder.glob("data/sample/targets/crm/*/scores-001.csv"))
    row = pd.read_csv(delivered, dtype=str).iloc[[0]]
    for name in ("results.csv", "failed-records.csv"):  # as Salesforce gives back what it refused
        refused = row.assign(sf__Id="", sf__Error="REQUIRED_FIELD_MISSING:Name:--")
        refused.to_csv(folder / name, index=False)
    versions = json.loads(type_command("store", "list", "--json"))["versions"]
    return {
        "12": "1",  # one date of a back-test takes as long as a training
        "data/acme/targets/crm/.../scores-001.csv": str(delivered.relative_to(folder)),
        "51c8": versions[0]["version"],
        "00Q5e000001": leads["lead_id"][0],
        "ann.smith@example.com": leads["email"].dropna().iloc[-1],
    }


def type_command(*words: str) -> str:
    """What a command printed; it must succeed."""
    done = run(*words)
    assert done.code == 0, (words, done.err, done.out)
    return done.out


def commands_to_run() -> Iterator[tuple[str, str]]:
    for page in ORDER:
        for name, text in blocks(SHELL):
            if name == page:
                yield from ((page, shlex.join(words)) for words in commands_of(text))


def is_run(command: str) -> bool:
    return not any(command.startswith(words) for words in NOT_RUN)


@pytest.mark.parametrize(
    ("page", "command"), [case for case in commands_to_run() if is_run(case[1])]
)
def test_command_of_a_page_when_run_in_a_small_project_then_it_succeeds(
    desk: Desk, page: str, command: str
) -> None:
    type_command(*desk.words(shlex.split(command)))


def test_pages_when_they_have_commands_then_each_is_run_somewhere() -> None:
    with_commands = {name for name, text in blocks(SHELL) if commands_of(text)}
    not_run = {
        name
        for name, text in blocks(SHELL)
        if commands_of(text) and not any(is_run(shlex.join(words)) for words in commands_of(text))
    }

    assert with_commands <= PAGES.keys()
    assert with_commands - ELSEWHERE - not_run == set(ORDER)
