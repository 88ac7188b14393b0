"""The laws of memory against leaks planted on purpose: each must be caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property

import pytest

from builders import day
from laws.known_worlds import (
    UNTIL,
    Learn,
    Seen,
    Told,
    View,
    law_row_order_changes_nothing,
    law_training_is_scoring_replayed,
    law_what_is_not_known_changes_nothing,
    learn,
    list_asked,
    score,
    told_of,
    told_of_side,
)
from leadscore.features.bant import build_bant
from leadscore.features.feature import Feature
from leadscore.features.finish import Text
from leadscore.features.matrix import build_features, build_matrix
from leadscore.features.profile import build_profile
from leadscore.history.labels import build_side
from leadscore.history.lists import build_grid_list
from leadscore.history.related import Related
from leadscore.history.snapshot import KEYS, Snapshot
from leadscore.history.split import History
from leadscore.history.timelines import read_timelines
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, FOREVER_US

KNOWN = "t.available_us < s.known_us"
BOOKED = "t.booked_at < s.known_us"


@dataclass(frozen=True)
class LeakySnapshot(Snapshot):
    """A door with a hole: some text of its SQL replaced by another."""

    hole: tuple[str, str] = ("", "")
    through: str = ""

    def past(self, relation: str) -> str:
        sql = super().past(relation)
        if self.through not in {"", relation}:
            return sql
        has_own_condition = relation in {"plans", "account", "contact"}
        if has_own_condition and not self.through:
            return sql
        if self.hole[0] not in sql:
            raise ValueError(f"nothing to replace in {sql}")
        return sql.replace(*self.hole)


Door = Callable[[Snapshot], Snapshot]


def leaky(old: str, new: str, *, through: str = "") -> Door:
    def door(honest: Snapshot) -> Snapshot:
        parts = {
            name: getattr(honest, name)
            for name in (
                "engine",
                "rows",
                "stages",
                "created",
                "chunk_rows",
                "activities",
                "exported_us",
                "keys",
            )
        }
        return LeakySnapshot(**parts, hole=(old, new), through=through)

    return door


OUTCOME = "(SELECT COUNT(*) FROM outcomes AS o WHERE o.lead_id = s.lead_id)"
DOORS: dict[str, Door] = {
    "joins on the event up to a day after as_of": leaky(
        KNOWN, f"t.event_us < s.as_of_us + {DAY_US}"
    ),
    "joins on when it happened, not when it was known": leaky(KNOWN, "t.event_us < s.known_us"),
    "joins on as_of, not on known": leaky(KNOWN, "t.available_us < s.as_of_us"),
    "joins without a condition": leaky(KNOWN, "1 = 1"),
    "joins what was known at the very moment": leaky(KNOWN, "t.available_us <= s.known_us"),
    "leaves the condition out of activities": leaky(KNOWN, "1 = 1", through="activities"),
    "leaves the condition out of stages": leaky(KNOWN, "1 = 1", through="stages"),
    "leaves the condition out of changes": leaky(KNOWN, "1 = 1", through="changes"),
    "leaves the condition out of answers": leaky(KNOWN, "1 = 1", through="contacts"),
    "leaves the condition out of moves": leaky(KNOWN, "1 = 1", through="moves"),
    "leaves the condition out of what was cancelled": leaky(KNOWN, "1 = 1", through="cancelled"),
    "leaves the condition out of plans": leaky(BOOKED, "1 = 1", through="plans"),
    "knows which plans came true": leaky(
        "t.event_us >= s.as_of_us",
        "t.event_us >= s.as_of_us AND t.outcome = 'reached'",
        through="plans",
    ),
    "reads the outcome": leaky("s.spell", f"s.spell + {OUTCOME} AS spell", through="leads"),
}


def score_through(door: Door) -> View:
    def view(history: History, known_us: int) -> Told:
        rows = list_asked(history, known_us)
        snapshot = door(history.snapshot(rows))
        return told_of(rows, build_matrix(snapshot, build_features(history.settings)))

    return view


def read_the_owner_of_today(history: History, known_us: int) -> Told:
    rows = list_asked(history, known_us)
    honest = history.snapshot(rows)
    columns = {"leads": {"owner_today": "MAX(at_creation_owner_id)"}}
    owner = Feature(
        "profile_owner_today",
        columns,
        Text("owner_today"),
        "category",
        "owner",
    )
    snapshot = replace(honest, created=(*honest.created, "owner_id"))
    return told_of(rows, build_matrix(snapshot, [*build_features(history.settings), owner]))


def read_fields_of_today_though_they_have_a_history(history: History, known_us: int) -> Told:
    rows = list_asked(history, known_us)
    of_today = {
        name: field.model_copy(update={"known_from": "creation"})
        for name, field in history.settings.lead_fields().items()
    }
    trusting: Settings = history.settings.model_copy(update={"fields": of_today})
    snapshot = replace(history, settings=trusting).snapshot(rows)
    return told_of(rows, build_matrix(snapshot, [*build_bant(trusting), *build_profile(trusting)]))


def leave_out_leads_that_closed_but_were_not_known_to(history: History, known_us: int) -> Told:
    rows = list_asked(history, known_us)
    closed = history.engine.query(f"SELECT lead_id FROM outcomes WHERE event_us < {known_us}")[
        "lead_id"
    ].to_pylist()
    rows = rows[~rows["lead_id"].isin(closed)].reset_index(drop=True)
    features = build_features(history.settings)
    return told_of(rows, build_matrix(history.snapshot(rows), features))


def label_by_what_is_known_today(history: History, known_us: int) -> Told:
    side = history.side("", from_us=history.version.first_us, to_us=known_us, known_us=day(UNTIL))
    return told_of_side(history, side, build_features(history.settings), known_us)


def sample_the_whole_spell_then_cut(history: History, known_us: int) -> Told:
    target = history.settings.target
    rows = build_grid_list(
        history.spells(day(UNTIL)), history.grid, target=target, seed=history.settings.seed
    )
    rows = rows[rows["as_of_us"] < known_us].reset_index(drop=True)
    side = build_side("", rows, history.spells(known_us), known_us=known_us, target=target)
    return told_of_side(history, side, build_features(history.settings), known_us)


def learn_only_from_leads_closed_by_today(history: History, known_us: int) -> Told:
    side = history.earlier_side(known_us)
    today = history.spells(day(UNTIL))
    closed = set(today.loc[today["close_us"] < day(UNTIL), "lead_id"])
    rows = side.rows[side.rows["lead_id"].isin(closed)].reset_index(drop=True)
    return told_of_side(
        history, replace(side, rows=rows), build_features(history.settings), known_us
    )


@dataclass(frozen=True)
class LateMemory(Snapshot):
    """Counts other leads of an account or contact by what is known a day later."""

    @cached_property
    def _related(self) -> Related:
        rows = self._listed.assign(known_us=self._listed["known_us"] + DAY_US)
        return Related(
            read_timelines(self.engine, self.stages, self.keys, known_us=FOREVER_US), rows
        )


def know_other_leads_a_day_later(history: History, known_us: int) -> Told:
    rows = list_asked(history, known_us)
    honest = history.snapshot(rows)
    parts = {field.name: getattr(honest, field.name) for field in fields(Snapshot)}
    features = build_features(history.settings)
    return told_of(rows, build_matrix(LateMemory(**parts), features))


LEAKS: dict[str, View] = {
    "other leads as known a day later": know_other_leads_a_day_later,
    **{f"a door that {name}": score_through(door) for name, door in DOORS.items()},
    "the owner of today": read_the_owner_of_today,
    "fields of today though they have a history": read_fields_of_today_though_they_have_a_history,
    "a list without leads that closed unknown to all": leave_out_leads_that_closed_but_were_not_known_to,
    "labels as known today": label_by_what_is_known_today,
    "snapshots sampled over the whole spell": sample_the_whole_spell_then_cut,
    "only leads closed by today": learn_only_from_leads_closed_by_today,
}


@pytest.mark.slow
@pytest.mark.parametrize("view", LEAKS.values(), ids=[f"planted leak: {name}" for name in LEAKS])
def test_law_of_the_unknown_when_a_leak_is_planted_then_catches_it(view: View) -> None:
    with pytest.raises(AssertionError):
        law_what_is_not_known_changes_nothing(view)


@pytest.mark.slow
def test_law_of_the_unknown_when_the_planted_hole_changes_nothing_then_holds() -> None:
    law_what_is_not_known_changes_nothing(score_through(leaky(KNOWN, f"({KNOWN})")), examples=3)


ORDERED: dict[str, Door] = {
    "changes by event alone": leaky(
        "event_us DESC, seq DESC, value DESC", "event_us DESC", through="changes"
    ),
    "answers by event alone": leaky("event_us, seq, actor", "event_us", through="contacts"),
    "moves by event alone": leaky(
        "event_us DESC, seq DESC, value DESC", "event_us DESC", through="moves"
    ),
    "stages by event alone": leaky(
        "event_us DESC, seq DESC, stage_order DESC", "event_us DESC", through="stages"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "door", ORDERED.values(), ids=[f"planted file order: {name}" for name in ORDERED]
)
def test_law_of_row_order_when_file_order_is_planted_then_catches_it(door: Door) -> None:
    with pytest.raises(AssertionError):
        law_row_order_changes_nothing(score_through(door), examples=40)


def learn_with_all_that_is_known_at_k(
    history: History, known_us: int, features: list[Feature]
) -> Seen:
    rows = history.earlier_side(known_us).rows
    asked = rows[KEYS].assign(known_us=known_us)
    return Seen(rows, build_matrix(history.snapshot(asked), features))


def learn_through(door: Door) -> Learn:
    def view(history: History, known_us: int, features: list[Feature]) -> Seen:
        rows = history.earlier_side(known_us).rows
        return Seen(rows, build_matrix(door(history.snapshot(rows[KEYS])), features))

    return view


def learn_from_leads_that_stay_open(
    history: History, known_us: int, features: list[Feature]
) -> Seen:
    seen = learn(history, known_us, features)
    still = history.spells(known_us).groupby("lead_id")["won"].any()
    return replace(seen, rows=seen.rows[~seen.rows["lead_id"].map(still)])


def score_a_day_before(history: History, as_of_us: int, features: list[Feature]) -> Seen:
    rows = history.open_list(as_of_us).assign(known_us=as_of_us - DAY_US)
    return Seen(rows.assign(known_us=as_of_us), build_matrix(history.snapshot(rows), features))


SKEWS: dict[str, tuple[Learn, Learn]] = {
    "training knows all that is known at K": (learn_with_all_that_is_known_at_k, score),
    "training looks a day ahead": (
        learn_through(DOORS["joins on the event up to a day after as_of"]),
        score,
    ),
    "training knows what had happened": (
        learn_through(DOORS["joins on when it happened, not when it was known"]),
        score,
    ),
    "training reads the outcome": (learn_through(DOORS["reads the outcome"]), score),
    "training leaves out winners": (learn_from_leads_that_stay_open, score),
    "scoring is a day behind": (learn, score_a_day_before),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("learn", "score"), SKEWS.values(), ids=[f"planted skew: {name}" for name in SKEWS]
)
def test_law_of_replay_when_training_differs_from_scoring_then_catches_it(
    learn: Learn, score: Learn
) -> None:
    with pytest.raises(AssertionError):
        law_training_is_scoring_replayed(learn, score)
