"""What to ask next: the missing answer that is most likely to change what is done with a lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from leadscore.scoring.effects import Effect, Standing, try_answers
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.qualification import qualify
from leadscore.settings.settings import Settings

Effects = Mapping[str, tuple[np.ndarray, Effect]]  # letter -> places of leads that lack it, effect


def ask_next(
    encoded: Encoded,
    standing: Standing,
    settings: Settings,
    *,
    at: np.ndarray | None = None,
) -> dict[str, Any]:
    """`next_question` (m,), and `next_question_gain`: how likely its answer changes what is done.

    Every answer that open leads in the same stage gave, weighted by how often, is put in place of
    the missing one, and the lead is scored again. What is done changes if the tier would rise on
    the next list, so beyond the margin; if the tier does not fall and the qualification changes,
    and with it the next action; or if the expected value clearly rises.

    A lead that is qualified as `needs_answers` always has a question: where no single answer
    changes anything, the one that brings it closest.

    Args:
        encoded: the leads that are asked (m,), and what scores them.
        standing: of all leads of the list (n,), since their answers count.
        settings: the sections `bant` and `qualification`.
        at: (m,) positions of the leads that are asked; by default all.
    """
    asked = np.arange(len(standing.tier)) if at is None else at
    effects = _try_missing(encoded, standing, settings, at=asked)
    chosen = choose_questions(effects, standing, at=asked)
    question = chosen["next_question"]
    waits = (standing.verdict[asked] == "needs_answers") & (question == "")
    _ask_those_who_wait(question, np.flatnonzero(waits), effects, standing, settings, at=asked)
    return chosen


def _try_missing(
    encoded: Encoded,
    standing: Standing,
    settings: Settings,
    *,
    at: np.ndarray,
) -> dict[str, tuple[np.ndarray, Effect]]:
    """What each answer that leads (m,) lack would change; letters that all have answered are left out."""
    effects: dict[str, tuple[np.ndarray, Effect]] = {}
    for letter in settings.bant:
        missing = np.flatnonzero(np.isnan(standing.strengths[letter][at]))
        if not len(missing):
            continue
        rows = encoded.rows(missing)
        effect = try_answers(rows, standing, settings, letter=letter, at=at[missing])
        effects[letter] = (missing, effect)
    return effects


def choose_questions(effects: Effects, standing: Standing, *, at: np.ndarray) -> dict[str, Any]:
    """The question of each lead (m,) that most likely changes what is done, as `ask_next` has it.

    Of equals it is the one that moves the expected value most, then the first. Where no answer
    changes anything, none is asked and the gain is 0.

    Args:
        effects: by letter the places, among these, of the leads without an answer, and what the
            answer may change for them.
        standing: of all leads (n,).
        at: (m,) positions of the leads.
    """
    m = len(at)
    best_gain = np.zeros(m)
    best_move = np.zeros(m)
    question = np.full(m, "", dtype=object)
    for letter, (missing, effect) in effects.items():
        gain = np.minimum(effect.gain, 1.0)  # a sum of shares, which rounding may take beyond 1
        more_likely = gain > best_gain[missing]
        as_likely = gain == best_gain[missing]
        moves_more = effect.move > best_move[missing]
        changes_something = gain.round(2) > 0
        is_better = changes_something & (more_likely | (as_likely & moves_more))
        best_gain[missing[is_better]] = gain[is_better]
        best_move[missing[is_better]] = effect.move[is_better]
        better = np.flatnonzero(is_better)
        rows = missing[better]
        chances = effect.describe(better)
        worth = standing.describe(at[rows], effect.best[better])
        for row, *parts in zip(rows.tolist(), chances, worth, strict=True):
            question[row] = f"Ask about {letter}: {'; '.join(parts)}"
    return {"next_question": question, "next_question_gain": best_gain}


def _ask_those_who_wait(
    question: np.ndarray,
    rows: np.ndarray,
    effects: Effects,
    standing: Standing,
    settings: Settings,
    *,
    at: np.ndarray,
) -> None:
    """Fill in the questions (m,) of the leads at `rows` (k,), of which no single answer decides.

    It is a given answer of which a better one would change the qualification. Else it is the
    missing one that moves the expected value most, then the first; where all are given, the weakest.
    """
    if not len(rows):
        return
    all_moves = _read_moves(effects, len(question))
    deciding = _find_deciding(standing, settings, at[rows])
    for row, letter in zip(rows.tolist(), deciding, strict=True):
        of_row = {name: moves[row] for name, moves in all_moves.items()}
        missing = {name: move for name, move in of_row.items() if move >= 0}
        if letter:
            question[row] = f"Ask about {letter} again: a better answer changes the qualification"
        elif missing:
            question[row] = _describe_missing(missing)
        else:
            question[row] = _describe_weakest(standing, at[row])


def _read_moves(effects: Effects, m: int) -> dict[str, np.ndarray]:
    """By letter how far an answer moves each lead's expected value (m,); -1 where it is given."""
    moves = {}
    for letter, (missing, effect) in effects.items():
        moves[letter] = np.full(m, -1.0)
        moves[letter][missing] = effect.move
    return moves


def _describe_missing(moves: Mapping[str, float]) -> str:
    """The question about the answer that moves most, of those that are missing."""
    letter = max(moves, key=lambda name: moves[name])
    if len(moves) == 1:
        return f"Ask about {letter}: the only answer that is missing"
    return f"Ask about {letter}: {len(moves)} answers are missing, and no single one decides"


def _find_deciding(standing: Standing, settings: Settings, rows: np.ndarray) -> np.ndarray:
    """The first letter (m,) whose given answer keeps leads at `rows` from another qualification.

    "" where there is none, or where the qualification was decided by hand.
    """
    deciding = np.full(len(rows), "", dtype=object)
    for letter, strength in standing.strengths.items():
        verdict, _ = qualify(
            settings.qualification,
            tier=standing.tier[rows],
            probability=standing.outlook.win_probability[rows],
            strengths=standing.answer(letter, 1.0, at=rows),
        )
        changes = (verdict != "needs_answers") & ~standing.verdict_by_hand[rows]
        is_given = ~np.isnan(strength[rows])
        deciding[changes & is_given & (deciding == "")] = letter
    return deciding


def _describe_weakest(standing: Standing, row: int) -> str:
    """The question about the weakest answer of a lead that answered everything."""
    strengths = {letter: strength[row] for letter, strength in standing.strengths.items()}
    if not strengths:
        return "Ask what was left open: see the override"
    weakest = min(strengths, key=lambda letter: strengths[letter])
    return f"Ask about {weakest} again: the weakest answer"
