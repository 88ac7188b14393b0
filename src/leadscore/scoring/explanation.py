"""One lead in full: what was known of it and since when, what each thing adds, and its published scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.features.feature import Feature
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.facts import KnownFact
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.contributions.evidence import describe_evidence
from leadscore.scoring.reasons import known_value
from leadscore.settings.fields import LeadField
from leadscore.settings.settings import Settings
from leadscore.times import format_us


def explain_lead(
    history: History, model: WinModel, *, lead_id: str, as_of_us: int, shift: float = 0.0
) -> dict[str, Any]:
    """What a model says of a lead as it was known at a moment, as JSON.

    `base` and the `value` of all `groups`, each with its features and their sentences, add up to `log_odds`; the
    `shift` of the times is added when that is calibrated;
    `facts` are all that was known by then, the oldest first, with the moments at which they happened and were known.
    """
    features = build_features(
        history.settings, leave_out=frozenset(model.document.get("left_out", ()))
    )
    rows = history.open_list(as_of_us)
    matrix = build_matrix(history.snapshot(rows[rows["lead_id"] == lead_id]), features)
    contributions, encoded = model.contributions(matrix.columns)[0], model.encode(matrix.columns)[0]
    log_odds = model.log_odds(matrix.columns)
    return {
        "base": float(contributions[-1]),
        "groups": _groups(model, matrix.columns, features, contributions[:-1], encoded),
        "log_odds": float(log_odds[0]),
        "calibrator": model.document["calibrator"]["kind"],
        "shift": shift,
        "win_probability": float(model.probability(log_odds, shift)[0]),
        "facts": _read_facts(history, lead_id, history.known_us(as_of_us))
        if history.settings.is_dated
        else [],
    }


def _groups(
    model: WinModel,
    columns: dict[str, np.ndarray],
    features: list[Feature],
    added: np.ndarray,
    encoded: np.ndarray,
) -> list[dict[str, Any]]:
    """What each group of features adds, the largest first; a feature without a value says that it is not known."""
    found: dict[str, dict[str, Any]] = {}
    evidence = model.document.get("evidence", {})
    for at, feature in enumerate(features):
        value = known_value(feature, columns[feature.name][0], encoded[at])
        known = value is not None
        why = "not shown, since it names our own people" if feature.names_people else "not known"
        unknown = f"{feature.up.partition(':')[0].replace('{value}', '').strip()}: {why}"
        said = feature.sentence(value, speaks_for=added[at] > 0) if known else unknown
        group = found.setdefault(
            feature.group, {"group": feature.group, "value": 0.0, "features": []}
        )
        group["value"] += float(added[at])
        seen = value if feature.is_category else encoded[at]
        told = describe_evidence(evidence, feature, seen) if known else ""
        group["features"].append(
            {"name": feature.name, "said": said, "value": float(added[at]), "evidence": told}
        )
    for group in found.values():
        group["features"].sort(key=lambda each: -abs(each["value"]))
        group["said"] = group["features"][0]["said"]
    return sorted(found.values(), key=lambda group: -abs(group["value"]))


def _tell_fact(fact: KnownFact, settings: Settings) -> str:
    """A fact in words, a field's value as a person writes it."""
    if fact.source != "changes":
        return fact.what
    field = settings.lead_fields().get(fact.what, LeadField())
    label = field.label or fact.what.replace("_", " ")
    return f"{label}: {_tell_value(fact.value, field, zone=settings.timezone)}"


def _tell_value(value: Any, field: LeadField, *, zone: str) -> str:
    if pd.isna(value):
        return "none"
    if field.type == "number":
        return f"{int(value) / 10**field.decimals:,.{field.decimals}f}".removesuffix(
            "." + "0" * field.decimals
        )
    if field.type == "date":
        return str(pd.Timestamp(int(value), unit="us", tz="UTC").tz_convert(zone).date())
    return str(value)


def _read_facts(history: History, lead_id: str, known_us: int) -> list[dict[str, Any]]:
    return [
        {
            "happened": format_us(fact.event_us),
            "known": format_us(fact.available_us),
            "table": fact.source,
            "what": _tell_fact(fact, history.settings),
        }
        for fact in history.facts.about_lead(lead_id, known_us)
    ]


def read_past_scores(receipts: pa.Table, lead_id: str) -> list[dict[str, Any]]:
    """All that was published of a lead, the oldest first; `as_of` is None where nothing is dated."""
    mine = receipts.filter(pc.equal(receipts["lead_id"], lead_id)).to_pandas()
    mine = mine.sort_values(["as_of", "publication_id"], kind="stable")
    return [
        {
            "as_of": pd.Timestamp(row.as_of).isoformat().replace("+00:00", "Z")
            if row.as_of.value
            else None,
            "win_probability": float(row.win_probability),
            "score": float(row.score),
            "tier": str(row.tier),
            "model_version": str(row.model_version),
            "publication_id": str(row.publication_id),
        }
        for row in mine.itertuples()
    ]
