"""What to do next with each lead."""

from __future__ import annotations

import numpy as np

from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
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

    Disqualified leads have none, "", or are to be closed out.

    Args:
        model: knows how long stages usually take.
        matrix: of the leads (n,).
        settings: the sections `actions` and `stages`.
        tier: (n,) A to D.
        verdict: (n,) the qualification.
    """
    n = len(tier)
    actions = settings.actions
    unknown = np.full(n, np.nan)
    stage = matrix.columns.get(
        "stage_current",
        np.full(
            n,
            None,
            dtype=object,
        ),
    )
    position = matrix.columns.get("stage_order", unknown)
    silent_days = matrix.columns.get("engagement_activities_days_since", unknown)

    last = max(len(settings.stages.open) - 1, 1)
    progress = np.nan_to_num(position) / last
    reached = [progress >= share for share in BY_PROGRESS]
    action = np.select(
        reached,
        list(BY_PROGRESS.values()),
        default="call",
    ).astype(object)
    for name, stated in actions.by_stage.items():
        action[stage == name] = stated
    action[silent_days > actions.revive_days] = "revive"
    action[verdict == "disqualified"] = ""
    is_stalled = _read_stalled(model, matrix) >= actions.stalled_times
    action[is_stalled & (tier == "D")] = "close out as stalled"
    return action


def _read_stalled(model: WinModel, matrix: Matrix) -> np.ndarray:
    """How many usual stays each lead (n,) has been in its stage, NaN where that is unknown."""
    names = [entry["name"] for entry in model.document["encoder"]]
    if "stage_stalled" not in names:
        return np.full(len(matrix.keys), np.nan)
    return np.asarray(model.encode(matrix.columns)[:, names.index("stage_stalled")])
