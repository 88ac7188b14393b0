"""Contact: what came of activities, how long people talked, who answers, and what is planned.

Each measure exists only where the mapping fills the columns of activities that it rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadscore.features.engagement import WINDOWS, last_days, within
from leadscore.features.feature import Feature
from leadscore.features.finish import (
    Count,
    DaysSince,
    DaysUntil,
    Earlier,
    Finish,
    Minutes,
    Share,
)
from leadscore.features.phrases import Phrase, both
from leadscore.history.activities import ActivityColumns, read_activity_columns
from leadscore.settings.settings import Settings

MINUTE_S = 60
LONG_DAYS = 90  # outcomes of single calls say little: they are looked at over a quarter
FIRST = ("we", "the lead")  # values of `Earlier`


def build_contact(settings: Settings) -> list[Feature]:
    """The features of what the mapped activities hold."""
    activities = read_activity_columns(settings)
    features: list[Feature] = []
    if activities.has_duration:
        features += _build_talk(activities)
    if activities.has_conversations:
        features.append(_build_attempts(activities))
    if activities.has_outcome:
        features += _build_outcomes()
    if activities.has_replies:
        features += _build_replies()
    if activities.has_plans:
        features += _build_plans()
    return features


def _build_talk(activities: ActivityColumns) -> list[Feature]:
    """Talk time and conversations in the windows, and how long ago the last conversation began."""
    talked = f"{activities.talk()} AND duration_s > 0"
    conversation = activities.conversation()
    length = f"of more than {_in_words(activities.conversation_seconds)}"
    features = []
    for days in WINDOWS:
        features.append(_build_talk_time(talked, days))
        features.append(_build_conversations(conversation, days, length))
    last = f"MAX(CASE WHEN {conversation} THEN event_us END)"
    since = _feature(
        "talk_days_since",
        {"activities": {"talk_last": last}},
        DaysSince("talk_last"),
        unit="days",
        phrase=both(
            f"days since the last conversation {length}",
            f"Last conversation {length} {{ago}}",
            never=f"No conversation {length} so far",
        ),
        group="engagement_talk",
    )
    return [*features, since]


def _build_talk_time(talked: str, days: int) -> Feature:
    """The minutes talked in a window, of the activities of a condition."""
    seconds = f"talk_s_{days}d"
    talk = f"SUM(CASE WHEN {within(talked, days)} THEN duration_s END)"
    return _feature(
        f"talk_time_{days}d",
        {"activities": {seconds: talk}},
        Minutes(seconds, per_minute=MINUTE_S),
        unit="minutes",
        phrase=both(
            f"time talked in {last_days(days)}",
            f"Talked for {{value}} in {last_days(days)}",
            counted=True,
            none=f"No conversation in {last_days(days)}",
        ),
        group="engagement_talk",
    )


def _build_conversations(conversation: str, days: int, length: str) -> Feature:
    """How many conversations of such a length there were in a window."""
    number = f"talk_n_{days}d"
    count = f"COUNT(CASE WHEN {within(conversation, days)} THEN 1 END)"
    return _feature(
        f"talk_conversations_{days}d",
        {"activities": {number: count}},
        Count(number),
        unit="count",
        phrase=both(
            f"conversations {length} in {last_days(days)}",
            f"{{value}} conversations {length} in {last_days(days)}",
            one=f"1 conversation {length} in {last_days(days)}",
            counted=True,
            none=f"No conversation {length} in {last_days(days)}",
        ),
        group="engagement_talk",
    )


def _build_attempts(activities: ActivityColumns) -> Feature:
    """What reps did since the last conversation, or ever where there was none."""
    is_later = "talked_us IS NULL OR event_us > talked_us"
    attempts = f"COUNT(CASE WHEN actor = 'rep' AND ({is_later}) THEN 1 END)"
    return _feature(
        "talk_attempts",
        {"contacts": {"talk_attempts": attempts}},
        Count("talk_attempts"),
        unit="count",
        phrase=both(
            "attempts since the last conversation",
            "{value} attempts to reach the lead since the last conversation",
            one="1 attempt to reach the lead since the last conversation",
            counted=True,
        ),
        group="engagement_attempts",
        rests_on=(activities.conversation(),),
    )


def _build_outcomes() -> list[Feature]:
    """The share of attempts that reached the lead, and how many activities were cancelled."""
    reached = "outcome = 'reached'"
    missed = "outcome = 'not_reached'"
    recent = {
        "reach_yes_90d": f"COUNT(CASE WHEN {within(reached, LONG_DAYS)} THEN 1 END)",
        "reach_no_90d": f"COUNT(CASE WHEN {within(missed, LONG_DAYS)} THEN 1 END)",
    }
    ever = {
        "reach_yes": f"COUNT(CASE WHEN {reached} THEN 1 END)",
        "reach_no": f"COUNT(CASE WHEN {missed} THEN 1 END)",
    }
    return [
        _feature(
            "reach_share_90d",
            {"activities": recent},
            Share("reach_yes_90d", "reach_no_90d"),
            unit="share",
            phrase=_reached(f"of {last_days(LONG_DAYS)}"),
            group="engagement_reached",
        ),
        _feature(
            "reach_share_ever",
            {"activities": ever},
            Share("reach_yes", "reach_no"),
            unit="share",
            phrase=_reached("so far"),
            group="engagement_reached",
        ),
        *_build_cancelled(),
    ]


def _build_cancelled() -> list[Feature]:
    """How many activities were cancelled, lately and ever."""
    cancelled = "outcome = 'cancelled'"
    off = {"reach_off_90d": f"COUNT(CASE WHEN {within(cancelled, LONG_DAYS)} THEN 1 END)"}
    return [
        _feature(
            "reach_cancelled_90d",
            {"cancelled": off},
            Count("reach_off_90d"),
            unit="count",
            phrase=_cancelled(f"in {last_days(LONG_DAYS)}"),
            group="engagement_cancelled",
        ),
        _feature(
            "reach_cancelled_ever",
            {"cancelled": {"reach_off": "COUNT(*)"}},
            Count("reach_off"),
            unit="count",
            phrase=_cancelled("so far"),
            group="engagement_cancelled",
        ),
    ]


def _build_replies() -> list[Feature]:
    """How long either side waits before it answers, and who acted first."""
    first = {
        "reply_first_lead": "MIN(CASE WHEN actor = 'lead' THEN event_us END)",
        "reply_first_rep": "MIN(CASE WHEN actor = 'rep' THEN event_us END)",
    }
    return [
        _build_wait(
            "lead",
            _answering("how fast the lead answers", "The lead usually", "answers", "takes"),
        ),
        _build_wait(
            "rep",
            _answering("how fast we answer", "We usually", "answer", "take"),
        ),
        _feature(
            "reply_first_by",
            {"activities": first},
            Earlier("reply_first_lead", "reply_first_rep"),
            unit="number",
            phrase=both(
                "who made the first contact", "{value} made the first contact", values=FIRST
            ),
            group="engagement_replies",
        ),
    ]


def _reached(when: str) -> Phrase:
    return both(
        f"share of attempts {when} that reached the lead",
        f"Reached in {{value}} of the attempts {when}",
        one=f"Reached in every attempt {when}",
        counted=True,
        none=f"Not reached in any attempt {when}",
    )


def _cancelled(when: str) -> Phrase:
    return both(
        f"appointments cancelled {when}",
        f"{{value}} appointments cancelled {when}",
        one=f"1 appointment cancelled {when}",
        counted=True,
    )


def _build_wait(actor: str, phrase: Phrase) -> Feature:
    """The lower median of the waits of one side: the one in the middle, or the shorter of two.

    It is one of the waits, so that integers suffice: of n it has the place k with 2 k = n or n + 1.
    """
    column = f"reply_wait_{actor}"
    is_middle = f"actor = '{actor}' AND 2 * place IN (answers, answers + 1)"
    median = f"MAX(CASE WHEN {is_middle} THEN waited_us END)"
    return _feature(
        f"reply_minutes_of_{actor}",
        {"contacts": {column: median}},
        Minutes(column, per_minute=MINUTE_S * 1_000_000, none=False),
        unit="minutes",
        phrase=phrase,
        group="engagement_replies",
    )


@dataclass(frozen=True)
class _WaitInWords:
    """How long somebody takes to answer; less than a minute is "at once", and nothing to blame."""

    who: str
    answers: str
    takes: str

    def __call__(self, minutes: float, speaks_for: bool) -> str:
        if minutes < 1:
            return f"{self.who} {self.answers} at once" if speaks_for else ""
        if speaks_for:
            return f"{self.who} {self.answers} within {{value}}"
        return f"{self.who} {self.takes} {{value}} to answer"


def _answering(subject: str, who: str, answers: str, takes: str) -> Phrase:
    in_words = _WaitInWords(who, answers, takes)
    return Phrase(subject, "{value}", "{value}", named=in_words)


def _build_plans() -> list[Feature]:
    """What is in the calendar: how many next steps, and how far ahead the first one is."""
    return [
        _feature(
            "plan_steps",
            {"plans": {"plan_steps": "COUNT(*)"}},
            Count("plan_steps"),
            unit="count",
            phrase=both(
                "planned next steps",
                "{value} next steps planned",
                one="1 next step planned",
                counted=True,
                none="No next step planned",
            ),
            group="engagement_next_step",
        ),
        _feature(
            "plan_days_ahead",
            {"plans": {"plan_next": "MIN(event_us)"}},
            DaysUntil("plan_next"),
            unit="days ahead",
            phrase=both("when the next step is", "Next step planned {value}"),
            group="engagement_next_step",
        ),
    ]


def _feature(
    name: str,
    columns: Mapping[str, Mapping[str, str]],
    finish: Finish,
    *,
    unit: str,
    phrase: Phrase,
    group: str,
    rests_on: tuple[str, ...] = (),
) -> Feature:
    return Feature(
        name=name,
        columns=columns,
        finish=finish,
        unit=unit,
        phrase=phrase,
        group=group,
        rests_on=rests_on,
    )


def _in_words(seconds: int) -> str:
    """A length as a person says it.

    >>> _in_words(60), _in_words(90), _in_words(300)
    ('a minute', '90 seconds', '5 minutes')
    """
    if seconds == MINUTE_S:
        return "a minute"
    if seconds and seconds % MINUTE_S == 0:
        return f"{seconds // MINUTE_S} minutes"
    return f"{seconds} seconds"
