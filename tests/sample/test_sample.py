"""The sample company: its truth against a slow reading of its exports, and what makes it believable."""

import csv
import dataclasses
import json
import math
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.features.finish import Titles
from leadscore.sample import draw, sample, world
from leadscore.sample.names import TITLES
from leadscore.sample.truth import build_truth, compute_truth
from leadscore.sample.work_time import UNTIL_TAU, to_tau, to_whole_seconds
from leadscore.sample.world import (
    ACTIVITIES,
    ANSWERS,
    ATTRIBUTES,
    CLASSES,
    MOVES,
    RESPONSES,
    STAGES,
    STREAMS,
)
from leadscore.settings.read import read_settings

DAY_S = 86_400
UNTIL_S = 1_772_323_200  # 2026-03-01T00:00:00Z
EARLIER_S = 1_753_920_000  # 2025-07-31T00:00:00Z
TIMES = {
    "leads": "created_at", "field_history": "changed_at", "activities": "at", "stage_history": "entered_at",
    "outcomes": "closed_at",
}  # fmt: skip
HEADERS = {
    "leads": "lead_id created_at company contact email phone country industry employees source job_title amount currency owner_id status"
    " budget need timeline",
    "field_history": "lead_id changed_at field value",
    "activities": "lead_id at type actor duration_s thread",
    "stage_history": "lead_id entered_at stage",
    "outcomes": "lead_id closed_at outcome amount currency reason",
    "reps": "rep_id name team territories capacity",
}


def read_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def seconds_of(text):
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def read_exports(folder):
    """The rows of each export, in the order of time, with the time as UTC seconds under "at_s"."""
    exports = {}
    for name, column in TIMES.items():
        rows = read_rows(folder / "exports" / f"{name}.csv")
        for row in rows:
            row["at_s"] = seconds_of(row[column])
        exports[name] = sorted(rows, key=lambda row: row["at_s"])
    return exports


def by_lead(rows):
    found = defaultdict(list)
    for row in rows:
        found[row["lead_id"]].append(row)
    return found


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def z_score(won, p):
    return float((won - p).sum() / math.sqrt((p * (1 - p)).sum()))


# ---- A slow reading of the exports, which shares with the room the tables of rates alone ----


def work_days(last=date(2028, 1, 1)):
    """For each day how much working time passed before it, and how much passes in it."""
    found, total, day = {}, 0.0, date(2024, 3, 1)
    while day < last:
        speed = 0.1 if day.weekday() in {5, 6} else 1.0
        if day.month == 8:
            speed *= 0.75
        if day.timetuple().tm_yday > 355 or (day.month == 1 and day.day <= 3):
            speed *= 0.4
        if day.month in {3, 6, 9, 12} and (day + timedelta(days=10)).month != day.month:
            speed *= 1.15
        found[day] = (total, speed)
        total += speed
        day += timedelta(days=1)
    return found


WORK_DAYS = work_days()


def work_time(at_s):
    before, speed = WORK_DAYS[date(1970, 1, 1) + timedelta(days=at_s // DAY_S)]
    return before + speed * min(max((at_s % DAY_S - 8 * 3600) / 36_000, 0.0), 1.0)


def find_range(names, number):
    (name,) = [
        name for name in names if int(name.split("-")[0]) <= number <= int(name.split("-")[1])
    ]
    return name


def find_spells(stages):
    """From the stages of one lead: its spells (start, end or None, outcome or None), and its stays in stages."""
    spells, stays = [], []
    for row, after in pairwise([*stages, None]):
        if row["stage"] not in STAGES:
            continue
        if not spells or spells[-1][1] is not None:
            spells.append((row["at_s"], None, None))
        stage, step = STAGES.index(row["stage"]), 0
        if after and after["stage"] in STAGES:
            step = STAGES.index(after["stage"]) - stage
            assert step in {1, -1}
        elif after:
            spells[-1] = (spells[-1][0], after["at_s"], after["stage"].removeprefix("Closed "))
        stays.append((row["at_s"], after["at_s"] if after else None, stage, step))
    return spells, stays


def find_events(activities, answers):
    """From the rows of one lead: (stream, mark) of each event, and each e-mail with what it brought."""
    events, e_mails, threads = [], [], defaultdict(list)
    for row in activities:
        threads[row["thread"]].append(row)
    for rows in threads.values():
        told = [row for row in rows if row["actor"] != "system"]  # a scanner says nothing
        came = [row for row in told if row["type"] in RESPONSES]
        caused = [row for row in told if row["type"] not in RESPONSES]
        (kind,) = {row["type"] for row in caused}
        events.append((kind, str(len(caused))))
        if kind == "email_sent":
            e_mails.append((caused[0]["at_s"], {row["type"]: row["at_s"] for row in came}))
            assert len(came) == len(e_mails[-1][1])
        else:
            assert not came
            assert len(told) == len(rows)
    for row in answers:
        if row["field"] == "timeline":
            ahead = (
                date.fromisoformat(row["value"]) - datetime.fromtimestamp(row["at_s"], UTC).date()
            )
            mark = find_range(ANSWERS["timeline"][1], ahead.days)
        elif row["field"] == "budget":
            mark = find_range(ANSWERS["budget"][1], int(row["value"]))
        else:
            mark = row["value"]
        events.append((row["field"], mark))
    return events, e_mails


def weigh_lead(lead, c):
    """How likely class `c` is for a lead that arrived then, and is what it is from creation."""
    (level,) = [level for level, titles in TITLES.items() if lead["job_title"] in titles]
    shown = {
        "source": lead["source"], "industry": lead["industry"], "title": level,
        "employees": find_range(ATTRIBUTES["employees"], int(lead["employees"])),
        "amount": find_range(ATTRIBUTES["amount"], int(lead["amount"])),
    }  # fmt: skip
    assert shown.keys() == ATTRIBUTES.keys()
    years = (lead["at_s"] - 1_709_251_200) / (365.25 * DAY_S)  # since 2024-03-01
    shares = [
        share * math.exp(drift * years)
        for share, drift in zip(world.SHARE, world.DRIFT, strict=True)
    ]
    return math.log(shares[c] / sum(shares)) + sum(
        math.log(ATTRIBUTES[name][shown[name]][c]) for name in shown
    )


def weigh_spells(spells, c, as_of):
    """How likely it is to stay open so long, to be lost, to come back; and that no more arrived while it was open."""
    said, lost_at = 0.0, None
    for start, end, outcome in spells:
        if lost_at is not None:
            rate = world.COME_BACK[c]
            said += math.log(rate) - rate * (work_time(start) - lost_at)
        lasted = (as_of if end is None else work_time(end)) - work_time(start)
        said -= (
            world.WIN[c] + world.LOSE[c] + sum(rate[c] for rate, _ in STREAMS.values())
        ) * lasted
        if outcome:
            assert outcome == "lost"
            said += math.log(world.LOSE[c])
            lost_at = work_time(end)
    return said


def weigh_e_mails(e_mails, spells, c, as_of):
    """How likely the answers are; where there is none, that none came until the lead closed or until now."""
    said = 0.0
    for sent, brought in e_mails:
        ((_, end, _),) = [
            spell for spell in spells if spell[0] <= sent and (spell[1] is None or sent < spell[1])
        ]
        watched = (as_of if end is None else work_time(end)) - work_time(sent)
        for kind, (chance, delay) in RESPONSES.items():
            if kind in brought:
                waited = work_time(brought[kind]) - work_time(sent)
                assert 0 <= waited < watched
                said += math.log(chance[c] / delay * math.exp(-waited / delay))
            else:
                said += math.log(1 - chance[c] * (1 - math.exp(-watched / delay)))
    return said


def weigh_stays(stays, c, as_of):
    said = 0.0
    for start, end, stage, step in stays:
        stayed = (as_of if end is None else work_time(end)) - work_time(start)
        if stage < 4:
            said -= MOVES[1][c] * stayed
        if stage > 1:
            said -= MOVES[-1][c] * stayed
        if step:
            said += math.log(MOVES[step][c])
    return said


def weigh_events(events, c):
    return sum(math.log(STREAMS[kind][0][c] * STREAMS[kind][1][mark][c]) for kind, mark in events)


def slow_truth(exports, as_of_s):
    """P(won within 60 days | the rows before `as_of_s`) of each lead open then; and what these went through."""
    as_of, horizon = work_time(as_of_s), work_time(as_of_s + 60 * DAY_S) - work_time(as_of_s)
    known = {
        name: by_lead(row for row in rows if row["at_s"] < as_of_s)
        for name, rows in exports.items()
    }
    chances, seen = {}, Counter()
    for lead_id, (lead,) in known["leads"].items():
        spells, stays = find_spells(known["stage_history"][lead_id])
        assert spells[0][0] == lead["at_s"]
        closings = [(row["at_s"], row["outcome"]) for row in known["outcomes"][lead_id]]
        assert closings == [(end, outcome) for _, end, outcome in spells if end is not None]
        if spells[-1][1] is not None:
            continue
        events, e_mails = find_events(known["activities"][lead_id], known["field_history"][lead_id])
        weights = [
            weigh_lead(lead, c) + weigh_spells(spells, c, as_of) + weigh_e_mails(e_mails, spells, c, as_of)
            + weigh_stays(stays, c, as_of) + weigh_events(events, c)
            for c in range(len(CLASSES))
        ]  # fmt: skip
        weights = [math.exp(weight - max(weights)) for weight in weights]
        chances[lead_id] = 0.0
        for weight, win, lose in zip(weights, world.WIN, world.LOSE, strict=True):
            wins = win / (win + lose) * (1 - math.exp(-(win + lose) * horizon))
            chances[lead_id] += weight / sum(weights) * wins
        seen["came back"] += len(spells) > 1
        seen.update(f"{kind} {mark}" for kind, mark in events)
        seen.update(f"step {step}" for *_, step in stays)
        seen.update(
            f"{kind} {'came' if kind in brought else 'not'}"
            for _, brought in e_mails
            for kind in RESPONSES
        )
    return chances, seen


def expected_kinds():
    marks = {f"{kind} {mark}" for kind, (_, marks) in STREAMS.items() for mark in marks}
    answers = {f"{kind} {what}" for kind in RESPONSES for what in ("came", "not")}
    return marks | answers | {"came back", "step 1", "step -1", "step 0"}


# ---- Samples that several tests read ----


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A sample of 600 leads."""
    folder = tmp_path_factory.mktemp("small")
    sample.write_sample(folder, leads=600, seed=3)
    return folder


@pytest.fixture(scope="module")
def draws():
    """Some large samples, not written."""
    return [drawn for seed in (11, 12, 13) for drawn in draw.draw_leads(leads=20_000, seed=seed)]


@pytest.fixture(scope="module")
def ingested(small, tmp_path_factory):
    """The small sample's settings, and what ingesting it told."""
    settings = read_settings(small / "leadscore.toml")
    settings = settings.model_copy(update={"data_folder": tmp_path_factory.mktemp("data")})
    return settings, jobs.ingest(settings)


def true_chances(folder):
    rows = read_rows(folder / "truth" / "leads.csv")
    return {row["lead_id"]: float(row["win_probability"]) for row in rows if row["win_probability"]}


# ---- The truth ----


def test_truth_when_worked_out_slowly_from_the_exports_then_is_the_same(small):
    found, seen = slow_truth(read_exports(small), UNTIL_S)
    assert found == pytest.approx(true_chances(small), rel=1e-9)
    assert len(found) > 40
    assert {
        kind for kind in expected_kinds() if not seen[kind]
    } == set()  # there was something of everything


@pytest.mark.parametrize(
    "as_of_s", [EARLIER_S, EARLIER_S - 200 * DAY_S, EARLIER_S + 36_000 + DAY_S]
)
def test_truth_when_asked_at_an_earlier_moment_then_needs_the_rows_before_it_alone(small, as_of_s):
    (drawn,) = draw.draw_leads(leads=600, seed=3)
    lead, truth = compute_truth(drawn.crowd, as_of_s)
    found, _ = slow_truth(read_exports(small), as_of_s)
    assert found == pytest.approx(
        dict(zip(drawn.crowd.ids_of(lead).to_pylist(), truth.tolist(), strict=True)), rel=1e-9
    )
    assert len(found) > 20


def test_truth_when_leads_are_drawn_in_chunks_then_is_the_same_as_worked_out_slowly(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(draw, "CHUNK", 37)
    told = sample.write_sample(tmp_path, leads=150, seed=5)
    found, _ = slow_truth(read_exports(tmp_path), UNTIL_S)
    assert found == pytest.approx(true_chances(tmp_path), rel=1e-9)
    assert told["open"] == len(found) > 10
    assert told["mean_truth"] == pytest.approx(np.mean(list(found.values())))


def test_truth_when_compared_with_what_came_then_is_calibrated(draws):
    truths = [drawn.tables()["truth/leads"].drop_null().to_pydict() for drawn in draws]
    p = np.concatenate([truth["win_probability"] for truth in truths])
    won = np.concatenate([truth["won_within_horizon"] for truth in truths]).astype(float)
    assert len(p) > 5000
    assert abs(z_score(won, p)) < 3
    order = np.argsort(p)
    scores = [z_score(won[part], p[part]) for part in np.array_split(order, 10)]
    assert max(map(abs, scores)) < 4
    lowest, *_, highest = (p[part].mean() for part in np.array_split(order, 10))
    assert highest > 20 * lowest  # there is something to learn
    assert 0.3 < highest < 0.6  # and luck is left


def test_truth_when_compared_among_leads_that_are_alike_then_is_calibrated(draws):
    groups = defaultdict(list)
    for crowd in (drawn.crowd for drawn in draws):
        spells, stays, events = crowd.spells, crowd.stays, crowd.events
        lead, truth = compute_truth(crowd, UNTIL_S)
        spell = np.flatnonzero((spells.start < UNTIL_TAU) & (spells.end >= UNTIL_TAU))
        won = spells.won[spell] & (spells.end_s[spell] < UNTIL_S + 60 * DAY_S)
        last = np.zeros(len(spells.lead), dtype=int)
        last[stays.spell] = stays.stage  # stays are in the order of time
        names = {
            "came back": ~np.isnan(spells.gap[spell]),
            "stage": last[spell],
            "met": np.isin(spell, events.spell[events.stream == list(STREAMS).index("meeting")]),
            "title": crowd.attributes["title"][lead],
            "arrived lately": crowd.created_s[lead] > UNTIL_S - 30 * DAY_S,
        }
        for name, values in names.items():
            for value in set(values.tolist()):
                groups[name, value].append(np.column_stack([won, truth])[values == value])
    assert len(groups) == 2 + 5 + 2 + 6 + 2
    for name, parts in groups.items():
        won, p = np.concatenate(parts).T
        assert len(p) > 100, name
        assert abs(z_score(won, p)) < 4, name


def test_truth_when_compared_at_an_earlier_moment_with_what_the_exports_tell_then_is_calibrated(
    draws,
):
    p, won = [], []
    for drawn in draws:
        lead, truth = compute_truth(drawn.crowd, EARLIER_S)
        rows = drawn.tables()["exports/outcomes"]
        closed_s = rows["closed_at"].cast("int64").to_numpy()
        first = {}
        for lead_id, at_s, outcome in zip(
            rows["lead_id"].to_pylist(), closed_s, rows["outcome"].to_pylist(), strict=True
        ):
            if at_s >= EARLIER_S:
                first.setdefault(lead_id, (at_s, outcome))
        for lead_id in drawn.crowd.ids_of(lead).to_pylist():
            at_s, outcome = first.get(lead_id, (UNTIL_S, "open"))
            won.append(outcome == "won" and at_s < EARLIER_S + 60 * DAY_S)
        p.append(truth)
    p, won = np.concatenate(p), np.array(won, dtype=float)
    assert len(p) > 5000
    assert abs(z_score(won, p)) < 3
    assert max(abs(z_score(won[part], p[part])) for part in np.array_split(np.argsort(p), 10)) < 4


def test_truth_when_leads_are_drawn_in_small_chunks_then_is_calibrated(monkeypatch):
    monkeypatch.setattr(draw, "CHUNK", 700)
    draws = list(draw.draw_leads(leads=20_000, seed=8))
    assert len(draws) == 29
    truths = [drawn.tables()["truth/leads"].drop_null().to_pydict() for drawn in draws]
    p = np.concatenate([truth["win_probability"] for truth in truths])
    won = np.concatenate([truth["won_within_horizon"] for truth in truths]).astype(float)
    assert np.isfinite(p).all()
    assert len(p) > 2000
    assert abs(z_score(won, p)) < 3


def test_truth_when_the_future_is_another_then_is_the_same(draws):
    crowd = draws[0].crowd
    spells, stays = crowd.spells, crowd.stays
    late, late_stay = spells.end >= UNTIL_TAU, stays.end >= UNTIL_TAU
    assert late.sum() > 1000
    other = dataclasses.replace(
        crowd,
        spells=dataclasses.replace(
            spells,
            end=np.where(late, spells.end * 2 + 50, spells.end),
            end_s=np.where(late, spells.end_s + 10**7, spells.end_s),
            won=spells.won ^ late,
        ),
        stays=dataclasses.replace(stays, end=np.where(late_stay, stays.end * 2 + 50, stays.end)),
        responses={
            kind: np.where(at >= UNTIL_TAU, np.inf, at) for kind, at in crowd.responses.items()
        },
    )
    pairs = zip(compute_truth(other, UNTIL_S), compute_truth(crowd, UNTIL_S), strict=True)
    for found, expected in pairs:
        np.testing.assert_array_equal(found, expected)
    one, two = build_truth(crowd), build_truth(other)
    assert one["win_probability"].equals(two["win_probability"])
    assert not one["won_within_horizon"].equals(two["won_within_horizon"])


def test_truth_file_when_read_then_tells_what_the_exports_tell_of_closed_leads(small):
    exports, truth = read_exports(small), read_rows(small / "truth" / "leads.csv")
    last = {row["lead_id"]: row for row in exports["outcomes"]}
    status = {row["lead_id"]: row["status"] for row in exports["leads"]}
    assert [row["lead_id"] for row in truth] == list(status)
    assert {row["class"] for row in truth} == set(CLASSES)
    for row in truth:
        assert (
            (row["win_probability"] == "")
            == (row["won_within_horizon"] == "")
            == (status[row["lead_id"]] != "Open")
        )
        if row["win_probability"]:
            assert 0 < float(row["win_probability"]) < 1
            assert row["closed_at"] >= "2026-03-01"
            in_time = row["outcome"] == "won" and row["closed_at"] < "2026-04-30"
            assert row["won_within_horizon"] == str(in_time).lower()
        else:
            assert (row["outcome"], row["closed_at"]) == tuple(
                last[row["lead_id"]][k] for k in ("outcome", "closed_at")
            )
            assert status[row["lead_id"]] == row["outcome"].capitalize()


# ---- Working time ----


def test_time_when_a_day_begins_or_ends_then_its_second_is_kept():
    days = np.arange(world.START_S, UNTIL_S + 800 * DAY_S, DAY_S)
    for of_day in (8 * 3600, 8 * 3600 + 1, 12 * 3600 + 59, 18 * 3600 - 1):
        seconds, tau = to_whole_seconds(to_tau(days + of_day))
        np.testing.assert_array_equal(seconds, days + of_day)
        np.testing.assert_array_equal(tau, to_tau(days + of_day))
    np.testing.assert_array_equal(to_tau(days + 18 * 3600), to_tau(days + DAY_S + 8 * 3600))


def test_time_when_worked_out_slowly_then_is_the_same():
    seconds = np.arange(world.START_S, UNTIL_S + 60 * DAY_S, 7919)
    assert to_tau(seconds) == pytest.approx([work_time(int(at_s)) for at_s in seconds], abs=1e-9)


# ---- The files ----


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


# ---- Is it believable? ----


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


# ---- The settings ----


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


# ---- Mistakes, and the command ----


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
