"""The leads as routing sees them: value, what each counts for, and whether it is explored."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from leadscore.routing.explore import draw_explored
from leadscore.settings.routing import RoutingSettings

SCORE_COLUMNS = ("lead_id", "tier", "win_probability", "expected_value")


def build_leads(
    scores: pa.Table,
    fields: pa.Table,
    settings: RoutingSettings,
    *,
    seed: int,
    as_of_us: int,
) -> pd.DataFrame:
    """A row a scored lead, with `value`, `counts_for`, `explored` and its fields.

    An explored lead counts for as much as the median lead of the best tier, if that is more than
    its own value.

    Args:
        scores: lead_id, tier, win_probability and, where there are amounts, expected_value of the
            open leads.
        fields: lead_id, owner_id and the fields of `match`, of all leads, open or not.
        settings: the section `routing`.
        seed: for exploration.
        as_of_us: the moment, for exploration.
    """
    leads = _join_fields(scores, fields, settings)
    leads["value"] = _compute_value(leads)

    is_low = ~leads["tier"].isin(settings.tiers)
    is_drawn = draw_explored(
        leads["lead_id"],
        share=settings.explore_share,
        seed=seed,
        as_of_us=as_of_us,
    )
    leads["explored"] = is_low & is_drawn

    best_tier = min(settings.tiers)
    is_best = leads["tier"] == best_tier
    median = leads.loc[is_best, "value"].median()
    is_raised = leads["explored"] & (leads["value"] < median)
    leads["counts_for"] = leads["value"].mask(is_raised, median)
    return leads


def _join_fields(
    scores: pa.Table,
    fields: pa.Table,
    settings: RoutingSettings,
) -> pd.DataFrame:
    present = [name for name in SCORE_COLUMNS if name in scores.column_names]
    matched = settings.match.columns().values()
    wanted = dict.fromkeys(["lead_id", "owner_id", *matched])
    left = scores.select(present).to_pandas()
    right = fields.select(list(wanted)).to_pandas()
    joined: pd.DataFrame = left.merge(
        right,
        on="lead_id",
        how="left",
        validate="one_to_one",
    )
    return joined


def _compute_value(leads: pd.DataFrame) -> pd.Series[float]:
    """The expected value of each lead (n,), or its probability where no lead has an amount.

    A lead without an expected value has that of its probability times the mean amount of the
    others, which is the sum of their expected values over that of their probabilities.
    """
    probability = leads["win_probability"]
    if "expected_value" not in leads:
        return probability
    expected = leads["expected_value"]
    is_known = expected.notna()
    if not is_known.any():
        return probability

    total = probability[is_known].sum()
    mean_amount = expected[is_known].sum() / total if total else 0.0
    return expected.where(is_known, probability * mean_amount).astype("float64")
