"""The horizon that a look back counts wins within: that of the settings, or the champion's."""

from __future__ import annotations

from leadscore.model.target import with_horizon_of
from leadscore.registry.registry import Registry
from leadscore.settings.settings import Settings

USUAL_HORIZON = 90  # days, where the settings leave the horizon to the history and no model scores


def with_horizon_of_champion(settings: Settings) -> Settings:
    """The settings with the champion's horizon where they leave it open and there is a champion.

    Raises:
        CorruptFileError: a file of the champion was changed.
        UnavailableError: MLflow cannot be reached.
    """
    if settings.target.horizon_days or not settings.is_dated:
        return settings
    registry = Registry(settings)
    if registry.champion() is None:
        return settings
    _, manifest, _ = registry.load_champion()
    return with_horizon_of(settings, manifest)
