"""Engagement: how much, how lately, how steadily and how mutually a lead is in touch, per kind and in total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from leadscore.engine.protocol import literal
from leadscore.features.feature import Feature
from leadscore.features.finish import Count, DaysSince, Pace, Share, Trend
from leadscore.settings.activities import kind_slug
from leadscore.times import DAY_US

WINDOWS = (1, 7, 30, 90)
CENTURY_US = (
    36_525 * DAY_US
)  # engines differ in the remainder of negative numbers: moments before 1970
START_OF_DAY = (
    f"event_us - (event_us + {CENTURY_US}) % {DAY_US}"  # in UTC; no division, which differs too
)


def build_engagement(kinds: Iterable[str], words: Mapping[str, str]) -> list[Feature]:
    """Features of all activities and of each kind; `words` says a kind in the plural."""
    found = _of_kind("engagement_activities", "activities of any kind", "1 = 1")
    for kind in kinds:
        found += _of_kind(
            f"engagement_{kind_slug(kind)}",
            words.get(kind, kind.replace("_", " ")),
            f"kind = {literal(kind)}",
        )
    return found


def _of_kind(group: str, words: str, which: str) -> list[Feature]:
    def feature(
        measure: str, columns: dict[str, str], finish: type, *, unit: str, said: str
    ) -> Feature:
        named = {f"{group}_{name}": sql for name, sql in columns.items()}
        sentence = f"{words}: {said}"
        return Feature(
            f"{group}_{measure}",
            {"activities": named},
            finish(*named),
            unit,
            sentence,
            sentence,
            group,
        )

    def count(days: int) -> Feature:
        columns = {f"n_{days}d": _count(_within(which, days))}
        return feature(f"{days}d", columns, Count, unit="count", said=f"{{value}} in {_days(days)}")

    last = {"last": f"MAX(CASE WHEN {which} THEN event_us END)"}
    on_days = {"days": f"COUNT(DISTINCT CASE WHEN {_within(which, 30)} THEN {START_OF_DAY} END)"}
    trend = {"week": _count(_within(which, 7)), "before": _count(_within(which, 37, until=7))}
    ever, born = {f"{group}_n_ever": _count(which)}, {"engagement_born": "MAX(event_us)"}
    said = f"{words}: {{value}} a week since the lead was created"
    so_far = f"{words}: {{value}} so far"
    pace = Pace(f"{group}_n_ever", "engagement_born")
    share = {
        "by_lead": _count(f"{which} AND actor = 'lead'"),
        "by_rep": _count(f"{which} AND actor = 'rep'"),
    }
    return [
        *(count(days) for days in WINDOWS),
        feature("days_since", last, DaysSince, unit="days", said="the last one {value} ago"),
        feature(
            "distinct_days_30d", on_days, Count, unit="count", said="on {value} of the last 30 days"
        ),
        feature("trend", trend, Trend, unit="a week", said="{value} against the 30 days before"),
        Feature(
            f"{group}_ever",
            {"activities": ever},
            Count(f"{group}_n_ever"),
            "count",
            so_far,
            so_far,
            group,
        ),
        Feature(
            f"{group}_pace", {"activities": ever, "leads": born}, pace, "number", said, said, group
        ),
        feature("two_way_share", share, Share, unit="share", said="{value} by the lead"),
    ]


def _days(days: int) -> str:
    return "the last day" if days == 1 else f"the last {days} days"


def _count(which: str) -> str:
    return f"COUNT(CASE WHEN {which} THEN 1 END)"


def _within(which: str, days: int, *, until: int = 0) -> str:
    """SQL: an activity of the last `days` days, but not of the last `until`."""
    not_later = f" AND event_us < as_of_us - {until * DAY_US}" if until else ""
    return f"{which} AND event_us >= as_of_us - {days * DAY_US}{not_later}"
