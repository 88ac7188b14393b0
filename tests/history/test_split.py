from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from builders import Facts, day, make_settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.closes import attach_plain_closes
from leadscore.history.side import Side
from leadscore.history.split import MAX_SPLITS, History
from leadscore.ingest.mapping.entries import table_of
from leadscore.store.version import StoreVersion
from leadscore.times import DAY_US

HORIZON = 10
UNTIL = 120
TARGET = {"horizon_days": HORIZON, "cadence_days": 4, "weight_cap": 5}
SETTINGS = make_settings(target=TARGET, engine={"threads": 1})
JUST = 1 / DAY_US  # one microsecond, in days


def in_memory(facts: Facts, *, until: float = UNTIL) -> History:
    engine = DuckDBEngine(facts.settings.engine)
    for name, rows in facts.rows.items():
        engine.add_rows(name, pa.Table.from_pylist(rows, table_of(name, facts.settings).schema()))
    attach_plain_closes(engine, facts.settings.stages)
    first = min((row["available_us"] for row in facts.rows["leads"]), default=day(until))
    version = StoreVersion("in memory", {"known_until_us": day(until), "first_us": first}, Path())
    return History(facts.settings, version, engine)


def arrive(facts: Facts, name: str, *, at: float, i: int) -> None:
    """A lead that is won after 6 days, lost after 14, or stays open for long, by turns."""
    facts.lead(f"{name} {i}", at)
    if i % 3 == 0:
        facts.outcome(f"{name} {i}", at + 6, "won")
    elif i % 3 == 1:
        facts.outcome(f"{name} {i}", at + 14, "lost")


def flow(*bursts: tuple[float, int]) -> Facts:
    """Leads that arrive twice a day, and at given days in a crowd (an import, a fair) that drowns the others."""
    facts = Facts(SETTINGS)
    for i in range(2 * UNTIL):
        arrive(facts, "steady", at=i / 2, i=i)
    for at, leads in bursts:
        for i in range(leads):
            arrive(facts, f"burst {at:g}", at=at + i / leads, i=i)
    return facts


def lull() -> Facts:
    """Leads that arrive until day 80, of whom a handful come later: hardly an outcome in the last weeks."""
    facts = Facts(SETTINGS)
    for i in range(160):
        arrive(facts, "early", at=i / 2, i=i)
    for i in range(6):
        arrive(facts, "late", at=84 + 4 * i, i=i)
    return facts


def wins_only() -> Facts:
    """Leads of whom a third is won and nobody is ever marked lost."""
    facts = Facts(SETTINGS)
    for i in range(2 * UNTIL):
        facts.lead(f"{i:03d}", i / 2)
        if i % 3 == 0:
            facts.outcome(f"{i:03d}", i / 2 + 6, "won")
    return facts


FLOWS: dict[str, Callable[[], Facts]] = {
    "steady": flow,
    "a crowd before the last moment": lambda: flow((100, 8000)),
    "a lull at the end": lull,
    "wins only": wins_only,
    "a crowd in the middle": lambda: flow((52, 4000)),
    "a crowd at the end": lambda: flow((114, 1500)),
    "a crowd on two days": lambda: flow((30, 600), (70, 2000)),
}
NAMES = list(FLOWS)


@cache
def opened(name: str) -> History:
    return in_memory(FLOWS[name]())


@cache
def split(name: str, known: float, least: int, least_later: int = 0) -> list[int]:
    return opened(name).split_moments(day(known), least=least, least_later=least_later)


@cache
def sides(name: str, known: float) -> list[tuple[int, Side, Side]]:
    """Every moment of the grid with a horizon on either side, and what lies before and after it."""
    history = opened(name)
    first, last = history.version.first_us + HORIZON * DAY_US, day(known - HORIZON)
    moments = [moment for moment in history.grid.tolist() if first <= moment <= last]
    later = (
        history.later_side(moment, to_us=day(known), known_us=day(known)) for moment in moments
    )
    return list(zip(moments, map(history.earlier_side, moments), later, strict=True))


def count_leads(side: Side) -> float:
    """Effective leads of the rarer outcome, by Kish's formula; censored ones have none."""
    counts = []
    for outcome in (0, 1):
        weights: dict[str, float] = {}
        for lead, y, w in zip(
            side.rows["lead_id"], side.rows["label"], side.rows["weight"], strict=True
        ):
            if y == outcome:
                weights[lead] = weights.get(lead, 0.0) + w
        squares = sum(w * w for w in weights.values())
        counts.append(round(sum(weights.values()) ** 2 / squares, 6) if squares else 0.0)
    return min(counts)


def admissible(name: str, known: float, least: int, least_later: int = 0) -> list[int]:
    """The moments at which both sides can be used, found by trying them all."""
    return [
        moment for moment, earlier, later in sides(name, known)
        if earlier.is_watched_enough() and earlier.has_outcomes(least)
        and later.is_watched_enough() and count_leads(later) >= least_later
    ]  # fmt: skip


def chosen_from(name: str, known: float, least: int, least_later: int = 0) -> list[int]:
    """The admissible moments after three tenths of the leads; the latest where these are few."""
    allowed = admissible(name, known, least, least_later)
    earlier = {moment: side for moment, side, _ in sides(name, known)}
    of_all = sum(opened(name).earlier_side(day(known)).count_leads())
    late = [moment for moment in allowed if sum(earlier[moment].count_leads()) >= 0.3 * of_all]
    return late if len(late) >= MAX_SPLITS else allowed[-MAX_SPLITS:]


@pytest.mark.cases(2)
@pytest.mark.parametrize("least_later", [0, 10, 30])
@pytest.mark.parametrize("name", NAMES)
def test_split_moments_when_sides_are_admissible_by_fits_and_starts_then_are_spread_over_all(
    name: str, least_later: int
) -> None:
    allowed = chosen_from(name, UNTIL, 3, least_later)
    places = np.unique(
        np.linspace(0, len(allowed) - 1, min(MAX_SPLITS, len(allowed))).round().astype(int)
    )
    assert split(name, UNTIL, 3, least_later) == [allowed[i] for i in places]


@pytest.mark.cases(2)
@pytest.mark.parametrize("name", NAMES)
def test_split_moments_when_history_is_long_then_no_model_that_calibrates_learned_from_few_leads(
    name: str,
) -> None:
    whole = sum(opened(name).earlier_side(day(UNTIL)).count_leads())
    latest = admissible(name, UNTIL, 3)[-MAX_SPLITS:]
    for moment in split(name, UNTIL, 3):
        assert (
            moment in latest or sum(opened(name).earlier_side(moment).count_leads()) >= 0.3 * whole
        )


def test_split_moments_when_hardly_anybody_closes_at_the_end_then_the_last_comes_before_the_lull() -> (
    None
):
    assert split("a lull at the end", UNTIL, 3, 0)[-1] > day(90)
    last = split("a lull at the end", UNTIL, 3, 30)[-1]
    assert last < day(80)
    assert (
        count_leads(
            opened("a lull at the end").later_side(last, to_us=day(UNTIL), known_us=day(UNTIL))
        )
        >= 30
    )


def test_split_moments_when_the_daily_grid_is_long_then_the_last_is_still_the_latest_admissible() -> (
    None
):
    facts = Facts(make_settings(target=TARGET | {"cadence_days": 1}, engine={"threads": 1}))
    for i in range(2 * UNTIL):
        arrive(facts, "steady", at=i / 2, i=i)
    history, until = in_memory(facts), day(UNTIL)
    moments = history.split_moments(until, least=3, least_later=30)
    later = [
        moment for moment in history.grid.tolist() if moments[-1] < moment <= day(UNTIL - HORIZON)
    ]
    assert later
    assert not any(
        history.later_side(m, to_us=until, known_us=until).can_evaluate(30) for m in later
    )
    assert len(moments) == MAX_SPLITS


@pytest.mark.cases(2)
@pytest.mark.parametrize("name", NAMES)
def test_split_moments_when_leads_come_in_crowds_then_both_sides_of_each_are_watched_enough(
    name: str,
) -> None:
    allowed = admissible(name, UNTIL, 3)
    moments = split(name, UNTIL, 3)
    assert len(allowed) > MAX_SPLITS  # else this would show nothing
    assert set(moments) <= set(allowed)
    assert moments == sorted(set(moments))
    assert 3 <= len(moments) <= MAX_SPLITS


@pytest.mark.cases(2)
@pytest.mark.parametrize("name", NAMES)
def test_split_moments_when_leads_come_in_crowds_then_the_last_is_the_latest_admissible(
    name: str,
) -> None:
    assert split(name, UNTIL, 3)[-1] == admissible(name, UNTIL, 3)[-1]


@pytest.mark.parametrize("known", [UNTIL, 75])
def test_split_moments_when_the_flow_is_steady_then_spread_evenly_over_all_admissible_ones(
    known: float,
) -> None:
    allowed = chosen_from("steady", known, 3)
    moments = split("steady", known, 3)
    assert len(moments) == min(MAX_SPLITS, len(allowed))
    assert moments[0] == allowed[0]
    assert moments[-1] == allowed[-1]
    places = np.diff([allowed.index(moment) for moment in moments])
    assert places.max() - places.min() <= 1


@pytest.mark.parametrize("least", [0, 60])
def test_split_moments_when_many_outcomes_are_needed_then_begin_where_history_has_them(
    least: int,
) -> None:
    allowed = chosen_from("steady", UNTIL, least)
    moments = split("steady", UNTIL, least)
    assert moments[0] == allowed[0]
    assert moments[-1] == allowed[-1]
    rows = opened("steady").earlier_side(moments[0]).rows
    won = int(rows["label"].sum())
    assert min(won, int(rows["label"].notna().sum()) - won) >= least
    assert moments[0] > chosen_from("steady", UNTIL, 0)[0] or least == 0


def batches() -> Facts:
    """Leads that come together every 20 days and are all closed within three: between, nobody is censored."""
    facts = Facts(SETTINGS)
    for at in range(0, UNTIL, 20):
        for i in range(20):
            facts.lead(f"{at} {i}", at).outcome(f"{at} {i}", at + 1 + i % 3, ["won", "lost"][i % 2])
    return facts


@pytest.mark.parametrize("build", [flow, batches])
@pytest.mark.parametrize("known", [UNTIL - 10, 70])
def test_split_moments_when_chosen_then_lie_on_the_grid_with_a_horizon_on_either_side(
    known: float, build: Callable[[], Facts]
) -> None:
    history = in_memory(build())
    moments = history.split_moments(day(known), least=0, least_later=0)
    assert set(moments) <= set(history.grid.tolist())
    assert moments[0] >= history.version.first_us + HORIZON * DAY_US
    assert moments[-1] <= day(known - HORIZON)


def test_split_moments_when_a_date_is_one_whole_horizon_before_k_then_it_is_the_last() -> None:
    history = opened("steady")
    moment = int(history.grid[-5])
    known_us = moment + HORIZON * DAY_US
    assert history.split_moments(known_us, least=0, least_later=0)[-1] == moment
    assert history.split_moments(known_us - 1, least=0, least_later=0)[-1] < moment


@pytest.mark.parametrize("known", [0, 5, 2 * HORIZON - 1])
def test_split_moments_when_history_is_shorter_than_two_horizons_then_there_are_none(
    known: float,
) -> None:
    assert split("steady", known, 0) == []


def test_split_moments_when_outcomes_are_too_few_then_there_are_none() -> None:
    assert split("steady", 75, 100_000) == []


def test_split_moments_when_facts_are_learned_at_or_after_k_then_stay_the_same() -> None:
    facts = flow()
    for row in facts.rows["outcomes"]:
        if row["available_us"] >= day(80):
            row["outcome"] = "won" if row["outcome"] == "lost" else "lost"
    for i in range(500):
        facts.lead(f"later {i}", 80)
    changed = in_memory(facts, until=150)
    moments = changed.split_moments(day(80), least=3, least_later=0)
    assert moments == split("steady", 80, 3)
    assert len(moments) >= 3


# --- Sides ----------------------------------------------------------------------------------------------------------


def daily(*, max_per_lead: int = 100) -> Facts:
    target = {"horizon_days": HORIZON, "cadence_days": 1, "max_per_lead": max_per_lead}
    return Facts(make_settings(target=target, engine={"threads": 1}))


def small(*, max_per_lead: int = 100) -> History:
    facts = (
        daily(max_per_lead=max_per_lead)
        .lead("won", 0)
        .outcome("won", 25, "won")
        .lead("lost", 0)
        .outcome("lost", 22, "lost")
    )
    facts.lead("late", 0).outcome("late", 15, "won", known=26).lead("open", 0).lead("young", 18.5)
    return in_memory(
        facts.lead("at K", 20).lead("after K", 30).outcome("after K", 33, "won"), until=60
    )


def test_earlier_side_when_cut_at_k_then_has_the_labels_as_known_at_k() -> None:
    history = small()
    before = history.earlier_side(day(20))
    assert set(before.rows["lead_id"]) == {"won", "lost", "late", "open", "young"}
    assert before.known_us == day(20)
    # Whatever was won or lost later: at K all were open, so only time had told anything.
    expected = np.where(before.rows["as_of_us"] <= day(10), 0.0, np.nan)
    np.testing.assert_array_equal(before.rows["label"], expected)
    told = history.side("told later", from_us=day(0), to_us=day(20), known_us=day(60)).rows
    won = told[told["label"] == 1].groupby("lead_id")["as_of_us"].min()
    assert won.to_dict() == {
        "won": day(16),
        "late": day(17),
    }  # wins known on day 25 and 26, less than 10 days later


@pytest.mark.parametrize("moment", [12, 20, 20.5])
def test_sides_when_split_then_no_snapshot_is_on_both_and_the_moment_is_the_laters(
    moment: float,
) -> None:
    history = small()
    earlier = history.earlier_side(day(moment)).rows
    later = history.later_side(day(moment), to_us=day(40), known_us=day(60)).rows
    assert earlier["as_of_us"].max() < day(moment) <= later["as_of_us"].min()
    assert later["as_of_us"].max() < day(40)
    assert later["as_of_us"].min() == day(np.ceil(moment))
    assert (
        later["known_us"] == later["as_of_us"]
    ).all()  # features are those of the snapshot's own time


def test_later_side_when_counted_then_n_is_of_the_dates_within_it() -> None:
    later = small(max_per_lead=4).later_side(day(20), to_us=day(30), known_us=day(60)).rows
    found = later.groupby("lead_id")["grid_weight"].agg(["size", "sum"])
    # won: days 20 to 25; lost: 20 to 22; late: 20 to 26; at K: from 21 on; after K: not before 31
    expected = {
        "won": (4, 6),
        "lost": (3, 3),
        "late": (4, 7),
        "open": (4, 10),
        "young": (4, 10),
        "at K": (4, 9),
    }
    assert {
        lead: (row["size"], pytest.approx(row["sum"])) for lead, row in found.iterrows()
    } == expected


def test_later_side_when_k_is_earlier_than_the_end_then_later_closes_are_censored() -> None:
    later = small().later_side(day(20), to_us=day(24), known_us=day(24)).rows
    assert set(later.loc[later["label"].notna(), "lead_id"]) == {"lost"}
    assert later.loc[later["label"].isna(), "weight"].eq(0).all()


def test_history_when_opened_from_files_then_is_what_it_is_in_memory(tmp_path: Path) -> None:
    facts = flow()
    stored = facts.history(tmp_path, known_until=UNTIL)
    np.testing.assert_array_equal(stored.grid, opened("steady").grid)
    spells = stored.spells(day(70)).drop(columns="seen_us")
    pd.testing.assert_frame_equal(spells, opened("steady").spells(day(70)))
    pd.testing.assert_frame_equal(
        stored.earlier_side(day(70)).rows, opened("steady").earlier_side(day(70)).rows
    )


@pytest.mark.parametrize(
    ("known", "expected"),
    [(5, set()), (5 + JUST, {"owner_id"}), (9, {"owner_id"}), (9 + JUST, {"owner_id", "amount"})],
)
def test_changed_fields_when_asked_at_a_moment_then_are_those_with_a_history_by_then(
    known: float, expected: set[str]
) -> None:
    facts = (
        daily()
        .lead("a", 0)
        .change("a", 5, "owner_id", "kim")
        .change("a", 7, "amount", "5", known=9)
    )
    assert in_memory(facts).facts.changed_fields(day(known)) == expected


def test_grid_when_known_until_is_a_midnight_then_ends_before_it_and_begins_at_the_first_fact() -> (
    None
):
    assert small().grid.tolist() == [day(at) for at in range(60)]


LULL_LEADS, LULL_UNTIL, LULL = 1316, 300.0, 60.0


def quiet_end(*, losses: bool) -> History:
    """1,316 leads of 240 days, and then 60 days in which nobody comes and four leads are won."""
    facts = Facts(
        make_settings(target={"horizon_days": 30, "cadence_days": 7}, engine={"threads": 1})
    )
    rng = np.random.default_rng(1316)
    busy = LULL_UNTIL - LULL
    for i in range(LULL_LEADS):
        at = busy * i / LULL_LEADS
        facts.lead(f"{i:04d}", at)
        closes = at + 2 + rng.exponential(12)
        if i % 3 and not losses:
            continue
        if closes < busy:
            facts.outcome(f"{i:04d}", closes, "lost" if i % 3 else "won")
    for i in range(4):
        facts.lead(f"late {i}", busy + 8 * i)
        facts.outcome(f"late {i}", busy + 8 * i + 9, "won")
    return in_memory(facts, until=LULL_UNTIL)


@pytest.mark.cases(1)
@pytest.mark.parametrize("losses", [True, False], ids=["wins and losses", "wins only"])
def test_split_moments_when_the_last_sixty_days_are_quiet_then_the_last_still_has_thirty_of_either(
    losses,
):
    history, until = quiet_end(losses=losses), day(LULL_UNTIL)
    moments = history.split_moments(until, least=20, least_later=30)
    later = {
        moment: history.later_side(moment, to_us=until, known_us=until)
        for moment in history.grid.tolist()
    }
    enough = [
        moment
        for moment, side in later.items()
        if side.is_watched_enough() and count_leads(side) >= 30
    ]
    latest_watched = max(
        moment for moment, side in later.items() if side.is_watched_enough() and len(side.rows)
    )
    assert (
        count_leads(later[latest_watched]) < 30
    )  # so the number of outcomes decides, and not the follow-up
    assert moments[-1] == max(enough)
    assert min(later[moments[-1]].count_leads()) >= 30
