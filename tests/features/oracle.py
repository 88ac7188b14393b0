"""Every feature once more, slowly: in plain Python, from the facts, by what the features are said to mean.

`build_random_facts` makes histories in which most times lie on, or one microsecond beside, the edge of a window, and
in which ties, unknown values and texts that look like SQL are common.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pandas as pd

from builders import Facts, day, make_settings
from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix
from leadscore.settings.bant import BantLetter
from leadscore.settings.fields import LeadField
from leadscore.settings.settings import Settings

DAY = 24 * 60 * 60 * 1_000_000
NAN = math.nan
Row = dict[str, Any]

LEADS = ["00012", "12", "Ägidius", "o'neil", "😀", "z", "select", "a b"]
KINDS = {"email": "e-mails", "O'Brien--; SELECT 😀": "calls by O'Brien", "größe": "sizings"}
OPEN, WON, LOST = ["new", "it's qualified", "proposal", "Ünion"], ["signed ✓"], ["from; drop"]
TEXTS = [
    None,
    "",
    "a",
    "A",
    "ä",
    "it's",
    '"quoted"',
    "union select 1; --",
    "😀",
    "z",
    "%",
    "NULL",
    "10",
    "9",
]
TITLES = [
    None,
    "CEO",
    "Vice President",
    "VP Sales",
    "Geschäftsführerin",
    "GESCHÄFTSFÜHRER",
    "intern",
    "ceo's aide",
]
LEVELS = ("none", "it's planned", "approved", "Größe")
AS_OFS = [day(100), day(101), day(103), day(130)]
FIELDS = {
    "owner_id": {"learn": True},
    "industry": {"known_from": "creation"},
    "size": {"type": "number", "decimals": 0, "known_from": "creation"},
    "price": {"type": "number", "decimals": 3, "known_from": "creation"},
    "renewal": {"type": "date", "known_from": "creation"},
    "order": {"known_from": "creation"},
    "mood": {},
    "seats": {"type": "number", "decimals": 1},
    "funds": {"type": "number"},
    "review": {"type": "date"},
    "title": {"known_from": "creation"},
    "pain": {},
    "start": {"type": "date", "known_from": "creation"},
    "unlearned": {},
}
CHANGED = [
    "owner_id",
    "amount",
    "mood",
    "seats",
    "funds",
    "review",
    "pain",
    "title",
    "start",
    "industry",
    "size",
]


LONG = 90  # seconds; a longer activity is a conversation
ACTS = {name: name for name in ("kind", "actor", "outcome", "duration_s", "booked_at")}
MAPPING = [
    {
        "source": "leads",
        "table": "leads",
        "columns": {"lead_id": "id", "event_at": "created"},
    },
    {
        "source": "leads",
        "table": "changes",
        "columns": {"lead_id": "id", "event_at": "at", "field": "field", "value": "value"},
    },
    {
        "source": "leads",
        "table": "activities",
        "columns": {"lead_id": "id", "event_at": "at", **ACTS},
    },
]


def make_oracle_settings(*, changed: Iterable[str] = (), **changes: Any) -> Settings:
    """Settings with every family, type of field and way to answer a letter of BANT; `changed` fields have a history."""
    fields = {name: {k: v for k, v in field.items() if k != "known_from" or name not in set(changed)}
              for name, field in FIELDS.items()}  # fmt: skip
    return make_settings(
        **{
            "kinds": KINDS,
            "mapping": MAPPING,
            "activities": {"conversation_seconds": LONG},
            "stages": {"open": OPEN, "won": WON, "lost": LOST},
            "fields": fields,
            "bant": {
                "budget": {"field": "funds", "full_amount": 50.0},
                "authority": {
                    "field": "title",
                    "titles": [("ceo", 1.0), ("*geschäftsführer*", 0.9), ("v*p*", 0.5)],
                },
                "need": {"field": "pain", "levels": LEVELS},
                "timeline": {"field": "start", "within_days": [7, 90]},
            },
        }
        | changes
    )


def build_random_facts(
    random: Random, *, leads: int, rows: int, changed: Iterable[str] = CHANGED
) -> tuple[Facts, pd.DataFrame]:
    """Facts of so many leads with about `rows` rows each, and a list of snapshots of them; shuffled."""
    facts = Facts(make_oracle_settings(changed=changed))
    names = LEADS + [f"{i:04d}" for i in range(leads - len(LEADS))]
    lead_ids = random.sample(names, leads)
    changed = sorted(changed)
    for lead_id in lead_ids:
        moments = [_random_days(random) for _ in range(8)]  # few, so that facts often share one
        _add_random_lead(random, facts, lead_id, moments)
        for _ in range(random.randint(0, rows)):
            _add_random_activity(random, facts, lead_id, moments)
        for _ in range(random.randint(0, rows // 2)):
            stage = random.choice(OPEN + WON + LOST)
            facts.stage(lead_id, random.choice(moments), stage, **_random_known(random, moments))
        for _ in range(random.randint(0, 2 * rows if changed else 0)):
            _add_random_change(random, facts, lead_id, moments, changed)
    for table in facts.rows.values():
        random.shuffle(table)
    return facts, _random_list(random, facts, lead_ids)


def _add_random_lead(random: Random, facts: Facts, lead_id: str, moments: list[float]) -> None:
    fields = facts.settings.lead_fields()
    columns = {name: _random_value(random, field) for name, field in fields.items()}
    facts.lead(lead_id, random.choice(moments), known=random.choice(moments), **columns)


def _add_random_activity(random: Random, facts: Facts, lead_id: str, moments: list[float]) -> None:
    kind = random.choice(sorted(KINDS))
    actor = random.choice(["lead", "rep", "system"])
    known = _random_known(random, moments)
    at = random.choice(moments)
    content = _random_content(random, moments)
    facts.activity(lead_id, at, kind, actor=actor, **known, **content)


def _add_random_change(
    random: Random, facts: Facts, lead_id: str, moments: list[float], names: list[str]
) -> None:
    name = random.choice(names)
    value = _random_value(random, facts.settings.lead_fields()[name])
    text = None if value is None else str(value)
    at = random.choice(moments)
    facts.change(lead_id, at, name, text, **_random_known(random, moments))


def _random_days(random: Random) -> float:
    """Days after day 0: the edge of a window of some as_of, or a microsecond beside it, or any moment."""
    if random.random() < 0.3:
        return random.randint(0, 130 * 24) / 24
    edge = random.choice(AS_OFS) - random.choice([0, 1, 7, 30, 37, 90]) * DAY
    return (edge + random.choice([-1, 0, 0, 1]) - day(0)) / DAY


def _random_known(random: Random, moments: list[float]) -> Row:
    late = {"known": random.choice(moments)} if random.random() < 0.3 else {}
    return {"seq": random.randint(0, 1), **late}


def _random_content(random: Random, moments: list[float]) -> Row:
    """What an activity holds: how it ended, how long it took, and since when it was planned."""
    return {
        "outcome": random.choice([None, None, "reached", "not_reached", "cancelled", "planned"]),
        "duration_s": random.choice([None, 0, 1, LONG - 1, LONG, LONG + 1, 5000]),
        "booked_at": random.choice([None, *(day(moment) for moment in moments)]),
    }


def _random_value(random: Random, field: LeadField) -> int | str | None:
    if random.random() < 0.15:
        return None
    if field.type == "number":
        return random.choice([0, 9, 10, -1, 2500, 4999, 5000, 5001, 10**12])
    if field.type == "date":
        return (
            random.choice(AS_OFS)
            + random.choice([-1, 0, 1, 7, 8, 50, 90, 91]) * DAY
            + random.choice([-1, 0, 1])
        )
    return random.choice([*TEXTS, *TITLES, *LEVELS])


def _random_list(random: Random, facts: Facts, lead_ids: list[str]) -> pd.DataFrame:
    known_from = {row["lead_id"]: row["available_us"] for row in facts.rows["leads"]}
    rows = []
    for lead_id in lead_ids:
        for as_of_us in random.sample(AS_OFS, random.randint(0, 3)):
            known_us = as_of_us - random.choice([0, 0, 1, 3 * DAY])
            spell = random.randint(1, 3) if known_from[lead_id] < known_us else 1
            rows.append(
                {"lead_id": lead_id, "spell": spell, "as_of_us": as_of_us, "known_us": known_us}
            )
    random.shuffle(rows)
    kinds = {"lead_id": "str", "spell": "int64", "as_of_us": "int64", "known_us": "int64"}
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


@dataclass(frozen=True)
class Seen:
    """What was known of a lead at a snapshot."""

    as_of_us: int
    spell: int
    lead: Row | None
    changes: list[Row]
    activities: list[Row]
    stages: list[Row]
    cancelled: list[Row]
    plans: list[Row]


def compute_oracle(facts: Facts, rows: pd.DataFrame) -> dict[str, list[Any]]:
    """Every feature by name, for the list ordered by lead and as_of."""
    found = []
    for row in sorted(rows.to_dict("records"), key=lambda row: (row["lead_id"], row["as_of_us"])):
        seen = _see(facts, row)
        fields = _learned_fields(seen, facts.settings)
        found.append(
            _bant(seen, facts.settings, fields)
            | _engagement(seen, facts.settings)
            | _contact_content(seen, facts.settings)
            | _stage(seen, facts.settings)
            | _profile(seen, facts.settings, fields)
        )
    return {name: [values[name] for values in found] for name in (found[0] if found else {})}


def _see(facts: Facts, row: Row) -> Seen:
    def of(table: str) -> list[Row]:
        mine = (fact for fact in facts.rows[table] if fact["lead_id"] == row["lead_id"])
        return [fact for fact in mine if fact["available_us"] < row["known_us"]]

    lead = next(iter(of("leads")), None)
    acts = of("activities")
    held = [act for act in acts if act.get("outcome") not in {"planned", "cancelled"}]
    cancelled = [act for act in acts if act.get("outcome") == "cancelled"]
    return Seen(
        row["as_of_us"],
        row["spell"],
        lead,
        of("changes"),
        held,
        of("stages"),
        cancelled,
        _plans(facts, row),
    )


def _plans(facts: Facts, row: Row) -> list[Row]:
    """What was in the calendar by then; the oracle's snapshots are all older than the export."""
    return [
        act
        for act in facts.rows["activities"]
        if act["lead_id"] == row["lead_id"]
        and (act.get("booked_at") or math.inf) < row["known_us"]
        and act["event_us"] >= row["as_of_us"]
    ]


def _learned_fields(seen: Seen, settings: Settings) -> dict[str, Any]:
    """The value of every field that may be learned from: whole numbers, microseconds, texts, or None."""
    found = {}
    for name, field in settings.lead_fields().items():
        if field.known_from == "creation":
            found[name] = seen.lead.get(name) if seen.lead else None
            continue
        past = [row for row in seen.changes if row["field"] == name]
        past.sort(
            key=lambda row: (
                row["event_us"],
                row["seq"],
                row["value"] is not None,
                row["value"] or "",
            )
        )
        value = past[-1]["value"] if past else None
        found[name] = value if value is None or field.type == "text" else int(value)
    return found


def _bant(seen: Seen, settings: Settings, fields: dict[str, Any]) -> Row:
    found: Row = {}
    more: Row = {}
    for letter, bant in settings.bant.items():
        if bant.field in fields:
            decimals = settings.lead_fields()[bant.field].decimals
            found[f"bant_{letter}"] = strength(
                bant, fields[bant.field], as_of_us=seen.as_of_us, decimals=decimals
            )
            more |= _answers(seen, settings, letter, bant)
    known = {f"{name}_known": float(not math.isnan(value)) for name, value in found.items()}
    return found | known | more | ({"bant_completeness": sum(known.values())} if known else {})


def _answers(seen: Seen, settings: Settings, letter: str, bant: BantLetter) -> Row:
    """The mean strength of the answers, of the latest eight changes and of the value at creation, and their number."""
    field = settings.lead_fields()[bant.field]
    past = [row for row in seen.changes if row["field"] == bant.field]
    past.sort(
        key=lambda row: (row["event_us"], row["seq"], row["value"] is not None, row["value"] or "")
    )
    texts = [row["value"] for row in past]
    values = [value if value is None or field.type == "text" else int(value) for value in texts]
    at_creation = (
        seen.lead.get(bant.field)
        if seen.lead and bant.field in settings.fields_of_leads()
        else None
    )
    counted = [*values[-8:], at_creation]
    strengths = [
        strength(bant, each, as_of_us=seen.as_of_us, decimals=field.decimals) for each in counted
    ]
    known = [each for each in strengths if not math.isnan(each)]
    return {
        f"bant_{letter}_mean": sum(known) / len(known) if known else NAN,
        f"bant_{letter}_answers": float(sum(each is not None for each in [*values, at_creation])),
    }


def strength(bant: BantLetter, value: Any, *, as_of_us: int, decimals: int) -> float:
    """How strongly a stored value answers a letter."""
    if value is None:
        return NAN
    if bant.levels:
        return bant.levels.index(value) / (len(bant.levels) - 1) if value in bant.levels else NAN
    if bant.titles:
        for pattern, points in bant.titles:
            if re.fullmatch(
                ".*".join(re.escape(part) for part in pattern.lower().split("*")),
                value.lower(),
                re.S,
            ):
                return points
        return NAN
    if bant.full_amount:
        return min(max(value / 10**decimals / bant.full_amount, 0.0), 1.0)
    return _nearness((value - as_of_us) / DAY, *(bant.within_days or (NAN, NAN)))


def _nearness(days: float, near: float, far: float) -> float:
    if days < 0 or days >= far:
        return 0.0
    return 1.0 if days <= near else (far - days) / (far - near)


def _engagement(seen: Seen, settings: Settings) -> Row:
    kinds = {"activities": list(seen.activities)}
    for kind in settings.activity_kinds():
        name = re.sub("[^a-z0-9]", "_", kind.lower())
        kinds[name] = [row for row in seen.activities if row["kind"] == kind]
    return {
        f"engagement_{name}_{key}": x
        for name, rows in kinds.items()
        for key, x in _contact(seen, rows).items()
    }


def _contact(seen: Seen, rows: list[Row]) -> Row:
    times = [row["event_us"] for row in rows]

    def within(days: int) -> list[int]:
        return [us for us in times if us >= seen.as_of_us - days * DAY]

    before = len(within(37)) - len(within(7))
    by_lead = sum(row["actor"] == "lead" for row in rows)
    by_rep = sum(row["actor"] == "rep" for row in rows)
    dates = {pd.Timestamp(us, unit="us", tz="UTC").date() for us in within(30)}
    return {
        **{f"{days}d": float(len(within(days))) for days in (1, 7, 30, 90)},
        "days_since": (seen.as_of_us - max(times)) / DAY if times else NAN,
        "distinct_days_30d": float(len(dates)),
        "trend": len(within(7)) - before / 30 * 7,
        "ever": float(len(rows)),
        "pace": len(rows) / max((seen.as_of_us - seen.lead["event_us"]) / DAY / 7, 1.0)
        if seen.lead
        else NAN,
        "two_way_share": by_lead / (by_lead + by_rep) if by_lead + by_rep else NAN,
    }


def _contact_content(seen: Seen, settings: Settings) -> Row:
    """What came of activities, how long people talked, who answers, and what is planned."""
    filled = settings.activity_columns()
    if not {"outcome", "duration_s", "booked_at"} <= filled:
        assert not {"outcome", "duration_s", "booked_at", "actor"} & filled
        return {}
    people = [act for act in seen.activities if act["actor"] in {"lead", "rep"}]
    talks = [act for act in people if act["outcome"] in {None, "reached"} and act["duration_s"]]
    long = settings.activities.conversation_seconds
    conversations = [act for act in talks if act["duration_s"] > long]

    def within(acts: list[Row], days: int) -> list[Row]:
        return [act for act in acts if act["event_us"] >= seen.as_of_us - days * DAY]

    found: Row = {}
    for days in (1, 7, 30, 90):
        seconds = sum(act["duration_s"] for act in within(talks, days))
        found[f"talk_time_{days}d"] = seconds / 60
        found[f"talk_conversations_{days}d"] = float(len(within(conversations, days)))
    last = max((act["event_us"] for act in conversations), default=None)
    found["talk_days_since"] = NAN if last is None else (seen.as_of_us - last) / DAY
    attempts = [act for act in people if act["actor"] == "rep"]
    found["talk_attempts"] = float(sum(last is None or act["event_us"] > last for act in attempts))
    for name, days in (("90d", 90), ("ever", 10**6)):
        ends = [act["outcome"] for act in within(seen.activities, days)]
        n = ends.count("reached") + ends.count("not_reached")
        found[f"reach_share_{name}"] = ends.count("reached") / n if n else NAN
        found[f"reach_cancelled_{name}"] = float(len(within(seen.cancelled, days)))
    ahead = [plan["event_us"] for plan in seen.plans]
    found["plan_steps"] = float(len(ahead))
    found["plan_days_ahead"] = (min(ahead) - seen.as_of_us) / DAY if ahead else NAN
    return found | _replies(people)


def _replies(people: list[Row]) -> Row:
    people = sorted(people, key=lambda act: (act["event_us"], act["seq"], act["actor"]))
    waits: dict[str, list[int]] = {"lead": [], "rep": []}
    for before, act in pairwise(people):
        if act["actor"] != before["actor"]:
            waits[act["actor"]].append(act["event_us"] - before["event_us"])
    found: Row = {}
    for actor, all_waits in waits.items():
        middle = sorted(all_waits)[(len(all_waits) - 1) // 2] if all_waits else NAN
        found[f"reply_minutes_of_{actor}"] = middle / 60_000_000
    first_us = people[0]["event_us"] if people else None
    by_lead = any(act["actor"] == "lead" and act["event_us"] == first_us for act in people)
    return found | {"reply_first_by": float(by_lead) if people else NAN}


def _stage(seen: Seen, settings: Settings) -> Row:
    age = (seen.as_of_us - seen.lead["event_us"]) / DAY if seen.lead else NAN
    found: Row = {"stage_age": age, "stage_reopenings": float(seen.spell - 1)}
    if not settings.stages.open:
        return found
    place = [*settings.stages.open, *settings.stages.lost, *settings.stages.won].index
    way = sorted(seen.stages, key=lambda row: (row["event_us"], row["seq"], place(row["stage"])))
    ends = [*(row["event_us"] for row in way[1:]), seen.as_of_us]
    spent = {
        f"stage_days_in_{at}_{re.sub('[^a-z0-9]', '_', stage.lower())}": sum(
            until - row["event_us"] for row, until in zip(way, ends, strict=False) if row["stage"] == stage
        ) / DAY
        for at, stage in enumerate(settings.stages.open, start=1)
    }  # fmt: skip
    steps = [place(later["stage"]) - place(row["stage"]) for row, later in pairwise(way)]
    return (
        found
        | spent
        | {
            "stage_current": way[-1]["stage"] if way else None,
            "stage_order": float(place(way[-1]["stage"])) if way else NAN,
            "stage_days_in_current": (seen.as_of_us - way[-1]["event_us"]) / DAY if way else NAN,
            "stage_moves_forward": float(sum(step > 0 for step in steps)),
            "stage_moves_back": float(sum(step < 0 for step in steps)),
            "stage_stalled": NAN,  # learned from rows later
        }
    )


def _profile(seen: Seen, settings: Settings, fields: dict[str, Any]) -> Row:
    answers = {bant.field for bant in settings.bant.values()}
    found: Row = {}
    for name, value in fields.items():
        field = settings.lead_fields()[name]
        is_people = name == "owner_id" and not field.learn
        if name in answers or is_people:
            continue
        if field.type == "text":
            found[f"profile_{name}"] = value
        elif value is None and field.type == "number":
            found[f"profile_{name}"] = NAN
        elif field.type == "number":
            found[f"profile_{name}"] = value / 10**field.decimals
        else:
            found[f"profile_{name}"] = NAN if value is None else (value - seen.as_of_us) / DAY
            found[f"moves_{name}_overdue"] = NAN if value is None else float(value < seen.as_of_us)
        if field.type == "date" or name == "amount":
            found |= _moves(seen, settings, name)
    return found


def _moves(seen: Seen, settings: Settings, name: str) -> Row:
    """How often a field rose and fell, and how far it has come, from creation or its first value."""
    field = settings.lead_fields()[name]
    past = [row for row in seen.changes if row["field"] == name and row["value"] is not None]
    past.sort(key=lambda row: (row["event_us"], row["seq"], row["value"]))
    values = [int(row["value"]) for row in past]
    if field.known_from == "creation":
        created = seen.lead.get(name) if seen.lead else None
        values = [*([] if created is None else [created]), *values]
    rose = sum(later > value for value, later in pairwise(values))
    fell = sum(later < value for value, later in pairwise(values))
    up, down, far = (
        ("later", "earlier", "moved") if field.type == "date" else ("raised", "lowered", "changed")
    )
    if not values:
        return {f"moves_{name}_{key}": NAN for key in (up, down, far)}
    if field.type == "date":
        came = (values[-1] - values[0]) / DAY
    else:
        came = min(max(values[-1] / values[0] - 1, -1), 10) if values[0] > 0 else NAN
    counts = {f"moves_{name}_{up}": float(rose), f"moves_{name}_{down}": float(fell)}
    return counts | {f"moves_{name}_{far}": came}


def assert_equals_oracle(
    matrix: Matrix, features: Iterable[Feature], expected: dict[str, list[Any]]
) -> None:
    """Texts equal; numbers equal, or within 1e-12 where more than one rounding is involved."""
    features = list(features)
    assert sorted(matrix.columns) == sorted(feature.name for feature in features)
    if len(matrix.keys):
        assert sorted(matrix.columns) == sorted(expected)
    for feature in features:
        values, wanted = matrix.columns[feature.name], expected.get(feature.name, [])
        assert len(values) == len(wanted), feature.name
        if feature.is_category:
            assert values.tolist() == wanted, feature.name
        else:
            slack = (
                1e-12
                if feature.unit in {"share", "a week", "change"} or feature.name.endswith("_pace")
                else 0.0
            )
            np.testing.assert_allclose(values, wanted, rtol=0, atol=slack, err_msg=feature.name)
