"""One made-up CRM, one field of each kind, and what the audit says of it."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from audit.worlds import open_file
from leadscore.audit.verdict import audit, audit_fields, left_out

N, UNTIL = 3000, 300.0
PLACEHOLDERS = ["Select", "select", "n/a", "N/A", "-", "--", "?", "NULL", "(blank)", "Please select", "unknown date",
                "tbd", "Choose one", "9999", "1900-01-01", "-- Select --", "Select an option", "not set"]  # fmt: skip
ANSWERS = ["None", "No", "Unknown", "Other", "Not sure", "nothing", "Selected partner", "Nan Ltd", "99", "0",
           "Null GmbH", "Not specified", "A-", "none"]  # fmt: skip


def draw(seed=0, n=N):
    """Creation, close, outcome of made-up leads; a weak signal `fit`."""
    rng = np.random.default_rng(seed)
    created = np.sort(rng.uniform(0, UNTIL, n))
    fit = rng.normal(size=n)
    won = rng.random(n) < 1 / (1 + np.exp(0.7 - fit))
    closes = created + 4 + rng.gamma(1.5, 25, n)
    return rng, created, closes, won, fit


@cache
def verdicts():
    rng, created, closes, won, fit = draw()
    closed, days = closes < UNTIL, np.where(closes < UNTIL, closes, UNTIL) - created
    frame = {
        "honest_number": fit + rng.normal(0, 1, N),
        "honest_text": np.where(fit > 0.5, "large", "small"),
        "noise": rng.choice([f"c{i}" for i in range(1500)], N),
        "gone_stale": np.where(
            created < 150, "asked", None
        ),  # the form lost that question: no matter how leads end
        "late_field": np.where(created > 240, "new", None),
        "plan": created + rng.gamma(2, 40, N),
        "filled_at_close": np.where(closed | (rng.random(N) < 0.3), "x", None),
        "filled_slowly": np.where(rng.random(N) < 1 - np.exp(-days / 20), "x", None),
        "won_only": np.where(closed & won & (rng.random(N) < 0.5), rng.choice(["a", "b"], N), None),
        "value_of_wins": np.where(closed & won, 100 + rng.integers(1, 900, N), 0),
        "lost_word": np.where(
            closed & ~won & (rng.random(N) < 0.4), "too dear", rng.choice(["a", "b"], N)
        ),
        "hours": np.where(closed, days * 24, np.nan),
        "touches": rng.poisson(days / 2 + 1),
        "updated": created
        + days * np.where(closed, 1, 0.9)
        + np.where(closed, rng.uniform(0, 0.5, N), 0),
        "rate": 4 + np.floor(created / 30) * 0.25,
        "quarter": [f"Q{int(day // 75)}" for day in created],
        "code": rng.permutation(N) + 50_000,
        "mail": [f"p{i}@example.com" for i in range(N)],
        "same": ["Yes"] * N,
        "nothing": [None] * N,
        "contacted": np.where(rng.random(N) < 0.9, 999, rng.integers(0, 28, N)),
        "previous": np.where(rng.random(N) < 0.4, -1, rng.integers(0, 90, N)),
        "born": np.where(
            rng.random(N) < 0.1, -45_289.5, created - rng.uniform(8000, 20_000, N)
        ),  # noon of 1900-01-01
        "price": np.exp(rng.normal(8, 1, N)).round(),
        "new_in_use": np.where(closed, "old", np.where(rng.random(N) < 0.2, "brand new", "old")),
        "answer": rng.choice(["None", "Unknown", "No", "Yes"], N),
    }
    dates = ("plan", "updated", "born")
    history = open_file(
        pd.DataFrame(frame), won, created=created, closes=closes, until=UNTIL, dates=dates
    )
    return {
        each.field: each for each in audit_fields(history, known_us=history.version.known_until_us)
    }


@pytest.mark.parametrize(
    ("field", "verdict", "check"),
    [
        ("filled_at_close", "leak", "filled_when_closed"),
        ("won_only", "leak", "certain"),
        ("value_of_wins", "leak", "certain"),
        ("lost_word", "leak", "certain"),
        ("hours", "leak", "duration_of_lead"),
        ("touches", "leak", "tracks_close"),
        ("updated", "leak", "date_of_close"),
        ("filled_slowly", "suspect", "filled_by_age"),
        ("rate", "suspect", "clock"),
        ("quarter", "suspect", "clock"),
        ("code", "suspect", "identity"),
        ("mail", "suspect", "identity"),
        ("contacted", "suspect", "placeholder"),
        ("previous", "suspect", "placeholder"),
        ("born", "suspect", "placeholder"),
        ("new_in_use", "suspect", "unseen"),
        ("same", "ok", "constant"),
        ("nothing", "ok", "constant"),
        *(
            (name, "ok", None)
            for name in ("honest_number", "honest_text", "noise", "plan", "price", "answer")
        ),
    ],
)
def test_field_of_a_made_up_crm_when_audited_then_gets_its_verdict(field, verdict, check):
    found = verdicts()[field]
    assert found.verdict == verdict, found
    assert (found.checks[0].check if found.checks else None) == check
    assert found.evidence == (found.checks[0].evidence if found.checks else "no problem found")


@pytest.mark.parametrize("field", ["gone_stale", "late_field"])
def test_field_when_it_came_or_went_with_time_then_is_no_leak(field):
    assert verdicts()[field].verdict != "leak"


def test_evidence_when_told_then_holds_the_numbers():
    assert verdicts()["filled_at_close"].evidence.startswith("filled for 100% of closed leads and ")
    assert '"' not in verdicts()["lost_word"].evidence  # a value may be somebody's name
    assert (
        verdicts()["contacted"].evidence
        == "999 in 89% of the leads: looks like a placeholder for missing"
    )
    assert (
        verdicts()["mail"].evidence
        == "3,000 different values for 3,000 leads: it says who, not what"
    )


@pytest.mark.parametrize(("words", "is_placeholder"), [(PLACEHOLDERS, True), (ANSWERS, False)])
def test_word_when_it_is_held_by_some_leads_then_only_placeholders_are_named(words, is_placeholder):
    n = 100
    frame = pd.DataFrame({f"f{i}": [word] * 20 + ["real"] * 80 for i, word in enumerate(words)})
    history = open_file(
        frame, np.zeros(n, bool), created=np.arange(n) / 9, closes=np.full(n, np.nan), until=50
    )
    found = {
        each.field: each for each in audit_fields(history, known_us=history.version.known_until_us)
    }
    wrong = [
        word
        for i, word in enumerate(words)
        if (found[f"f{i}"].verdict == "suspect") != is_placeholder
    ]
    assert wrong == []
    if is_placeholder:
        assert (
            found["f0"].evidence
            == '"Select" in 20% of the leads: looks like a placeholder for missing'
        )


def test_audit_when_few_leads_have_closed_then_is_not_sure_of_anything():
    _, created, closes, won, _ = draw(n=60)
    order = np.argsort(closes)[:14]
    closes = np.where(np.isin(np.arange(60), order), closes, np.nan)
    won[order] = [True, False] * 7
    frame = pd.DataFrame({"result": np.where(np.isnan(closes), None, np.where(won, "good", "bad"))})
    history = open_file(frame, won, created=created, closes=closes, until=UNTIL + 200)
    assert {
        each.verdict for each in audit_fields(history, known_us=history.version.known_until_us)
    } <= {
        "suspect",
        "ok",
    }
    frame = pd.DataFrame({"result": np.where(won, "good", "bad")})
    history = open_file(frame, won, created=created, closes=closes, until=UNTIL + 200)
    assert {
        each.verdict for each in audit_fields(history, known_us=history.version.known_until_us)
    } == {"ok"}


def test_left_out_when_the_settings_keep_a_leak_then_leaves_only_the_others_out():
    _, created, closes, won, _ = draw()
    frame = pd.DataFrame({"result": np.where(won, "good", "bad"), "prize": np.where(won, 9, 0)})
    how = {"created": created, "closes": closes, "until": UNTIL, "audit": {"keep": ["result"]}}
    history = open_file(frame, won, **how)
    found = audit_fields(history, known_us=history.version.known_until_us)
    assert {each.field for each in found if each.verdict == "leak"} == {"result", "prize"}
    assert left_out(found, history.settings) == {"prize"}


@pytest.mark.parametrize(("copies", "share"), [(0, None), (120, 120 / 600)])
def test_audit_when_later_leads_equal_earlier_ones_then_says_how_many(copies, share):
    rng, created, closes, won, _ = draw()
    frame = pd.DataFrame({f"f{i}": rng.integers(0, 40, N) for i in range(6)})
    frame.iloc[N - copies :] = frame.iloc[:copies].to_numpy()
    history = open_file(frame, won, created=created, closes=closes, until=UNTIL)
    found = audit(history, known_us=history.version.known_until_us).findings
    assert [finding.numbers["share"] for finding in found] == (
        [] if share is None else [pytest.approx(share)]
    )


@pytest.mark.cases(4)
@pytest.mark.parametrize("n", [250, 600, 3000])
@pytest.mark.parametrize("asked_until", [200, 270, 290, 297])
def test_question_when_it_is_no_longer_asked_then_its_field_is_no_leak(n, asked_until):
    for seed in range(4):
        _, created, closes, won, _ = draw(seed, n)
        frame = pd.DataFrame({"asked": np.where(created < asked_until, "x", None)})
        history = open_file(frame, won, created=created, closes=closes, until=UNTIL)
        found = {
            each.field: each
            for each in audit_fields(history, known_us=history.version.known_until_us)
        }
        assert found["asked"].verdict != "leak", (seed, found["asked"])


def test_value_when_its_leads_are_so_young_that_only_losses_are_known_then_is_no_leak():
    rng, created, _, won, _ = draw(n=30_000)
    closes = created + np.where(
        won, 60 + rng.exponential(20, 30_000), rng.exponential(10, 30_000)
    )  # wins take long
    product = np.where((created > 270) & (rng.random(30_000) < 0.5), "new", "old")
    frame = pd.DataFrame({"product": product})
    assert not won[(product == "new") & (closes < UNTIL)].any()
    history = open_file(frame, won, created=created, closes=closes, until=UNTIL)
    found = {
        each.field: each for each in audit_fields(history, known_us=history.version.known_until_us)
    }
    assert found["product"].verdict != "leak", found["product"]


@pytest.mark.parametrize("n", [1, 2, 30])
@pytest.mark.parametrize(
    "closes", [np.nan, 0.0, 5.0], ids=["all open", "closed as created", "all closed"]
)
@pytest.mark.parametrize("until", [0.0, 100.0], ids=["none known", "all known"])
def test_audit_when_there_is_next_to_nothing_then_says_ok_and_does_not_fail(n, closes, until):
    frame = pd.DataFrame(
        {"a": ["x"] * n, "b": np.arange(n), "c": np.full(n, np.nan), "d": np.arange(n) * 1.5}
    )
    history = open_file(
        frame, np.arange(n) % 2 == 0, created=np.zeros(n), closes=np.full(n, closes), until=until, dates=("d",)
    )  # fmt: skip
    found = audit_fields(history, known_us=history.version.known_until_us)
    assert [each.field for each in found] == ["a", "b", "c", "d"]
    assert {each.verdict for each in found} == {"ok"}
