"""The scorecard: points from the settings alone, in log-odds around a base rate; it needs no closed lead.

An answer to a BANT question moves raw by -points/2 (weakest) to +points/2 (strongest), so that a middling answer, like
an unknown one, says nothing. The last activity counts the less the longer ago it was, activities count the more there
are, and both say nothing of a lead without any: perhaps its activities are kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from leadscore.features.feature import Feature
from leadscore.model.scorers.linear import Term, as_scorer, is_log, log_odds_of
from leadscore.settings.scorecard import Scorecard

MOST_DAYS = 90.0  # since the last activity; longer ago is no worse
NEUTRAL_DAYS = 7.0
MOST_ACTIVITIES = 30.0  # in 30 days; more are no better


def build_scorecard(features: Sequence[Feature], settings: Scorecard) -> dict[str, Any]:
    """The scorer as JSON; columns that the settings give no points add nothing."""
    return as_scorer("scorecard", log_odds_of(settings.base_rate), build_terms(features, settings))


def build_terms(features: Sequence[Feature], settings: Scorecard) -> list[Term]:
    """A term for each feature."""
    known = {term.name: term for term in _points(settings)}
    return [known.get(f.name, Term(f.name, log=is_log(f), low=0.0, high=0.0)) for f in features]


def _points(settings: Scorecard) -> list[Term]:
    letters = {
        name: getattr(settings, name) for name in ("budget", "authority", "need", "timeline")
    }
    return [
        *(
            Term(f"bant_{name}", log=False, low=0.0, high=1.0, center=0.5, slope=x)
            for name, x in letters.items()
        ),
        Term(
            "engagement_activities_days_since",
            log=True,
            low=0.0,
            high=MOST_DAYS,
            center=float(np.log1p(NEUTRAL_DAYS)),
            slope=-settings.recency,
        ),
        Term(
            "engagement_activities_30d",
            log=True,
            low=0.0,
            high=MOST_ACTIVITIES,
            slope=settings.activity,
        ),
        Term(
            "engagement_activities_two_way_share",
            log=False,
            low=0.0,
            high=1.0,
            center=0.5,
            slope=settings.response,
        ),
    ]
