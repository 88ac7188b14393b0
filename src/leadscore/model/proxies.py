"""Whether to learn from fields that stand in for time: they say when a lead came, not who it is."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from leadscore.model.choose import choose_fields
from leadscore.model.held_out import HeldOut
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.training import Training
from leadscore.results import ProxyChoice


def leave_out_proxies(training: Training, fields: AbstractSet[str]) -> tuple[Training, ProxyChoice]:
    """The training without proxies for time, unless they are clearly worth it; and why.

    Args:
        training: with the fields.
        fields: the proxies for time.
    """
    without = training.without(fields)
    if not fields or not without.features:
        return training, ProxyChoice()
    learned = _predict_kinds(training)
    is_left_out, losses = choose_fields(learned, _predict_kinds(without))
    choice = ProxyChoice(fields=sorted(fields), left_out=is_left_out, log_loss=losses)
    return without if is_left_out else training, choice


def _predict_kinds(training: Training) -> dict[str, dict[str, HeldOut]]:
    """Held-out predictions by kind of scorer and pool, with trees of the default size."""
    default = Boosting()
    kinds = [kind for kind in training.kinds() if kind != "average"]
    return {kind: training.predict(kind, boosting=default) for kind in kinds}
