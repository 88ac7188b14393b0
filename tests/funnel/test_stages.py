"""Stages, their moves and changes, from counts of visits."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from builders import make_settings
from leadscore.funnel.changes import describe_changes
from leadscore.funnel.competing import count_ends
from leadscore.funnel.stages import describe_moves, describe_stages, describe_stages_of_group

OPEN = ["new", "qualified", "proposal"]
COLUMNS = ["period", "stage", "exit", "next_stage", "hours", "visits"]


def table(*rows: tuple[str, str, str, str | None, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).assign(part="", is_first=0)


def stages_of(**more):
    return make_settings(stages={"open": OPEN, **more}).stages


def test_stalled_when_days_are_stated_then_count_all_that_are_there_for_longer():
    visits = table(
        ("now", "new", "forward", "qualified", 240, 9),
        ("now", "new", "lost", None, 480, 1),
        ("now", "new", "open", None, 245, 3),
        ("older", "new", "open", None, 9999, 2),
        ("older", "new", "lost", None, 9999, 7),
    )
    usual, stated = (
        describe_stages(visits, stages)[0]
        for stages in (stages_of(), stages_of(stalled_days={"new": 500}))
    )
    assert (usual.visits, usual.unfinished) == (13, 3)
    assert (usual.stalled_after_days, usual.stalled) == (20, 2)
    assert (stated.stalled_after_days, stated.stalled) == (500, 0)


def test_moves_when_some_are_not_allowed_then_are_counted_and_marked():
    visits = table(
        ("now", "new", "forward", "qualified", 5, 4),
        ("now", "new", "forward", "proposal", 6, 2),
        ("now", "new", "forward", "proposal", 7, 1),
        ("before", "new", "forward", "proposal", 7, 50),
        ("now", "proposal", "back", "new", 7, 1),
    )
    moves = describe_moves(visits, stages_of(moves={"new": ["qualified"]}))
    assert [(m.stage, m.next_stage, m.visits, m.is_allowed) for m in moves] == [
        ("new", "qualified", 4, True),
        ("new", "proposal", 3, False),
        ("proposal", "new", 1, True),
    ]


def period_of(
    name: str, forward: int, lost: int
) -> list[tuple[str, str, str, str | None, int, int]]:
    return [
        (name, "new", "forward", "qualified", 10, forward),
        (name, "new", "lost", None, 10, lost),
    ]


def test_change_when_every_visit_ended_then_is_the_z_test_of_two_shares():
    (forward, lost) = describe_changes(
        table(*period_of("now", 60, 40), *period_of("before", 90, 110)), OPEN
    )
    error = math.sqrt(0.6 * 0.4 / 100 + 0.45 * 0.55 / 200)
    p_value = stats.chi2_contingency([[60, 40], [90, 110]], correction=False).pvalue
    assert (forward.before, forward.now) == (pytest.approx(0.45), pytest.approx(0.6))
    assert forward.p_value == pytest.approx(p_value)
    assert forward.difference.low == pytest.approx(0.15 - 1.96 * error)
    assert lost.difference.value == pytest.approx(-0.15)
    assert forward.adjusted == pytest.approx(p_value)  # both have the same p


def test_change_when_a_period_has_few_visits_then_is_left_out():
    assert (
        describe_changes(table(*period_of("now", 9, 9), *period_of("before", 90, 90)), OPEN) == []
    )


def test_change_when_the_period_before_was_followed_for_longer_then_compares_the_same_days():
    """New visits were seen for 10 hours, in which as many ended as did before."""
    rng = np.random.default_rng(3)
    rows = []
    for period, seen in (("before", 500), ("now", 40)):
        ends = rng.exponential(100, 3000).astype(int)
        ended = ends[ends < seen].tolist()
        rows += [(period, "new", "forward", "qualified", hours, 1) for hours in ended]
        rows.append((period, "new", "open", None, seen, len(ends) - len(ended)))
    (change,) = describe_changes(table(*rows), OPEN)
    assert change.within_days * 24 == 40
    assert change.before < 0.5
    assert change.p_value > 0.01


def test_p_values_when_nothing_changed_then_are_below_five_per_cent_so_often():
    rng = np.random.default_rng(4)
    p_values = []
    for now, before in rng.binomial(3000, 0.4, (200, 2)).tolist():
        rows = [*period_of("now", now, 3000 - now), *period_of("before", before, 3000 - before)]
        p_values.append(describe_changes(table(*rows), OPEN)[0].p_value)
    below = sum(p < 0.05 for p in p_values)
    assert stats.binomtest(below, 200, 0.05).pvalue > 0.01


def group_of(name: str, *, ended: int, still: int, at: int, seen: int) -> pd.DataFrame:
    """Visits of a group: some moved on at an hour, the others were last seen later."""
    rows = [
        ("now", "new", "forward", "qualified", at, ended),
        ("now", "new", "open", None, seen, still),
    ]
    return table(*rows).assign(part=name)


def test_groups_when_they_were_followed_unlike_long_then_shares_are_within_one_time_or_a_dash():
    parts = [
        group_of("many", ended=60, still=40, at=10, seen=500),
        group_of("few", ended=8, still=12, at=10, seen=500),
        group_of("young", ended=5, still=20, at=3, seen=40),
    ]
    visits = pd.concat(parts)
    whole = describe_stages(visits, stages_of())
    many, few, young = (describe_stages_of_group(part, stages_of(), whole)[0] for part in parts)
    assert whole[0].within_days * 24 == 500
    assert {flow.within_days for flow in (many, few, young)} == {whole[0].within_days}
    assert many.ways["forward"].share == pytest.approx(0.6)
    assert few.ways["forward"].share == pytest.approx(0.4)
    assert young.ways["forward"].share is None


def test_way_when_none_or_all_ended_so_then_its_interval_is_wilsons():
    (flow, *_) = describe_stages(table(("now", "new", "forward", "qualified", 10, 40)), stages_of())
    forward, won = flow.ways["forward"], flow.ways["won"]
    oracle = stats.binomtest(40, 40).proportion_ci(method="wilson")
    assert (forward.share, forward.low, forward.high) == pytest.approx((1, oracle.low, 1), abs=1e-4)
    assert (won.share, won.low, won.high) == pytest.approx((0, 0, 1 - oracle.low), abs=1e-4)


@pytest.mark.parametrize(("hours", "followed"), [(5, 10), (20, 10), (21, 5), (31, 0)])
def test_followed_when_some_ended_then_they_count_as_the_others_do(hours, followed):
    # of six that had not ended by hour 20, three went out of sight; the others at hour 30
    ends = count_ends(
        np.array([10] * 4 + [20] * 3 + [30] * 3),
        np.array(["won"] * 4 + ["open"] * 6),
        names=["won"],
    )
    assert ends.followed_for(hours) == pytest.approx(followed)
