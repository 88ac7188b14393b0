"""One lead in full: what was known of it when, what each thing adds, and its past scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.features.feature import Feature
from leadscore.features.matrix import build_matrix
from leadscore.history.split import History
from leadscore.model.apply import Columns, WinModel
from leadscore.scoring.contributions import Contributions, elapsed_at
from leadscore.scoring.features import build_model_features
from leadscore.scoring.timeline import describe_fact
from leadscore.scoring.waterfall import spread_points
from leadscore.times import format_us


def explain_lead(
    history: History,
    model: WinModel,
    *,
    lead_id: str,
    as_of_us: int,
    shift: float = 0.0,
) -> dict[str, Any]:
    """What a model says of a lead as it was known at a moment, as JSON.

    `base`, the intercept, and the `value` of all `groups`, each with its features and their
    sentences, add up to `log_odds`. The calibrator, and then the `shift` of the running intercept,
    make the probability of it: `start_probability` is that of the intercept alone, and the `points`
    of all groups, one after the other, and `shift_points` lead from it to `win_probability` (see
    `spread_points`). `facts` are all that was known by then, the oldest first, with the
    moments at which they happened and became known.

    Args:
        history: where the lead is.
        model: what scores it.
        lead_id: a lead open at `as_of_us`.
        as_of_us: the moment.
        shift: the running intercept, in log-odds.
    """
    features = build_model_features(history.settings, model)
    rows = history.open_list(as_of_us)
    own_rows = rows[rows["lead_id"] == lead_id]
    matrix = build_matrix(history.snapshot(own_rows), features)
    elapsed = elapsed_at(history, as_of_us)
    explanation = _explain_score(model, features, matrix.columns, elapsed=elapsed, shift=shift)
    is_dated = history.settings.is_dated
    facts = _list_facts(history, lead_id, as_of_us=as_of_us) if is_dated else []
    return explanation | {"facts": facts}


def _explain_score(
    model: WinModel,
    features: Sequence[Feature],
    columns: Columns,
    *,
    elapsed: float,
    shift: float,
) -> dict[str, Any]:
    """How the features of one lead, in columns (1,), make its probability, as JSON."""
    added = model.contributions(columns)
    log_odds = model.log_odds(columns)
    contributions = Contributions(
        features=features,
        columns=columns,
        encoded=model.encode(columns),
        added=added[:, :-1],
        evidence=model.document.get("evidence", {}),
        elapsed=elapsed,
    )
    groups = _list_groups(contributions)

    start = float(model.probability(added[:, -1])[0])
    end = float(model.probability(log_odds)[0])
    totals = np.array([group["value"] for group in groups])
    *points, shift_points = spread_points(totals, start, end, shift=shift)
    for group, size in zip(groups, points, strict=True):
        group["points"] = size

    probability = model.probability(log_odds, shift)
    return {
        "base": float(added[0, -1]),
        "start_probability": start,
        "groups": groups,
        "shift_points": shift_points,
        "log_odds": float(log_odds[0]),
        "calibrator": model.document["calibrator"]["kind"],
        "shift": shift,
        "win_probability": float(probability[0]),
    }


def read_past_scores(receipts: pa.Table, lead_id: str) -> list[dict[str, Any]]:
    """All published scores of a lead, the oldest first; `as_of` is None where nothing is dated."""
    is_own = pc.equal(receipts["lead_id"], lead_id)
    rows = receipts.filter(is_own).to_pandas()
    rows = rows.sort_values(["as_of", "publication_id"], kind="stable")
    return [
        {
            "as_of": _format_as_of(row.as_of),
            "win_probability": float(row.win_probability),
            "score": float(row.score),
            "tier": str(row.tier),
            "model_version": str(row.model_version),
            "publication_id": str(row.publication_id),
        }
        for row in rows.itertuples()
    ]


def _format_as_of(as_of: pd.Timestamp) -> str | None:
    """The date of a list; one without a date bears 1970-01-01."""
    if as_of.value == 0:
        return None
    return as_of.isoformat().replace("+00:00", "Z")


def _list_groups(contributions: Contributions) -> list[dict[str, Any]]:
    """What each group of features adds to the log-odds of one lead, the largest first, as JSON.

    Of its features the main one comes first, then the largest.
    """
    groups = []
    for group, members in enumerate(contributions.groups):
        main = contributions.main_of(0, group)
        features = [_describe_feature(contributions, at) for at in members]
        total = 0.0
        for feature in features:
            total += feature["value"]

        first = features.pop(members.index(main))
        features.sort(key=_size, reverse=True)
        features.insert(0, first)
        groups.append(
            {
                "group": contributions.features[members[0]].group,
                "value": total,
                "features": features,
                "summary": first["summary"],
            }
        )
    groups.sort(key=_size, reverse=True)
    return groups


def _size(entry: dict[str, Any]) -> float:
    return abs(float(entry["value"]))


def _describe_feature(contributions: Contributions, at: int) -> dict[str, Any]:
    """What a feature adds, in words and as a number; an unknown value is called so."""
    feature = contributions.features[at]
    is_known = contributions.value(0, at) is not None
    similar = contributions.similar(0, at) if is_known else None
    return {
        "name": feature.name,
        "summary": contributions.describe_known(0, at),
        "value": float(contributions.added[0, at]),
        "evidence": "" if similar is None else str(similar),
    }


def _list_facts(
    history: History,
    lead_id: str,
    *,
    as_of_us: int,
) -> list[dict[str, Any]]:
    known_us = history.known_us(as_of_us)
    return [
        {
            "happened": format_us(fact.event_us),
            "known": format_us(fact.available_us),
            "table": fact.source,
            "what": describe_fact(fact, history.settings),
        }
        for fact in history.facts.about_leads([lead_id], known_us)[lead_id]
    ]
