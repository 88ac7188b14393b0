"""Fields with a history, and what a training may know of them."""

import numpy as np
import pandas as pd
import pytest

from audit.worlds import open_file
from builders import day
from leadscore.audit.verdict import audit_fields, audit_learned

N, UNTIL = 1500, 300.0
FIELDS = ("budget", "odds", "backdated", "note")


def build(seed=0, *, after=None):
    """Leads whose fields have a history; with `after`, whatever is known from then on is drawn anew."""
    rng = np.random.default_rng(seed)
    created = np.sort(rng.uniform(0, UNTIL, N))
    won = rng.random(N) < 0.4
    closes = created + 5 + rng.exponential(30, N)
    if after is not None:
        anew = np.random.default_rng(
            [seed, 1]
        )  # draws of its own: what is known before is drawn as without them
        late = closes >= after
        closes = np.where(late, after + anew.exponential(40, N), closes)
        won = np.where(late, anew.random(N) < 0.7, won)
    rows = [
        (i, at, field, value)
        for i in range(N)
        for at, field, value in [
            (created[i], "odds", "10"),
            (created[i] + 2, "budget", str(100 * rng.integers(10, 90))),
            (closes[i], "odds", "100" if won[i] else "0"),
            (created[i], "backdated", "hot" if won[i] else "cold"),
            (created[i] + 3, "note", str(rng.choice(["a", "b"]))),
        ]
        if at < UNTIL
    ]
    frame = {
        "budget": np.full(N, 1), "odds": np.where(won, 99, 0), "backdated": ["x"] * N, "note": ["y"] * N,
        "size": rng.integers(1, 50, N), "status": np.where(closes < UNTIL, np.where(won, "Won", "Lost"), "Open"),
    }  # fmt: skip
    if after is not None:
        frame["status"] = ["who knows"] * N
    changes = pd.DataFrame(rows, columns=["lead", "at", "field", "value"])
    if after is not None:
        changes = pd.concat(
            [changes[changes["at"] < after], changes[changes["at"] >= after].assign(value="7")]
        )
    fields = {name: {"type": "number" if name in {"budget", "size"} else "text"} for name in frame}
    fields["size"] |= {"known_from": "creation", "decimals": 0}
    return open_file(
        pd.DataFrame(frame),
        won,
        created=created,
        closes=closes,
        until=UNTIL,
        changes=changes,
        fields=fields,
    )


@pytest.mark.parametrize(
    ("field", "verdict", "checks"),
    [
        ("budget", "ok", []),
        ("note", "ok", []),
        ("odds", "suspect", ["better_than_at_creation", "changed_at_close"]),
        ("backdated", "leak", ["too_good_at_creation"]),
        ("status", "leak", ["certain", "too_good"]),
    ],
)
def test_field_with_a_history_when_audited_then_its_history_counts_and_not_its_value_of_today(
    field, verdict, checks
):
    history = build()
    found = {
        each.field: each for each in audit_fields(history, known_us=history.version.known_until_us)
    }[field]
    assert (found.verdict, [check.check for check in found.checks if check.check != "unseen"]) == (
        verdict,
        checks,
    )


def test_audit_of_what_is_learned_when_facts_known_from_k_on_are_others_then_is_the_same():
    known_us = day(200)
    first = audit_learned(build(), known_us=known_us)
    other = audit_learned(build(after=200), known_us=known_us)
    assert [each.field for each in first] == [*FIELDS, "size"]
    assert first == other
    everything = [audit_fields(build(after=after), known_us=known_us) for after in (None, 200)]
    assert (
        everything[0] != everything[1]
    )  # so the law could fail: the status of today is younger than K


def test_audit_when_rows_come_in_another_order_then_is_the_same():
    history = build()
    first = audit_fields(history, known_us=day(250))
    for name in ("leads", "changes", "outcomes", "closes"):
        rows = history.engine.query(f"SELECT * FROM {name}")
        history.engine.add_rows(
            name, rows.take(np.random.default_rng(1).permutation(rows.num_rows))
        )
    history._spells.clear()
    assert audit_fields(history, known_us=day(250)) == first


EXPORTS = (150.0, 225.0, 300.0)


def deliveries(n, *, known_from):
    """Leads as the first n exports showed them: four honest fields, and the days to the close, filled in by it."""
    rng = np.random.default_rng(5)
    exports = np.array(EXPORTS[:n])
    created = np.sort(rng.uniform(0, EXPORTS[-1], N))
    closes = created + 5 + rng.exponential(30, N)
    won = rng.random(N) < 0.4
    inside = created < exports[-1]
    created, closes, won = created[inside], closes[inside], won[inside]
    m = len(created)
    words = np.array(["a", "b", "c"], dtype=object)
    honest = {name: rng.choice(words, m) for name in ("need", "size", "place", "kind")}
    days = [f"{close - start:.0f}" for start, close in zip(created, closes, strict=True)]
    rows, first = [], {"days_to_close": np.full(m, np.nan)}
    for i in range(m):
        listed = exports[exports > created[i]]
        filled = listed[listed > closes[i]]
        if known_from == "export":  # the first export that has a value shows it as a change
            rows += [(i, listed[0] - 1e-6, name, values[i]) for name, values in honest.items()]
        if len(filled) and (filled[0] > listed[0] or known_from == "export"):
            rows.append((i, filled[0] - 1e-6, "days_to_close", days[i]))
        if closes[i] < listed[0]:
            first["days_to_close"][i] = float(days[i])
    seen = pd.DataFrame(rows, columns=["lead", "at", "field", "value"])
    frame = pd.DataFrame(honest | first)
    fields = {name: {"known_from": known_from, "type": "text", "decimals": 0} for name in frame}
    fields["days_to_close"]["type"] = "number"
    return open_file(
        frame, won, created=created, closes=closes, until=exports[-1], seen=seen, fields=fields
    )


@pytest.mark.parametrize("known_from", ["creation", "export"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_field_when_our_own_history_begins_then_its_verdict_stays_and_earlier_closes_are_no_evidence(
    n, known_from
):
    history = deliveries(n, known_from=known_from)
    found = {
        each.field: each for each in audit_fields(history, known_us=history.version.known_until_us)
    }
    assert found["days_to_close"].verdict == "leak"
    honest = {
        name: (each.verdict, each.evidence)
        for name, each in found.items()
        if name != "days_to_close"
    }
    assert {verdict for verdict, _ in honest.values()} == {"ok"}, honest


def test_field_when_exports_see_it_change_as_leads_close_then_is_suspect():
    rng = np.random.default_rng(3)
    created = np.sort(rng.uniform(0, 140, N))
    closes = rng.uniform(160, 220, N)
    rows = [
        (i, 225 - 1e-6, "mood", "over") for i in range(0, N, 2)
    ]  # of half of the leads, by the second export
    seen = pd.DataFrame(
        [(0, 150 - 1e-6, "mood", "early"), *rows], columns=["lead", "at", "field", "value"]
    )
    frame = pd.DataFrame({"mood": rng.choice(np.array(["a", "b"], dtype=object), N)})
    history = open_file(frame, rng.random(N) < 0.5, created=created, closes=closes, until=225, seen=seen,
                        fields={"mood": {"known_from": "creation"}})  # fmt: skip
    (found,) = audit_fields(history, known_us=history.version.known_until_us)
    assert "changed_at_close" in [check.check for check in found.checks]
