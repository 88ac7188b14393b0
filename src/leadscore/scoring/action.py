"""What to do next with each lead."""

from __future__ import annotations

import numpy as np

from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel, encode
from leadscore.settings.settings import Settings

BY_PROGRESS = {1.0: "ask for a decision", 0.6: "proposal", 0.3: "demo"}  # from this share on


def suggest_actions(
    model: WinModel,
    matrix: Matrix,
    settings: Settings,
    *,
    tier: np.ndarray,
    verdict: np.ndarray,
) -> np.ndarray:
    """The next action (n,) text: what the settings say of the stage, else by progress and silence.

    Nobody spends an hour on a lead in tier D, or on one whose qualification is `nurture`: it is to
    be nurtured, unless the settings say otherwise of its stage. Disqualified leads have none, "",
    or are to be closed out.

    Args:
        model: knows how long stages usually take.
        matrix: of the leads (n,).
        settings: the sections `actions` and `stages`.
        tier: (n,) A to D.
        verdict: (n,) the qualification.
    """
    actions = settings.actions
    action = _suggest_by_progress(matrix, settings, n=len(tier))
    is_last = tier == "D"
    is_nurtured = is_last | (verdict == "nurture")
    action[is_nurtured] = "nurture"

    stage = _column(matrix, "stage_current", missing=None)
    for name, stated in actions.by_stage.items():
        action[stage == name] = stated

    silent_days = _column(matrix, "engagement_activities_days_since", missing=np.nan)
    is_silent = silent_days > actions.revive_days
    has_own_action = np.isin(stage, list(actions.by_stage))
    is_worked = ~is_nurtured | has_own_action
    action[is_silent & is_worked] = "revive"
    action[verdict == "disqualified"] = ""
    is_stalled = _read_stalled(model, matrix) >= actions.stalled_times
    action[is_stalled & is_last] = "close out"
    return action


def _column(matrix: Matrix, name: str, *, missing: object) -> np.ndarray:
    """A feature of the leads (n,); `missing` everywhere if they have none of that name."""
    nothing = np.full(len(matrix.keys), missing)
    return np.asarray(matrix.columns.get(name, nothing))


def _suggest_by_progress(matrix: Matrix, settings: Settings, *, n: int) -> np.ndarray:
    """The action (n,) by the stage's place in the pipeline."""
    position = matrix.columns.get("stage_order", np.zeros(n))
    last = max(len(settings.stages.open) - 1, 1)
    progress = np.nan_to_num(position) / last

    action = np.full(n, "call", dtype=object)
    for share in sorted(BY_PROGRESS):
        action[progress >= share] = BY_PROGRESS[share]
    return action


def _read_stalled(model: WinModel, matrix: Matrix) -> np.ndarray:
    """How many usual stays each lead (n,) has been in its stage, NaN where that is unknown."""
    encoder = model.document["encoder"]
    of_stall = [entry for entry in encoder if entry["name"] == "stage_stalled"]
    if not of_stall:
        return np.full(len(matrix.keys), np.nan)
    encoded = encode(of_stall, matrix.columns)
    return np.asarray(encoded[:, 0])
