"""Visits to stages lead by lead, in plain loops that share no code with the SQL."""

from __future__ import annotations

from typing import Any

import pandas as pd

from builders import Facts
from leadscore.history.visits import Span
from leadscore.settings.stages import Stages

HOUR_US = 3_600_000_000


def list_visits(
    facts: Facts, spells: pd.DataFrame, stages: Stages, span: Span
) -> list[tuple[Any, ...]]:
    """(period, stage, exit, next_stage, is_first, hours) of the visits; older ones only if open."""
    visits = []
    for spell in spells.itertuples():
        stays = _continue(_moments(_entries(facts, spell, stages, span)), stages)
        for at, (entered, stage) in enumerate(stays):
            following = stays[at + 1] if at + 1 < len(stays) else None
            end = following[0] if following else min(spell.close_us, span.known_us)
            next_stage = following[1] if following else None
            visits.append(
                (
                    _period(entered, span),
                    stage,
                    _exit(stage, next_stage, spell, stages, span),
                    next_stage,
                    int(at == 0 and spell.spell == 1),
                    (end - entered) // HOUR_US,
                )
            )
    return [visit for visit in visits if visit[0] != "older" or visit[2] == "open"]


def list_irregular(
    facts: Facts, spells: pd.DataFrame, stages: Stages, span: Span
) -> dict[str, int]:
    """The counts of `count_irregular`."""
    counts = dict.fromkeys(
        ("at_one_moment", "repeated", "while_closed", "not_declared", "without_stage"), 0
    )
    used = set()
    for spell in spells.itertuples():
        entries = _entries(facts, spell, stages, span)
        used |= {id(row) for _, row in entries}
        moments = _moments(entries)
        stays = _continue(moments, stages)
        now = [entered for entered, _ in entries if entered >= span.since_us]
        began = [entered for entered, _ in stays if entered >= span.since_us]
        distinct = set(now)
        counts["at_one_moment"] += len(now) - len(distinct)
        counts["repeated"] += len(distinct) - len(began)
        if spell.start_us >= span.since_us and not entries:
            counts["without_stage"] += 1

    leads = set(spells["lead_id"])
    for row in facts.rows["stages"]:
        is_known = row["available_us"] < span.known_us
        if not is_known or row["event_us"] < span.since_us:
            continue
        if row["stage"] not in stages.order():
            counts["not_declared"] += 1
        is_open = row["stage"] in stages.open and row["lead_id"] in leads
        if is_open and id(row) not in used:
            counts["while_closed"] += 1
    return counts


def _entries(facts: Facts, spell: Any, stages: Stages, span: Span) -> list[tuple[int, Any]]:
    """(when it counts from, row) of the entries into open stages within a spell."""
    entries = []
    for row in facts.rows["stages"]:
        is_of_lead = row["lead_id"] == spell.lead_id and row["stage"] in stages.open
        if not is_of_lead or row["available_us"] >= span.known_us:
            continue
        if row["event_us"] >= min(spell.close_us, span.known_us):
            continue
        if row["event_us"] >= spell.start_us:
            entries.append((row["event_us"], row))
        elif spell.spell == 1:
            entries.append((spell.start_us, row))
    return entries


def _moments(entries: list[tuple[int, Any]]) -> list[tuple[int, list[Any]]]:
    """The entries of each moment, in order."""
    of_moment: dict[int, list[Any]] = {}
    for entered, row in entries:
        of_moment.setdefault(entered, []).append(row)
    return sorted(of_moment.items())


def _continue(moments: list[tuple[int, list[Any]]], stages: Stages) -> list[tuple[int, str]]:
    """The entries into another stage than the one before."""
    stays: list[tuple[int, str]] = []
    for entered, rows in moments:
        latest = max(
            rows, key=lambda row: (row["event_us"], row["seq"], stages.open.index(row["stage"]))
        )
        if not stays or stays[-1][1] != latest["stage"]:
            stays.append((entered, latest["stage"]))
    return stays


def _period(entered: int, span: Span) -> str:
    length = span.known_us - span.since_us
    if entered >= span.since_us:
        return "now"
    return "before" if entered >= span.since_us - length else "older"


def _exit(stage: str, next_stage: str | None, spell: Any, stages: Stages, span: Span) -> str:
    if next_stage is not None:
        is_later = stages.open.index(next_stage) > stages.open.index(stage)
        return "forward" if is_later else "back"
    if spell.close_us >= span.known_us:
        return "open"
    return "won" if spell.won else "lost"
