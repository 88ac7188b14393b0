"""The scorecard: points from the settings, as log-odds around a base rate; it needs no closed lead.

An answer to a BANT question moves the log-odds by -points/2 (weakest) to +points/2 (strongest), so
that a middling answer adds nothing, like an unknown one. An activity counts less the longer it is
ago, more activities count more, and both add nothing for a lead without any: its activities may be
recorded elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from leadscore.features.feature import Feature
from leadscore.model.apply import logit
from leadscore.model.scorers.linear import Term, as_scorer, is_log
from leadscore.settings.scorecard import Scorecard

MOST_DAYS = 90.0  # since the last activity; longer is no worse
NEUTRAL_DAYS = 7.0
MOST_ACTIVITIES = 30.0  # in 30 days; more are no better
LETTERS = ("budget", "authority", "need", "timeline")


def build_scorecard(features: Sequence[Feature], settings: Scorecard) -> dict[str, Any]:
    """The scorer as JSON; columns without points in the settings add nothing."""
    intercept = float(logit(settings.base_rate))
    return as_scorer("scorecard", intercept, build_terms(features, settings))


def build_terms(features: Sequence[Feature], settings: Scorecard) -> list[Term]:
    """A term for each feature."""
    with_points = {term.name: term for term in _build_points(settings)}
    terms = []
    for feature in features:
        neutral = Term(feature.name, log=is_log(feature))
        terms.append(with_points.get(feature.name, neutral))
    return terms


def with_points(features: Sequence[Feature]) -> list[Feature]:
    """The features that the scorecard can give points for."""
    names = {term.name for term in _build_points(Scorecard())}
    return [feature for feature in features if feature.name in names]


def _build_points(settings: Scorecard) -> list[Term]:
    answers = [
        Term(
            f"bant_{letter}",
            log=False,
            low=0.0,
            high=1.0,
            center=0.5,
            slope=getattr(settings, letter),
        )
        for letter in LETTERS
    ]
    recency = Term(
        "engagement_activities_days_since",
        log=True,
        low=0.0,
        high=MOST_DAYS,
        center=float(np.log1p(NEUTRAL_DAYS)),
        slope=-settings.recency,
    )
    activity = Term(
        "engagement_activities_30d",
        log=True,
        low=0.0,
        high=MOST_ACTIVITIES,
        slope=settings.activity,
    )
    response = Term(
        "engagement_activities_two_way_share",
        log=False,
        low=0.0,
        high=1.0,
        center=0.5,
        slope=settings.response,
    )
    return [*answers, recency, activity, response]
