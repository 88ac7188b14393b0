"""What becomes of trainings: registered, compared, and replaced by the one before."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from leadscore.addresses import hide_secrets
from leadscore.audit.confirm import still_to_confirm
from leadscore.errors import CorruptFileError, NoStoreError, TooLittleHistoryError
from leadscore.files import is_there, read_if_there
from leadscore.json_files import read_result
from leadscore.locks import WRITING, sweep
from leadscore.model.horizon import choose_horizon
from leadscore.progress import Progress, silent
from leadscore.project.auditing import doubt_fields
from leadscore.project.opened import open_store
from leadscore.project.trail import record
from leadscore.project.training import card_folder, without
from leadscore.proposals import propose
from leadscore.registry.registry import CHAMPION, Decision, ModelVersion, Registry, Who
from leadscore.results import (
    Compared,
    EvaluatedVersion,
    Moved,
    Promotion,
    Registered,
    Shown,
    Versions,
)
from leadscore.results.trail import Event
from leadscore.settings.settings import Settings
from leadscore.validation.evidence import evaluate_recipes
from leadscore.validation.overlap import compare_lists
from leadscore.validation.promotion import PromotionDecision, decide_promotion, hold_unproven
from leadscore.validation.recipe import Recipe

SHOWN = ("*.html", "*.json", "figures/*.svg")  # what a run shows of the files beside a model


def register(settings: Settings, folder: Path, *, who: Who, promote: bool = False) -> Registered:
    """Log the training in `folder` with MLflow; it becomes champion or challenger, as `train` decided.

    With `promote` it becomes champion whatever was decided. Repeating it changes nothing.
    """
    registry = Registry(settings)
    was = registry.champion()
    decision = _read_decision(folder)
    version = registry.register(
        folder,
        files=_read_shown(folder),
        who=replace(who, why=decision.why),
        decision=Decision(decision.promoted, decision.against, decision.evidence),
    )
    if version and promote and CHAMPION not in version.aliases:
        version = registry.promote(str(version.number), who)
    champion = registry.champion()
    why = who.why if promote else decision.why
    _record_registered(settings, version, was=was, who=replace(who, why=why))
    return Registered.from_dict(
        {
            "registered": asdict(version) if version else None,
            "champion": asdict(champion) if champion else None,
            "registered_model": registry.name,
            "tracking_uri": hide_secrets(settings.tracking_uri()),
        }
    )


def _record_registered(
    settings: Settings, version: ModelVersion | None, *, was: ModelVersion | None, who: Who
) -> None:
    """That a version scores now, or that it does not; nothing of one that scored before."""
    if version is None or (was is not None and was.number == version.number):
        return
    what: Event = "promoted" if CHAMPION in version.aliases else "refused"
    _record_move(settings, what, version, who=who)


def _record_move(settings: Settings, what: Event, version: ModelVersion, *, who: Who) -> None:
    number = str(version.number)
    record(settings, what, why=who.why, who=who, model_version=version.version, number=number)


def _read_shown(folder: Path) -> dict[str, str]:
    """The files that a run shows, by name; what was left half-written is removed first."""
    cards = card_folder(folder)
    sweep(cards.parent)
    sweep(cards)
    texts = {}
    for pattern in SHOWN:
        for path in cards.glob(pattern):
            if not path.name.startswith(WRITING):
                data = read_if_there(path) or b""
                name = path.relative_to(cards).as_posix()
                texts[name] = data.decode(errors="replace")
    return dict(sorted(texts.items()))


def _read_decision(folder: Path) -> Promotion:
    """What `train` decided about the model in `folder`."""
    path = card_folder(folder) / "promotion.json"
    if not is_there(path):  # a model from before there were such decisions
        why = "no champion yet, and better than the base rate"
        return Promotion(promoted=True, why=why)
    return read_result(path, Promotion, cure=f"run {propose('train')} again, which writes it anew")


def list_models(settings: Settings) -> Versions:
    """All versions, the newest first, and the moves of their aliases."""
    registry = Registry(settings)
    versions = [asdict(version) for version in registry.versions()]
    return Versions.from_dict(
        {"registered_model": registry.name, "versions": versions, "moves": registry.moves()}
    )


def show(settings: Settings, which: str) -> Shown:
    """A version with its evaluation."""
    registry = Registry(settings)
    return Shown(versions=[_describe(registry, registry.find(which))])


def promote(settings: Settings, which: str, *, who: Who) -> Moved:
    """Make a version the champion; the one before becomes `previous`."""
    moved = Registry(settings).promote(which, who)
    _record_move(settings, "promoted", moved, who=who)
    return Moved.from_dict(asdict(moved))


def compare(
    settings: Settings,
    champion: str,
    challenger: str,
    *,
    progress: Progress = silent,
) -> Compared:
    """Two versions as evaluated when trained, and what their recipes do on the latest leads.

    `promotion` is what would be decided about the second, were the first the champion.
    """
    registry = Registry(settings)
    versions = [registry.find(which) for which in (champion, challenger)]
    described = [_describe(registry, version) for version in versions]
    evaluation = described[1].evaluation
    try:
        promotion = _compare_recipes(settings, registry, versions, progress=progress)
    except (NoStoreError, TooLittleHistoryError) as e:
        promotion = PromotionDecision(False, f"their recipes cannot be evaluated now: {e}")
    promotion = hold_unproven(promotion, evaluation.unproven)
    to_confirm = still_to_confirm(evaluation.confirm, settings)
    if promotion.promoted and to_confirm:
        promotion = replace(promotion, promoted=False, why=to_confirm)
    return Compared(versions=described, promotion=promotion.summarise())


def _describe(registry: Registry, version: ModelVersion) -> EvaluatedVersion:
    evaluation = registry.read_evaluation(version)
    return EvaluatedVersion.from_dict({**asdict(version), "evaluation": evaluation})


def _compare_recipes(
    settings: Settings,
    registry: Registry,
    versions: list[ModelVersion],
    *,
    progress: Progress,
) -> PromotionDecision:
    champion, its_manifest, _ = registry.load(str(versions[0].number))
    challenger, other_manifest, _ = registry.load(str(versions[1].number))
    with open_store(settings) as opened:
        known_us = opened.version.known_until_us
        history, _ = choose_horizon(opened, known_us=known_us)
        leaks = doubt_fields(history, known_us=known_us)["leave_out"]
        evidence = evaluate_recipes(
            history,
            champion=without(Recipe.of(champion), leaks),
            challenger=without(Recipe.of(challenger), leaks),
            known_us=known_us,
            progress=progress,
        )
        overlap = compare_lists(history, champion, challenger, as_of_us=known_us)
    is_older = other_manifest["known_until_us"] < its_manifest["known_until_us"]
    return decide_promotion(replace(evidence, older=is_older, overlap=overlap))


def rollback(settings: Settings, *, who: Who) -> Moved:
    """Make the champion before this one score again, and say in what the two differ."""
    registry = Registry(settings)
    was = registry.champion()
    now = registry.rollback(who)
    _record_move(settings, "rolled back", now, who=who)
    changes = _changes(registry, was, now) if was else {}
    was_document = asdict(was) if was else None
    return Moved.from_dict(asdict(now) | {"was": was_document, "changes": changes})


def _changes(registry: Registry, was: ModelVersion, now: ModelVersion) -> dict[str, list[Any]]:
    """In what two versions differ: name -> [was, is]; nothing if one is damaged, itself a reason to go back."""
    try:
        before, after = _summarise(registry, was), _summarise(registry, now)
    except CorruptFileError:
        return {}
    changed = [name for name in before if before[name] != after[name]]
    return {name: [before[name], after[name]] for name in changed}


def _summarise(registry: Registry, version: ModelVersion) -> dict[str, Any]:
    model, manifest, _ = registry.load(str(version.number))
    recipe = Recipe.of(model)
    overall = registry.read_evaluation(version).overall
    return {
        "known_until": manifest["known_until"],
        "store_version": manifest["store_version"],
        "scorer": recipe.scorer,
        "calibrator": recipe.calibrator,
        "left_out": sorted(recipe.left_out),
        "features": len(model.document["features"]),
        "log_loss_when_trained": overall.log_loss.value if overall else None,
    }
