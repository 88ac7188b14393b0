"""How many new leads a target takes at today's rates, and what more leads would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadscore.funnel.forecast import Simulated
from leadscore.funnel.improving import build_chain
from leadscore.results.funnel import StageFlow, StageMove
from leadscore.results.needed import LeadsNeeded
from leadscore.times import format_us

WINS = "wins"
MOST_LEADS = 2**24  # more are as good as never
MORE_LEADS = 100
TENTH = 0.1
ASSUMPTION = (
    "This is arithmetic, not a promise: it assumes that new leads arrive evenly until then, are "
    "won as often and as fast as today's, and that the team can handle them."
)


@dataclass(frozen=True)
class Race:
    """Futures without new leads, and what new leads add to each.

    Attributes:
        before: (draws,) reached without new leads.
        wins_per_lead: (draws,) wins by the date for each lead that arrives until then.
        mean: what a win counts.
        spread: the standard deviation of what a win counts.
        arriving: the leads that are expected to arrive by then.
        target: what is to be reached.
        unit: `WINS`, or the currency.
        seed: of the draws.
    """

    before: np.ndarray
    wins_per_lead: np.ndarray
    mean: float
    spread: float
    arriving: float
    target: float
    unit: str
    seed: int

    def chance(self, leads: int) -> float:
        """The share of futures that reach the target with so many new leads.

        What many wins bring together is drawn as normal.
        """
        rng = np.random.default_rng(self.seed)
        wins = rng.poisson(leads * self.wins_per_lead)
        around = rng.standard_normal(len(wins)) * np.sqrt(wins) * self.spread
        added = np.maximum(wins * self.mean + around, 0.0)
        return float((self.before + added >= self.target).mean())

    def leads_for(self, chance: float) -> int | None:
        """The fewest leads that give such a chance; None where no number does."""
        if self.chance(0) >= chance:
            return 0
        enough = 1
        while self.chance(enough) < chance:
            enough *= 2
            if enough > MOST_LEADS:
                return None
        too_few = enough // 2
        while enough - too_few > 1:
            middle = (too_few + enough) // 2
            if self.chance(middle) >= chance:
                enough = middle
            else:
                too_few = middle
        return enough


def compute_needed(
    simulated: Simulated,
    race: Race,
    *,
    pipeline: float | None = None,
    reps: int = 0,
) -> LeadsNeeded:
    """What it takes to reach a target by the end of the simulated periods.

    Args:
        simulated: the forecast.
        race: to the target, of the same forecast.
        pipeline: the amounts of all open leads, where the target is one of revenue.
        reps: among whom new leads are shared; 0 if nobody knows.
    """
    is_of_wins = race.unit == WINS
    reached = (simulated.wins if is_of_wins else simulated.revenue).sum(axis=1)
    won = (simulated.won if is_of_wins else simulated.won_revenue).sum()
    to_come = float(reached.mean() - won)
    of_one_more = float(race.wins_per_lead.mean()) * race.mean
    per_rep = race.arriving / reps if reps else None
    return LeadsNeeded(
        target=race.target,
        unit=race.unit,
        by=format_us(simulated.periods[-1].end_us),
        won=float(won),
        chance_of_missing=float((reached < race.target).mean()),
        leads_low=race.leads_for(0.1),
        leads=race.leads_for(0.5),
        leads_high=race.leads_for(0.9),
        arriving=race.arriving,
        of_100_more=MORE_LEADS * of_one_more,
        of_a_tenth_more=TENTH * to_come,
        assumption=ASSUMPTION,
        leads_per_rep=per_rep,
        of_one_more_rep=None if per_rep is None else per_rep * of_one_more,
        coverage=_cover(pipeline, lacking=race.target - float(won)),
    )


def _cover(pipeline: float | None, *, lacking: float) -> float | None:
    """How often the open amounts would make up what is lacking; None where there is no answer."""
    if pipeline is None or pipeline <= 0 or lacking <= 0:
        return None
    return pipeline / lacking


def build_race(
    simulated: Simulated,
    usual_revenue: np.ndarray,
    *,
    target: float,
    unit: str,
    arriving: float,
    seed: int,
) -> Race:
    """What there is without new leads, and what new leads add.

    Args:
        simulated: the forecast.
        usual_revenue: (k,) what past wins brought.
        target: wins or revenue of all its periods, what has been won in them included.
        unit: `WINS`, or the currency.
        arriving: the leads that are expected to arrive by then.
        seed: of the draws.
    """
    draws = simulated.draws
    of_all_new = (draws.rate * simulated.new_wins).sum(axis=1)
    wins_per_lead = of_all_new / arriving if arriving > 0 else np.zeros(len(of_all_new))
    if unit == WINS:
        before = (simulated.won + draws.open_wins).sum(axis=1)
        return Race(before, wins_per_lead, 1.0, 0.0, arriving, target, unit, seed)
    before = (simulated.won_revenue + draws.open_revenue).sum(axis=1)
    has_past = len(usual_revenue) > 0
    mean = float(usual_revenue.mean()) if has_past else 0.0
    spread = float(usual_revenue.std()) if has_past else 0.0
    return Race(before, wins_per_lead, mean, spread, arriving, target, unit, seed)


def expect_visits(
    flows: Sequence[StageFlow],
    moves: Sequence[StageMove],
    *,
    leads: float,
) -> dict[str, int]:
    """The visits to each stage that so many new leads make in the end, at the rates of a period.

    None where a stage had too few visits for its shares to be known, or leads would go round for ever.

    Args:
        flows: the stages in their order.
        moves: between them.
        leads: that come in, to the stages that leads have come in to.
    """
    if not flows or any(flow.within_days is None for flow in flows):
        return {}
    in_period = np.array([float(flow.visits) for flow in flows])
    chain = build_chain(flows, moves, in_period)
    if not chain.drains:
        return {}
    of_each = chain.visits() / chain.entries.sum()
    return {flow.stage: round(leads * of_each[at]) for at, flow in enumerate(flows)}
