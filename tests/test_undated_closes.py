"""Lost deals without a usable close date: what the list, the labels and the words make of them."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import run
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.opening import open_history
from leadscore.history.split import History
from leadscore.sample import sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current
from leadscore.times import FOREVER_US

EXPECTED = "2026-12-31T12:00:00Z"  # after the export: the close that somebody once expected
Row = dict[str, str]


def rewrite(path: Path, change: Callable[[Row], Row | None]) -> int:
    """Change rows of a CSV file, or drop those that become None; returns how many changed."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    changed = [change(dict(row)) for row in rows]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]])
        writer.writeheader()
        writer.writerows(row for row in changed if row is not None)
    return sum(new != old for new, old in zip(changed, rows, strict=True))


def open_sample(folder: Path, **target: str) -> tuple[Settings, dict, History]:
    settings = read_settings(folder / "leadscore.toml")
    chosen = settings.target.model_copy(update=target)
    settings = settings.model_copy(update={"data_folder": folder / "data", "target": chosen})
    told = jobs.ingest(settings)
    version = read_current(settings.project_folder() / "store", project=settings.project)
    return settings, told, open_history(settings, version, DuckDBEngine(settings.engine))


def plan(row: Row) -> Row:
    return row | {"closed_at": EXPECTED}


@pytest.mark.slow
def test_sample_when_lost_deals_carry_the_expected_close_date_then_none_is_listed_and_the_base_rate_holds(
    tmp_path,
):
    sample.write_sample(tmp_path / "honest", leads=2000, seed=7)
    sample.write_sample(tmp_path / "planned", leads=2000, seed=7)
    _, _, honest = open_sample(tmp_path / "honest")
    spells = honest.spells(honest.version.known_until_us)
    ended = spells[
        (spells["close_us"] < FOREVER_US)
        & ~spells["won"]
        & ~spells["lead_id"].duplicated(keep=False)
    ]
    lost = set(ended["lead_id"])  # once and for all
    until = honest.version.known_until_us
    exports = (
        tmp_path / "planned" / read_settings(tmp_path / "planned" / "leadscore.toml").input_folder
    )
    changed = rewrite(
        exports / "outcomes.csv", lambda row: plan(row) if row["lead_id"] in lost else row
    )
    rewrite(
        exports / "stage_history.csv",
        lambda row: None if row["lead_id"] in lost and row["stage"] == "Closed lost" else row,
    )
    _, told, planned = open_sample(tmp_path / "planned", undated_close="last_stage")
    listed = set(planned.open_list(until)["lead_id"])
    assert lost & listed == set()
    assert told.warned["close_date"] == changed == len(lost)
    assert listed == set(honest.open_list(until)["lead_id"])
    side, true = planned.earlier_side(until), honest.earlier_side(until)
    # A loss taken at its last stage leaves fewer snapshots of that lead, so the rate comes out somewhat higher.
    assert true.base_rate() < side.base_rate() < true.base_rate() + 0.03
    keys = ["lead_id", "spell", "as_of_us"]
    both = side.rows.merge(true.rows, on=keys, suffixes=("", "_true")).dropna(
        subset=["label", "label_true"]
    )
    assert len(both) > 1000
    assert (both["label"] == both["label_true"]).mean() > 0.99


SETTINGS = """
project = "acme"
known_until = 2026-06-01T06:00:00Z
data_folder = "data"
models_folder = "models"
model.scorer = "scorecard"

[sources.deals]
path = "deals.csv"

[sources.calls]
path = "calls.csv"

[[mapping]]
source = "deals"
table = "leads"
columns = { lead_id = "Id", event_at = "Created" }

[[mapping]]
source = "calls"
table = "activities"
columns = { lead_id = "Id", event_at = "At" }
constants = { kind = "meeting", actor = "rep" }

[[mapping]]
source = "deals"
table = "outcomes"
where = { Status = ["Won", "Lost"] }
columns = { lead_id = "Id", event_at = "Closed" }
[mapping.values.Status]
Won = { outcome = "won" }
Lost = { outcome = "lost" }
"""


def write_deals(folder: Path, *, lost: str) -> None:
    """150 deals over five months, each with a call: a third open, a third won, a third lost on the date `lost`."""
    deals, calls = ["Id,Status,Created,Closed"], ["Id,At"]
    for place in range(150):
        month, day = 1 + place % 5, 1 + place % 28
        created = f"2026-0{month}-{day:02d}"
        status, closed = [("Open", ""), ("Won", f"2026-0{month}-28"), ("Lost", lost)][place % 3]
        deals.append(f"D{place},{status},{created},{closed}")
        calls.append(f"D{place},2026-0{month}-28")
    (folder / "deals.csv").write_text("\n".join([*deals, ""]))
    (folder / "calls.csv").write_text("\n".join([*calls, ""]))
    (folder / "leadscore.toml").write_text(SETTINGS)


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["", "2026-06-30"], ids=["no date", "next month's date"])
def test_train_when_lost_deals_have_no_usable_date_then_stops_in_words_and_what_they_say_mends_it(
    tmp_path, monkeypatch, lost
):
    monkeypatch.chdir(tmp_path)
    write_deals(tmp_path, lost=lost)
    assert run("ingest").code == 0
    stopped = run("train")
    assert stopped.code == 2
    assert "Traceback" not in stopped.err
    words = " ".join(stopped.err.split())
    cure = re.search(r'target\.(undated_close = "last_activity")', words)
    assert cure, words
    assert re.search(r"\(\d+ lost\) cannot be used", words)
    (tmp_path / "leadscore.toml").write_text(SETTINGS + f"\n[target]\n{cure[1]}\n")
    again = run("ingest")
    assert again.code == 0, again.err
    mended = run("train")
    assert "close date" not in mended.err
    assert mended.code == 0, mended.err


def test_train_when_no_substitute_is_left_then_names_leads_and_asks_for_their_close_date(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_deals(tmp_path, lost="")
    rewrite(tmp_path / "calls.csv", lambda row: row if row["Id"] == "D0" else None)
    settings = tmp_path / "leadscore.toml"
    settings.write_text(SETTINGS + '\n[target]\nundated_close = "last_activity"\n')
    assert run("ingest").code == 0
    stopped = run("train")
    words = " ".join(stopped.err.split())
    assert stopped.code == 2
    assert "last_stage" not in words
    assert re.search(
        r"last_activity does not cover them\. Leads without one: (D\d+, ){2}D\d+\.", words
    )
    assert "Export a close date" in words


@pytest.mark.slow
def test_train_when_some_snapshots_are_unusable_then_says_how_many_by_outcome(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_deals(tmp_path, lost="2026-05-28")
    rewrite(
        tmp_path / "deals.csv", lambda row: row | {"Closed": ""} if row["Id"] == "D149" else row
    )
    assert run("ingest").code == 0
    trained = run("train")
    assert trained.code == 0, trained.err
    words = r"(\d+) lost snapshots left out: their leads have no usable close date"
    told = re.search(words, " ".join(trained.out.split()))
    assert told, trained.out
    kept = next(tmp_path.glob("**/evaluation.json"))
    assert json.loads(kept.read_text())["history"]["unusable"] == {"won": 0, "lost": int(told[1])}
