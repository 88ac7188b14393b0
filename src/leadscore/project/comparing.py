"""Two registered models beside each other, and what would be decided about them."""

from __future__ import annotations

from dataclasses import replace

from leadscore.audit.confirm import still_to_confirm
from leadscore.errors import NoStoreError, TooLittleHistoryError
from leadscore.model.horizon import choose_horizon
from leadscore.progress import Progress, silent
from leadscore.project.auditing import doubt_fields
from leadscore.project.deciding import note_alarm, without
from leadscore.project.models import describe_version
from leadscore.project.opened import open_store
from leadscore.registry.registry import ModelVersion, Registry
from leadscore.results import Compared
from leadscore.settings.settings import Settings
from leadscore.validation.evidence import evaluate_recipes
from leadscore.validation.overlap import compare_lists
from leadscore.validation.promotion import PromotionDecision, decide_promotion, hold_unproven
from leadscore.validation.recipe import Recipe


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
    described = [describe_version(registry, version) for version in versions]
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
        evidence = note_alarm(history, evidence, known_us=known_us)
    is_older = other_manifest["known_until_us"] < its_manifest["known_until_us"]
    return decide_promotion(replace(evidence, older=is_older, overlap=overlap))
