"""A simulated sales team whose truth is known in closed form, run through the real code.

Leads enter evenly. A share p of them is meant to be won, after an exponential time of mean w days, the others are
lost after one of mean l. Once the flow is steady, a lead drawn from the open ones is a future win with odds
p*w : (1-p)*l, and since an exponential forgets how long it has waited, it is won within the horizon h with
    truth = p*w / (p*w + (1-p)*l) * (1 - exp(-h/w)).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from builders import Facts, day, make_settings
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.errors import TooLittleHistoryError
from leadscore.history.closes import attach_plain_closes
from leadscore.history.side import Side
from leadscore.history.split import History
from leadscore.ingest.mapping.entries import table_of
from leadscore.store.version import StoreVersion
from leadscore.times import DAY_US

HORIZON = 30


@dataclass(frozen=True)
class Flow:
    """How leads come and go: p, w and l as above, and days until the flow is steady and until K."""

    wins: float
    won_after: float
    lost_after: float
    steady: int
    known: int
    leads: int = 20_000

    def truth(self) -> float:
        future_wins, future_losses = self.wins * self.won_after, (1 - self.wins) * self.lost_after
        return future_wins / (future_wins + future_losses) * (1 - np.exp(-HORIZON / self.won_after))


FLOWS = {
    "wins come fast, losses slowly": Flow(0.5, 10, 30, steady=180, known=230),
    "wins come slowly, losses fast": Flow(0.6, 30, 8, steady=180, known=230),
    "wins come slowly, losses very slowly": Flow(0.7, 25, 60, steady=330, known=380, leads=30_000),
}


def simulate(flow: Flow, engine: DuckDBEngine, *, seed: int, max_per_lead: int) -> History:
    """Entries, and closes before K, told as a store would tell them; what comes after K is not there."""
    settings = make_settings(
        target={"horizon_days": HORIZON, "cadence_days": 3, "max_per_lead": max_per_lead},
        stages={},
        seed=seed,
    )
    rng = np.random.default_rng(seed)
    enters = rng.uniform(0, flow.known, flow.leads)
    wins = rng.random(flow.leads) < flow.wins
    closes = enters + rng.exponential(np.where(wins, flow.won_after, flow.lost_after))
    ids = np.array([f"{i:06d}" for i in range(flow.leads)], dtype=object)
    tables = {
        name: table_of(name, settings).schema().empty_table() for name in Facts(settings).rows
    }
    tables["leads"] = _rows(tables["leads"].schema, enters, lead_id=ids)
    known = closes < flow.known
    outcome = np.where(wins[known], "won", "lost")
    tables["outcomes"] = _rows(
        tables["outcomes"].schema, closes[known], lead_id=ids[known], outcome=outcome, seq=0
    )
    for name, rows in tables.items():
        engine.add_rows(name, rows)
    attach_plain_closes(engine, settings.stages)
    version = StoreVersion(
        "simulated", {"known_until_us": day(flow.known), "first_us": day(0)}, Path()
    )
    return History(settings, version, engine)


def _rows(schema: pa.Schema, at: np.ndarray, **columns: object) -> pa.Table:
    us = day(0) + np.round(at * DAY_US).astype(np.int64)
    filled = {"event_us": us, "available_us": us, **columns}
    arrays = []
    for field in schema:
        value = filled.get(field.name)
        whole = value if isinstance(value, np.ndarray) else [value] * len(at)
        arrays.append(pa.array(whole, field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def simulate_sides(flow: Flow, *, max_per_lead: int, seeds: int, from_day: int) -> list[Side]:
    engine = DuckDBEngine(make_settings().engine)
    sides = []
    for seed in range(seeds):
        history = simulate(flow, engine, seed=seed, max_per_lead=max_per_lead)
        sides.append(
            history.side(
                "steady", from_us=day(from_day), to_us=day(flow.known), known_us=day(flow.known)
            )
        )
    engine.close()
    return sides


def open_is_lost(side: Side) -> float:
    return float(np.average(side.rows["label"].fillna(0.0), weights=side.rows["grid_weight"]))


def drop_open(side: Side) -> float:
    rows = side.rows[side.observed]
    return float(np.average(rows["label"], weights=rows["grid_weight"]))


def forget_grid_weight(side: Side) -> float:
    rows = side.rows[side.observed]
    return float(np.average(rows["label"], weights=rows["weight"] / rows["grid_weight"]))


@pytest.mark.cases(2)
@pytest.mark.parametrize("max_per_lead", [1000, 2], ids=["every snapshot", "two snapshots a lead"])
@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
def test_base_rate_when_leads_are_open_at_k_then_is_true_where_naive_rates_are_not(
    flow: Flow, max_per_lead: int
) -> None:
    sides = simulate_sides(flow, max_per_lead=max_per_lead, seeds=12, from_day=flow.steady)
    truth = flow.truth()

    def error(rate: Callable[[Side], float]) -> float:
        return abs(float(np.mean([rate(side) for side in sides])) - truth)

    found = np.array([side.base_rate() for side in sides])
    assert found.std(ddof=1) / np.sqrt(len(found)) < 0.003  # the error of the simulation itself
    assert error(Side.base_rate) < 0.01
    assert error(Side.mature_rate) < 0.01
    assert error(open_is_lost) > 0.03
    assert error(drop_open) > 0.03
    if max_per_lead == 2:
        assert error(forget_grid_weight) > 0.03
    assert all(side.is_watched_enough() for side in sides)
    assert max(side.capped_share for side in sides) < 0.01


def test_side_when_follow_up_is_shorter_than_the_horizon_then_is_refused_since_its_weights_lie() -> (
    None
):
    flow = FLOWS["wins come slowly, losses fast"]
    sides = simulate_sides(flow, max_per_lead=1000, seeds=3, from_day=flow.known - 20)
    assert abs(np.mean([side.base_rate() for side in sides]) - flow.truth()) > 0.02
    for side in sides:
        with pytest.raises(
            TooLittleHistoryError, match="days of follow-up for a horizon of 30 days"
        ):
            side.check()
