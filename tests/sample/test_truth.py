"""The sample's truth: the same as worked out slowly from the exports, and calibrated by what came."""

import dataclasses
import math
from collections import defaultdict

import numpy as np
import pytest

from leadscore.sample import draw, sample, world
from leadscore.sample.truth import build_truth, compute_truth
from leadscore.sample.work_time import UNTIL_TAU, to_tau, to_whole_seconds
from leadscore.sample.world import (
    CLASSES,
    RESPONSES,
    STREAMS,
)
from sample.slow_truth import (
    DAY_S,
    UNTIL_S,
    read_exports,
    read_rows,
    slow_truth,
    true_chances,
    work_time,
)

EARLIER_S = 1_753_920_000  # 2025-07-31T00:00:00Z


def z_score(won, p):
    return float((won - p).sum() / math.sqrt((p * (1 - p)).sum()))


def expected_kinds():
    marks = {f"{kind} {mark}" for kind, (_, marks) in STREAMS.items() for mark in marks}
    answers = {f"{kind} {what}" for kind in RESPONSES for what in ("came", "not")}
    return marks | answers | {"came back", "step 1", "step -1", "step 0"}


def test_truth_when_worked_out_slowly_from_the_exports_then_is_the_same(small):
    found, seen = slow_truth(read_exports(small), UNTIL_S)
    assert found == pytest.approx(true_chances(small), rel=1e-9)
    assert len(found) > 40
    assert {
        kind for kind in expected_kinds() if not seen[kind]
    } == set()  # there was something of everything


@pytest.mark.parametrize(
    "as_of_s", [EARLIER_S, EARLIER_S - 200 * DAY_S, EARLIER_S + 36_000 + DAY_S]
)
def test_truth_when_asked_at_an_earlier_moment_then_needs_the_rows_before_it_alone(small, as_of_s):
    (drawn,) = draw.draw_leads(leads=600, seed=3)
    lead, truth = compute_truth(drawn.crowd, as_of_s)
    found, _ = slow_truth(read_exports(small), as_of_s)
    assert found == pytest.approx(
        dict(zip(drawn.crowd.ids_of(lead).to_pylist(), truth.tolist(), strict=True)), rel=1e-9
    )
    assert len(found) > 20


def test_truth_when_leads_are_drawn_in_chunks_then_is_the_same_as_worked_out_slowly(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(draw, "CHUNK", 37)
    told = sample.write_sample(tmp_path, leads=150, seed=5)
    found, _ = slow_truth(read_exports(tmp_path), UNTIL_S)
    assert found == pytest.approx(true_chances(tmp_path), rel=1e-9)
    assert told["open"] == len(found) > 10
    assert told["mean_truth"] == pytest.approx(np.mean(list(found.values())))


def test_truth_when_compared_with_what_came_then_is_calibrated(draws):
    truths = [drawn.tables()["truth/leads"].drop_null().to_pydict() for drawn in draws]
    p = np.concatenate([truth["win_probability"] for truth in truths])
    won = np.concatenate([truth["won_within_horizon"] for truth in truths]).astype(float)
    assert len(p) > 5000
    assert abs(z_score(won, p)) < 3
    order = np.argsort(p)
    scores = [z_score(won[part], p[part]) for part in np.array_split(order, 10)]
    assert max(map(abs, scores)) < 4
    lowest, *_, highest = (p[part].mean() for part in np.array_split(order, 10))
    assert highest > 20 * lowest  # there is something to learn
    assert 0.3 < highest < 0.6  # and luck is left


def test_truth_when_compared_among_leads_that_are_alike_then_is_calibrated(draws):
    groups = defaultdict(list)
    for crowd in (drawn.crowd for drawn in draws):
        spells, stays, events = crowd.spells, crowd.stays, crowd.events
        lead, truth = compute_truth(crowd, UNTIL_S)
        spell = np.flatnonzero((spells.start < UNTIL_TAU) & (spells.end >= UNTIL_TAU))
        won = spells.won[spell] & (spells.end_s[spell] < UNTIL_S + 60 * DAY_S)
        last = np.zeros(len(spells.lead), dtype=int)
        last[stays.spell] = stays.stage  # stays are in the order of time
        names = {
            "came back": ~np.isnan(spells.gap[spell]),
            "stage": last[spell],
            "met": np.isin(spell, events.spell[events.stream == list(STREAMS).index("meeting")]),
            "title": crowd.attributes["title"][lead],
            "arrived lately": crowd.created_s[lead] > UNTIL_S - 30 * DAY_S,
        }
        for name, values in names.items():
            for value in set(values.tolist()):
                groups[name, value].append(np.column_stack([won, truth])[values == value])
    assert len(groups) == 2 + 5 + 2 + 6 + 2
    for name, parts in groups.items():
        won, p = np.concatenate(parts).T
        assert len(p) > 100, name
        assert abs(z_score(won, p)) < 4, name


def test_truth_when_compared_at_an_earlier_moment_with_what_the_exports_tell_then_is_calibrated(
    draws,
):
    p, won = [], []
    for drawn in draws:
        lead, truth = compute_truth(drawn.crowd, EARLIER_S)
        rows = drawn.tables()["exports/outcomes"]
        closed_s = rows["closed_at"].cast("int64").to_numpy()
        first = {}
        for lead_id, at_s, outcome in zip(
            rows["lead_id"].to_pylist(), closed_s, rows["outcome"].to_pylist(), strict=True
        ):
            if at_s >= EARLIER_S:
                first.setdefault(lead_id, (at_s, outcome))
        for lead_id in drawn.crowd.ids_of(lead).to_pylist():
            at_s, outcome = first.get(lead_id, (UNTIL_S, "open"))
            won.append(outcome == "won" and at_s < EARLIER_S + 60 * DAY_S)
        p.append(truth)
    p, won = np.concatenate(p), np.array(won, dtype=float)
    assert len(p) > 5000
    assert abs(z_score(won, p)) < 3
    assert max(abs(z_score(won[part], p[part])) for part in np.array_split(np.argsort(p), 10)) < 4


def test_truth_when_leads_are_drawn_in_small_chunks_then_is_calibrated(monkeypatch):
    monkeypatch.setattr(draw, "CHUNK", 700)
    draws = list(draw.draw_leads(leads=20_000, seed=8))
    assert len(draws) == 29
    truths = [drawn.tables()["truth/leads"].drop_null().to_pydict() for drawn in draws]
    p = np.concatenate([truth["win_probability"] for truth in truths])
    won = np.concatenate([truth["won_within_horizon"] for truth in truths]).astype(float)
    assert np.isfinite(p).all()
    assert len(p) > 2000
    assert abs(z_score(won, p)) < 3


def test_truth_when_the_future_is_another_then_is_the_same(draws):
    crowd = draws[0].crowd
    spells, stays = crowd.spells, crowd.stays
    late, late_stay = spells.end >= UNTIL_TAU, stays.end >= UNTIL_TAU
    assert late.sum() > 1000
    other = dataclasses.replace(
        crowd,
        spells=dataclasses.replace(
            spells,
            end=np.where(late, spells.end * 2 + 50, spells.end),
            end_s=np.where(late, spells.end_s + 10**7, spells.end_s),
            won=spells.won ^ late,
        ),
        stays=dataclasses.replace(stays, end=np.where(late_stay, stays.end * 2 + 50, stays.end)),
        responses={
            kind: np.where(at >= UNTIL_TAU, np.inf, at) for kind, at in crowd.responses.items()
        },
    )
    pairs = zip(compute_truth(other, UNTIL_S), compute_truth(crowd, UNTIL_S), strict=True)
    for found, expected in pairs:
        np.testing.assert_array_equal(found, expected)
    one, two = build_truth(crowd), build_truth(other)
    assert one["win_probability"].equals(two["win_probability"])
    assert not one["won_within_horizon"].equals(two["won_within_horizon"])


def test_truth_file_when_read_then_tells_what_the_exports_tell_of_closed_leads(small):
    exports, truth = read_exports(small), read_rows(small / "truth" / "leads.csv")
    last = {row["lead_id"]: row for row in exports["outcomes"]}
    status = {row["lead_id"]: row["status"] for row in exports["leads"]}
    assert [row["lead_id"] for row in truth] == list(status)
    assert {row["class"] for row in truth} == set(CLASSES)
    for row in truth:
        assert (
            (row["win_probability"] == "")
            == (row["won_within_horizon"] == "")
            == (status[row["lead_id"]] != "Open")
        )
        if row["win_probability"]:
            assert 0 < float(row["win_probability"]) < 1
            assert row["closed_at"] >= "2026-03-01"
            in_time = row["outcome"] == "won" and row["closed_at"] < "2026-04-30"
            assert row["won_within_horizon"] == str(in_time).lower()
        else:
            assert (row["outcome"], row["closed_at"]) == tuple(
                last[row["lead_id"]][k] for k in ("outcome", "closed_at")
            )
            assert status[row["lead_id"]] == row["outcome"].capitalize()


def test_time_when_a_day_begins_or_ends_then_its_second_is_kept():
    days = np.arange(world.START_S, UNTIL_S + 800 * DAY_S, DAY_S)
    for of_day in (8 * 3600, 8 * 3600 + 1, 12 * 3600 + 59, 18 * 3600 - 1):
        seconds, tau = to_whole_seconds(to_tau(days + of_day))
        np.testing.assert_array_equal(seconds, days + of_day)
        np.testing.assert_array_equal(tau, to_tau(days + of_day))
    np.testing.assert_array_equal(to_tau(days + 18 * 3600), to_tau(days + DAY_S + 8 * 3600))


def test_time_when_worked_out_slowly_then_is_the_same():
    seconds = np.arange(world.START_S, UNTIL_S + 60 * DAY_S, 7919)
    assert to_tau(seconds) == pytest.approx([work_time(int(at_s)) for at_s in seconds], abs=1e-9)
