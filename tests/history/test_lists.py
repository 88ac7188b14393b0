"""Which leads are looked at, and when: the grid of dates, the open list, and the dates that are sampled of a spell."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from builders import Facts, day
from history.snapshots import IDS, JUST, SETTINGS, open_facts
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.lists import _mix, build_grid, build_grid_list, build_open_list
from leadscore.history.snapshot import KEYS
from leadscore.settings.target import Target
from leadscore.times import DAY_US, FOREVER_US, to_us


def spells_of(*told: tuple[str, int, float, float | None]) -> pd.DataFrame:
    """Spells from (lead, spell, start, close or None), in days."""
    rows = [
        (lead, spell, day(start), FOREVER_US if close is None else day(close))
        for lead, spell, start, close in told
    ]
    return pd.DataFrame(rows, columns=["lead_id", "spell", "start_us", "close_us"]).assign(
        won=False
    )


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "America/Havana",
    "Africa/Cairo",
]
NO_MIDNIGHT = {
    "America/Havana": date(2024, 3, 10),
    "Africa/Cairo": date(2024, 4, 26),
}  # clocks go from 0:00 to 1:00


@pytest.mark.parametrize("cadence", [1, 3, 7])
@pytest.mark.parametrize("zone", ZONES)
def test_grid_when_a_year_with_clock_changes_is_asked_then_dates_are_local_midnights_a_cadence_apart(
    zone: str, cadence: int
) -> None:
    start, end = (
        to_us(datetime(2024, 1, 1, 12, tzinfo=UTC)),
        to_us(datetime(2025, 2, 1, 12, tzinfo=UTC)),
    )
    grid = build_grid(start, end, target=Target(cadence_days=cadence), seed=0, zone=zone)
    tz = ZoneInfo(zone)
    local = [
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(us))).astimezone(tz)
        for us in grid
    ]
    assert all(
        (at.hour, at.minute, at.second) == (0, 0, 0)
        for at in local
        if at.date() != NO_MIDNIGHT.get(zone)
    )
    assert {(b.date() - a.date()).days for a, b in pairwise(local)} == {cadence}
    assert np.diff(grid).min() > 0
    assert grid[0] >= start
    assert grid[0] - start < (cadence + 1) * DAY_US
    assert grid[-1] < end
    assert end - grid[-1] < (cadence + 1) * DAY_US


def test_grid_when_clocks_change_then_the_utc_steps_are_23_and_25_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = (to_us(datetime(2024, month, 1, tzinfo=berlin)) for month in (3, 12))
    grid = build_grid(start, end, target=Target(cadence_days=1), seed=0, zone="Europe/Berlin")
    hours, counts = np.unique(np.diff(grid) // 3_600_000_000, return_counts=True)
    assert dict(zip(hours.tolist(), counts.tolist(), strict=True)) == {23: 1, 24: 272, 25: 1}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 3, [0, 1, 2]),
        (JUST, 3, [1, 2]),
        (0, 3 + JUST, [0, 1, 2, 3]),
        (0.5, 0.9, []),
        (2, 2, []),
        (3, 2, []),
    ],
)
def test_grid_when_bounds_touch_a_midnight_then_the_start_counts_and_the_end_does_not(
    start: float, end: float, expected: list[int]
) -> None:
    grid = build_grid(day(start), day(end), target=Target(cadence_days=1), seed=0, zone="UTC")
    assert grid.tolist() == [day(at) for at in expected]
    assert grid.dtype == np.int64


def test_grid_when_seeds_differ_then_every_offset_occurs_and_each_seed_keeps_its_own() -> None:
    def offset(seed: int, first: float) -> int:
        grid = build_grid(
            day(first), day(first + 60), target=Target(cadence_days=7), seed=seed, zone="UTC"
        )
        return int((grid[0] - day(0)) // DAY_US) % 7

    offsets = [offset(seed, 0) for seed in range(60)]
    assert set(offsets) == set(range(7))
    assert offsets == [
        offset(seed, 17) for seed in range(60)
    ]  # dates are anchored to the calendar, not to the data


@pytest.mark.parametrize(
    ("start", "close", "expected"),
    [
        (5, None, True),
        (10, None, False),
        (10 - JUST, None, True),
        (11, None, False),
        (5, 9, False),
        (5, 10 - JUST, False),
        (5, 10, True),
        (5, 10 + JUST, True),
        (5, 40, True),
    ],
)
def test_open_list_when_a_spell_begins_or_ends_near_as_of_then_it_holds_what_was_known_to_be_open(
    start: float, close: float | None, expected: bool
) -> None:
    rows = build_open_list(spells_of(("a", 1, start, close)), as_of_us=day(10))
    found = list(rows.itertuples(index=False, name=None))
    assert found == ([("a", 1, day(10), day(10))] if expected else [])
    assert list(rows.columns) == KEYS


def is_open(facts: Facts, lead: dict[str, object], *, at_us: int) -> bool:
    """The plain meaning: known, and never closed or last re-opened, by what was known before that moment."""
    rows = [
        row
        for name in ("outcomes", "stages")
        for row in facts.rows[name]
        if row["lead_id"] == lead["lead_id"]
    ]
    known = [
        (row["event_us"], row.get("stage") in SETTINGS.stages.open)
        for row in rows
        if row["available_us"] < at_us
    ]
    closed = max((event for event, opens in known if not opens), default=None)
    opened = max((event for event, opens in known if opens), default=-1)
    return lead["available_us"] < at_us and (closed is None or opened > closed)


@st.composite
def histories(draw: st.DrawFn) -> Facts:
    facts = Facts(SETTINGS)
    for lead_id in IDS:
        facts.lead(lead_id, draw(st.integers(0, 10)))
    whats = st.sampled_from(["won", "lost", "signed", "rejected", "new", "qualified", "new"])
    drawn = st.tuples(
        st.sampled_from(IDS), st.integers(10, 20), st.sampled_from([0, 0, 1, 4]), whats
    )
    for lead_id, at, late, what in draw(st.lists(drawn, max_size=25)):
        add = facts.outcome if what in {"won", "lost"} else facts.stage
        add(lead_id, at, what, known=at + late)
    return facts


def test_lists_when_histories_are_random_then_hold_exactly_the_leads_that_were_open(
    engine: DuckDBEngine,
) -> None:
    @settings(
        derandomize=True,
        deadline=None,
        max_examples=20,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    @given(histories(), st.integers(1, 22), st.sampled_from([0, 1]))
    def check(facts: Facts, at: int, more_us: int) -> None:
        note(f"{facts.rows}")
        history = open_facts(engine, facts, until=30)
        as_of_us = day(at) + more_us
        expected = {
            row["lead_id"] for row in facts.rows["leads"] if is_open(facts, row, at_us=as_of_us)
        }
        rows = history.open_list(as_of_us)
        assert set(rows["lead_id"]) == expected
        assert len(rows) == len(expected)
        many = facts.settings.target.model_copy(update={"max_per_lead": 1000})
        trained = build_grid_list(history.spells(day(25)), history.grid, target=many, seed=0)
        asked = {(row.lead_id, row.as_of_us) for row in trained.itertuples()}
        leads = facts.rows["leads"]
        by_hand = {
            (lead["lead_id"], us)
            for lead in leads
            for us in history.grid
            if is_open(facts, lead, at_us=us)
        }
        assert asked == by_hand
        assert len(trained) == len(by_hand)  # no snapshot twice
        assert (trained["grid_weight"] == 1).all()

    check()


DAILY = np.array([day(at) for at in range(100)], dtype=np.int64)


def kept_days(
    spells: pd.DataFrame, *, k: int, seed: int = 0, grid: np.ndarray = DAILY
) -> dict[str, list[int]]:
    rows = build_grid_list(spells, grid, target=Target(max_per_lead=k), seed=seed)
    days = ((rows["as_of_us"] - day(0)) // DAY_US).groupby(rows["lead_id"])
    return {str(lead_id): own.tolist() for lead_id, own in days}


def rank_by_duels(lead_id: str, days: list[int], *, seed: int) -> list[int]:
    """The order in which days are preferred, found by letting only two at a time compete for one place."""
    spell = spells_of((lead_id, 1, -1, None))
    wins = dict.fromkeys(days, 0)
    for i, a in enumerate(days):
        for b in days[i + 1 :]:
            grid = np.array([day(a), day(b)], dtype=np.int64)
            wins[kept_days(spell, k=1, seed=seed, grid=grid)[lead_id][0]] += 1
    return sorted(days, key=lambda at: -wins[at])


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("lead_id", ["a", "00012"])
def test_kept_dates_when_a_spell_has_too_many_then_are_the_k_that_win_every_duel(
    lead_id: str, seed: int
) -> None:
    order = rank_by_duels(lead_id, list(range(1, 16)), seed=seed)
    assert sorted(order) == list(range(1, 16))
    for end in (6, 9, 15):  # the spell's end must not matter for the order
        within = [at for at in order if at <= end]
        for k in (1, 2, 5):
            kept = kept_days(spells_of((lead_id, 1, 0, end)), k=k, seed=seed)[lead_id]
            assert kept == sorted(within[:k])


def test_kept_dates_when_seed_or_lead_differ_then_differ_and_each_stays_the_same() -> None:
    spells = spells_of(*((f"lead {i}", 1, 0, 40) for i in range(30)))
    first, again, other = (kept_days(spells, k=3, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert sum(first[lead] != other[lead] for lead in first) >= 28
    assert len({tuple(kept) for kept in first.values()}) >= 28


def test_kept_dates_when_pinned_then_are_the_same_on_every_machine() -> None:
    kept = kept_days(spells_of(("a", 1, 0, 40), ("00012", 1, 0, 40)), k=4, seed=0)
    assert kept == {"00012": [5, 9, 16, 21], "a": [11, 19, 21, 27]}


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0, 0xE220A8397B1DCDAF), (1234567, 6457827717110365317)],
    ids=["seed 0", "seed 1234567"],
)
def test_mix_when_given_published_seeds_then_is_the_first_number_of_splitmix64(
    x: int, expected: int
) -> None:
    assert int(_mix(np.array([x], dtype=np.uint64))[0]) == expected


@pytest.mark.parametrize(
    ("n", "k", "weight"),
    [(1, 6, 1.0), (5, 6, 1.0), (6, 6, 1.0), (7, 6, 7 / 6), (15, 6, 2.5), (9, 1, 9.0)],
)
def test_grid_weight_when_a_spell_has_n_dates_then_is_n_over_k(
    n: int, k: int, weight: float
) -> None:
    rows = build_grid_list(spells_of(("a", 1, 0, n)), DAILY, target=Target(max_per_lead=k), seed=0)
    assert len(rows) == min(n, k)
    assert rows["grid_weight"].tolist() == [weight] * min(n, k)


def test_grid_weight_when_there_are_many_spells_then_sums_to_the_dates_of_each() -> None:
    rng = np.random.default_rng(0)
    told, expected = [], {}
    for i in range(200):
        start = int(rng.integers(0, 60))
        ends = np.sort(rng.choice(np.arange(start + 1, 90), 3, replace=False)).tolist()
        told += [(f"{i}", 1, start, ends[0]), (f"{i}", 2, ends[1], ends[2])]
        expected |= {(f"{i}", 1): ends[0] - start, (f"{i}", 2): ends[2] - ends[1]}
    rows = build_grid_list(spells_of(*told), DAILY, target=Target(max_per_lead=4), seed=3)
    sums = rows.groupby(["lead_id", "spell"])["grid_weight"].sum().to_dict()
    assert sums == pytest.approx(expected)
    assert rows.groupby(["lead_id", "spell"]).size().max() == 4
    assert (rows["known_us"] == rows["as_of_us"]).all()


def test_kept_dates_when_many_spells_are_capped_then_are_neither_early_nor_late() -> None:
    n, k, leads = 25, 6, 3000
    spells = spells_of(*((f"lead {i}", 1, i % 40, i % 40 + n) for i in range(leads)))
    rows = build_grid_list(spells, DAILY, target=Target(max_per_lead=k), seed=0)
    start = rows["lead_id"].str.removeprefix("lead ").astype(int).to_numpy() % 40
    position = (
        rows["as_of_us"].to_numpy() - day(0)
    ) // DAY_US - start  # 1 to n, uniform if unbiased
    variance = (n**2 - 1) / 12 / (leads * k) * (n - k) / (n - 1)  # drawn without replacement
    assert abs(position.mean() - (n + 1) / 2) < 2 * np.sqrt(variance)
    counts = np.bincount(position, minlength=n + 1)[1:]
    expected = leads * k / n
    assert (np.abs(counts - expected) < 4.5 * np.sqrt(expected)).all()


def test_grid_list_when_spells_come_in_another_order_then_holds_the_same_rows() -> None:
    rng = np.random.default_rng(1)
    spells = spells_of(
        *((f"{i % 50}", 1 + i // 50, 40 * (i // 50), 40 * (i // 50) + i % 39) for i in range(100))
    )
    mixed = spells.iloc[rng.permutation(len(spells))]
    first, second = (
        build_grid_list(each, DAILY, target=Target(max_per_lead=3), seed=0).sort_values(
            KEYS, ignore_index=True
        )
        for each in (spells, mixed)
    )
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("cadence", [1, 7])
def test_young_when_a_lead_is_less_than_a_step_old_then_is_marked(cadence: int) -> None:
    spells = spells_of(("a", 1, 2, 40), ("b", 1, 2.5, 40))
    rows = build_grid_list(
        spells, DAILY, target=Target(cadence_days=cadence, max_per_lead=100), seed=0
    )
    age = rows["as_of_us"] - rows["lead_id"].map({"a": day(2), "b": day(2.5)})
    assert rows["young"].tolist() == [us < cadence * DAY_US for us in age]
    assert rows["young"].sum() == {1: 1, 7: 6 + 7}[cadence]


@pytest.mark.parametrize("grid", [DAILY[:0], DAILY], ids=["no dates", "no spells"])
def test_grid_list_when_there_is_nothing_then_is_empty_with_its_columns(grid: np.ndarray) -> None:
    spells = spells_of(("a", 1, 0, 40)) if not len(grid) else spells_of()
    rows = build_grid_list(spells, grid, target=Target(), seed=0)
    assert len(rows) == 0
    assert list(rows.columns) == [*KEYS, "grid_weight", "young"]
