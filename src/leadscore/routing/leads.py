"""The leads as routing sees them: value, what each counts for, and whether it is explored."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.features.matrix import read_texts
from leadscore.routing.explore import draw_explored
from leadscore.settings.routing import RoutingSettings


def build_leads(
    scores: pa.Table,
    fields: pa.Table,
    settings: RoutingSettings,
    *,
    seed: int,
    as_of_us: int,
) -> pd.DataFrame:
    """A row a scored lead, with lead_id, tier, `value`, `counts_for`, `explored` and its fields.

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
    leads["value"] = _compute_value(scores)

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
    joined: pd.DataFrame = scores.select(["lead_id"]).to_pandas()
    joined["tier"] = _share_texts(scores["tier"])
    place = pc.index_in(scores["lead_id"], fields["lead_id"].combine_chunks())
    for name in dict.fromkeys(["owner_id", *settings.match.columns().values()]):
        joined[name] = _share_texts(fields[name].take(place))
    return joined


def _share_texts(column: pa.ChunkedArray) -> pd.Series[str]:
    """Texts (n,), equal ones as one object: a lead takes no more than a pointer."""
    return pd.Series(read_texts(column), dtype=object)


def _compute_value(scores: pa.Table) -> pd.Series[float]:
    """The expected value of each lead (n,), or its probability where no lead has an amount.

    A lead without an expected value has that of its probability times the mean amount of the
    others, which is the sum of their expected values over that of their probabilities.
    """
    probability: pd.Series[float] = scores["win_probability"].to_pandas()
    if "expected_value" not in scores.column_names:
        return probability
    expected: pd.Series[float] = scores["expected_value"].to_pandas()
    is_known = expected.notna()
    if not is_known.any():
        return probability

    total = probability[is_known].sum()
    mean_amount = expected[is_known].sum() / total if total else 0.0
    return expected.where(is_known, probability * mean_amount).astype("float64")
