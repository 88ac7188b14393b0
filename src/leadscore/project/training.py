"""Training as of a moment: a model in a folder of its own, with its card and what was decided about it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from leadscore.atomic import write_bytes
from leadscore.audit.confirm import build_confirmation
from leadscore.audit.people import find_people
from leadscore.audit.verdict import FieldVerdict, audit_learned, clocks, left_out
from leadscore.errors import TooLittleHistoryError
from leadscore.features.fields import mapped_fields
from leadscore.features.people import unasked_fields
from leadscore.history.split import History
from leadscore.ingest.reps import read_rep_names
from leadscore.json_files import canonical_json, read_json
from leadscore.model.contributions.carriers import describe_carriers, share_of_fields
from leadscore.model.fallback import fit_scorecard
from leadscore.model.files import write_model
from leadscore.model.horizon import choose_horizon
from leadscore.model.no_outcomes import describe_missing_outcomes
from leadscore.model.train import FitResult, fit_model
from leadscore.progress import Progress, silent
from leadscore.project.deciding import (
    Champion,
    decide_training,
    hold_unconfirmed,
    read_champion,
    read_earlier_decision,
)
from leadscore.project.opened import checked_as_of, open_store
from leadscore.project.trail import record
from leadscore.registry.registry import Registry
from leadscore.report.card import build_card
from leadscore.report.figures.build import build_figures
from leadscore.results import (
    AuditedField,
    Carriers,
    Confirmation,
    Evaluation,
    OwnAuc,
    Promotion,
    Trained,
)
from leadscore.settings.settings import Settings
from leadscore.validation.promotion import PromotionDecision


def train(
    settings: Settings,
    *,
    as_of_us: int | None = None,
    progress: Progress = silent,
) -> Trained:
    """A model trained as of a moment (default: known_until), written with its card; `register` makes it count.

    Leaking fields are left out, unless the settings keep them; `evaluation.audit` says so of every field.
    """
    registry = Registry(settings)
    champion = read_champion(registry)  # before minutes of training, in case the registry is away
    with open_store(settings) as opened:
        known_us = opened.known_us(checked_as_of(opened, as_of_us))
        history, horizon_why = choose_horizon(opened, known_us=known_us)
        settings = history.settings
        progress("auditing", 0, 1)
        audited = _audit(history, known_us=known_us)
        result = _fit(history, audited, known_us=known_us, progress=progress)
        carriers = describe_carriers(result, settings)
        confirmation = _confirm(result, audited, settings, carriers=carriers)
        evaluation = _describe(
            history, result, audited, carriers=carriers, confirmation=confirmation
        )
        evaluation = evaluation.model_copy(update={"horizon_why": horizon_why})
        result = replace(result, evaluation=evaluation)
        folder = settings.models_folder / settings.project
        home = write_model(folder, result, settings=settings, store_version=history.version.id)
        decision = read_earlier_decision(registry, home.name, cards=card_folder(home))
        if decision is None:
            promotion = decide_training(
                history, result, champion, leaks=audited.leave_out, progress=progress
            )
            decision = _record_decision(hold_unconfirmed(promotion, confirmation), champion)
    return _write_training(
        result, decision, home=home, settings=settings, store_version=history.version.id
    )


def _record_decision(promotion: PromotionDecision, champion: Champion | None) -> Promotion:
    against = champion.version if champion else None
    return promotion.summarise().model_copy(update={"against": against})


def _write_training(
    result: FitResult,
    decision: Promotion,
    *,
    home: Path,
    settings: Settings,
    store_version: str,
) -> Trained:
    """The training in the folder `home`, its card written beside it."""
    _write_card(home, result, decision=decision, settings=settings)
    why = result.no_signal or decision.why
    record(settings, "trained", why=why, model_version=home.name, store_version=store_version)
    return Trained(
        project=settings.project,
        model_version=None if result.no_signal else home.name,
        no_signal=result.no_signal,
        folder=str(home),
        card=str(card_folder(home) / "card.html"),
        promotion=decision,
        store_version=store_version,
        evaluation=result.evaluation,
    )


@dataclass(frozen=True)
class _Audited:
    """The verdicts on fields, those that name our own people, and what the model must do without."""

    verdicts: tuple[FieldVerdict, ...]
    people: frozenset[str]
    leave_out: frozenset[str]
    clocks: frozenset[str]


def _audit(history: History, *, known_us: int) -> _Audited:
    settings = history.settings
    verdicts = tuple(audit_learned(history, known_us=known_us))
    names_of_reps = read_rep_names(settings)
    people = frozenset(find_people(history, known_us=known_us, reps=names_of_reps))
    leave_out = left_out(verdicts, settings) | people
    return _Audited(verdicts, people, leave_out, clocks(verdicts, settings))


def _fit(history: History, audited: _Audited, *, known_us: int, progress: Progress) -> FitResult:
    """What could be learned; the scorecard of the settings where that is too little."""
    leave_out = audited.leave_out
    try:
        return fit_model(
            history,
            known_us=known_us,
            progress=progress,
            leave_out=leave_out,
            time_proxies=audited.clocks,
        )
    except TooLittleHistoryError as e:
        why = describe_missing_outcomes(history, known_us=known_us) or str(e)
        return fit_scorecard(history, known_us=known_us, why=why, leave_out=leave_out)


def _confirm(
    result: FitResult,
    audited: _Audited,
    settings: Settings,
    *,
    carriers: Carriers | None,
) -> Confirmation | None:
    """What somebody has to confirm before the model may score; nothing where nothing was learned."""
    if result.no_signal or carriers is None:
        return None
    overall = result.evaluation.overall
    return build_confirmation(
        audited.verdicts,
        settings,
        left_out={*result.model.document["left_out"], *audited.people},
        auc=overall.auc.value if overall else None,
        share_of_fields=share_of_fields(carriers.groups),
    )


def _describe(
    history: History,
    result: FitResult,
    audited: _Audited,
    *,
    carriers: Carriers | None,
    confirmation: Confirmation | None,
) -> Evaluation:
    """The evaluation, with what the fields are and what has to be confirmed."""
    settings = history.settings
    mapped = mapped_fields(settings) | history.facts.changed_fields(result.known_us)
    ruled_out = unasked_fields(settings) | audited.people
    left_out_fields = result.model.document["left_out"]
    verdicts = [verdict for verdict in audited.verdicts if verdict.field not in audited.people]
    described = {
        "audit": [_describe_verdict(verdict, left_out_fields) for verdict in verdicts],
        "carriers": carriers,
        "confirm": confirmation,
        "not_asked_for": sorted(ruled_out & mapped),
    }
    return result.evaluation.model_copy(update=described)


def _describe_verdict(verdict: FieldVerdict, left_out_fields: Collection[str]) -> AuditedField:
    auc = OwnAuc.from_dict(vars(verdict.auc)) if verdict.auc else None
    return AuditedField(
        field=verdict.field,
        verdict=verdict.verdict,
        evidence=verdict.evidence,
        auc=auc,
        in_words=verdict.in_words(),
        left_out=verdict.field in left_out_fields,
    )


def card_folder(home: Path) -> Path:
    """Where card, figures and decision of the model in the folder `home` are."""
    return home.parent / "cards" / home.name


def _write_card(home: Path, result: FitResult, *, decision: Promotion, settings: Settings) -> None:
    """Write what is shown of a model: card, figures, features, and what was decided."""
    figures = build_figures(result.evaluation)
    card = build_card(
        evaluation=result.evaluation,
        features=result.features,
        manifest=read_json(home / "manifest.json"),
        settings=settings,
        figures=figures,
        version=None if result.no_signal else home.name,
    )
    features = [
        {
            "name": feature.name,
            "unit": feature.unit,
            "direction": feature.direction,
            "group": feature.group,
        }
        for feature in result.features
    ]
    texts = {"card.html": card.encode()}
    for name, svg in figures.items():
        texts[f"figures/{name}"] = svg.encode()
    texts["promotion.json"] = canonical_json(decision.to_dict())
    texts["features.json"] = canonical_json({"features": features})
    for name, data in texts.items():
        write_bytes(card_folder(home) / name, data)
