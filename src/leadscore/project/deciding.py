"""Whether a training may score: compared with the champion, if there is one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadscore.errors import CorruptFileError
from leadscore.files import is_there
from leadscore.history.split import History
from leadscore.json_files import read_result
from leadscore.model.apply import WinModel
from leadscore.model.target import TargetMismatchError, check_target
from leadscore.model.train import FitResult
from leadscore.progress import Progress
from leadscore.project.monitoring import find_calibration_alarm
from leadscore.registry.registry import Registry
from leadscore.results import Confirmation, Promotion
from leadscore.settings.settings import Settings
from leadscore.validation.evidence import Evidence, evaluate_recipes
from leadscore.validation.overlap import compare_lists
from leadscore.validation.promotion import (
    PromotionDecision,
    decide_first,
    decide_promotion,
    hold_unproven,
)
from leadscore.validation.recipe import Recipe


@dataclass(frozen=True)
class Champion:
    """The version that scores; `model` and `manifest` are None if its files are damaged."""

    version: str
    model: WinModel | None
    manifest: dict[str, Any] | None = None
    known_us: int = 0


def read_champion(registry: Registry) -> Champion | None:
    """The version that scores now; a damaged one must not stop the training that replaces it."""
    champion = registry.champion()
    if champion is None:
        return None
    try:
        model, manifest, version = registry.load(str(champion.number))
    except CorruptFileError:
        return Champion(champion.version, None)
    return Champion(version, model, manifest, manifest["known_until_us"])


def read_earlier_decision(registry: Registry, version: str, *, cards: Path) -> Promotion | None:
    """The decision about a training that is already registered; None where it has to be made.

    Such a training is not compared again, by now perhaps with itself.
    """
    path = cards / "promotion.json"
    registered = {known.version for known in registry.versions()}
    if version not in registered or not is_there(path):
        return None
    try:
        return read_result(path, Promotion)
    except CorruptFileError:
        return None


def _decide_alone(result: FitResult) -> PromotionDecision:
    """Whether a new model may score where there is no champion."""
    evaluation = result.evaluation
    decision = decide_first(
        evaluation.limits_broken,
        is_evaluated=result.training is not None,
        ranks=evaluation.scorer.ranks,
    )
    return hold_unproven(decision, evaluation.unproven)


def decide_training(
    history: History,
    result: FitResult,
    champion: Champion | None,
    *,
    leaks: frozenset[str],
    progress: Progress,
) -> PromotionDecision:
    """Whether a new model may score; a champion that learned from leaks is compared without them."""
    if result.no_signal:
        return PromotionDecision(False, result.no_signal)
    alone = _decide_alone(result)
    if champion is None:
        return alone
    if champion.model is None:
        why = "files of the champion were changed or damaged, so nothing can be compared with it"
        return PromotionDecision(False, why)
    is_evaluated = result.training is not None
    mismatch = _find_mismatch(history.settings, champion)
    if mismatch:  # then the champion cannot score, so there is nothing to compare with
        better = "better than the base rate, and " if is_evaluated else ""
        return replace(alone, why=better + mismatch) if alone.promoted else alone
    if not is_evaluated:
        return PromotionDecision(False, "it could not be evaluated on any closed lead")
    evidence = evaluate_recipes(
        history,
        champion=without(Recipe.of(champion.model), leaks),
        challenger=Recipe.of(result.model),
        known_us=result.known_us,
        progress=progress,
        evaluated=result.evaluated,
        training=result.training,
    )
    overlap = compare_lists(history, champion.model, result.model, as_of_us=result.known_us)
    is_older = result.known_us < champion.known_us
    evidence = replace(evidence, older=is_older, overlap=overlap)
    decision = decide_promotion(note_alarm(history, evidence, known_us=result.known_us))
    return hold_unproven(decision, result.evaluation.unproven)


def note_alarm(history: History, evidence: Evidence, *, known_us: int) -> Evidence:
    """The evidence with the calibration alarm since the recipes' moment, if that decides."""
    if not evidence.broken:
        return evidence
    alarm = find_calibration_alarm(history, since_us=evidence.split_us, known_us=known_us)
    return replace(evidence, alarm=alarm)


def _find_mismatch(settings: Settings, champion: Champion) -> str | None:
    """Why the champion predicts something other than the settings ask for, or None."""
    try:
        check_target(settings, champion.manifest or {}, version=champion.version)
    except TargetMismatchError as e:
        return str(e)
    return None


def without(recipe: Recipe, leaks: frozenset[str]) -> Recipe:
    """A recipe that also leaves out what leaks: it will not be known when leads are scored."""
    return replace(recipe, left_out=recipe.left_out | leaks)


def hold_unconfirmed(
    promotion: PromotionDecision,
    confirmation: Confirmation | None,
) -> PromotionDecision:
    """The decision, except that nothing is promoted while something has to be confirmed."""
    if promotion.promoted and confirmation:
        return replace(promotion, promoted=False, why=confirmation.why)
    return promotion
