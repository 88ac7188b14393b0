"""A change of the forecast in parts: what each part is, and that they add up to the cent."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from leadscore.funnel.change import PARTS, Steps, split_change, to_cents

STATES = ("absent", "open", "won", "closed")
amounts = st.floats(0, 1e7)
chances = st.floats(0, 1)


@st.composite
def leads(draw):
    """A lead at two moments: its states, amounts, chances on the way, and where its close is."""
    then = draw(st.sampled_from(("absent", "open", "won")))
    now = draw(st.sampled_from(("open", "won") if then == "absent" else STATES[1:]))
    return {
        "then": then,
        "now": now,
        "won": now == "won" or (now == "closed" and draw(st.booleans())),
        "is_new": then == "absent" and draw(st.booleans()),
        "revenue": (draw(amounts), draw(amounts)),
        "chances": [draw(chances) for _ in range(4)],
        "inside": (draw(st.booleans()), draw(st.booleans())),
    }


def value(lead, side):
    state = (lead["then"], lead["now"])[side]
    chance = {"open": lead["chances"][-side], "won": 1.0}.get(state, 0.0)
    return int(to_cents(lead["revenue"][side] * chance))


def build(world):
    """The frames that `split_change` takes."""
    before, after, stayed = [], [], []
    for i, lead in enumerate(world):
        key = {"lead_id": f"L{i}", "spell": 1}
        if lead["then"] != "absent":
            before.append(key | {"state": lead["then"], "cents": value(lead, 0)})
        more = {"won": lead["won"], "is_new": lead["is_new"]}
        after.append(key | {"state": lead["now"], "cents": value(lead, 1)} | more)
        if lead["then"] == lead["now"] == "open":
            stayed.append(i)
    steps = Steps(
        leads=pd.DataFrame({"lead_id": [f"L{i}" for i in stayed], "spell": 1}),
        revenue=tuple(np.array([world[i]["revenue"][k] for i in stayed]) for k in (0, 1)),
        chances=[np.array([world[i]["chances"][k] for i in stayed]) for k in range(4)],
        inside=tuple(np.array([world[i]["inside"][k] for i in stayed], bool) for k in (0, 1)),
    )
    columns = ["lead_id", "spell", "state", "cents"]
    return (
        pd.DataFrame(before, columns=columns),
        pd.DataFrame(after, columns=[*columns, "won", "is_new"]),
        steps,
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(leads(), max_size=8), st.integers(0, 10**9), st.integers(0, 10**9))
def test_parts_add_up_to_the_change_to_the_cent(world, new_then, new_now):
    before, after, steps = build(world)
    parts, counts = split_change(before, after, steps, yet_to_come=(new_then, new_now))
    assert tuple(parts) == PARTS
    change = int(after["cents"].sum() - before["cents"].sum()) + new_now - new_then
    assert sum(parts.values()) == change
    assert all(isinstance(cents, int) for cents in parts.values())
    assert all(count >= 0 for count in counts.values())


RISING = [0.5, 0.4, 0.6, 0.7]
FALLING = [0.5, 0.4, 0.4, 0.2]


def one(then, now, *, won=False, is_new=False, inside=(True, True), chances=RISING):
    """A world of one lead worth 100, then 200, with chances of winning it on the way."""
    return {
        "then": then,
        "now": now,
        "won": won or now == "won",
        "is_new": is_new,
        "revenue": (100.0, 200.0),
        "chances": chances,
        "inside": inside,
    }


CASES = [
    (one("absent", "open", is_new=True), {"new_leads": 14_000}),
    (one("absent", "won", is_new=True), {"new_leads": 20_000}),
    (one("open", "won"), {"won": 15_000}),
    (one("open", "closed"), {"lost": -5_000}),
    (one("open", "closed", won=True), {"won": -5_000}),  # before the period began
    (one("open", "open"), {"amount": 5_000, "time": -2_000, "facts": 4_000, "model": 2_000}),
    (
        one("open", "open", inside=(True, False), chances=FALLING),
        {"amount": 5_000, "slipped_out": -6_000},
    ),
    (one("open", "open", inside=(False, True)), {"amount": 5_000, "pulled_in": 4_000}),
    (
        one("open", "open", inside=(True, False)),  # later, and still more likely within
        {"amount": 5_000, "time": -2_000, "facts": 4_000, "model": 2_000},
    ),
    (one("won", "won"), {"corrected": 10_000}),
    (one("won", "closed"), {"corrected": -10_000}),
    (one("absent", "won"), {"corrected": 20_000}),
]


def test_part_when_a_lead_takes_a_way_then_is_the_one_of_that_way():
    for lead, expected in CASES:
        parts, counts = split_change(*build([lead]), yet_to_come=(0, 0))
        assert {name: cents for name, cents in parts.items() if cents} == expected, lead
        assert {name for name, count in counts.items() if count} == set(expected)
