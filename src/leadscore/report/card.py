"""The model card: what a model predicts, from what, how well, and when not to trust it.

One HTML page of features and numbers: it shows no lead, and no value of a category but those of
`model.segment`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadscore.features.feature import Feature
from leadscore.features.units import shown
from leadscore.report.estimates import MetricRow, Tile, build_metric_rows, build_tiles
from leadscore.report.formats import UNKNOWN
from leadscore.report.importance import list_importance
from leadscore.report.page import render_page
from leadscore.report.wording import (
    AUDITED,
    CALIBRATORS,
    DIRECTIONS,
    FAMILIES,
    HEADLINE,
    HEADLINE_GAIN,
    READINGS,
    SCORERS,
)
from leadscore.results import AuditedField, Evaluation, Metrics
from leadscore.settings.settings import Settings
from leadscore.wording import describe_memory_step, describe_next_step


@dataclass(frozen=True)
class FeatureRow:
    """A feature as the card lists it."""

    name: str
    phrases: str
    unit: str
    direction: str


@dataclass(frozen=True)
class Family:
    """The features of one family."""

    title: str
    about: str
    features: list[FeatureRow]


@dataclass(frozen=True)
class Part:
    """The metrics of a part of the leads, and how the card lists them."""

    title: str
    about: Metrics
    rows: list[MetricRow]


@dataclass(frozen=True)
class AuditedFields:
    """Fields on which the audit came to the same verdict, and what that means."""

    title: str
    meaning: str
    fields: list[AuditedField]


def build_card(
    *,
    evaluation: Evaluation,
    features: Sequence[Feature],
    manifest: Mapping[str, Any],
    settings: Settings,
    figures: Mapping[str, str],
    version: str | None = None,
) -> str:
    """A self-contained HTML page, without scripts or external requests.

    Args:
        evaluation: as `fit_model` returns it; if it says `no_signal`, so does the card, first.
        features: what the model was learned from.
        manifest: of the model; project, known_until, store_version and seed are shown.
        settings: of the project.
        figures: name -> SVG text, as `build_figures` returns them; shown in their order.
        version: of the model, or None if it was not kept.
    """
    fields = settings.lead_fields()
    step = shown(float(settings.target.cadence_days), "days")
    with_readings = [(svg, READINGS.get(name, "")) for name, svg in figures.items()]
    return render_page(
        "card.html.j2",
        evaluation=evaluation,
        manifest=manifest,
        settings=settings,
        dated=settings.is_dated,
        version=version,
        unknown=UNKNOWN,
        horizon=settings.target.horizon_days,
        step=step,
        figures=with_readings,
        families=_build_families(features),
        importance=list_importance(evaluation.carriers),
        labels={name: field.label for name, field in fields.items()},
        **_describe_metrics(evaluation, settings),
        **_describe_fields(evaluation),
    )


def _describe_metrics(evaluation: Evaluation, settings: Settings) -> dict[str, Any]:
    """What the template needs of metrics, groups and the model's parts."""
    groups = {
        "Tier by tier": evaluation.tiers,
        f"By {_name_segment(settings)}": evaluation.segments,
    }
    return {
        "headline": _build_headline(evaluation),
        "overall": build_metric_rows(evaluation.overall),
        "parts": _describe_parts(evaluation.metrics),
        "gain": build_metric_rows(evaluation.gain),
        "groups": [(title, rows) for title, rows in groups.items() if rows],
        "calibrator": CALIBRATORS[evaluation.calibrator.kind],
        "scorer": SCORERS[evaluation.scorer.kind],
    }


def _describe_parts(metrics: Mapping[str, Metrics]) -> list[Part]:
    """The metrics of young and of older leads, as far as there are any."""
    titles = {"young": "Young", "older": "Older"}
    return [
        Part(title, metrics[name], build_metric_rows(metrics[name]))
        for name, title in titles.items()
        if name in metrics
    ]


def _build_headline(evaluation: Evaluation) -> list[Tile]:
    """The few numbers to know."""
    tiles = build_tiles(evaluation.overall, HEADLINE)
    return tiles + build_tiles(evaluation.gain, {"log_loss_gain": HEADLINE_GAIN})


def _name_segment(settings: Settings) -> str:
    """What the field of `model.segment` is called."""
    name = settings.model.segment
    if not name:
        return "segment"
    label = settings.lead_fields()[name].label
    return label or name.replace("_", " ")


def _describe_fields(evaluation: Evaluation) -> dict[str, Any]:
    """What the template needs of the fields that were left out, or that the audit doubts."""
    unasked = evaluation.not_asked_for
    undated = [name for name in evaluation.not_learned_from if name not in unasked]
    return {
        "unasked_fields": unasked,
        "undated_fields": undated,
        "next_step": describe_next_step(undated),
        "undated_keys": evaluation.keys_not_learned_from,
        "memory_step": describe_memory_step(evaluation.keys_not_learned_from),
        "audited": _group_audit(evaluation.audit),
    }


def _group_audit(audit: Sequence[AuditedField]) -> list[AuditedFields]:
    """The fields that the audit found against, by verdict and by whether they were left out."""
    groups = []
    for kind, (title, meaning) in AUDITED.items():
        fields = [field for field in audit if (field.verdict, field.left_out) == kind]
        if fields:
            groups.append(AuditedFields(title, meaning, fields))
    return groups


def _build_families(features: Sequence[Feature]) -> list[Family]:
    """Features by family, in the order in which the families first come."""
    families: dict[str, Family] = {}
    for feature in features:
        name = feature.name.split("_")[0]
        if name not in families:
            title, about = FAMILIES.get(name, (name, ""))
            families[name] = Family(title, about, [])
        families[name].features.append(_describe_feature(feature))
    return list(families.values())


def _describe_feature(feature: Feature) -> FeatureRow:
    return FeatureRow(
        name=feature.name,
        phrases=feature.phrase.subject,
        unit=feature.unit,
        direction=DIRECTIONS[feature.direction],
    )
