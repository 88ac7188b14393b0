"""The sample's exports read back, and the true chances worked out from them lead by lead."""

import csv
import math
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from leadscore.sample import world
from leadscore.sample.names import TITLES
from leadscore.sample.world import (
    ANSWERS,
    ATTRIBUTES,
    CLASSES,
    MOVES,
    RESPONSES,
    STAGES,
    STREAMS,
)

DAY_S = 86_400
UNTIL_S = 1_772_323_200  # 2026-03-01T00:00:00Z
TIMES = {
    "leads": "created_at", "field_history": "changed_at", "activities": "at", "stage_history": "entered_at",
    "outcomes": "closed_at",
}  # fmt: skip


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


def true_chances(folder):
    rows = read_rows(folder / "truth" / "leads.csv")
    return {row["lead_id"]: float(row["win_probability"]) for row in rows if row["win_probability"]}
