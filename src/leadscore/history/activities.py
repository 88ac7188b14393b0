"""SQL of the relations of activities: what took place, answers, what was cancelled, and plans.

Every function takes the rows that were known, as `Snapshot` selects them; none names a table.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.engine.protocol import day_sql, literal
from leadscore.settings.settings import Settings
from leadscore.tables import HELD
from leadscore.times import DAY_US

OWN = ("outcome", "duration_s", "booked_at")  # columns that only some mappings fill
RECENT_DAYS = 30
BY_PEOPLE = "actor IN ('lead', 'rep')"
HELD_SQL = f"(outcome IS NULL OR outcome IN ({', '.join(literal(name) for name in HELD)}))"


@dataclass(frozen=True)
class ActivityColumns:
    """What the mapped activities hold, and what counts as a conversation.

    Attributes:
        mapped: the columns of `OWN` that the mapping fills.
        actors: who may act: lead, rep, system.
        conversation_seconds: a longer activity is a conversation.
    """

    mapped: frozenset[str] = frozenset()
    actors: frozenset[str] = frozenset()
    conversation_seconds: int = 60

    @property
    def has_outcome(self) -> bool:
        """Whether activities state what came of them."""
        return "outcome" in self.mapped

    @property
    def has_duration(self) -> bool:
        """Whether activities state how long they took."""
        return "duration_s" in self.mapped

    @property
    def has_plans(self) -> bool:
        """Whether activities state since when they were planned."""
        return "booked_at" in self.mapped

    @property
    def has_replies(self) -> bool:
        """Whether both sides act, so that one may answer the other."""
        return {"lead", "rep"} <= self.actors

    @property
    def has_conversations(self) -> bool:
        """Whether something says that lead and rep talked."""
        return self.has_duration or self.has_outcome

    def took_place(self) -> str:
        """SQL condition: the activity took place, as far as it is stated."""
        return HELD_SQL if self.has_outcome else "1 = 1"

    def talk(self) -> str:
        """SQL condition: lead and rep may have talked."""
        if not self.has_outcome:
            return BY_PEOPLE
        return f"{BY_PEOPLE} AND (outcome IS NULL OR outcome = 'reached')"

    def conversation(self) -> str:
        """SQL condition: a conversation; without durations, an activity that reached the lead."""
        if self.has_duration:
            return f"{self.talk()} AND duration_s > {self.conversation_seconds}"
        return f"{BY_PEOPLE} AND outcome = 'reached'"


UNMAPPED = ActivityColumns()


def read_activity_columns(settings: Settings) -> ActivityColumns:
    """What the mapping of a project gives of activities."""
    return ActivityColumns(
        mapped=settings.activity_columns() & frozenset(OWN),
        actors=settings.activity_actors(),
        conversation_seconds=settings.activities.conversation_seconds,
    )


def held_sql(known: str, activities: ActivityColumns) -> str:
    """SQL of the activities that took place; all did if nothing says otherwise."""
    if not activities.has_outcome:
        return known
    return f"SELECT * FROM ({known}) AS known WHERE {HELD_SQL}"


def days_sql(known: str, activities: ActivityColumns) -> str:
    """SQL of the days on which something took place, of the last `RECENT_DAYS`: each kind at most once a day."""
    return f"""SELECT DISTINCT lead_id, as_of_us, spell, kind, {day_sql()} AS event_us
        FROM ({held_sql(known, activities)}) AS held
        WHERE event_us >= as_of_us - {RECENT_DAYS * DAY_US}"""


def cancelled_sql(known: str) -> str:
    """SQL of the activities that were cancelled."""
    return f"SELECT * FROM ({known}) AS known WHERE outcome = 'cancelled'"


def contacts_sql(known: str, activities: ActivityColumns) -> str:
    """SQL of what lead and rep did, in its order.

    Beside the columns of activities it has

    * talked_us: when the last conversation began, null where there was none;
    * waited_us: time since the other side acted, where it acted just before: this is an answer;
    * place: of an answer among those of its side, from the quickest (1) on;
    * answers: on an answer, the number of answers its side gave.

    Of acts at one moment the larger seq is the later, and of equal ones the rep's.
    """
    talked = "CAST(NULL AS BIGINT)"
    if activities.has_conversations:
        talked = f"CASE WHEN {activities.conversation()} THEN event_us END"
    snapshot = "PARTITION BY lead_id, as_of_us"
    in_order = f"{snapshot} ORDER BY event_us, seq, actor"
    acts = f"""SELECT *,
        MAX({talked}) OVER ({snapshot}) AS talked_us,
        LAG(actor) OVER ({in_order}) AS actor_before,
        LAG(event_us) OVER ({in_order}) AS before_us
        FROM ({held_sql(known, activities)}) AS held WHERE {BY_PEOPLE}"""
    waits = f"""SELECT *,
        CASE WHEN actor <> actor_before THEN event_us - before_us END AS waited_us,
        CASE WHEN actor <> actor_before THEN 1 ELSE 0 END AS is_answer
        FROM ({acts}) AS acts"""
    return f"""SELECT *,
        ROW_NUMBER() OVER ({snapshot}, actor, is_answer ORDER BY waited_us) AS place,
        COUNT(waited_us) OVER ({snapshot}, actor, is_answer) AS answers
        FROM ({waits}) AS waits"""
