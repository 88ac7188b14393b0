"""Engagement: how much, how lately, how steadily and how mutually a lead is in touch, per kind and in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from leadscore.engine.protocol import literal
from leadscore.features.feature import Feature
from leadscore.features.finish import Count, DaysSince, Share, Trend
from leadscore.times import DAY_US

WINDOWS = (1, 7, 30, 90)
START_OF_DAY = f"event_us - event_us % {DAY_US}"  # in UTC; an integer, since SQL divides differently everywhere


def build_engagement(kinds: Iterable[str], words: Mapping[str, str]) -> list[Feature]:
    """Features of all activities and of each kind; `words` says a kind in the plural."""
    found = _of_kind("engagement_activities", "activities", "1 = 1")
    for kind in kinds:
        slug = "".join(c if c.isascii() and c.isalnum() else "_" for c in kind.lower())
        found += _of_kind(f"engagement_{slug}", words.get(kind, kind.replace("_", " ")), f"kind = {literal(kind)}")
    return found


def _of_kind(name: str, words: str, which: str) -> list[Feature]:
    last = {f"{name}_last": f"MAX(CASE WHEN {which} THEN event_us END)"}
    days = {f"{name}_days": f"COUNT(DISTINCT CASE WHEN {_within(which, 30)} THEN {START_OF_DAY} END)"}
    trend = {
        f"{name}_week": f"COUNT(CASE WHEN {_within(which, 7)} THEN 1 END)",
        f"{name}_before": f"COUNT(CASE WHEN {_within(which, 37, until=7)} THEN 1 END)",
    }
    share = {
        f"{name}_by_lead": f"COUNT(CASE WHEN {which} AND actor = 'lead' THEN 1 END)",
        f"{name}_by_rep": f"COUNT(CASE WHEN {which} AND actor = 'rep' THEN 1 END)",
    }
    said = {
        "days": f"{words} on {{value}} of the last 30 days",
        "trend": f"{words}: {{value}} a week against the 30 days before",
        "share": f"{words}: {{value}} by the lead",
    }
    past = "activities"
    return [
        *(_count(name, words, which, window) for window in WINDOWS),
        Feature(f"{name}_days_since", {past: last}, DaysSince(*last), "days",
                f"{words}: the last one {{value}} ago", f"{words}: none for {{value}}"),
        Feature(f"{name}_distinct_days_30d", {past: days}, Count(*days), "count", said["days"], said["days"]),
        Feature(f"{name}_trend", {past: trend}, Trend(*trend), "a week", said["trend"], said["trend"]),
        Feature(f"{name}_two_way_share", {past: share}, Share(*share), "share", said["share"], said["share"]),
    ]  # fmt: skip


def _count(name: str, words: str, which: str, window: int) -> Feature:
    column = {f"{name}_{window}d_n": f"COUNT(CASE WHEN {_within(which, window)} THEN 1 END)"}
    said = f"{{value}} {words} in the last " + ("day" if window == 1 else f"{window} days")
    return Feature(f"{name}_{window}d", {"activities": column}, Count(*column), "count", said, said)


def _within(which: str, days: int, *, until: int = 0) -> str:
    """SQL: an activity of the last `days` days, but not of the last `until`."""
    not_later = f" AND event_us < as_of_us - {until * DAY_US}" if until else ""
    return f"{which} AND event_us >= as_of_us - {days * DAY_US}{not_later}"
