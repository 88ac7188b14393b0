"""What was known of every lead, and from when to when: its account, its contact, and how it stood.

A timeline is read in the order in which facts became known, so that its part before a moment is the
same whatever is learned after. Moments are `available_us`: what is known at t begins before t.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.engine import Engine
from leadscore.engine.protocol import identifier, literal
from leadscore.settings.memory import lead_keys, learned_keys
from leadscore.settings.settings import Settings
from leadscore.settings.stages import Stages

UNKNOWN = -1
OPEN, WON, LOST = 0, 1, 2  # of closes at one moment the loss counts, so that no win is made up
GONE, LISTED = 0, 1  # whether exports still have a lead
MOST_REMEMBERED = 2  # moments: a list is compared with one before it, part by part
FIRST = -1  # the seq of what was known at creation, before any change

# Only what happened after a close can re-open a lead.
FIRST_CLOSES = "SELECT lead_id, MIN(event_us) AS first_us FROM closes GROUP BY lead_id"
ORDER = ["event_us", "seq", "tie"]
EVENT = ["lead", "at_us", *ORDER, "value"]


@dataclass(frozen=True)
class LeadKey:
    """A key of leads: `account` or `contact`.

    Attributes:
        name: the column of `leads`.
        at_creation: whether its value in `leads` was known when the lead was created.
        is_learned: whether features are made of it; else it only decides which leads share a fold.
    """

    name: str
    at_creation: bool
    is_learned: bool


@dataclass(frozen=True)
class Timelines:
    """Intervals in which nothing that is known of a lead changed, by lead and then by time.

    Attributes:
        lead_id: the leads (leads,), rising; `lead` counts in them.
        intervals: one row each: lead, from_us, to_us (`from_us` of the next; NaN for the last), status
            (`OPEN`, `WON`, `LOST`), won_us (when the win became known, else `UNKNOWN`), listed
            (`GONE`, `LISTED`) and a column for each key: a number, `UNKNOWN` where there is none.
        names: of each key, the texts that its numbers stand for.
    """

    lead_id: np.ndarray
    intervals: pd.DataFrame
    names: Mapping[str, np.ndarray]


def read_lead_keys(settings: Settings) -> tuple[LeadKey, ...]:
    """The keys that the mapping of a project gives.

    One of which nothing says since when it is known is read from `leads`, and makes no features.
    """
    learned = learned_keys(settings)
    keys = []
    for name, field in lead_keys(settings).items():
        is_learned = name in learned
        at_creation = field.known_from == "creation" or not is_learned
        keys.append(LeadKey(name, at_creation, is_learned))
    return tuple(keys)


def read_timelines(
    engine: Engine,
    stages: Stages,
    keys: Sequence[LeadKey],
    *,
    known_us: int,
) -> Timelines:
    """The timelines of all leads known before a moment."""
    leads = _read_leads(engine, keys, known_us)
    lead_id = leads["lead_id"].to_numpy(dtype=object)
    starts = leads["at_us"].to_numpy(dtype=np.int64)
    reading = _Reading(engine, pd.Index(lead_id), starts, known_us)

    names: dict[str, np.ndarray] = {}
    parts = {"status": reading.statuses(stages), "listed": reading.presence()}
    for key in keys:
        first = leads[key.name] if key.at_creation else None
        values, texts = reading.key(key.name, first)
        parts[key.name] = values
        names[key.name] = texts
    return Timelines(lead_id, _join(parts, starts), names)


Remembered = dict[tuple[int, tuple[LeadKey, ...]], Timelines]


def recall_timelines(
    remembered: Remembered,
    engine: Engine,
    stages: Stages,
    keys: tuple[LeadKey, ...],
    *,
    known_us: int,
) -> Timelines:
    """As `read_timelines`; those of the last `MOST_REMEMBERED` moments are read once."""
    asked = (known_us, keys)
    if asked not in remembered:
        if len(remembered) >= MOST_REMEMBERED:
            oldest = next(iter(remembered))
            remembered.pop(oldest)
        remembered[asked] = read_timelines(engine, stages, keys, known_us=known_us)
    return remembered[asked]


@dataclass(frozen=True)
class _Reading:
    """Reads the facts of leads: of each, when it became known, and how it ranks among others."""

    engine: Engine
    leads: pd.Index
    starts: np.ndarray
    known_us: int

    def statuses(self, stages: Stages) -> pd.DataFrame:
        """How leads stood by their latest close or entry into an open stage, as it was known."""
        closed = self._read(
            f"""SELECT lead_id, available_us, event_us, seq,
                CASE WHEN won = 1 THEN {WON} ELSE {LOST} END AS value FROM closes"""
        )
        listed = ", ".join(literal(stage) for stage in stages.open) or "''"
        opened = self._read(
            f"""SELECT o.lead_id, available_us, event_us, seq, {OPEN} AS value FROM (
                SELECT lead_id, available_us, event_us, seq FROM stages WHERE stage IN ({listed})
                UNION ALL SELECT lead_id, available_us, event_us, seq FROM reopenings) AS o
            JOIN ({FIRST_CLOSES}) AS c ON c.lead_id = o.lead_id AND o.event_us >= c.first_us"""
        )
        facts = pd.concat([closed, opened])
        return _latest_known(facts.assign(tie=facts["value"]))

    def presence(self) -> pd.DataFrame:
        """Whether exports had leads; the later export counts."""
        facts = self._read(
            """SELECT lead_id, available_us, 0 AS event_us, seq, present AS value FROM presence"""
        )
        return _latest_known(facts.assign(tie=0))

    def key(self, name: str, first: pd.Series | None) -> tuple[pd.DataFrame, np.ndarray]:
        """The values of a key, as numbers, and the texts that these stand for."""
        changes = self._read(
            f"""SELECT lead_id, available_us, event_us, seq, value AS text FROM changes
            WHERE field = {literal(name)}"""
        )
        if first is not None:
            created = pd.DataFrame(
                {
                    "lead": np.arange(len(self.leads)),
                    "at_us": self.starts,
                    "event_us": np.iinfo(np.int64).min,
                    "seq": FIRST,
                    "text": first.to_numpy(dtype=object),
                }
            )
            changes = pd.concat([created, changes], ignore_index=True)
        codes, texts = pd.factorize(changes["text"], sort=True)  # rising with the text
        values = codes.astype(np.int64)
        facts = changes.assign(value=values, tie=values)
        return _latest_known(facts), np.asarray(texts, dtype=object)

    def _read(self, sql: str) -> pd.DataFrame:
        """Facts of known leads, none earlier than its lead: lead, at_us and what `sql` gives."""
        rows = self.engine.query(
            f"SELECT * FROM ({sql}) AS facts WHERE available_us < {self.known_us}"
        ).to_pandas()
        lead = self.leads.get_indexer(rows["lead_id"])
        is_known = lead >= 0
        rows = rows[is_known]
        lead = lead[is_known]
        available_us = rows["available_us"].to_numpy(dtype=np.int64)
        at_us = np.maximum(available_us, self.starts[lead])
        facts = rows.drop(columns=["lead_id", "available_us"])
        return pd.DataFrame(facts.assign(lead=lead, at_us=at_us))


def _read_leads(engine: Engine, keys: Sequence[LeadKey], known_us: int) -> pd.DataFrame:
    """The leads known before a moment, by id: lead_id, at_us, and the keys known at creation."""
    names = [identifier(key.name) for key in keys if key.at_creation]
    columns = ", ".join(["lead_id", "available_us AS at_us", *names])
    rows: pd.DataFrame = engine.query(
        f"SELECT {columns} FROM leads WHERE available_us < {known_us} ORDER BY lead_id"
    ).to_pandas()
    return rows


def _latest_known(facts: pd.DataFrame) -> pd.DataFrame:
    """The value of each lead's latest fact, from when it was known: lead, at_us, value.

    "Latest" is the last that happened (by `ORDER`) of those known by then; one that becomes known
    late does not replace one that happened after it.
    """
    as_happened = ["lead", *ORDER]
    facts = facts[EVENT].sort_values(as_happened, ignore_index=True, kind="stable")
    facts["rank"] = np.arange(len(facts))  # within a lead, as they happened
    values = facts["value"].to_numpy(dtype=np.int64)

    as_known = ["lead", "at_us", "rank"]
    facts = facts.sort_values(as_known, ignore_index=True)
    ranks = facts.groupby("lead", sort=False)["rank"]
    latest = ranks.cummax().to_numpy(dtype=np.int64)
    facts = facts.assign(value=values[latest])
    last = facts.drop_duplicates(["lead", "at_us"], keep="last")
    return pd.DataFrame(last[["lead", "at_us", "value"]])


def _join(parts: Mapping[str, pd.DataFrame], starts: np.ndarray) -> pd.DataFrame:
    """The intervals of `Timelines`: between any two moments at which something changed."""
    moment = ["lead", "at_us"]
    leads = np.arange(len(starts))
    created = pd.DataFrame({"lead": leads, "at_us": starts})
    changed = [part[moment] for part in parts.values()]
    moments = pd.concat([created, *changed]).drop_duplicates()
    moments = moments.sort_values(moment, ignore_index=True)

    before = {"status": OPEN, "listed": LISTED}
    for name, part in parts.items():
        values = moments.merge(part, on=moment, how="left")["value"]
        latest = values.groupby(moments["lead"], sort=False).ffill()
        filled = latest.fillna(before.get(name, UNKNOWN))
        moments[name] = filled.astype(np.int64)

    moments["won_us"] = _won_since(moments)
    moments = moments.rename(columns={"at_us": "from_us"})
    of_lead = moments.groupby("lead", sort=False)
    next_us = of_lead["from_us"].shift(-1)
    return moments.assign(to_us=next_us)


def _won_since(moments: pd.DataFrame) -> np.ndarray:
    """When the win that counts (n,) became known; `UNKNOWN` where the lead is not won."""
    lead = moments["lead"]
    is_won = moments["status"] == WON
    was_won = is_won.groupby(lead, sort=False).shift(1, fill_value=False)
    begins = moments["at_us"].where(is_won & ~was_won)
    since = begins.groupby(lead, sort=False).ffill()
    won_us = since.where(is_won, UNKNOWN)
    return won_us.to_numpy(dtype=np.int64)
