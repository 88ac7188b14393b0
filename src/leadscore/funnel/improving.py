"""What it would bring if more visits to a stage moved on: arithmetic at unchanged rates.

Visits are a Markov chain: of those to a stage, the estimated shares move on to each other stage, or
are won. With moves T (n, n) and entries e (n,) a quarter, the visits v are v = e + T'v, and v times
the share won are the wins (Kemeny and Snell 1976, chapter 3). One share is changed, the rest kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from leadscore.history.visits import OTHER_PIPELINE
from leadscore.results.funnel import StageFlow, StageMove, Velocity
from leadscore.results.losses import Improvement

QUARTER = 365 / 4  # days
POINTS = 0.05
MOST_STAYING = 1 - 1e-9  # of leads, from one move to the next: more would go round for ever


@dataclass(frozen=True)
class Chain:
    """The rates of the stages.

    Attributes:
        entries: (n,) leads a quarter that begin in each stage.
        moves: (n, n) shares of visits to a stage that lead to another.
        won: (n,) shares that are won.
        lost: (n,) shares that are lost.
        pipelines: (n,) that each stage is in.
    """

    entries: np.ndarray
    moves: np.ndarray
    won: np.ndarray
    lost: np.ndarray
    pipelines: np.ndarray

    @property
    def drains(self) -> bool:
        """Whether leads leave in the end; by their shares they may move to and fro for ever."""
        pace = np.abs(np.linalg.eigvals(self.moves)).max()
        return bool(pace < MOST_STAYING)

    def visits(self) -> np.ndarray:
        """The visits (n,) to each stage a quarter, if the chain drains."""
        unit = np.eye(len(self.entries))
        return np.linalg.solve(unit - self.moves.T, self.entries)

    def wins(self) -> float:
        """The wins a quarter."""
        return float(self.visits() @ self.won)


def describe_improvements(
    flows: Sequence[StageFlow],
    moves: Sequence[StageMove],
    velocity: Velocity,
    *,
    days: float,
) -> list[Improvement]:
    """What `POINTS` more would bring at each stage where any visit is lost, the most wins first.

    None where a stage has too few visits for its shares to be known, or leads would go round for ever.

    Args:
        flows: the stages in their order.
        moves: between them.
        velocity: has the value of a win.
        days: of the period.
    """
    if not flows or any(flow.within_days is None for flow in flows):
        return []
    in_period = np.array([flow.visits for flow in flows])
    visits = in_period * QUARTER / days
    chain = build_chain(flows, moves, visits)
    if not chain.drains:
        return []
    improvements = []
    for place, flow in enumerate(flows):
        points = min(POINTS, float(chain.lost[place]))
        wins = _gain(chain, place, points)
        if wins is None:
            continue
        improvement = Improvement(
            stage=flow.stage,
            points=points,
            visits=float(visits[place]),
            wins=wins,
            value=None if velocity.value is None else wins * velocity.value,
            currency=velocity.currency,
        )
        improvements.append(improvement)
    return sorted(improvements, key=lambda improvement: -improvement.wins)


def _gain(chain: Chain, place: int, points: float) -> float | None:
    """The wins a quarter that points bring; None if there are none, or leads would go round for ever."""
    improved = _improve(chain, place, points)
    if points == 0 or not improved.drains:
        return None
    return improved.wins() - chain.wins()


def build_chain(
    flows: Sequence[StageFlow],
    moves: Sequence[StageMove],
    visits: np.ndarray,
) -> Chain:
    """The rates that give so many visits (n,) a quarter to the stages."""
    place = {flow.stage: at for at, flow in enumerate(flows)}
    n = len(flows)
    shares = np.zeros((n, n))
    for move in moves:
        at = place[move.stage]
        to = place[move.next_stage]
        name = _name_way(flows, at, to)
        way = flows[at].ways[name]
        of_way = move.visits / way.visits
        shares[at, to] = of_way * (way.share or 0.0)
    return Chain(
        entries=visits - shares.T @ visits,
        moves=shares,
        won=_shares_of("won", flows),
        lost=_shares_of("lost", flows),
        pipelines=np.array([flow.pipeline for flow in flows]),
    )


def _name_way(flows: Sequence[StageFlow], at: int, to: int) -> str:
    """The way on which visits go from a stage to another one, by their places."""
    if flows[at].pipeline != flows[to].pipeline:
        return OTHER_PIPELINE
    return "forward" if to > at else "back"


def _shares_of(way: str, flows: Sequence[StageFlow]) -> np.ndarray:
    return np.array([flow.ways[way].share or 0.0 for flow in flows])


def _improve(chain: Chain, place: int, points: float) -> Chain:
    """The chain if so large a share, lost so far, moved on as the others do, within its pipeline.

    Where none moves on, as from the last stage, it is won.
    """
    moves = chain.moves.copy()
    won = chain.won.copy()
    onward = np.zeros(len(won))
    later = slice(place + 1, None)
    is_same = chain.pipelines[later] == chain.pipelines[place]
    onward[later] = moves[place, later] * is_same
    total = onward.sum()
    if total > 0:
        moves[place] += points * onward / total
    else:
        won[place] += points
    return replace(chain, moves=moves, won=won)
