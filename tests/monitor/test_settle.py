"""What becomes of published scores: cases by hand, a plain oracle, and laws over random histories."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import Facts, day
from leadscore.monitor.settle import ScoredList, count_states, settle
from settlings import HORIZON, scored, states

UNTIL = 100


def settle_at(facts, lists, folder, *, at=UNTIL):
    history = facts.history(folder, known_until=at)
    return settle(history, lists, known_us=day(at))


@pytest.mark.parametrize(("closes", "state", "label"), [
    ({"at": 30, "outcome": "won"}, "settled", 1),
    ({"at": 49.9, "outcome": "won"}, "settled", 1),
    ({"at": 50, "outcome": "won"}, "settled", 0),  # the horizon ends just before
    ({"at": 30, "outcome": "lost"}, "settled", 0),
    ({"at": 30, "outcome": "won", "known": 60}, "settled", 0),  # counts from when it was known
    (None, "settled", 0),
    ({"at": 10, "outcome": "lost"}, "without_lead", None),  # before the list
])  # fmt: skip
def test_settle_when_the_horizon_is_over_then_every_lead_has_its_outcome(
    tmp_path, closes, state, label
):
    facts = Facts().lead("a", 5)
    if closes:
        facts.outcome("a", closes.pop("at"), closes.pop("outcome"), **closes)
    settled = settle_at(facts, [scored(20, {"a": 0.4})], tmp_path)
    assert states(settled) == {("list of day 20", "a"): (state, label)}
    assert settled["weight"].tolist() == [1.0 if state == "settled" else 0.0]


def test_settle_when_the_horizon_is_not_over_then_an_early_close_does_not_count(tmp_path):
    facts = Facts().lead("a", 5).lead("b", 5).outcome("a", 75, "won")
    settled = settle_at(facts, [scored(71, {"a": 0.4, "b": 0.2, "gone": 0.1})], tmp_path)
    assert set(states(settled).values()) == {("waiting", None), ("without_lead", None)}
    assert settled["weight"].sum() == 0
    assert count_states(settled) == {
        "settled": 0, "waiting": 2, "out_of_sight": 0, "undated": 0, "without_lead": 1,
    }  # fmt: skip


def test_settle_when_a_lead_is_opened_again_then_each_list_belongs_to_its_spell(tmp_path):
    facts = Facts().lead("a", 5).stage("a", 5, "new").outcome("a", 20, "lost")
    facts.stage("a", 30, "qualified").outcome("a", 40, "won")
    lists = [scored(10, {"a": 0.1}), scored(25, {"a": 0.1}), scored(35, {"a": 0.1})]
    settled = settle_at(facts, lists, tmp_path)
    assert [state for state, _ in states(settled).values()] == [
        "settled",
        "without_lead",
        "settled",
    ]
    assert settled["label"].tolist()[::2] == [0, 1]
    assert settled["spell"].tolist() == [1, 0, 2]


def test_settle_when_leads_leave_the_exports_then_others_carry_their_weight(tmp_path):
    facts = Facts()
    leads = [f"{number}" for number in range(6)]
    for lead in leads:
        facts.lead(lead, 5)
    facts.outcome("0", 22, "won").outcome("1", 45, "won")
    history = facts.history(tmp_path, known_until=UNTIL)
    presence = pd.DataFrame({
        "lead_id": ["4", "5"], "present": 0, "seen_until_us": day(25), "available_us": day(32), "seq": 0,
    })  # fmt: skip
    history = history.__class__(history.settings, history.version, history.engine, presence)
    rows = dict.fromkeys(leads, 0.3)
    settled = settle(history, [scored(20, rows)], known_us=day(UNTIL)).set_index("lead_id")
    assert settled.loc[["4", "5"], "state"].tolist() == ["out_of_sight"] * 2
    # five were in sight on day 25, after "0" had closed; two of them went: G falls to 3/5
    assert settled["weight"].tolist() == pytest.approx([1, 5 / 3, 5 / 3, 5 / 3, 0, 0])


def test_settle_when_there_is_no_list_of_the_past_then_there_is_no_row(tmp_path):
    settled = settle_at(Facts().lead("a", 5), [scored(UNTIL + 1, {"a": 0.5})], tmp_path)
    assert count_states(settled)["settled"] == 0
    assert len(settled) == 0


# Laws


@st.composite
def histories(draw):
    """Facts by lead: creation, close and when it was known; and lists of some of the leads."""
    leads = draw(st.integers(1, 8))
    drawn = []
    for number in range(leads):
        created = draw(st.integers(0, 40))
        closes = draw(st.none() | st.integers(created, 110))
        late = draw(st.integers(0, 20))
        drawn.append((f"l{number}", created, closes, late, draw(st.booleans())))
    dates = draw(st.lists(st.integers(1, 99), min_size=1, max_size=4, unique=True))
    return drawn, sorted(dates)


def write(drawn, *, before):
    """The facts that are known before a day."""
    facts = Facts()
    for lead, created, closes, late, won in drawn:
        if created < before:
            facts.lead(lead, created)
        if closes is not None and closes + late < before:
            facts.outcome(lead, closes, "won" if won else "lost", known=closes + late)
    return facts


def lists_of(drawn, dates):
    rows = {lead: 0.5 for lead, *_ in drawn} | {"nobody": 0.5}
    return [scored(date, rows) for date in dates]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=histories(), at=st.integers(41, 100))
def test_law_later_facts_change_no_row_and_states_add_up(tmp_path_factory, made, at):
    drawn, dates = made
    lists = lists_of(drawn, dates)
    folder = tmp_path_factory.mktemp("law")
    then = write(drawn, before=at).history(folder / "then", known_until=at)
    later = write(drawn, before=200).history(folder / "later", known_until=200)
    known = settle(then, lists, known_us=day(at))
    replayed = settle(later, lists, known_us=day(at))
    pd.testing.assert_frame_equal(known, replayed)
    assert sum(count_states(known).values()) == len(known)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=histories())
def test_settle_when_compared_with_plain_pandas_then_they_agree(tmp_path_factory, made):
    drawn, dates = made
    settled = settle_at(
        write(drawn, before=UNTIL), lists_of(drawn, dates), tmp_path_factory.mktemp("plain")
    )
    facts = {lead: (created, closes, late, won) for lead, created, closes, late, won in drawn}
    for row in settled.itertuples():
        as_of = round((row.as_of_us - day(0)) / 86_400e6)
        assert (row.state, row.label if row.state == "settled" else None) == expect(
            facts.get(row.lead_id), as_of
        )


def expect(fact, as_of):
    """State and label by the definitions, slowly."""
    if fact is None or fact[0] >= as_of:
        return "without_lead", None
    _, closes, late, won = fact
    known = np.inf if closes is None or closes + late >= UNTIL else closes + late
    if known < as_of:
        return "without_lead", None
    if as_of + HORIZON > UNTIL:
        return "waiting", None
    return "settled", float(won and known < as_of + HORIZON)


def test_scored_list_when_horizons_differ_then_each_is_settled_by_its_own(tmp_path):
    facts = Facts().lead("a", 5).outcome("a", 30, "won")
    short, long = scored(20, {"a": 0.5}, horizon=5), scored(21, {"a": 0.5}, horizon=60)
    assert isinstance(short, ScoredList)
    settled = settle_at(facts, [short, long], tmp_path)
    assert settled["label"].tolist() == [0, 1]
