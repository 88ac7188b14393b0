"""What to ask, and what to do: the missing answer that would change most, by the answers that such leads gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.config import Settings
from leadscore.deciding import Tiers
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.reference import compute_score
from leadscore.scoring.tier import TIERS, Outlook, find_borders, measure_by

LEAST = 30  # answers in the same stage: of fewer those of all open leads count
LEVELS = 5  # different answers that are tried of a letter


@dataclass(frozen=True)
class Standing:
    """Where the leads stand: tier (n,), amount (n,; NaN where nothing is known), outlook; and how tiers are decided."""

    tier: np.ndarray
    amount: np.ndarray
    outlook: Outlook
    tiers: Tiers
    currency: str | None = None

    def say(self, row: int, best: float) -> str:
        """How far the best answer would bring a lead."""
        if not np.isfinite(self.amount[row]):
            return f"probability {self.outlook.probability[row]:.2f}, at best {best:.2f}"
        unit = f"{self.currency} " if self.currency else ""
        return f"expected value {unit}{self.outlook.value[row]:,.0f}, at best {best * self.amount[row]:,.0f}"


def ask_next(model: WinModel, matrix: Matrix, standing: Standing, settings: Settings) -> dict[str, Any]:
    """`next_question` and `next_question_gain` (n,): what to ask, and how likely the answer changes the tier.

    Every answer that open leads of the same stage gave, weighted by how often, is put in place of the missing one, and
    the lead is scored again; a tier changes if it would on the next list, so beyond the margin. Named is the question
    most likely to change the tier; of equals the one that moves the expected value most.
    """
    n = len(standing.tier)
    best_gain, best_move = np.zeros(n), np.zeros(n)
    said = np.full(n, "", dtype=object)
    for letter in settings.bant:
        strength = matrix.columns.get(f"bant_{letter}")
        missing = np.flatnonzero(np.isnan(strength)) if strength is not None else np.empty(0, dtype=int)
        if strength is None or not len(missing) or np.isnan(strength).all():
            continue
        answers, weight = _answers(strength, matrix.columns.get("stage_current"), missing)
        up, down, move, high = _try(model, matrix, standing, letter=letter, at=missing, answers=answers, weight=weight)
        changed = up + down
        better = (changed > best_gain[missing]) | ((changed == best_gain[missing]) & (move > best_move[missing]))
        better &= move > 0
        rows = missing[better]
        best_gain[rows], best_move[rows] = changed[better], move[better]
        for row, rise, fall, best in zip(rows, up[better], down[better], high[better], strict=True):
            chances = [f"{chance:.0%} chance of a {way} tier" for chance, way in ((rise, "higher"), (fall, "lower"))
                       if round(chance, 2) > 0]  # fmt: skip
            way = ", ".join(chances).replace("%", " %") or "the tier would stay"
            said[row] = f"Ask about {letter}: {way}; {standing.say(row, best)}"
    return {"next_question": said, "next_question_gain": best_gain}


def _answers(strength: np.ndarray, stage: np.ndarray | None, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct answers (k,), and how often leads like each missing one gave them (len(missing), k)."""
    known = ~np.isnan(strength)
    values = np.unique(strength[known])
    if len(values) > LEVELS:  # amounts and dates: the middle of each fifth stands for it
        values = np.unique(np.quantile(strength[known], (np.arange(LEVELS) + 0.5) / LEVELS))
    nearest = np.abs(strength[known][:, None] - values[None, :]).argmin(axis=1)
    overall = np.bincount(nearest, minlength=len(values)) / known.sum()
    weight = np.tile(overall, (len(missing), 1))
    if stage is not None:
        for name in {each for each in stage[missing] if each is not None}:
            same = stage[known] == name
            if same.sum() >= LEAST:
                weight[stage[missing] == name] = np.bincount(nearest[same], minlength=len(values)) / same.sum()
    return values, weight


def _try(
    model: WinModel, matrix: Matrix, standing: Standing, *, letter: str, at: np.ndarray, answers: np.ndarray,
    weight: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Of each lead in `at`: chances of a higher and of a lower tier, mean move of its value, highest probability."""
    columns = {name: values[at] for name, values in matrix.columns.items()}
    columns[f"bant_{letter}_known"] = np.ones(len(at))
    columns["bant_completeness"] = columns["bant_completeness"] + 1
    now, listed = standing.tier[at], standing.outlook
    worth = np.where(np.isfinite(standing.amount[at]), standing.amount[at], 1.0)
    borders = find_borders(standing.tiers)
    up, down, move, high = (np.zeros(len(at)) for _ in range(4))
    place = np.searchsorted(TIERS, now.astype(str))
    for i, answer in enumerate(answers):
        columns[f"bant_{letter}"] = np.full(len(at), answer)
        raw = model.raw(columns)
        given = model.probability(raw)
        outlook = Outlook(compute_score(given, model.document["reference"]), given, given * worth, raw)
        measure = measure_by(standing.tiers, outlook, listed=listed, at=at)
        tier = np.searchsorted(TIERS, borders.decide(measure, now))
        up, down = up + weight[:, i] * (tier < place), down + weight[:, i] * (tier > place)
        move += weight[:, i] * np.abs(given - listed.probability[at]) * worth
        high = np.where(weight[:, i] > 0, np.maximum(high, given), high)
    return up, down, move, high


def suggest_actions(
    model: WinModel, matrix: Matrix, settings: Settings, *, tier: np.ndarray, verdict: np.ndarray
) -> np.ndarray:
    """What to do next with each lead (n,): what the settings say of its stage, else by its place and its silence.

    Nobody calls who is disqualified: "", or to be closed out.
    """
    n, actions = len(tier), settings.actions
    unknown = np.full(n, np.nan)
    stage = matrix.columns.get("stage_current", np.full(n, None, dtype=object))
    place = matrix.columns.get("stage_order", unknown)
    silent_days = matrix.columns.get("engagement_activities_days_since", unknown)
    names = [entry["name"] for entry in model.document["encoder"]]
    stalled = model.encode(matrix.columns)[:, names.index("stage_stalled")] if "stage_stalled" in names else unknown
    last = max(len(settings.stages.open) - 1, 1)
    part = np.nan_to_num(place) / last
    found = np.select(
        [part >= 1, part >= 0.6, part >= 0.3], ["ask for a decision", "proposal", "demo"], default="call"
    ).astype(object)
    for name, action in actions.by_stage.items():
        found[stage == name] = action
    found[silent_days > actions.revive_days] = "revive"
    found[verdict == "disqualified"] = ""
    found[(stalled >= actions.stalled_times) & (tier == "D")] = "close out as stalled"
    return found
