"""The features that a model learned from, as the settings now declare them."""

from __future__ import annotations

from collections.abc import Sequence

from leadscore.errors import UserError
from leadscore.features.feature import Feature
from leadscore.features.matrix import build_features
from leadscore.model.apply import WinModel
from leadscore.proposals import propose
from leadscore.settings.settings import Settings
from leadscore.wording import listed


def build_model_features(settings: Settings, model: WinModel) -> list[Feature]:
    """The features that the settings declare, without the fields that the model left out."""
    left_out = model.document.get("left_out", ())  # models from before the audit do not say
    return build_features(settings, leave_out=frozenset(left_out))


def find_mismatch(model: WinModel, features: Sequence[Feature]) -> list[str]:
    """The names of the features that are not as the model learned them, sorted."""
    entries = model.document["features"]
    learned = [(entry["name"], entry["fingerprint"]) for entry in entries]
    declared = [(feature.name, feature.fingerprint()) for feature in features]
    if learned == declared:
        return []
    differing = set(learned) ^ set(declared)
    return sorted({name for name, _ in differing}) or ["their order"]


def check_features(
    model: WinModel,
    features: Sequence[Feature],
    *,
    model_version: str,
) -> None:
    """Stop if the settings and this release give other features than the model learned from.

    Raises:
        UserError: names the features that differ.
    """
    mismatch = find_mismatch(model, features)
    if mismatch:
        raise UserError(
            f"model {model_version} learned from other features than these settings and this release "
            f"of leadscore give ({listed(mismatch)}); run `{propose('train')}` again"
        )
