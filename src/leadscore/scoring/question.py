"""What to ask, and what to do: the missing answer that would change most, by the answers that such leads gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.evaluation.reference import compute_score
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.scoring.qualification import qualify, read_strengths
from leadscore.scoring.tier import TIERS, Outlook, find_borders, measure_by
from leadscore.settings.settings import Settings
from leadscore.settings.tiers import Tiers

LEAST = 30  # answers in the same stage: of fewer those of all open leads count
LEVELS = 5  # different answers that are tried of a letter
CLEARLY = 0.2  # share by which an expected value must rise before that alone is worth a question
CLEAR_POINTS = 0.02  # and the least rise of the probability: a fifth of very little is little


@dataclass(frozen=True)
class Standing:
    """Where the leads stand on this list, and what decided it.

    Attributes:
        tier: (n,) A to D.
        amount: (n,), NaN where nothing is known.
        outlook: of all leads of the list.
        tiers: how tiers are decided.
        verdict: (n,) the qualification.
        tier_by_hand: (n,) whose tier a person decided, so that no answer changes it.
        verdict_by_hand: (n,) whose qualification a person decided.
        currency: of the amounts, None if unknown.
    """

    tier: np.ndarray
    amount: np.ndarray
    outlook: Outlook
    tiers: Tiers
    verdict: np.ndarray
    tier_by_hand: np.ndarray
    verdict_by_hand: np.ndarray
    currency: str | None = None

    def say(self, row: int, best: float) -> str:
        """How far the best answer would bring a lead."""
        if not np.isfinite(self.amount[row]):
            return f"probability {self.outlook.win_probability[row]:.2f}, at best {best:.2f}"
        unit = f"{self.currency} " if self.currency else ""
        value = self.outlook.win_probability[row] * self.amount[row]
        return f"expected value {unit}{value:,.0f}, at best {best * self.amount[row]:,.0f}"


@dataclass(frozen=True)
class Effect:
    """What an answer may change for some leads, each (m,).

    The chances exclude each other, so that they add up to `gain`: `higher` tier; else another `verdict`; else an
    expected value that is clearly `richer`. `move` is the mean change of the expected value, `best` the highest
    probability.
    """

    higher: np.ndarray
    verdict: np.ndarray
    richer: np.ndarray
    move: np.ndarray
    best: np.ndarray

    @property
    def gain(self) -> np.ndarray:
        """How likely the answer changes what is done (m,)."""
        return np.asarray(self.higher + self.verdict + self.richer)

    def say(self, at: int) -> str:
        """The chances of one lead in words."""
        chances = [
            (self.higher[at], "a higher tier"),
            (self.verdict[at], "another qualification"),
            (self.richer[at], "a clearly higher expected value"),
        ]
        return ", ".join(
            f"{chance * 100:.0f} % chance of {what}"
            for chance, what in chances
            if round(chance, 2) > 0
        )


def ask_next(
    model: WinModel, matrix: Matrix, standing: Standing, settings: Settings
) -> dict[str, Any]:
    """`next_question` and `next_question_gain` (n,): what to ask, and how likely the answer changes what is done.

    Every answer that open leads of the same stage gave, weighted by how often, is put in place of the missing one, and
    the lead is scored again. What is done changes if the tier would rise on the next list, so beyond the margin; if
    the tier does not fall and the qualification changes, and with it the next action; or if the expected value rises
    clearly. Named is the question most likely to do so; of equals the one that moves the expected value most. Where no
    answer does, none is named, and the gain is 0.
    """
    n = len(standing.tier)
    best_gain, best_move = np.zeros(n), np.zeros(n)
    said = np.full(n, "", dtype=object)
    for letter in settings.bant:
        strength = matrix.columns.get(f"bant_{letter}")
        missing = (
            np.flatnonzero(np.isnan(strength)) if strength is not None else np.empty(0, dtype=int)
        )
        if strength is None or not len(missing) or np.isnan(strength).all():
            continue
        effect = _try(model, matrix, standing, settings, letter=letter, at=missing)
        gain, move = effect.gain, effect.move
        better = (gain > best_gain[missing]) | (
            (gain == best_gain[missing]) & (move > best_move[missing])
        )
        better &= gain.round(2) > 0
        rows = missing[better]
        best_gain[rows], best_move[rows] = gain[better], move[better]
        for row, at in zip(rows.tolist(), np.flatnonzero(better).tolist(), strict=True):
            said[row] = (
                f"Ask about {letter}: {effect.say(at)}; {standing.say(row, effect.best[at])}"
            )
    return {"next_question": said, "next_question_gain": best_gain}


def _answers(
    strength: np.ndarray, stage: np.ndarray | None, missing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
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
                weight[stage[missing] == name] = (
                    np.bincount(nearest[same], minlength=len(values)) / same.sum()
                )
    return values, weight


def _try(
    model: WinModel,
    matrix: Matrix,
    standing: Standing,
    settings: Settings,
    *,
    letter: str,
    at: np.ndarray,
) -> Effect:
    """What the answers that leads gave would change for the leads in `at` (m,), which lack one."""
    strength = matrix.columns[f"bant_{letter}"]
    answers, weight = _answers(strength, matrix.columns.get("stage_current"), at)
    columns = {name: values[at] for name, values in matrix.columns.items()}
    earlier = {
        name: columns[name]
        for name in (f"bant_{letter}_mean", f"bant_{letter}_answers")
        if name in columns
    }
    columns[f"bant_{letter}_known"] = np.ones(len(at))
    columns["bant_completeness"] = columns["bant_completeness"] + 1
    worth = np.where(np.isfinite(standing.amount[at]), standing.amount[at], 1.0)
    before, shift = standing.outlook.win_probability[at], standing.outlook.shift
    higher, verdict, richer, move, best = (np.zeros(len(at)) for _ in range(5))
    for i, answer in enumerate(answers):
        columns[f"bant_{letter}"] = np.full(len(at), answer)
        columns |= _one_more(earlier, letter, answer)
        log_odds = model.log_odds(columns)
        plain, chance = model.probability(log_odds), weight[:, i]
        outlook = Outlook(
            compute_score(plain, model.document["reference"]), plain, plain * worth, log_odds, shift
        )
        given = outlook.win_probability
        rises, requalified, grows = _changes(standing, settings, columns, outlook, at=at)
        higher += chance * rises
        verdict += chance * (requalified & ~rises)
        richer += chance * (grows & ~rises & ~requalified)
        move += chance * np.abs(given - before) * worth
        best = np.where(chance > 0, np.maximum(best, given), best)
    return Effect(higher, verdict, richer, move, best)


def _one_more(earlier: dict[str, np.ndarray], letter: str, answer: float) -> dict[str, np.ndarray]:
    """The mean of a letter's answers, and their number, with one more; nothing where they are no features."""
    if not earlier:
        return {}
    mean, number = earlier[f"bant_{letter}_mean"], earlier[f"bant_{letter}_answers"]
    counted = np.where(np.isnan(mean), 0.0, np.maximum(number, 1.0))
    total = counted * np.nan_to_num(mean) + answer
    return {f"bant_{letter}_mean": total / (counted + 1), f"bant_{letter}_answers": number + 1}


def _changes(
    standing: Standing,
    settings: Settings,
    columns: dict[str, np.ndarray],
    outlook: Outlook,
    *,
    at: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whose tier would rise, whose qualification would change, whose expected value clearly rises; each (m,).

    What people decided by hand stays; of leads that stay disqualified nothing changes, since nobody calls them.
    """
    now, listed = standing.tier[at], standing.outlook
    measure = measure_by(standing.tiers, outlook, listed=listed, at=at)
    then = find_borders(standing.tiers).decide(measure, now).astype(object)
    then = np.where(standing.tier_by_hand[at], now, then)
    place_now, place_then = (np.searchsorted(TIERS, tier.astype(str)) for tier in (now, then))
    strengths = read_strengths(columns, settings)
    verdict, _ = qualify(
        settings.qualification, tier=then, probability=outlook.win_probability, strengths=strengths
    )
    verdict = np.where(standing.verdict_by_hand[at], standing.verdict[at], verdict)
    worked = (verdict != "disqualified") | (standing.verdict[at] != "disqualified")
    before = listed.win_probability[at]
    rise = outlook.win_probability - before
    clear = (rise >= CLEARLY * before) & (rise >= CLEAR_POINTS)
    requalified = (verdict != standing.verdict[at]) & (place_then <= place_now)
    return worked & (place_then < place_now), worked & requalified, worked & clear


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
    stalled = (
        model.encode(matrix.columns)[:, names.index("stage_stalled")]
        if "stage_stalled" in names
        else unknown
    )
    last = max(len(settings.stages.open) - 1, 1)
    part = np.nan_to_num(place) / last
    found = np.select(
        [part >= 1, part >= 0.6, part >= 0.3],
        ["ask for a decision", "proposal", "demo"],
        default="call",
    ).astype(object)
    for name, action in actions.by_stage.items():
        found[stage == name] = action
    found[silent_days > actions.revive_days] = "revive"
    found[verdict == "disqualified"] = ""
    found[(stalled >= actions.stalled_times) & (tier == "D")] = "close out as stalled"
    return found
