"""Two orders of the same lists compared: who ranks better, and what the top of each holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.evaluation.intervals import PERCENTILES, Spread, difference_of, estimate_of
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.ranking import Ranking
from leadscore.evaluation.resampled import draw_leads
from leadscore.evaluation.sums import sum_by
from leadscore.evaluation.top import share_in_top
from leadscore.results import Interval
from leadscore.results.judged import ComparedAuc, TopShare


@dataclass(frozen=True)
class Pair:
    """Rows with their outcomes, our probability and the other score (n,).

    `value` (n,) is what a win of each row brings.
    """

    evaluated: EvaluationSet
    theirs: np.ndarray
    value: np.ndarray

    @property
    def lists(self) -> np.ndarray:
        """The list (n,) of each row."""
        block = self.evaluated.block
        assert block is not None  # noqa: S101  (settled rows are ranked list by list)
        return block


def compare_auc(pair: Pair, *, seed: int) -> ComparedAuc:
    """The AUC within dates of both orders, and ours less theirs, over the same resampled leads."""
    ours = _spread_auc(pair, pair.evaluated.probability, seed=seed)
    theirs = _spread_auc(pair, pair.theirs, seed=seed)
    return ComparedAuc(
        ours=estimate_of(ours).interval(),
        theirs=estimate_of(theirs).interval(),
        difference=difference_of(ours, theirs).interval(),
    )


def _spread_auc(pair: Pair, order: np.ndarray, *, seed: int) -> Spread:
    ranking = Ranking.of(order, pair.lists)
    label = pair.evaluated.label
    weight = pair.evaluated.weight
    drawn = []
    for count in draw_leads(pair.evaluated.units, seed=seed):
        resampled = weight * count
        drawn.append(ranking.auc(label, resampled))
    return ranking.auc(label, weight), np.array(drawn)


def compare_tops(pair: Pair, tiers: Sequence[str], *, seed: int) -> list[TopShare]:
    """What an average list's top holds by either order, for tops as large as our tiers.

    Args:
        pair: the rows.
        tiers: (n,) our tier of each row, from "A" on.
        seed: of the resamples.
    """
    evaluated = pair.evaluated
    lists = len(np.unique(pair.lists))
    names = sorted(set(tiers))
    tops = []
    for last in names[:-1]:
        is_in = np.array([tier <= last for tier in tiers])
        share = float(is_in.mean())
        called = share * len(evaluated.label) / lists
        top = _compare_top(pair, share=share, lists=lists, seed=seed)
        named = {"tiers": _name(names, last), "called": called}
        tops.append(top.model_copy(update=named))
    return tops


def _name(names: Sequence[str], last: str) -> str:
    """The tiers up to one, like "A and B"."""
    first = names[0]
    return first if first == last else f"{first} to {last}"


def _compare_top(pair: Pair, *, share: float, lists: int, seed: int) -> TopShare:
    evaluated = pair.evaluated
    wins = evaluated.weight * evaluated.label / lists
    worth = wins * pair.value
    ours = share_in_top(evaluated.probability, pair.lists, share=share)
    theirs = share_in_top(pair.theirs, pair.lists, share=share)
    ahead = ours - theirs
    return TopShare(
        tiers="",
        share=share,
        called=0.0,
        wins=float(wins.sum()),
        wins_ours=float(wins @ ours),
        wins_theirs=float(wins @ theirs),
        missed=_sum_with_interval(wins * ahead, evaluated, seed=seed),
        value=float(worth.sum()),
        value_ours=float(worth @ ours),
        value_theirs=float(worth @ theirs),
        left=_sum_with_interval(worth * ahead, evaluated, seed=seed),
    )


def _sum_with_interval(amounts: np.ndarray, evaluated: EvaluationSet, *, seed: int) -> Interval:
    """The sum of amounts (n,) with its 95% interval over leads."""
    codes, leads = pd.factorize(evaluated.units, sort=True)
    of_lead = sum_by(codes, amounts, places=len(leads))
    drawn = [of_lead @ count for count in draw_leads(leads, seed=seed)]
    low, high = np.percentile(drawn, PERCENTILES)
    return Interval(
        value=float(amounts.sum()),
        low=float(low),
        high=float(high),
    )
