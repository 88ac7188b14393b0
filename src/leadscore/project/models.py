"""The registered models: listed, shown, and put in the place of one another."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from leadscore.errors import CorruptFileError
from leadscore.project.trail import record
from leadscore.registry.registry import ModelVersion, Registry, Who
from leadscore.results import EvaluatedVersion, Moved, Shown, Versions
from leadscore.results.trail import Event
from leadscore.settings.settings import Settings


def list_models(settings: Settings) -> Versions:
    """All versions, the newest first, and the moves of their aliases."""
    registry = Registry(settings)
    return Versions.from_dict(
        {
            "registered_model": registry.name,
            "versions": [asdict(version) for version in registry.versions()],
            "moves": registry.moves(),
        }
    )


def show(settings: Settings, which: str) -> Shown:
    """A version with its evaluation."""
    registry = Registry(settings)
    version = registry.find(which)
    return Shown(versions=[describe_version(registry, version)])


def promote(settings: Settings, which: str, *, who: Who) -> Moved:
    """Make a version the champion; the one before becomes `previous`."""
    moved = Registry(settings).promote(which, who)
    record_move(settings, "promoted", moved, who=who)
    return Moved.from_dict(asdict(moved))


def rollback(settings: Settings, *, who: Who) -> Moved:
    """Make the champion before this one score again, and say in what the two differ."""
    registry = Registry(settings)
    was = registry.champion()
    now = registry.rollback(who)
    record_move(settings, "rolled back", now, who=who)
    changes = _changes(registry, was, now) if was else {}
    was_document = asdict(was) if was else None
    return Moved.from_dict(asdict(now) | {"was": was_document, "changes": changes})


def _changes(registry: Registry, was: ModelVersion, now: ModelVersion) -> dict[str, list[Any]]:
    """In what two versions differ: name -> [was, is]; nothing if one is damaged, itself a reason to go back."""
    try:
        before = _summarise(registry, was)
        after = _summarise(registry, now)
    except CorruptFileError:
        return {}
    changes = {}
    for name, value in before.items():
        if value != after[name]:
            changes[name] = [value, after[name]]
    return changes


def _summarise(registry: Registry, version: ModelVersion) -> dict[str, Any]:
    from leadscore.validation.recipe import Recipe

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


def describe_version(registry: Registry, version: ModelVersion) -> EvaluatedVersion:
    """A version with its evaluation."""
    evaluation = registry.read_evaluation(version)
    return EvaluatedVersion.from_dict({**asdict(version), "evaluation": evaluation})


def record_move(settings: Settings, what: Event, version: ModelVersion, *, who: Who) -> None:
    """A line in the audit trail about a version whose aliases moved, or did not."""
    record(
        settings,
        what,
        why=who.why,
        who=who,
        model_version=version.version,
        number=str(version.number),
    )
