"""What a further answer of a lead would change: its tier, its qualification, its expected value."""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from leadscore.model.apply import Columns
from leadscore.model.changed_features import expect_changes
from leadscore.scoring.answers import Answers, find_answers, give_answer, list_graded
from leadscore.scoring.bant_answers import list_possible_strengths
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.qualification import Strengths, qualify
from leadscore.scoring.tier import TIERS, Outlook, build_outlook, find_borders, measure_by
from leadscore.settings.bant import BantLetter
from leadscore.settings.base import Letter
from leadscore.settings.settings import Settings
from leadscore.settings.tiers import Tiers
from leadscore.wording import whole_percent

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
        strengths: (n,) of the answers by letter, learned from or not.
        stage: (n,) text, None where it is not known.
        currency: of the amounts, None if unknown.
    """

    tier: np.ndarray
    amount: np.ndarray
    outlook: Outlook
    tiers: Tiers
    verdict: np.ndarray
    tier_by_hand: np.ndarray
    verdict_by_hand: np.ndarray
    strengths: Strengths
    stage: np.ndarray
    currency: str | None = None
    _given: dict[str, Answers] = field(default_factory=dict, repr=False)

    def given(self, letter: Letter, bant: BantLetter) -> Answers:
        """The answers that leads of this list gave, found once."""
        if letter not in self._given:
            self._given[letter] = find_answers(
                self.strengths[letter], self.stage, possible=list_possible_strengths(bant)
            )
        return self._given[letter]

    def answer(self, letter: str, strength: float, *, at: np.ndarray) -> Strengths:
        """The strengths (m,) of the leads at `at` if all of them gave one more answer."""
        answered = {name: strengths[at] for name, strengths in self.strengths.items()}
        return answered | {letter: np.full(len(at), strength)}

    def describe(self, rows: np.ndarray, best: np.ndarray) -> list[str]:
        """What leads (k,) are worth now, and with answers that bring their probability to `best` (k,)."""
        now = self.outlook.win_probability[rows]
        amount = self.amount[rows]
        return list(map(self._describe_worth, now.tolist(), best.tolist(), amount.tolist()))

    def _describe_worth(self, now: float, best: float, amount: float) -> str:
        if not math.isfinite(amount):
            return f"chance of a win {whole_percent(now)}% now, up to {whole_percent(best)}%"
        unit = f"{self.currency} " if self.currency else ""
        return f"expected value {unit}{now * amount:,.0f} now, up to {unit}{best * amount:,.0f}"


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

    def describe(self, at: np.ndarray) -> list[str]:
        """The chances of leads at positions (k,), as "12% chance of a higher tier"."""
        parts = [
            _describe_chances(
                self.higher[at], "a higher tier", sure="any answer means a higher tier"
            ),
            _describe_chances(
                self.verdict[at],
                "changing the qualification",
                sure="any answer would change its qualification",
            ),
            _describe_chances(
                self.richer[at],
                "a clearly higher value",
                sure="any answer means a clearly higher value",
            ),
        ]
        return [", ".join(filter(None, texts)) for texts in zip(*parts, strict=True)]


def _describe_chances(chances: np.ndarray, what: str, *, sure: str) -> list[str]:
    """Chances (k,) in words, each distinct one once; `sure` says those of 1."""
    distinct, number = np.unique(chances, return_inverse=True)
    texts = [_describe_chance(chance, what, sure=sure) for chance in distinct.tolist()]
    return [texts[place] for place in number.tolist()]


def _describe_chance(chance: float, what: str, *, sure: str) -> str:
    """A chance in words; "" where there is none."""
    if round(chance, 2) <= 0:
        return ""
    if round(chance, 2) == 1:
        return sure
    return f"{chance * 100:.0f}% chance of {what}"


def try_answers(
    encoded: Encoded,
    standing: Standing,
    settings: Settings,
    *,
    letter: Letter,
    at: np.ndarray,
) -> Effect:
    """What the answers that leads gave would change for the leads at `at` (m,), which lack one.

    `encoded` has these alone, and answers are written into it. An answer that the model does not
    learn from changes no probability. Where nobody has answered yet, all possible answers are taken
    as equally likely.
    """
    answers = standing.given(letter, settings.bant[letter])
    probability = answers.probability(standing.stage[at])
    log_odds_if = _prepare(encoded, standing, letter, at=at)
    amount = standing.amount[at]
    worth = np.where(np.isfinite(amount), amount, 1.0)
    before = standing.outlook.win_probability[at]
    shift = standing.outlook.shift

    higher, verdict, richer, move, best = np.zeros((5, len(at)))
    for level, strength in enumerate(answers.strength):
        outlook = build_outlook(encoded.model, log_odds_if(strength), amount, shift=shift)
        strengths = standing.answer(letter, strength, at=at)
        rises, requalified, grows = _find_changes(standing, settings, strengths, outlook, at=at)

        chance = probability[:, level]
        after = outlook.win_probability
        higher += chance * rises
        verdict += chance * (requalified & ~rises)
        richer += chance * (grows & ~rises & ~requalified)
        move += chance * np.abs(after - before) * worth
        best = np.where(chance > 0, np.maximum(best, after), best)
    return Effect(higher, verdict, richer, move, best)


def _prepare(
    encoded: Encoded,
    standing: Standing,
    letter: Letter,
    *,
    at: np.ndarray,
) -> Callable[[float], np.ndarray]:
    """What gives the log-odds (m,) of the leads at `at` with an answer of some strength."""
    columns = encoded.matrix.columns
    if f"bant_{letter}" not in columns:
        unchanged = standing.outlook.log_odds[at]
        return lambda _: unchanged

    for_trees = encoded.for_trees
    changing = list(give_answer(columns, letter, 1.0))
    encoded.model.encode_again(for_trees, _answer(columns, letter, 1.0), changing)
    graded = list_graded(letter)  # of the others any answer makes the same
    model = expect_changes(encoded.model, columns, for_trees, graded)

    def log_odds_if(strength: float) -> np.ndarray:
        answered = _answer(columns, letter, strength)
        model.encode_again(for_trees, answered, graded)
        log_odds = model.log_odds(answered, for_trees)
        return standing.outlook.undo_rounding(log_odds, at=at)

    return log_odds_if


def _answer(columns: Mapping[str, np.ndarray], letter: Letter, strength: float) -> Columns:
    """All columns (m,) of leads that gave one more answer."""
    answered = give_answer(columns, letter, strength)
    return ChainMap(answered, columns)  # type: ignore[arg-type]  # which is only read


def _find_changes(
    standing: Standing,
    settings: Settings,
    strengths: Strengths,
    outlook: Outlook,
    *,
    at: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whose tier rises, whose qualification changes, whose expected value clearly rises; each (m,).

    What people decided by hand stays. For leads that stay disqualified nothing changes, since
    nobody calls them. A lead that waits for answers is decided by one, even if its tier falls.

    Args:
        standing: of all leads.
        settings: the sections `bant` and `qualification`.
        strengths: (m,) of the leads with an answer.
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
        strengths=strengths,
    )
    verdict_then = np.where(standing.verdict_by_hand[at], verdict_now, verdict_then)

    is_worked = (verdict_then != "disqualified") | (verdict_now != "disqualified")
    steps_up = _position_of(tier_now) - _position_of(tier_then)
    rises = steps_up > 0
    falls = steps_up < 0
    waits = verdict_now == "needs_answers"
    requalified = (verdict_then != verdict_now) & (~falls | waits)
    grows = _is_clear_rise(standing.outlook.win_probability[at], outlook.win_probability)
    return is_worked & rises, is_worked & requalified, is_worked & grows


def _position_of(tier: np.ndarray) -> np.ndarray:
    """0 for A to 3 for D (m,)."""
    return np.searchsorted(TIERS, tier.astype(str))


def _is_clear_rise(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Which probabilities (m,) rise so much that the expected value clearly does."""
    rise = after - before
    is_clear = (rise >= CLEARLY * before) & (rise >= CLEAR_POINTS)
    return np.asarray(is_clear)


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
