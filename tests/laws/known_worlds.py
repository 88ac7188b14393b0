"""Random worlds of facts that become known late, and the laws that no view of them may break.

A law is a function of a view, that is of what is looked at: the list and matrix of a scoring, or the earlier side
of a split. On the real view it must hold; on a view with a leak planted in it, on the same histories, it must fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from builders import Facts, day, make_settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.closes import attach_plain_closes
from leadscore.history.side import Side
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.ingest.mapping.entries import table_of
from leadscore.settings.settings import Settings
from leadscore.store.version import StoreVersion
from leadscore.tables import PRESENCE
from leadscore.times import DAY_US

UNTIL = 25
FREE = (
    "segment",
    "owner_id",
    "amount",
    "need",
    "deadline",
    "contact",
)  # nothing says when their value in leads was known
MAY_CHANGE = ("segment", "owner_id", "amount", "need", "deadline", "contact")
OWN = ("outcome", "duration_s", "booked_at")
OF_ACTIVITIES = {
    "source": "leads",
    "table": "activities",
    "columns": {
        "lead_id": "id",
        "event_at": "at",
        **{name: name for name in ("kind", "actor", *OWN)},
    },
}
OF_LEADS = {
    "source": "leads",
    "table": "leads",
    "columns": {"lead_id": "id", "event_at": "created", "account": "account", "contact": "contact"},
}


def small_settings(*, max_per_lead: int) -> Settings:
    return make_settings(
        target={"horizon_days": 5, "cadence_days": 1, "max_per_lead": max_per_lead},
        engine={"threads": 1},
        kinds={"email": "e-mails"},
        mapping=[OF_LEADS, *make_settings().model_dump(mode="json")["mapping"][1:], OF_ACTIVITIES],
        memory={"account": "creation"},
        fields={
            "industry": {"known_from": "creation"},
            "employees": {"type": "number", "decimals": 0, "known_from": "creation"},
            "segment": {},
            "need": {},
            "deadline": {"type": "date"},
        },
        bant={"need": {"field": "need", "levels": ["no", "maybe", "yes"]}},
    )


SAMPLED, WHOLE = small_settings(max_per_lead=3), small_settings(max_per_lead=1000)
IDS = ["a", "00012", "b'c", "z", "ä", "10"]
Row = dict[str, Any]
moments = st.builds(
    lambda at, us: day(at) + us, st.integers(1, 15), st.sampled_from([0, 0, 0, -1, 1, DAY_US // 2])
)
delays = st.sampled_from([0, 0, 0, 1, 3]).map(lambda days: days * DAY_US)
values = {
    "segment": st.sampled_from(["small", "large", None]),
    "owner_id": st.sampled_from(["kim", "lee", None]),
    "amount": st.sampled_from(["100", "250", "90", None]),
    "need": st.sampled_from(["no", "maybe", "yes", "what?", None]),
    "deadline": st.sampled_from([str(day(12)), str(day(40)), None]),
    "contact": st.sampled_from(["p", "q", None]),
}
results = {
    "outcome": st.sampled_from([None, "reached", "not_reached", "cancelled", "planned"]),
    "duration_s": st.sampled_from([None, 30, 61, 600]),
}
contents = {
    "activities": st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["email", "meeting"]),
            "actor": st.sampled_from(["lead", "rep"]),
            "booked_at": st.sampled_from([None, 1, 3, 8]),  # days ahead; `booked` makes it a moment
            **results,
        }
    ),
    "stages": st.fixed_dictionaries(
        {
            "stage": st.sampled_from(
                ["new", "qualified", "proposal", "new", "qualified", "signed", "rejected"]
            )
        }
    ),
    "outcomes": st.fixed_dictionaries({"outcome": st.sampled_from(["won", "lost"])}),
    "changes": st.sampled_from([*MAY_CHANGE, "amount"]).flatmap(  # whose moves need ties to be seen
        lambda name: st.fixed_dictionaries({"field": st.just(name), "value": values[name]})
    ),
}
TABLE = st.sampled_from([*["activities", "stages", "changes"] * 3, "outcomes"])


@st.composite
def one_fact(draw: st.DrawFn) -> tuple[str, Row]:
    table, event = draw(TABLE), draw(moments)
    row = {
        "lead_id": draw(st.sampled_from(IDS)),
        "event_us": event,
        "available_us": event + draw(delays),
    }
    return table, booked(row | {"seq": draw(st.integers(0, 1))} | draw(contents[table]))


def booked(row: Row) -> Row:
    """The row with the moment at which it was booked, where it has days ahead."""
    days = row.get("booked_at")
    return row if days is None else row | {"booked_at": row["event_us"] - days * DAY_US}


@st.composite
def one_twin(draw: st.DrawFn, of: tuple[str, Row]) -> tuple[str, Row]:
    """A fact of the same lead and moment, so that ties have to be broken."""
    table, row = of
    told = {"value": draw(values[row["field"]])} if table == "changes" else draw(contents[table])
    return table, booked(row | {"seq": draw(st.integers(0, 1))} | told)


@st.composite
def one_lead(draw: st.DrawFn, lead_id: str, *, late: bool) -> Row:
    event = day(draw(st.integers(0, 5 if late else 0)))
    return {
        "lead_id": lead_id,
        "event_us": event,
        "available_us": event + (draw(st.sampled_from([0, 0, 1, 5])) * DAY_US if late else 0),
        "industry": draw(st.sampled_from(["food", "steel", None])),
        "employees": draw(st.sampled_from([5, 500, None])),
        "account": draw(st.sampled_from(["x", "y", None])),
        **draw(present_values()),
    }


@st.composite
def present_values(draw: st.DrawFn) -> Row:
    """What `leads` says today of the fields that may have changed since."""
    found = {name: draw(value) for name, value in values.items()}
    return {k: int(v) if v and k in {"amount", "deadline"} else v for k, v in found.items()}


def make_facts(of: Settings, leads: list[Row], rows: list[tuple[str, Row]]) -> Facts:
    facts = Facts(of)
    facts.rows["leads"] = leads
    for table, row in rows:
        facts.rows[table].append(row)
    return facts


@st.composite
def worlds(draw: st.DrawFn, of: Settings, *, late: bool = True) -> Facts:
    leads = [draw(one_lead(lead_id, late=late)) for lead_id in IDS]
    rows = draw(st.lists(one_fact(), min_size=40, max_size=50))
    return make_facts(of, leads, rows + [draw(one_twin(row)) for row in rows])


def is_known(row: Row, known_us: int) -> bool:
    return bool(row["available_us"] < known_us)


def is_plan(row: Row, known_us: int) -> bool:
    """Whether the row was in the calendar by then: its kind and date were known, not what came of it."""
    booked_at = row.get("booked_at")
    return booked_at is not None and bool(booked_at < known_us)


def change_unknown(draw: st.DrawFn, facts: Facts, known_us: int) -> Facts:
    """Another world that nobody could tell from this one before `known_us`.

    Facts known later are others, leads known later too; and `leads` says something else today of every field that
    has a history by then or is not known from creation.
    """
    changed = {row["field"] for row in facts.rows["changes"] if is_known(row, known_us)}
    leads = []
    for row in facts.rows["leads"]:
        if not is_known(row, known_us):
            leads += (
                [{**row, **draw(present_values()), "industry": "other", "account": "y"}]
                if draw(st.booleans())
                else []
            )
            continue
        told = draw(present_values())
        leads.append(row | {name: told[name] for name in {*FREE, *changed}})
    leads += [
        {**facts.rows["leads"][0], "lead_id": "new", "event_us": known_us, "available_us": known_us}
    ]
    kept = [(table, row) for table, rows in facts.rows.items() if table != "leads" for row in rows]
    planned = [
        (table, row | {name: draw(result) for name, result in results.items()})
        for table, row in kept
        if not is_known(row, known_us) and is_plan(row, known_us)
    ]
    kept = [(table, row) for table, row in kept if is_known(row, known_us)]
    others = draw(st.lists(one_fact(), min_size=5, max_size=20))
    later = [
        (table, row | {"available_us": max(row["available_us"], known_us)})
        for table, row in others
        if not is_plan(row, known_us)
    ]
    return make_facts(facts.settings, leads, kept + planned + later)


@st.composite
def pairs(draw: st.DrawFn, of: Settings) -> tuple[Facts, Facts, int]:
    facts = draw(worlds(of))
    known_us = day(draw(st.integers(5, 14))) + draw(st.sampled_from([0, 0, 1]))
    return facts, change_unknown(draw, facts, known_us), known_us


Told = Mapping[str, object]
View = Callable[[History, int], Told]


@cache
def engine() -> DuckDBEngine:
    return DuckDBEngine(SAMPLED.engine)


def open_facts(facts: Facts) -> History:
    """The facts as a history, in memory; one at a time, since all share an engine."""
    for name, rows in facts.rows.items():
        engine().add_rows(name, pa.Table.from_pylist(rows, table_of(name, facts.settings).schema()))
    changes = table_of("changes", facts.settings).schema()
    engine().add_rows("mapped_changes", pa.Table.from_pylist(facts.rows["changes"], changes))
    attach_plain_closes(engine(), facts.settings.stages)
    engine().add_rows("presence", PRESENCE.empty_table())
    first = min((row["available_us"] for row in facts.rows["leads"]), default=day(UNTIL))
    version = StoreVersion("in memory", {"known_until_us": day(UNTIL), "first_us": first}, Path())
    return History(facts.settings, version, engine())


def exact(values: Any) -> object:
    """Values to compare by, bit for bit."""
    array = values.to_numpy() if isinstance(values, pd.Series) else values
    return array.tolist() if array.dtype == object else (array.dtype.str, array.tobytes())


def told_of(rows: pd.DataFrame, matrix: Matrix, **more: object) -> Told:
    told: dict[str, object] = {f"list: {name}": exact(rows[name]) for name in rows}
    told |= {f"keys: {name}": exact(matrix.keys[name]) for name in matrix.keys}
    return told | {name: exact(values) for name, values in matrix.columns.items()} | more


def list_asked(history: History, known_us: int) -> pd.DataFrame:
    """The leads open at that moment, and the same looked at three days later without any news."""
    rows = history.open_list(known_us)
    return pd.concat([rows, rows.assign(as_of_us=known_us + 3 * DAY_US)], ignore_index=True)


def told_of_side(history: History, side: Side, features: list[Feature], known_us: int) -> Told:
    matrix = build_matrix(history.snapshot(side.rows[KEYS]), features)
    more = (side.watched, side.capped_share, side.known_us, side.name, side.follow_up_days())
    return told_of(
        side.rows, matrix, side=more, rate=exact(np.array([side.base_rate(), side.mature_rate()]))
    )


def assert_equal(first: Told, second: Told) -> None:
    assert list(first) == list(second)
    assert [name for name in first if first[name] != second[name]] == []


def run(
    check: Callable[..., None], given_what: st.SearchStrategy[Any], *, examples: int = 8
) -> None:
    """Try a law; it stops at the first history that breaks it."""
    tried = settings(
        derandomize=True,
        deadline=None,
        max_examples=examples,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    tried(given(given_what)(check))()


def law_what_is_not_known_changes_nothing(view: View, *, examples: int = 8) -> None:
    def check(pair: tuple[Facts, Facts, int]) -> None:
        facts, other, known_us = pair
        note(f"{facts.rows}\n{other.rows}")
        assert_equal(view(open_facts(facts), known_us), view(open_facts(other), known_us))

    run(check, pairs(SAMPLED), examples=examples)


def law_row_order_changes_nothing(view: View, *, examples: int = 8) -> None:
    def check(drawn: tuple[Facts, int, Random]) -> None:
        facts, at, random = drawn
        note(f"{facts.rows}")
        mixed = Facts(facts.settings)
        mixed.rows = {name: random.sample(rows, len(rows)) for name, rows in facts.rows.items()}
        assert_equal(view(open_facts(facts), day(at)), view(open_facts(mixed), day(at)))

    orders = st.randoms(use_true_random=False)
    run(check, st.tuples(worlds(SAMPLED), st.integers(5, 20), orders), examples=examples)


@dataclass(frozen=True)
class Seen:
    """A list, and its matrix by the given features."""

    rows: pd.DataFrame
    matrix: Matrix

    def at(self, as_of_us: int) -> Told:
        rows = self.rows.loc[self.rows["as_of_us"] == as_of_us, KEYS]
        rows = rows.sort_values("lead_id", ignore_index=True)
        return told_of(rows, self.matrix.take(rows))


Learn = Callable[[History, int, list[Feature]], Seen]


def learn(history: History, known_us: int, features: list[Feature]) -> Seen:
    rows = history.earlier_side(known_us).rows
    return Seen(rows, build_matrix(history.snapshot(rows[KEYS]), features))


def score(history: History, as_of_us: int, features: list[Feature]) -> Seen:
    rows = history.open_list(as_of_us)
    return Seen(rows, build_matrix(history.snapshot(rows), features))


@st.composite
def replays(draw: st.DrawFn, *, late: bool) -> tuple[Facts, dict[int, Facts]]:
    """A world, and for some moments the store as it was then: without later facts, and `leads` as of then."""
    facts = draw(worlds(WHOLE, late=late))
    cuts = {}
    for at in draw(st.lists(st.integers(2, 16), min_size=2, max_size=2, unique=True)):
        cut = change_unknown(draw, facts, day(at))
        cut.rows = {
            name: [row for row in rows if is_known(row, day(at)) or is_plan(row, day(at))]
            for name, rows in cut.rows.items()
        }
        cuts[day(at)] = cut
    return facts, cuts


def law_training_is_scoring_replayed(learn: Learn, score: Learn, *, late: bool = False) -> None:
    known_us = day(18)

    def check(drawn: tuple[Facts, dict[int, Facts]]) -> None:
        facts, cuts = drawn
        note(f"{facts.rows}")
        history = open_facts(facts)
        features = build_features(history.settings)
        learned = learn(history, known_us, features)
        for as_of_us, cut in cuts.items():
            assert_equal(
                learned.at(as_of_us), score(open_facts(cut), as_of_us, features).at(as_of_us)
            )

    run(check, replays(late=late), examples=5)
