"""What to ask next: the missing answer that is most likely to change what is done with a lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.scoring.answers import find_answers, give_answer
from leadscore.scoring.qualification import qualify, read_strengths
from leadscore.scoring.tier import TIERS, Outlook, build_outlook, find_borders, measure_by
from leadscore.settings.settings import Settings
from leadscore.settings.tiers import Tiers

CLEARLY = 0.2  # share by which an expected value must rise to be worth a question by itself
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

    def describe(self, row: int, best: float) -> str:
        """What a lead is worth now, and with the answer that brings its probability to `best`."""
        now = self.outlook.win_probability[row]
        amount = self.amount[row]
        if not np.isfinite(amount):
            return f"probability {now:.2f}, at best {best:.2f}"
        unit = f"{self.currency} " if self.currency else ""
        return f"expected value {unit}{now * amount:,.0f}, at best {best * amount:,.0f}"


@dataclass(frozen=True)
class Effect:
    """What an answer may change for some leads, each (m,).

    The first three exclude each other, so they add up to `gain`.

    Attributes:
        higher: probability of a higher tier.
        verdict: else of another qualification.
        richer: else of an expected value that is clearly higher.
        move: mean change of the expected value, up or down.
        best: highest probability that an answer brings.
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

    def describe(self, at: int) -> str:
        """The chances of one lead, as "12 % chance of a higher tier"."""
        chances = {
            "a higher tier": self.higher[at],
            "another qualification": self.verdict[at],
            "a clearly higher expected value": self.richer[at],
        }
        return ", ".join(
            f"{chance * 100:.0f} % chance of {what}"
            for what, chance in chances.items()
            if round(chance, 2) > 0
        )


def ask_next(
    model: WinModel,
    matrix: Matrix,
    standing: Standing,
    settings: Settings,
) -> dict[str, Any]:
    """`next_question` (n,), and `next_question_gain`: how likely its answer changes what is done.

    Every answer that open leads in the same stage gave, weighted by how often, is put in place of
    the missing one, and the lead is scored again. What is done changes if the tier would rise on
    the next list, so beyond the margin; if the tier does not fall and the qualification changes,
    and with it the next action; or if the expected value clearly rises.
    """
    effects: dict[str, tuple[np.ndarray, Effect]] = {}
    for letter in settings.bant:
        strength = matrix.columns.get(f"bant_{letter}")
        if strength is None:
            continue
        is_missing = np.isnan(strength)
        if is_missing.any() and not is_missing.all():
            missing = np.flatnonzero(is_missing)
            effect = _try_answers(model, matrix, standing, settings, letter=letter, at=missing)
            effects[letter] = (missing, effect)
    return choose_questions(effects, standing)


def choose_questions(
    effects: Mapping[str, tuple[np.ndarray, Effect]], standing: Standing
) -> dict[str, Any]:
    """The question of each lead (n,) that most likely changes what is done, as `ask_next` has it.

    Of equals it is the one that moves the expected value most, then the first. Where no answer
    changes anything, none is asked and the gain is 0.

    Args:
        effects: by letter the positions of the leads without an answer, and what the answer may
            change for them.
        standing: of all leads (n,).
    """
    n = len(standing.tier)
    best_gain = np.zeros(n)
    best_move = np.zeros(n)
    question = np.full(n, "", dtype=object)
    for letter, (missing, effect) in effects.items():
        gain = effect.gain
        more_likely = gain > best_gain[missing]
        as_likely = gain == best_gain[missing]
        moves_more = effect.move > best_move[missing]
        changes_something = gain.round(2) > 0
        is_better = changes_something & (more_likely | (as_likely & moves_more))
        best_gain[missing[is_better]] = gain[is_better]
        best_move[missing[is_better]] = effect.move[is_better]
        for at in np.flatnonzero(is_better).tolist():
            row = int(missing[at])
            worth = standing.describe(row, effect.best[at])
            question[row] = f"Ask about {letter}: {effect.describe(at)}; {worth}"
    return {"next_question": question, "next_question_gain": best_gain}


def _try_answers(
    model: WinModel,
    matrix: Matrix,
    standing: Standing,
    settings: Settings,
    *,
    letter: str,
    at: np.ndarray,
) -> Effect:
    """What the answers that leads gave would change for the leads at `at` (m,), which lack one."""
    stage = matrix.columns.get("stage_current")
    answers = find_answers(matrix.columns[f"bant_{letter}"], stage, at)
    columns = {name: values[at] for name, values in matrix.columns.items()}
    amount = standing.amount[at]
    worth = np.where(np.isfinite(amount), amount, 1.0)
    before = standing.outlook.win_probability[at]
    shift = standing.outlook.shift

    higher = np.zeros(len(at))
    verdict = np.zeros(len(at))
    richer = np.zeros(len(at))
    move = np.zeros(len(at))
    best = np.zeros(len(at))
    for level, strength in enumerate(answers.strength):
        answered = give_answer(columns, letter, strength)
        outlook = build_outlook(model, model.log_odds(answered), amount, shift=shift)
        rises, requalified, grows = _find_changes(standing, settings, answered, outlook, at=at)

        chance = answers.probability[:, level]
        after = outlook.win_probability
        higher += chance * rises
        verdict += chance * (requalified & ~rises)
        richer += chance * (grows & ~rises & ~requalified)
        move += chance * np.abs(after - before) * worth
        best = np.where(chance > 0, np.maximum(best, after), best)
    return Effect(higher, verdict, richer, move, best)


def _find_changes(
    standing: Standing,
    settings: Settings,
    columns: Mapping[str, np.ndarray],
    outlook: Outlook,
    *,
    at: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whose tier rises, whose qualification changes, whose expected value clearly rises; each (m,).

    What people decided by hand stays. For leads that stay disqualified nothing changes, since
    nobody calls them.

    Args:
        standing: of all leads.
        settings: the sections `bant` and `qualification`.
        columns: of the leads with an answer.
        outlook: of the leads with that answer.
        at: (m,) positions of the leads.
    """
    tier_now = standing.tier[at]
    tier_then = _decide_tiers(standing, outlook, at=at)
    verdict_now = standing.verdict[at]
    verdict_then, _ = qualify(
        settings.qualification,
        tier=tier_then,
        probability=outlook.win_probability,
        strengths=read_strengths(columns, settings),
    )
    verdict_then = np.where(standing.verdict_by_hand[at], verdict_now, verdict_then)

    is_worked = (verdict_then != "disqualified") | (verdict_now != "disqualified")
    position_now = np.searchsorted(TIERS, tier_now.astype(str))
    position_then = np.searchsorted(TIERS, tier_then.astype(str))
    rises = position_then < position_now
    falls = position_then > position_now
    requalified = (verdict_then != verdict_now) & ~falls

    before = standing.outlook.win_probability[at]
    rise = outlook.win_probability - before
    grows = (rise >= CLEARLY * before) & (rise >= CLEAR_POINTS)
    return is_worked & rises, is_worked & requalified, is_worked & grows


def _decide_tiers(
    standing: Standing,
    outlook: Outlook,
    *,
    at: np.ndarray,
) -> np.ndarray:
    """The tiers that the leads at `at` (m,) would have on the next list with this outlook."""
    now = standing.tier[at]
    measure = measure_by(standing.tiers, outlook, listed=standing.outlook, at=at)
    decided = find_borders(standing.tiers).decide(measure, now).astype(object)
    return np.where(standing.tier_by_hand[at], now, decided)
