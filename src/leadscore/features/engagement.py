"""Engagement: how much, how lately, how steadily and how mutually a lead is in contact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from leadscore.engine.protocol import literal
from leadscore.features.feature import Feature
from leadscore.features.finish import Count, DaysSince, Finish, Pace, Share, Trend
from leadscore.features.phrases import Phrase, both, capitalised, plural, singular
from leadscore.features.units import shown
from leadscore.settings.activities import kind_slug
from leadscore.times import DAY_US

WINDOWS = (1, 7, 30, 90)
HALF = 0.5
TREND_AGE = 14  # days: a week, and one to compare it with
SELDOM_WEEKS = 3  # from one to the next; a longer wait is nothing to praise
MOST_WEEKS = 26  # from one to the next; longer is hardly ever
EVERY_KIND = "1 = 1"


def build_engagement(kinds: Iterable[str], words: Mapping[str, str]) -> list[Feature]:
    """Features of all activities and of each kind; `words` names a kind in the plural."""
    every_kind = _Kind("engagement_activities", "activities", EVERY_KIND)
    features = every_kind.build()
    for kind in kinds:
        called = words.get(kind, plural(kind))
        chosen = _Kind(f"engagement_{kind_slug(kind)}", called, f"kind = {literal(kind)}")
        features += chosen.build()
    return features


@dataclass(frozen=True)
class _Kind:
    """The activities of one kind: their group, their plural, and the condition in SQL."""

    group: str
    plural: str
    condition: str

    @property
    def one(self) -> str:
        """What one of them is called."""
        return singular(self.plural)

    def build(self) -> list[Feature]:
        """All features of the kind."""
        return [
            *(self._count_in(days) for days in WINDOWS),
            self._days_since(),
            self._distinct_days(),
            self._trend(),
            self._ever(),
            self._pace(),
            self._two_way_share(),
        ]

    def _count_in(self, days: int) -> Feature:
        column = f"{self.group}_n_{days}d"
        return self._feature(
            f"{days}d",
            {column: _count(within(self.condition, days))},
            Count(column),
            unit="count",
            phrase=self._counted(f"in {last_days(days)}"),
        )

    def _days_since(self) -> Feature:
        column = f"{self.group}_last"
        return self._feature(
            "days_since",
            {column: f"MAX(CASE WHEN {self.condition} THEN event_us END)"},
            DaysSince(column),
            unit="days",
            phrase=Phrase(
                f"days since the last {self.one}",
                f"Last {self.one} {{ago}}",
                f"Last {self.one} {{ago}}",
                named=_LastInWords(self.one),
                never=f"No {self.plural} so far",
            ),
        )

    def _distinct_days(self) -> Feature:
        column = f"{self.group}_days"
        is_any = self.condition == EVERY_KIND  # a day may have rows of several kinds
        feature = self._feature(
            "distinct_days_30d",
            {column: "COUNT(DISTINCT event_us)" if is_any else _count(self.condition)},
            Count(column),
            relation="days",
            unit="count",
            phrase=both(
                f"days with {self.plural} in the last 30 days",
                f"{capitalised(self.plural)} on {{value}} days of the last 30",
                one=f"{capitalised(self.plural)} on one day of the last 30",
                counted=True,
                none=f"No {self.plural} in the last 30 days",
            ),
        )
        return replace(feature, is_summary=True)

    def _trend(self) -> Feature:
        week = f"{self.group}_week"
        before = f"{self.group}_before"
        columns = {
            week: _count(within(self.condition, 7)),
            before: _count(within(self.condition, 37, until=7)),
        }
        return self._feature(
            "trend",
            columns,
            Trend(week, before),
            unit="a week",
            phrase=Phrase(
                f"change in {self.plural}, last week against an average week before",
                "{value}",
                "{value}",
                counted=True,
                named=_TrendInWords(self.plural, self.one),
                least_age=TREND_AGE,
            ),
        )

    def _ever(self) -> Feature:
        column = f"{self.group}_n_ever"
        return self._feature(
            "ever",
            {column: _count(self.condition)},
            Count(column),
            unit="count",
            phrase=self._counted("so far"),
        )

    def _pace(self) -> Feature:
        column = f"{self.group}_n_ever"
        feature = self._feature(
            "pace",
            {column: _count(self.condition)},
            Pace(column, "engagement_born"),
            unit="number",
            phrase=Phrase(
                f"{self.plural} a week",
                "{weekly} a week",
                "{weekly} a week",
                counted=True,
                none=f"No {self.plural} so far",
                named=_PaceInWords(self.plural, self.one),
            ),
        )
        born = {"leads": {"engagement_born": "MAX(event_us)"}}
        return replace(feature, columns={**feature.columns, **born}, is_summary=True)

    def _two_way_share(self) -> Feature:
        by_lead = f"{self.group}_by_lead"
        by_rep = f"{self.group}_by_rep"
        columns = {
            by_lead: _count(f"{self.condition} AND actor = 'lead'"),
            by_rep: _count(f"{self.condition} AND actor = 'rep'"),
        }
        return self._feature(
            "two_way_share",
            columns,
            Share(by_lead, by_rep),
            unit="share",
            phrase=Phrase(
                f"share of the {self.plural} that the lead began",
                "{value}",
                "{value}",
                counted=True,
                none=f"None of the {self.plural} came from the lead",
                named=_ShareInWords(self.plural),
            ),
        )

    def _counted(self, when: str) -> Phrase:
        """How many there were in some time."""
        return both(
            f"{self.plural} {when}",
            f"{{value}} {self.plural} {when}",
            one=f"1 {self.one} {when}",
            counted=True,
            none=f"No {self.plural} {when}",
        )

    def _feature(
        self,
        measure: str,
        columns: dict[str, str],
        finish: Finish,
        *,
        unit: str,
        phrase: Phrase,
        relation: str = "activities",
    ) -> Feature:
        return Feature(
            name=f"{self.group}_{measure}",
            columns={relation: columns},
            finish=finish,
            unit=unit,
            phrase=phrase,
            group=self.group,
        )


@dataclass(frozen=True)
class _PaceInWords:
    """A pace in the unit that makes it a whole number or more."""

    plural: str
    one: str

    def __call__(self, weekly: float, speaks_for: bool) -> str:
        weeks = round(1 / weekly)
        if weeks == 1:
            return f"About 1 {self.one} a week since the lead came in"
        if weeks < 1:
            return f"{{weekly}} {self.plural} a week since the lead came in"
        if speaks_for and weeks > SELDOM_WEEKS:
            return ""
        if weeks > MOST_WEEKS:
            return f"Very few {self.plural} so far"
        every = "every other week" if weeks == 2 else f"every {weeks} weeks"
        return f"About 1 {self.one} {every} since the lead came in"


@dataclass(frozen=True)
class _TrendInWords:
    """Last week beside an average one; less than one more or fewer is no reason."""

    plural: str
    one: str

    def __call__(self, difference: float, _speaks_for: bool) -> str:
        if abs(difference) < 1:
            return ""
        more = "more" if difference > 0 else "fewer"
        is_one = shown(difference, "a week") == "1"
        what = self.one if is_one else self.plural
        return f"{{value}} {more} {what} in the last week than in an average week before"


@dataclass(frozen=True)
class _LastInWords:
    """When something last happened.

    Long ago it does not speak for a lead by when it happened, but because it happened at all.
    """

    one: str

    def __call__(self, days: float, speaks_for: bool) -> str:
        if speaks_for and days > max(WINDOWS):
            return f"{capitalised(self.one)} in the past, most recently {{ago}}"
        return f"Last {self.one} {{ago}}"


@dataclass(frozen=True)
class _ShareInWords:
    """How much of what happened the lead began; a small share is a little on one side, too little on the other."""

    plural: str

    def __call__(self, share: float, speaks_for: bool) -> str:
        came = f"of the {self.plural} came from the lead"
        if share == 1:
            return f"All {came.removeprefix('of the ')}"
        if share >= HALF:
            return f"{{value}} {came}"
        return f"Some {came} ({{value}})" if speaks_for else f"Only {{value}} {came}"


def last_days(days: int) -> str:
    """A window in words."""
    return "the last 24 hours" if days == 1 else f"the last {days} days"


def _count(condition: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END)"


def within(condition: str, days: int, *, until: int = 0) -> str:
    """SQL: an activity of the last `days` days, but not of the last `until`."""
    not_later = f" AND event_us < as_of_us - {until * DAY_US}" if until else ""
    return f"{condition} AND event_us >= as_of_us - {days * DAY_US}{not_later}"
