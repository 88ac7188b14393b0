"""What a report says of the model: how well it did, what it rests on, what the audit doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadscore.report.estimates import Tile, build_tiles
from leadscore.report.formats import format_number
from leadscore.report.importance import GroupShare, list_importance
from leadscore.report.listing.contents import ListContents
from leadscore.report.listing.reliability import PlacedBin, place_bins
from leadscore.report.listing.texts import name_day
from leadscore.report.wording import AUDITED, HEADLINE, HEADLINE_GAIN
from leadscore.results import AuditedField, BacktestReport, Evaluation, ReplayedDate


@dataclass(frozen=True)
class ReplayedRow:
    """A past date at which training and scoring were replayed."""

    day: str
    open: int
    settled: int
    won: int
    auc: str
    gain: str


@dataclass(frozen=True)
class AuditRow:
    """A field that the audit doubts, and what became of it."""

    field: str
    verdict: str
    evidence: str
    use: str


@dataclass(frozen=True)
class Modelled:
    """The model's part of a report."""

    basis: str
    tiles: list[Tile]
    bins: list[PlacedBin]
    groups: list[GroupShare]
    groups_summary: str
    replayed: list[ReplayedRow]
    audit: list[AuditRow]
    not_learned_from: list[str]
    limits_broken: list[str]


def describe_model(contents: ListContents) -> Modelled | None:
    """The model's part of a report; None where its evaluation is gone."""
    evaluation = contents.evaluation
    if evaluation is None:
        return None
    carriers = evaluation.carriers
    return Modelled(
        basis=evaluation.basis,
        tiles=_build_tiles(evaluation),
        bins=place_bins(evaluation.reliability),
        groups=list_importance(carriers),
        groups_summary=carriers.summary if carriers else "",
        replayed=_build_replayed(contents.backtest),
        audit=_build_audit(evaluation.audit),
        not_learned_from=evaluation.not_learned_from,
        limits_broken=evaluation.limits_broken,
    )


def _build_tiles(evaluation: Evaluation) -> list[Tile]:
    tiles = build_tiles(evaluation.overall, HEADLINE)
    return tiles + build_tiles(evaluation.gain, {"log_loss_gain": HEADLINE_GAIN})


def _build_replayed(backtest: BacktestReport | None) -> list[ReplayedRow]:
    dates = backtest.dates if backtest else []
    return [_describe_date(date) for date in dates]


def _describe_date(date: ReplayedDate) -> ReplayedRow:
    metrics = date.models["leadscore"]
    gain = metrics.log_loss_gain
    return ReplayedRow(
        day=name_day(date.as_of) if "T" in date.as_of else date.as_of,
        open=date.open,
        settled=date.settled,
        won=date.won,
        auc=format_number(metrics.auc.value),
        gain=format_number(gain.value if gain else None),
    )


def _build_audit(fields: Sequence[AuditedField]) -> list[AuditRow]:
    rows = []
    for field in fields:
        kind = (field.verdict, field.left_out)
        if kind in AUDITED:
            title = AUDITED[kind][0].rstrip(".")
            use = "left out" if field.left_out else "learned from"
            evidence = field.in_words or field.evidence
            rows.append(AuditRow(field.field, title, evidence, use))
    return rows
