"""What the company's systems export of drawn leads: everything before UNTIL, and nothing later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.random import Generator

from leadscore.sample.activities import draw_activities
from leadscore.sample.contacts import name_contacts
from leadscore.sample.crowd import Crowd
from leadscore.sample.names import (
    CAPACITIES,
    COMPANY_ENDS,
    COMPANY_STARTS,
    LEGAL_FORMS,
    LOST_REASONS,
    REP_IDS,
    REPS,
    REPS_A_TEAM,
    TERRITORIES,
    TITLES,
)
from leadscore.sample.work_time import to_moments, to_seconds
from leadscore.sample.world import (
    ANSWERS,
    ATTRIBUTES,
    DAY_S,
    STAGES,
    STREAM_CODES,
    UNTIL_S,
    Array,
)

Columns = dict[str, Any]


def draw_exports(rng: Generator, crowd: Crowd) -> dict[str, pa.Table]:
    """Export -> its rows; what is drawn here says nothing more about a lead's class."""
    answers = _draw_answers(rng, crowd)
    leads = _draw_leads(rng, crowd, answers)
    columns = {
        "leads": leads,
        "field_history": _build_field_history(crowd, answers),
        "activities": draw_activities(rng, crowd),
        "stage_history": _build_stage_history(crowd),
        "outcomes": _draw_outcomes(rng, crowd, leads["amount"].to_numpy()),
    }
    tables = {}
    for name, of_table in columns.items():
        tables[name] = pa.table(of_table)
    return tables


@dataclass(frozen=True)
class Answers:
    """Answers in the order of time: position of the lead, when, which field, the value as text."""

    lead: Array
    seconds: Array
    field: Array
    value: Array


def _draw_answers(rng: Generator, crowd: Crowd) -> Answers:
    parts = [_draw_answers_to(rng, crowd, field) for field in ANSWERS]
    lead = np.concatenate([part.lead for part in parts])
    seconds = np.concatenate([part.seconds for part in parts])
    field = np.concatenate([part.field for part in parts])
    value = np.concatenate([part.value for part in parts])
    order = np.argsort(seconds, kind="stable")
    return Answers(
        lead=lead[order],
        seconds=seconds[order],
        field=field[order],
        value=value[order],
    )


def _draw_answers_to(rng: Generator, crowd: Crowd, field: str) -> Answers:
    """The answers to one question, in the order of the events."""
    events = np.flatnonzero(crowd.events.stream == STREAM_CODES[field])
    seconds = crowd.events.seconds[events]
    mark = crowd.events.mark[events]
    value = _draw_values(rng, field, mark, seconds)
    return Answers(
        lead=crowd.lead_of_events()[events],
        seconds=seconds,
        field=np.full(len(events), field),
        value=value.astype(str),
    )


def _draw_values(rng: Generator, field: str, mark: Array, seconds: Array) -> Array:
    """The value of each answer: a level of need, an amount, or a date some days ahead."""
    _, marks = ANSWERS[field]
    names = list(marks)
    if field == "need":
        return np.asarray(np.array(names)[mark])
    number = _draw_within(rng, names, mark)
    if field == "timeline":
        day = seconds // DAY_S + number
        return np.asarray(day.astype("datetime64[D]"))
    return number


def _draw_within(rng: Generator, ranges: list[str], code: Array) -> Array:
    """A whole number (n,) from the range, such as "5-30", that each code names."""
    bounds = [text.split("-") for text in ranges]
    lowest, highest = np.array(bounds, dtype=np.int64).T
    low = lowest[code]
    high = highest[code]
    return np.asarray(rng.integers(low, high + 1))


def _draw_leads(rng: Generator, crowd: Crowd, answers: Answers) -> Columns:
    """The leads as a CRM shows them at UNTIL, with the latest answers and the status."""
    n = len(crowd.ids)
    countries = [country for team in TERRITORIES.values() for country in team]
    country = _pick(rng, countries, n)
    owner = _draw_owners(rng, country)
    company = _draw_companies(rng, n)
    title = _draw_titles(rng, crowd)
    employees = _draw_attribute(rng, crowd, "employees")
    amount = _draw_attribute(rng, crowd, "amount")
    return {
        "lead_id": crowd.ids,
        "created_at": to_moments(crowd.created_s),
        "company": company,
        **name_contacts(crowd.ids.to_pylist(), company.to_pylist()),
        "country": pa.array(country),
        "industry": _name_attribute(crowd, "industry"),
        "employees": employees,
        "source": _name_attribute(crowd, "source"),
        "job_title": title,
        "amount": amount,
        "currency": pa.array(np.full(n, "EUR")),
        "owner_id": owner,
        "status": _name_status(crowd),
        **_latest_answers(answers, n),
    }


def _draw_owners(rng: Generator, country: Array) -> pa.Array:
    """A rep of the team whose territory has the lead's country."""
    team_of = {}
    for number, countries in enumerate(TERRITORIES.values()):
        for name in countries:
            team_of[name] = number

    team_of_lead = [team_of[name] for name in country]
    team = np.array(team_of_lead, dtype=np.int64)
    member = rng.integers(0, REPS_A_TEAM, len(country))
    rep = team * REPS_A_TEAM + member
    return pa.array([REP_IDS[i] for i in rep])


def _draw_companies(rng: Generator, n: int) -> pa.Array:
    starts = _pick(rng, COMPANY_STARTS, n)
    ends = _pick(rng, COMPANY_ENDS, n)
    forms = _pick(rng, LEGAL_FORMS, n)
    parts = zip(starts, ends, forms, strict=True)
    return pa.array([f"{start}{end} {form}" for start, end, form in parts])


def _draw_titles(rng: Generator, crowd: Crowd) -> pa.Array:
    title = np.full(len(crowd.ids), "", dtype=object)
    for code, level in enumerate(ATTRIBUTES["title"]):
        mine = crowd.attributes["title"] == code
        title[mine] = _pick(rng, TITLES[level], mine.sum())
    return pa.array(title, pa.string())


def _pick(rng: Generator, words: Sequence[str], n: int) -> Array:
    """Any n of the words, all equally likely."""
    drawn = rng.integers(0, len(words), n)
    return np.array(words)[drawn]


def _draw_attribute(rng: Generator, crowd: Crowd, name: str) -> pa.Array:
    """A number from the range that an attribute's value names."""
    ranges = list(ATTRIBUTES[name])
    drawn = _draw_within(rng, ranges, crowd.attributes[name])
    return pa.array(drawn)


def _name_attribute(crowd: Crowd, name: str) -> pa.Array:
    values = np.array(list(ATTRIBUTES[name]))
    return pa.array(values[crowd.attributes[name]])


def _name_status(crowd: Crowd) -> pa.Array:
    """Of the last spell: later ones come later, so they overwrite earlier ones."""
    spells = crowd.spells
    outcome = np.where(spells.won, "Won", "Lost")
    status = np.full(len(crowd.ids), "Open", dtype=object)
    is_closed = spells.end_s < UNTIL_S
    status[spells.lead] = np.where(is_closed, outcome, "Open")
    return pa.array(status, pa.string())


def _latest_answers(answers: Answers, n: int) -> Columns:
    columns = {}
    for field in ANSWERS:
        latest = np.full(n, None, dtype=object)
        mine = answers.field == field
        latest[answers.lead[mine]] = answers.value[mine]  # of several the last one stays
        columns[field] = pa.array(latest, pa.string())
    return columns


def _build_field_history(crowd: Crowd, answers: Answers) -> Columns:
    return {
        "lead_id": crowd.ids_of(answers.lead),
        "changed_at": to_moments(answers.seconds),
        "field": pa.array(answers.field),
        "value": pa.array(answers.value),
    }


def _build_stage_history(crowd: Crowd) -> Columns:
    """A row for every stage entered, and one for every close."""
    spells = crowd.spells
    stays = crowd.stays
    closed = spells.closed()
    ends = np.where(spells.won[closed], "Closed won", "Closed lost")

    stages = np.array(STAGES)[stays.stage]
    spell = np.concatenate([stays.spell, closed])
    lead = spells.lead[spell]
    closed_s = spells.end_s[closed]
    seconds = np.concatenate([to_seconds(stays.start), closed_s])
    stage = np.concatenate([stages, ends])
    order = np.lexsort((lead, seconds))
    return {
        "lead_id": crowd.ids_of(lead[order]),
        "entered_at": to_moments(seconds[order]),
        "stage": pa.array(stage[order]),
    }


def _draw_outcomes(rng: Generator, crowd: Crowd, amount: Array) -> Columns:
    """A row for every close; what is paid for a win is near the amount that was asked for."""
    spells = crowd.spells
    closed = spells.closed()
    order = np.argsort(spells.end_s[closed], kind="stable")
    closed = closed[order]
    n = len(closed)
    won = spells.won[closed]
    lead = spells.lead[closed]
    paid_share = rng.uniform(0.8, 1.05, n)
    exact = amount[lead] * paid_share
    paid = np.round(exact).astype(np.int64)
    reason = _pick(rng, LOST_REASONS, n)
    outcome = np.where(won, "won", "lost")
    currency = np.full(n, "EUR")
    return {
        "lead_id": crowd.ids_of(lead),
        "closed_at": to_moments(spells.end_s[closed]),
        "outcome": pa.array(outcome),
        "amount": pa.array(paid, mask=~won),
        "currency": pa.array(currency, mask=~won),
        "reason": pa.array(reason, mask=won),
    }


def build_reps() -> pa.Table:
    """The reps, who are the same in every sample."""
    teams = [team for team in TERRITORIES for _ in range(REPS_A_TEAM)]
    territories = [";".join(TERRITORIES[team]) for team in teams]
    capacities = [CAPACITIES[i % REPS_A_TEAM] for i in range(len(REPS))]
    columns = {
        "rep_id": list(REP_IDS),
        "name": list(REPS),
        "team": teams,
        "territories": territories,
        "capacity": capacities,
    }
    return pa.table(columns)
