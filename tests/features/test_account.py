"""Account memory: other leads of the same account or contact, as known then; by hand, and by a slow oracle."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from builders import Facts, day, make_settings
from engines.sqlite import SQLiteEngine
from leadscore.engine import Engine
from leadscore.errors import UserError
from leadscore.features.account import build_account, unlearned_keys
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.opening import open_history
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US

UNKNOWN = pytest.approx(math.nan, nan_ok=True)
AS_OF = 100.0
KEYS = ("account", "contact")
MEASURES = ("leads", "won", "lost", "open", "days_since_win")


def keyed_settings(
    *,
    memory: dict[str, str] | None = None,
    keys: tuple[str, ...] = KEYS,
    changes: bool = True,
    **more: Any,
) -> Settings:
    """Settings whose leads have the keys; by default the account is known from creation alone."""
    columns = {"lead_id": "id", "event_at": "created"} | {key: key for key in keys}
    mapping: list[dict[str, Any]] = [{"source": "leads", "table": "leads", "columns": columns}]
    if changes:
        told = {"lead_id": "id", "event_at": "at", "field": "field", "value": "value"}
        mapping.append({"source": "leads", "table": "changes", "columns": told})
    memory = {"account": "creation", "contact": "creation"} if memory is None else memory
    return make_settings(mapping=mapping, memory=memory, **more)


def values_of(
    facts: Facts,
    folder: Path,
    lead_id: str = "a",
    *,
    as_of: float = AS_OF,
    known: float | None = None,
) -> dict[str, Any]:
    """The features of a lead at a moment, by name."""
    known = as_of if known is None else known
    rows = pd.DataFrame(
        {"lead_id": [lead_id], "spell": 1, "as_of_us": day(as_of), "known_us": day(known)}
    )
    matrix = matrix_of(facts, rows, folder)
    return {name: values[0] for name, values in matrix.columns.items()}


def matrix_of(
    facts: Facts, rows: pd.DataFrame, folder: Path, *, engine: Engine | None = None
) -> Matrix:
    history = facts.history(folder, known_until=1000, engine=engine)
    try:
        return build_matrix(history.snapshot(rows), build_features(history.settings))
    finally:
        history.engine.close()


def family(values: dict[str, Any], key: str = "account") -> tuple[Any, ...]:
    return tuple(values[f"{key}_{measure}"] for measure in MEASURES)


def neighbours(*ends: tuple[float, str], account: str = "x") -> Facts:
    """Lead "a" of account x, and one other lead of an account for each end (day, outcome)."""
    facts = Facts(keyed_settings()).lead("a", 50, account="x", contact="p")
    for place, (at, outcome) in enumerate(ends):
        facts.lead(f"b{place}", 1, account=account, contact=f"q{place}").outcome(
            f"b{place}", at, outcome
        )
    return facts


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([], (0, 0, 0, 0, UNKNOWN)),
        ([(90, "won")], (1, 1, 0, 0, 10.0)),
        ([(90, "lost")], (1, 0, 1, 0, UNKNOWN)),
        ([(60, "won"), (70, "won"), (80, "lost")], (3, 2, 1, 0, 30.0)),
        ([(100, "won")], (1, 0, 0, 1, UNKNOWN)),  # known at that very moment is not yet known
        ([(100 - 1 / DAY_US, "won")], (1, 1, 0, 0, 1 / DAY_US)),
        ([(120, "won"), (40, "lost")], (2, 0, 1, 1, UNKNOWN)),
    ],
)
def test_memory_when_others_of_the_account_closed_then_counts_those_known_by_then(
    tmp_path, ends, expected
):
    assert family(values_of(neighbours(*ends), tmp_path)) == expected


def test_memory_when_the_account_is_another_or_missing_then_is_empty_or_unknown(tmp_path):
    other = values_of(neighbours((90, "won"), account="y"), tmp_path / "y")
    assert family(other) == (0, 0, 0, 0, UNKNOWN)
    facts = Facts(keyed_settings()).lead("a", 50).lead("b", 1).outcome("b", 90, "won")
    without = values_of(facts, tmp_path / "none")
    assert family(without) == (UNKNOWN,) * 5
    assert family(without, "contact") == (UNKNOWN,) * 5
    assert without["account_people"] == UNKNOWN


def test_memory_when_the_lead_itself_was_won_before_it_was_opened_again_then_does_not_count_it(
    tmp_path,
):
    facts = Facts(keyed_settings()).lead("a", 1, account="x", contact="p")
    facts.outcome("a", 20, "won").stage("a", 30, "new").outcome("a", 40, "lost").stage(
        "a", 60, "new"
    )
    facts.lead("b", 5, account="x", contact="p").outcome("b", 10, "won")
    values = values_of(facts, tmp_path)
    assert family(values) == family(values, "contact") == (1, 1, 0, 0, 90.0)
    assert values["account_people"] == 1


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param([("won", 50), ("lost", 55)], (1, 0, 1, 0, UNKNOWN), id="a slip put right"),
        pytest.param([("lost", 50), ("won", 55)], (1, 1, 0, 0, 45.0), id="won in the end"),
        pytest.param([("won", 50), ("won", 55)], (1, 1, 0, 0, 50.0), id="won twice"),
        pytest.param([("won", 50), ("new", 60)], (1, 0, 0, 1, UNKNOWN), id="opened again"),
        pytest.param(
            [("won", 50), ("new", 40)], (1, 1, 0, 0, 50.0), id="a stage of before the win"
        ),
    ],
)
def test_memory_when_a_close_is_corrected_or_undone_then_counts_as_known_last(
    tmp_path, later, expected
):
    facts = Facts(keyed_settings()).lead("a", 1, account="x").lead("b", 1, account="x")
    for what, at in later:
        facts.stage("b", at, what) if what == "new" else facts.outcome("b", at, what)
    assert family(values_of(facts, tmp_path)) == expected


def test_memory_when_an_account_moves_then_is_that_of_the_account_as_known(tmp_path):
    """The lead moves from x to y on day 60, which is learned on day 80; b of y was won on day 70."""
    facts = Facts(keyed_settings(memory={"contact": "creation"}))
    facts.lead("a", 1, contact="p").change("a", 1, "account", "x")
    facts.change("a", 60, "account", "y", known=80)
    facts.lead("b", 1, contact="q").change("b", 1, "account", "y").outcome("b", 70, "won")
    facts.lead("c", 1, contact="p").change("c", 1, "account", "x")
    assert family(values_of(facts, tmp_path, as_of=79)) == (1, 0, 0, 1, UNKNOWN)
    assert family(values_of(facts, tmp_path, as_of=81)) == (1, 1, 0, 0, 11.0)
    assert family(values_of(facts, tmp_path, "c", as_of=81)) == (0, 0, 0, 0, UNKNOWN)


def test_people_when_counted_then_are_contacts_of_the_other_leads(tmp_path):
    facts = Facts(keyed_settings()).lead("a", 1, account="x", contact="p")
    for lead_id, contact in {"b": "p", "c": "q", "d": "q", "e": None}.items():
        facts.lead(lead_id, 2, account="x", contact=contact)
    facts.lead("f", 2, account="y", contact="r")
    assert values_of(facts, tmp_path)["account_people"] == 2
    assert values_of(facts, tmp_path, "c")["account_people"] == 2
    assert values_of(facts, tmp_path, "e")["account_people"] == 2
    assert values_of(facts, tmp_path, "f")["account_people"] == 0


def test_memory_when_only_time_has_passed_then_counts_what_was_known_and_the_days(tmp_path):
    facts = neighbours((90, "won"), (97, "lost"))
    assert family(values_of(facts, tmp_path, known=95)) == (2, 1, 0, 1, 10.0)


# --- Settings -------------------------------------------------------------------------------------------------------


def names_of(settings: Settings) -> list[str]:
    return [feature.name for feature in build_account(settings)]


@pytest.mark.parametrize(
    ("keys", "memory", "changes", "learned"),
    [
        pytest.param(KEYS, {"account": "creation", "contact": "export"}, False, KEYS, id="stated"),
        pytest.param(KEYS, {}, False, (), id="nothing says when they were known"),
        pytest.param(KEYS, {}, True, KEYS, id="a history is mapped"),
        pytest.param(("contact",), {"contact": "creation"}, False, ("contact",), id="one"),
        pytest.param((), {}, True, (), id="none is mapped"),
    ],
)
def test_features_when_keys_are_mapped_then_exist_where_something_says_since_when(
    keys, memory, changes, learned
):
    settings = keyed_settings(keys=keys, memory=memory, changes=changes)
    expected = {f"{key}_{measure}" for key in learned for measure in MEASURES}
    if len(learned) == 2:
        expected.add("account_people")
    assert set(names_of(settings)) == expected
    assert not {"profile_account", "profile_contact"} & {f.name for f in build_features(settings)}
    assert unlearned_keys(settings, {"contact"}) == [
        key for key in keys if key not in memory and key != "contact"
    ]


@pytest.mark.parametrize(
    "elsewhere", [{"fields": {"account": {}}}, {"keys": ()}], ids=["a field", "unmapped"]
)
def test_settings_when_memory_names_no_key_then_are_refused_in_words(elsewhere):
    with pytest.raises(ValueError, match=r"memory.account: 'account' is no key"):
        keyed_settings(memory={"account": "creation"}, **elsewhere)


def test_settings_when_account_is_declared_as_a_field_then_it_is_an_attribute():
    settings = keyed_settings(
        memory={}, changes=False, fields={"account": {"known_from": "creation"}}
    )
    assert names_of(settings) == []
    assert "profile_account" in {feature.name for feature in build_features(settings)}


def test_history_when_a_key_known_from_creation_has_changed_then_is_refused(tmp_path):
    facts = Facts(keyed_settings()).lead("a", 1, account="x").change("a", 5, "account", "y")
    with pytest.raises(UserError, match=r"account.*known_from"):
        facts.history(tmp_path, known_until=10)


def test_history_when_a_key_was_mapped_after_the_ingest_then_says_to_ingest_again(tmp_path):
    history = Facts().lead("a", 0).history(tmp_path, known_until=10)
    with pytest.raises(UserError, match=r"leads: .*'account'.*leadscore ingest"):
        open_history(keyed_settings(), history.version, history.engine)
    history.engine.close()


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (0.0, "No leads won from the same account so far"),
        (3.0, "3 leads won from the same account so far"),
    ],
)
def test_sentence_when_there_were_wins_or_none_then_says_so(value, sentence):
    won = next(f for f in build_account(keyed_settings()) if f.name == "account_won")
    assert won.sentence(value, speaks_for=True) == sentence


# --- An oracle ------------------------------------------------------------------------------------------------------

Row = dict[str, Any]
AS_OFS = [20.0, 30.0, 45.0]
OPEN = ("new", "qualified", "proposal")


def random_facts(random: Random, *, leads: int, moving: bool) -> tuple[Facts, pd.DataFrame]:
    """Leads of few accounts and contacts, with closes, re-openings and, if `moving`, new accounts."""
    memory = {} if moving else {"account": "creation", "contact": "creation"}
    facts = Facts(keyed_settings(memory=memory))
    moments = [*range(1, 50, 4), *AS_OFS, *(as_of - 1 / DAY_US for as_of in AS_OFS)]
    texts = {"account": ["x", "y", "z", None], "contact": ["p", "q", "r", None]}

    def late() -> Row:
        return {"known": random.choice(moments)} if random.random() < 0.4 else {}

    for place in range(leads):
        lead_id = f"l{place}"
        keys = {key: random.choice(values) for key, values in texts.items()}
        facts.lead(lead_id, random.choice(moments), **late(), **keys)
        for _ in range(random.randint(0, 3)):
            end = random.choice(["won", "won", "lost"])
            facts.outcome(lead_id, random.choice(moments), end, **late())
        for _ in range(random.randint(0, 3)):
            stage = random.choice([*OPEN, "signed", "rejected"])
            facts.stage(lead_id, random.choice(moments), stage, **late())
        for _ in range(random.randint(2, 8) if moving else 0):
            key = random.choice(KEYS)
            at = random.choice(moments)
            seq = random.randint(0, 1)
            facts.change(lead_id, at, key, random.choice(texts[key]), seq=seq, **late())
    for rows in facts.rows.values():
        random.shuffle(rows)
    asked = [
        {"lead_id": f"l{place}", "spell": 1, "as_of_us": day(as_of), "known_us": day(as_of) - lag}
        for place in range(leads)
        for as_of in AS_OFS
        for lag in [random.choice([0, 1, 3 * DAY_US])]
    ]
    return facts, pd.DataFrame(asked).sample(frac=1, random_state=1)


class Oracle:
    """What was known at a moment, from the facts alone, lead by lead."""

    def __init__(self, facts: Facts, known_us: int) -> None:
        self.facts = facts
        self.known_us = known_us
        self.leads = {row["lead_id"]: row for row in self.known("leads")}

    def known(self, table: str, until: int | None = None) -> list[Row]:
        until = self.known_us if until is None else until
        return [row for row in self.facts.rows[table] if row["available_us"] < until]

    def key(self, lead_id: str, name: str) -> str | None:
        if name not in self.facts.settings.memory.model_dump(exclude_none=True):
            rows = [
                r for r in self.known("changes") if (r["lead_id"], r["field"]) == (lead_id, name)
            ]
            rows.sort(
                key=lambda r: (r["event_us"], r["seq"], r["value"] is not None, r["value"] or "")
            )
            return rows[-1]["value"] if rows else None
        text: str | None = self.leads[lead_id].get(name)
        return text

    def status(self, lead_id: str, until: int | None = None) -> str:
        closes = [row for row in self.known("outcomes", until) if row["lead_id"] == lead_id]
        facts = [(row["event_us"], 2**62, row["outcome"]) for row in closes]
        for row in self.known("stages", until):
            if row["lead_id"] == lead_id:
                what = {"signed": "won", "rejected": "lost"}.get(row["stage"], "open")
                facts.append((row["event_us"], row["seq"], what))
        facts.sort(key=lambda fact: (fact[0], fact[1], ["open", "won", "lost"].index(fact[2])))
        return facts[-1][2] if facts else "open"

    def won_us(self, lead_id: str) -> int:
        """When the present run of being won began."""
        start = self.leads[lead_id]["available_us"]
        moments = {start}
        for table in ("outcomes", "stages"):
            moments |= {
                max(row["available_us"], start)
                for row in self.known(table)
                if row["lead_id"] == lead_id
            }
        began = start
        for us in sorted(moments, reverse=True):
            if self.status(lead_id, us + 1) != "won":
                break
            began = us
        return began

    def features(self, lead_id: str, as_of_us: int) -> Row:
        found: Row = {}
        for name in KEYS:
            own = self.key(lead_id, name) if lead_id in self.leads else None
            if own is None:
                found |= {f"{name}_{measure}": math.nan for measure in MEASURES}
                if name == "account":
                    found["account_people"] = math.nan
                continue
            others = [o for o in self.leads if o != lead_id and self.key(o, name) == own]
            ends = [self.status(other) for other in others]
            wins = [self.won_us(o) for o, end in zip(others, ends, strict=True) if end == "won"]
            since = (as_of_us - max(wins)) / DAY_US if wins else math.nan
            counts = (len(others), *(ends.count(end) for end in ("won", "lost", "open")), since)
            found |= {f"{name}_{m}": float(n) for m, n in zip(MEASURES, counts, strict=True)}
            if name == "account":
                people = {self.key(other, "contact") for other in others} - {None}
                found["account_people"] = float(len(people))
        return found


def assert_equals_oracle(facts: Facts, rows: pd.DataFrame, matrix: Matrix) -> None:
    known = rows.set_index(["lead_id", "as_of_us"])["known_us"]
    expected = []
    for lead_id, as_of_us in matrix.keys.itertuples(index=False):
        oracle = Oracle(facts, int(known[(lead_id, as_of_us)]))
        expected.append(oracle.features(lead_id, int(as_of_us)))
    for name in expected[0]:
        wanted = [values[name] for values in expected]
        np.testing.assert_array_equal(matrix.columns[name], wanted, err_msg=name)


@given(random=st.randoms(use_true_random=False), moving=st.booleans())
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_memory_of_random_histories_equals_the_oracle_on_both_engines(
    tmp_path_factory, random, moving
):
    facts, rows = random_facts(random, leads=random.randint(1, 24), moving=moving)
    folder = tmp_path_factory.mktemp("store")
    matrix = matrix_of(facts, rows, folder)
    assert_equals_oracle(facts, rows, matrix)
    again = matrix_of(facts, rows, folder, engine=SQLiteEngine())
    for name, values in matrix.columns.items():
        assert values.tobytes() == again.columns[name].tobytes() or values.dtype == object


def test_memory_of_many_leads_when_they_move_between_accounts_then_varies_in_every_feature(
    tmp_path,
):
    facts, rows = random_facts(Random(3), leads=120, moving=True)  # noqa: S311
    matrix = matrix_of(facts, rows, tmp_path)
    assert_equals_oracle(facts, rows, matrix)
    for feature in build_account(facts.settings):
        assert len(np.unique(matrix.columns[feature.name])) > 2, feature.name


def test_open_leads_of_a_timeline_when_asked_at_any_moment_then_are_those_on_the_list(tmp_path):
    facts, _ = random_facts(Random(5), leads=80, moving=False)  # noqa: S311
    history = facts.history(tmp_path, known_until=1000)
    for as_of in AS_OFS:
        oracle = Oracle(facts, day(as_of))
        listed = set(history.open_list(day(as_of))["lead_id"])
        assert listed == {lead for lead in oracle.leads if oracle.status(lead) == "open"}
    history.engine.close()
