"""The sample company: what it exports, what makes it believable, and the command that writes it."""

import json
import math
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.features.finish import Titles
from leadscore.sample import draw, sample, world
from leadscore.sample.names import TITLES
from leadscore.sample.world import (
    ACTIVITIES,
    ANSWERS,
    ATTRIBUTES,
    CLASSES,
    RESPONSES,
    STAGES,
)
from leadscore.settings.read import read_settings
from sample.slow_truth import (
    DAY_S,
    TIMES,
    UNTIL_S,
    by_lead,
    read_exports,
    read_rows,
    slow_truth,
    true_chances,
)

HEADERS = {
    "leads": "lead_id created_at company contact email phone country industry employees source job_title amount currency owner_id status"
    " budget need timeline",
    "field_history": "lead_id changed_at field value",
    "activities": "lead_id at type actor duration_s thread",
    "stage_history": "lead_id entered_at stage",
    "outcomes": "lead_id closed_at outcome amount currency reason",
    "reps": "rep_id name team territories capacity",
}


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def ingested(small, tmp_path_factory):
    """The small sample's settings, and what ingesting it told."""
    settings = read_settings(small / "leadscore.toml")
    settings = settings.model_copy(update={"data_folder": tmp_path_factory.mktemp("data")})
    return settings, jobs.ingest(settings)


def test_sample_when_made_again_then_has_the_same_bytes_and_others_with_another_seed(tmp_path):
    for name, seed, leads in [("one", 7, 200), ("two", 7, 200), ("seed", 8, 200), ("more", 7, 201)]:
        sample.write_sample(tmp_path / name, leads=leads, seed=seed)
    one, two, seed, more = (contents(tmp_path / name) for name in ("one", "two", "seed", "more"))
    assert one == two
    fixed = {"exports/reps.csv", "leadscore.toml"}
    assert set(one) == fixed | {"truth/leads.csv"} | {f"exports/{name}.csv" for name in TIMES}
    for other in (seed, more):
        assert {name for name in one if one[name] == other[name]} == fixed


def test_exports_when_read_then_stop_at_the_end_and_do_not_tell_the_class(small):
    settings = tomllib.loads((small / "leadscore.toml").read_text(encoding="utf-8"))
    assert settings["known_until"].timestamp() == UNTIL_S == world.UNTIL_S
    for name, header in HEADERS.items():
        text = (small / "exports" / f"{name}.csv").read_text(encoding="utf-8")
        assert text.splitlines()[0] == ",".join(f'"{column}"' for column in header.split())
        assert [word for word in CLASSES if word in text.casefold()] == []
    exports = read_exports(small)
    created = {row["lead_id"]: row["at_s"] for row in exports["leads"]}
    for rows in exports.values():
        assert all(created[row["lead_id"]] <= row["at_s"] < UNTIL_S for row in rows)
    opened = {row["lead_id"] for row in exports["leads"] if row["status"] == "Open"}
    assert opened == set(true_chances(small))


def test_exports_when_read_then_a_lead_shows_the_latest_answers_and_its_rep_s_country(small):
    exports = read_exports(small)
    latest = {(row["lead_id"], row["field"]): row["value"] for row in exports["field_history"]}
    reps = {
        row["rep_id"]: row["territories"].split(";")
        for row in read_rows(small / "exports" / "reps.csv")
    }
    for row in exports["leads"]:
        assert {field: row[field] for field in ANSWERS} == {
            f: latest.get((row["lead_id"], f), "") for f in ANSWERS
        }
        assert row["country"] in reps[row["owner_id"]]
    assert {row["owner_id"] for row in exports["leads"]} == set(reps)
    amounts = {row["lead_id"]: int(row["amount"]) for row in exports["leads"]}
    for row in exports["outcomes"]:
        assert (
            (row["outcome"] == "won")
            == (row["amount"] != "")
            == (row["currency"] == "EUR")
            == (row["reason"] == "")
        )
        if row["amount"]:
            assert 0.79 < int(row["amount"]) / amounts[row["lead_id"]] < 1.06


def test_exports_when_drawn_in_chunks_then_ids_are_unique_and_rise_with_time(tmp_path, monkeypatch):
    monkeypatch.setattr(draw, "CHUNK", 10)
    told = sample.write_sample(tmp_path, leads=101, seed=1)
    leads = read_rows(tmp_path / "exports" / "leads.csv")
    assert [row["lead_id"] for row in leads] == [f"L{i:07d}" for i in range(1, 102)]
    created = [row["created_at"] for row in leads]
    assert created == sorted(created)
    for name, rows in told["rows"].items():
        assert len(read_rows(tmp_path / f"{name}.csv")) == rows
        assert {row["lead_id"] for row in read_rows(tmp_path / f"{name}.csv")} <= {
            row["lead_id"] for row in leads
        }


@pytest.mark.parametrize("seed", range(12))
def test_sample_when_of_one_lead_then_is_whole(tmp_path, seed):
    told = sample.write_sample(tmp_path / "one", leads=1, seed=seed)
    assert set(told["rows"]) == {f"exports/{name}" for name in TIMES} | {"truth/leads"}
    for name, rows in told["rows"].items():
        assert len(read_rows(tmp_path / "one" / f"{name}.csv")) == rows
    found, _ = slow_truth(read_exports(tmp_path / "one"), UNTIL_S)
    assert found == pytest.approx(true_chances(tmp_path / "one"), rel=1e-9)
    assert told["open"] == len(found)
    assert told["mean_truth"] == (pytest.approx(found["L0000001"]) if found else None)


def test_activities_when_counted_then_there_are_kinds_bursts_replies_and_scanners(small):
    rows = read_exports(small)["activities"]
    people = {row["type"] for row in rows if row["actor"] != "system"}
    assert people == {*ACTIVITIES, *RESPONSES}
    assert len(people) >= 8
    assert {row["type"] for row in rows if row["actor"] == "system"} == {"email_open"}
    pages = Counter(
        (row["lead_id"], row["thread"]) for row in rows if row["type"].endswith("_visit")
    )
    bursts = Counter(pages.values())
    assert set(bursts) == {1, 3, 8}
    assert sum(n for size, n in bursts.items() if size > 1) > 0.25 * len(pages)
    spans = defaultdict(list)
    for row in rows:
        if row["type"].endswith("_visit"):
            spans[row["lead_id"], row["thread"]].append(row["at_s"])
    assert max(at_s[-1] - at_s[0] for at_s in spans.values()) < 900
    kinds = Counter((row["type"], row["actor"]) for row in rows)
    assert 0.1 < kinds["email_reply", "lead"] / kinds["email_sent", "rep"] < 0.25
    assert {row["type"] for row in rows if row["duration_s"]} == {"call", "meeting"}


def test_scanners_when_counted_by_class_then_open_as_much_of_everyone(draws):
    tables = [drawn.tables() for drawn in draws]
    sent, opened = Counter(), Counter()
    for table in tables:
        class_of = dict(
            zip(
                *(table["truth/leads"][name].to_pylist() for name in ("lead_id", "class")),
                strict=True,
            )
        )
        rows = (
            table["exports/activities"][name].to_pylist() for name in ("lead_id", "type", "actor")
        )
        for lead_id, kind, actor in zip(*rows, strict=True):
            sent[class_of[lead_id]] += kind == "email_sent"
            opened[class_of[lead_id]] += actor == "system"
    for name in CLASSES:
        expected = world.SCANNERS * sent[name]
        assert abs(opened[name] - expected) < 4 * math.sqrt(expected * (1 - world.SCANNERS))


def test_stages_when_followed_then_go_back_at_times_and_lost_leads_come_back(small):
    exports = read_exports(small)
    back, lost = (
        0,
        {
            row["lead_id"]: row["at_s"]
            for row in reversed(exports["outcomes"])
            if row["outcome"] == "lost"
        },
    )
    for rows in by_lead(exports["stage_history"]).values():
        names = [row["stage"] for row in rows]
        assert names[0] == "New"
        assert "New" not in names[1:]
        pairs = [(a, b) for a, b in pairwise(names) if a in STAGES and b in STAGES]
        back += sum(STAGES.index(b) < STAGES.index(a) for a, b in pairs)
    again = {
        row["lead_id"] for row in exports["stage_history"]
        if row["stage"] in STAGES and row["at_s"] > lost.get(row["lead_id"], UNTIL_S)
    }  # fmt: skip
    assert back > 20
    assert 0.05 < len(again) / len(exports["leads"]) < 0.3


def test_leads_when_counted_by_year_then_get_slowly_worse(draws):
    ready = np.concatenate([drawn.crowd.lead_class == 0 for drawn in draws])
    later = np.concatenate(
        [drawn.crowd.created_s >= world.START_S + 365 * DAY_S for drawn in draws]
    )
    first, second = ready[~later].mean(), ready[later].mean()
    assert 0.75 < second / first < 0.92
    assert 0.12 < second < first < 0.18


def test_leads_when_counted_by_day_then_there_are_seasons(draws):
    created = np.concatenate([drawn.crowd.created_s for drawn in draws])
    assert (created % DAY_S >= 8 * 3600).all()
    assert (created % DAY_S < 18 * 3600).all()
    day = created // DAY_S
    weekend = (day + 3) % 7 >= 5
    assert 0.02 < weekend.mean() < 0.06
    month = created.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12 + 1
    a_day = {m: (month == m).sum() / d for m, d in [(7, 31), (8, 31), (10, 31), (12, 31)]}
    assert 0.65 < a_day[8] / a_day[10] < 0.85
    assert a_day[12] < a_day[10]


def test_titles_when_matched_by_the_settings_then_rise_with_the_level(draws, ingested):
    bant = ingested[0].bant["authority"]
    strength = Titles("title", bant.titles)
    strengths = {}
    for level, titles in TITLES.items():
        shown = np.array([title or None for title in titles], dtype=object)
        strengths[level] = strength({"title": shown}, np.zeros(len(shown), dtype=np.int64))
    assert np.isnan(strengths.pop("missing")).all()
    assert all(len(set(found.tolist())) == 1 for found in strengths.values())
    assert [found[0] for found in strengths.values()] == [1.0, 0.8, 0.5, 0.3, 0.0]
    titles = [title for level in TITLES.values() for title in level]
    assert len(titles) == len(set(titles))
    assert set(draws[0].exports["leads"]["job_title"].to_pylist()) == set(titles)


def test_rates_when_read_then_are_shares_and_the_classes_differ():
    for values in [*ATTRIBUTES.values(), *(marks for _, marks in ANSWERS.values()), world.PAGES]:
        assert np.sum(list(values.values()), axis=0) == pytest.approx([1, 1, 1, 1])
    assert sum(world.SHARE) == pytest.approx(1)
    assert sorted(world.WIN, reverse=True) == list(world.WIN)
    assert sorted(world.LOSE) == list(world.LOSE)


def test_settings_when_the_sample_is_ingested_then_every_row_is_accounted_for(small, ingested):
    _, told = ingested
    exports = read_exports(small)
    scanned = sum(row["actor"] == "system" for row in exports["activities"])
    assert scanned > 100
    sources = told.accounts.sources
    assert set(sources) == set(TIMES)
    for name, account in sources.items():
        ignored = scanned if name == "activities" else 0
        n = len(exports[name])
        assert {k: account.to_dict()[k] for k in ("read", "used", "ignored", "rejected")} == {
            "read": n, "used": n - ignored, "ignored": ignored, "rejected": 0,
        }  # fmt: skip
    assert sources["activities"].ignored_by == {"opened_by_scanners": scanned}
    for account in told.accounts.tables.values():
        assert (account.rejected, account.duplicates) == (0, 0)
    assert (told.rejects, told.first_rejects, told.alarms, told.warnings) == (
        {},
        {},
        [],
        [],
    )
    assert told.known_until == "2026-03-01T00:00:00Z"


def test_settings_when_read_then_name_what_the_exports_have(small, ingested):
    settings, _ = ingested
    exports = read_exports(small)
    assert set(settings.kinds) == {
        row["type"] for row in exports["activities"] if row["actor"] != "system"
    }
    assert list(settings.stages.open) == list(STAGES)
    closed = {*settings.stages.won, *settings.stages.lost}
    assert {row["stage"] for row in exports["stage_history"]} == {*STAGES, *closed}
    assert list(settings.bant["need"].levels) == list(ANSWERS["need"][1])
    assert {settings.bant[letter].field for letter in ("budget", "need", "timeline")} == set(
        ANSWERS
    )
    assert settings.target.horizon_days == world.HORIZON_DAYS


@pytest.mark.parametrize("name", ["note.txt", ".hidden"])
def test_sample_when_the_folder_is_not_empty_then_is_refused_and_nothing_changed(tmp_path, name):
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / name).write_text("mine")
    with pytest.raises(UserError, match="crm is not empty"):
        sample.write_sample(tmp_path / "crm", leads=5, seed=1)
    with pytest.raises(UserError):
        sample.write_sample(tmp_path / "crm" / name, leads=5, seed=1)  # a file
    assert contents(tmp_path) == {f"crm/{name}": b"mine"}


def test_sample_when_the_folder_is_there_and_empty_then_it_is_filled(tmp_path, monkeypatch):
    sample.write_sample(tmp_path / "new" / "crm", leads=20, seed=1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "target").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for folder in (tmp_path / "empty", tmp_path / "link", Path()):
        inode = folder.stat().st_ino
        sample.write_sample(folder, leads=20, seed=1)
        assert folder.stat().st_ino == inode
        assert sorted(path.name for path in folder.iterdir()) == [
            "exports",
            "leadscore.toml",
            "truth",
        ]
        assert contents(folder) == contents(tmp_path / "new" / "crm")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "empty",
        "here",
        "link",
        "new",
        "target",
    ]


def run_sample(*words):
    command = [str(Path(sys.executable).with_name("leadscore")), "sample", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_command_when_run_then_prints_one_object_with_the_rows_of_the_files(tmp_path):
    folder = tmp_path / "crm"
    told = run_sample(str(folder), "--leads", "50", "--seed", "3", "--json")
    assert (told.returncode, told.stderr) == (0, "")
    found = json.loads(told.stdout)
    assert found["rows"] == {name: len(read_rows(folder / f"{name}.csv")) for name in found["rows"]}
    assert set(found["rows"]) == {f"exports/{name}" for name in TIMES} | {"truth/leads"}
    assert found["rows"]["exports/leads"] == 50
    assert (found["folder"], found["open"]) == (str(folder), len(true_chances(folder)))
    assert found["mean_truth"] == pytest.approx(np.mean(list(true_chances(folder).values())))
    sample.write_sample(tmp_path / "again", leads=50, seed=3)
    assert contents(tmp_path / "again") == contents(folder)
    before = contents(tmp_path)
    refused = run_sample(str(folder), "--leads", "50", "--seed", "3", "--json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: ")
    assert "is not empty" in refused.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize("words", [("--leads", "0"), ("--seed", "-1")])
def test_command_when_a_number_makes_no_sense_then_exit_code_2_and_no_folder(tmp_path, words):
    told = run_sample(str(tmp_path / "crm"), *words)
    assert (told.returncode, told.stdout) == (2, "")
    assert words[0] in told.stderr
    assert list(tmp_path.iterdir()) == []
