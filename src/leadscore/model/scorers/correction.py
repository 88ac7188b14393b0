"""A segment's correction: its own logistic regression on the log-odds of all leads and on features.

It is shrunk toward "the log-odds of all, as they are", so that few leads move it little (partial
pooling).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from leadscore.features.feature import Feature
from leadscore.model.scorers.linear import Term, is_log
from leadscore.model.scorers.logistic import fit_terms

SPREAD = 0.6  # prior standard deviation of a segment's log-odds around those of all
WIDEST = 50.0  # log-odds that no model exceeds


def fit_correction(
    encoded: np.ndarray,
    log_odds: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    leads: int,
    features: Sequence[Feature],
) -> dict[str, Any]:
    """A correction as JSON for `apply.correct`.

    `base` is its intercept, `terms` has one for each feature, and `of_all` is the term of the
    log-odds of all. Its slope is not below 0, so that every direction which holds in the log-odds
    of all holds in the corrected ones.

    Args:
        encoded: (n, features) of the segment's rows.
        log_odds: (n,) held out, by the model of all leads.
        label: (n,) 0 or 1.
        weight: (n,) not negative.
        leads: number of distinct leads.
        features: what the columns are.
    """
    neutral = [Term(feature.name, log=is_log(feature)) for feature in features]
    directions = [feature.direction for feature in features]
    intercept, (*of_features, of_all) = fit_terms(
        np.column_stack([encoded, log_odds]),
        label,
        weight,
        leads=leads,
        prior=[*neutral, _term_of_all(log_odds)],
        signs=[*directions, 1],
        log_odds_spread=SPREAD,
    )
    unclipped = replace(of_all, low=-WIDEST, high=WIDEST)
    return {
        "base": intercept,
        "terms": [term.as_json() for term in of_features],
        "of_all": unclipped.as_json(),
    }


def _term_of_all(log_odds: np.ndarray) -> Term:
    """The prior of the log-odds of all (n,): they hold as they are."""
    lowest = -1.0
    highest = 1.0
    if len(log_odds):
        lowest = float(log_odds.min())
        highest = float(log_odds.max())
    return Term("raw", log=False, low=lowest, high=highest, slope=1.0)
