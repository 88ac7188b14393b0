"""Lists that a challenger wrote in shadow, settled beside the published ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.evaluation.intervals import compute_gain
from leadscore.monitor.settle import SETTLED, as_evaluation_set
from leadscore.results.base import Interval
from leadscore.results.shadow import ShadowComparison

LEAD_OF_LIST = ["lead_id", "as_of_us"]


def compare_shadow(
    published: pd.DataFrame,
    shadow: pd.DataFrame,
    *,
    seed: int,
) -> ShadowComparison | None:
    """The latest challenger beside what was published on the same dates; None without its lists.

    Args:
        published: what `settle` gave of the published lists.
        shadow: the same of those in shadow.
        seed: of the resamples.
    """
    if shadow.empty:
        return None
    by_date = shadow.sort_values("as_of_us")
    version = str(by_date["model_version"].iloc[-1])
    is_own = shadow["model_version"] == version
    is_settled = shadow["state"] == SETTLED
    theirs = shadow.loc[is_own & is_settled, [*LEAD_OF_LIST, "probability"]]
    both = published.merge(theirs, on=LEAD_OF_LIST, suffixes=("", "_in_shadow"))
    both = both[both["state"] == SETTLED]
    if both.empty:
        return _compare_nothing(version)
    weight = both["weight"].to_numpy(dtype=float)
    return ShadowComparison(
        model_version=version,
        lists=both["as_of_us"].nunique(),
        leads=both["lead_id"].nunique(),
        won=float(np.average(both["label"], weights=weight)),
        predicted=float(np.average(both["probability"], weights=weight)),
        predicted_in_shadow=float(np.average(both["probability_in_shadow"], weights=weight)),
        gain=_compute_gain(both, seed=seed),
    )


def _compare_nothing(version: str) -> ShadowComparison:
    """The comparison of a challenger none of whose leads is settled yet."""
    return ShadowComparison(
        model_version=version,
        lists=0,
        leads=0,
        won=None,
        predicted=None,
        predicted_in_shadow=None,
        gain=None,
    )


def _compute_gain(both: pd.DataFrame, *, seed: int) -> Interval | None:
    """The published log loss less that in shadow."""
    if both["label"].nunique() < 2:
        return None
    in_shadow = as_evaluation_set(both.assign(probability=both["probability_in_shadow"]))
    published = both["probability"].to_numpy(dtype=float)
    return compute_gain(in_shadow, published, seed=seed)["log_loss_gain"].interval()
