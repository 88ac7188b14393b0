"""One lead in full: what was known of it when, what each thing adds, and its past scores."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.features.feature import Feature
from leadscore.features.matrix import build_matrix
from leadscore.history.facts import KnownFact
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.scoring.contributions import Contributions
from leadscore.scoring.features import build_model_features
from leadscore.settings.fields import LeadField
from leadscore.settings.settings import Settings
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
    make the probability of it. `facts` are all that was known by then, the oldest first, with the
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
    matrix = build_matrix(history.snapshot(rows[rows["lead_id"] == lead_id]), features)
    added = model.contributions(matrix.columns)
    contributions = Contributions(
        features=features,
        columns=matrix.columns,
        encoded=model.encode(matrix.columns),
        added=added[:, :-1],
        evidence=model.document.get("evidence", {}),
    )
    log_odds = model.log_odds(matrix.columns)
    probability = model.probability(log_odds, shift)
    is_dated = history.settings.is_dated
    return {
        "base": float(added[0, -1]),
        "groups": _list_groups(contributions),
        "log_odds": float(log_odds[0]),
        "calibrator": model.document["calibrator"]["kind"],
        "shift": shift,
        "win_probability": float(probability[0]),
        "facts": _list_facts(history, lead_id, as_of_us=as_of_us) if is_dated else [],
    }


def read_past_scores(receipts: pa.Table, lead_id: str) -> list[dict[str, Any]]:
    """All published scores of a lead, the oldest first; `as_of` is None where nothing is dated."""
    rows = receipts.filter(pc.equal(receipts["lead_id"], lead_id)).to_pandas()
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
    """What each group of features adds to the log-odds of one lead, the largest first, as JSON."""
    groups = []
    for members in contributions.groups:
        features = [_describe_feature(contributions, at) for at in members]
        total = 0.0
        for feature in features:
            total += feature["value"]
        features.sort(key=_size, reverse=True)
        groups.append(
            {
                "group": contributions.features[members[0]].group,
                "value": total,
                "features": features,
                "said": features[0]["said"],
            }
        )
    groups.sort(key=_size, reverse=True)
    return groups


def _size(entry: dict[str, Any]) -> float:
    return abs(float(entry["value"]))


def _describe_feature(contributions: Contributions, at: int) -> dict[str, Any]:
    """What a feature adds, in words and as a number; an unknown value is called so."""
    feature = contributions.features[at]
    value = contributions.value(0, at)
    added = float(contributions.added[0, at])
    is_known = value is not None
    sentence = feature.sentence(value, speaks_for=added > 0) if is_known else _describe_gap(feature)
    return {
        "name": feature.name,
        "said": sentence,
        "value": added,
        "evidence": contributions.describe_evidence(0, at) if is_known else "",
    }


def _describe_gap(feature: Feature) -> str:
    subject = feature.up.partition(":")[0].replace("{value}", "").strip()
    why = "not shown, since it names our own people" if feature.names_people else "not known"
    return f"{subject}: {why}"


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
            "what": _describe_fact(fact, history.settings),
        }
        for fact in history.facts.about_lead(lead_id, known_us)
    ]


def _describe_fact(fact: KnownFact, settings: Settings) -> str:
    """A fact in words, with a field's value as a person writes it."""
    if fact.source != "changes":
        return fact.what
    field = settings.lead_fields().get(fact.what, LeadField())
    label = field.label or fact.what.replace("_", " ")
    return f"{label}: {_format_value(fact.value, field, zone=settings.timezone)}"


def _format_value(
    value: Any,
    field: LeadField,
    *,
    zone: str,
) -> str:
    if pd.isna(value):
        return "none"
    if field.type == "number":
        number = int(value) / 10**field.decimals
        zeros = "." + "0" * field.decimals
        return f"{number:,.{field.decimals}f}".removesuffix(zeros)
    if field.type == "date":
        moment = pd.Timestamp(int(value), unit="us", tz="UTC")
        return str(moment.tz_convert(zone).date())
    return str(value)
