"""Answers to budget, authority, need and timeline in the words of the answers themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leadscore.features.phrases import Phrase, both, capitalised
from leadscore.settings.bant import BantLetter

SURE = 0.8  # strength of a title from which on its holder decides
SOME = 0.4  # strength from which on its holder has influence
WEAK = 0.2  # a weaker answer speaks for no lead
STRONG, FAIR, POOR = 2 / 3, 0.4, 1 / 3  # of a mean strength
Say = Callable[[float, bool], str]


def word_answer(letter: str, bant: BantLetter) -> Phrase:
    """What the latest answer to a letter says."""
    sentence = f"{capitalised(letter)} answered"
    return _phrase(letter, sentence, _choose(letter, bant), least_up=WEAK, most_down=SURE)


def _choose(letter: str, bant: BantLetter) -> Say:
    """The words of the way in which the letter is answered: the settings allow exactly one."""
    if bant.levels:
        return _Levels(letter, bant.levels)
    if bant.titles:
        return _Titles(letter)
    if bant.full_amount:
        return _Amount(letter, bant.full_amount)
    near, far = bant.within_days or (0, 1)
    return _Date(letter, near, far)


def word_mean(letter: str) -> Phrase:
    """What all answers to a letter say on average."""
    sentence = f"Average answer on {letter}: "
    subject = f"average answer on {letter}"
    return _phrase(subject, sentence, _Mean(sentence), least_up=FAIR, most_down=0.5)


def _phrase(subject: str, sentence: str, say: Say, *, least_up: float, most_down: float) -> Phrase:
    """A phrase in which weak answers never speak for a lead, nor strong ones against it."""
    return Phrase(subject, sentence, sentence, named=say, least_up=least_up, most_down=most_down)


def word_known(letter: str) -> Phrase:
    """That a letter is answered; that it is not is no reason."""
    sentence = f"{capitalised(letter)} question answered"
    return Phrase(f"whether {letter} is answered", sentence, "", counted=True)


@dataclass(frozen=True)
class _Mean:
    """How good answers were on average."""

    begin: str

    def __call__(self, strength: float, speaks_for: bool) -> str:
        if speaks_for:
            return self.begin + ("strong" if strength >= STRONG else "fair")
        return self.begin + ("weak" if strength < POOR else "lukewarm")


@dataclass(frozen=True)
class _Levels:
    """An answer on an ordered scale, by its own name."""

    letter: str
    levels: tuple[str, ...]

    def __call__(self, strength: float, _: bool) -> str:
        top = len(self.levels) - 1
        return f"{capitalised(self.letter)}: {self.levels[round(strength * top)]}"


@dataclass(frozen=True)
class _Titles:
    """Who is involved, by the strength of the title."""

    letter: str

    def __call__(self, strength: float, speaks_for: bool) -> str:
        if self.letter != "authority":
            return f"{capitalised(self.letter)}: {strength * 100:.0f}% of the best answer"
        if strength >= SURE:
            return "Decision maker involved"
        if strength >= SOME:
            return "Somebody with influence involved"
        return "" if speaks_for else "No decision maker involved"


@dataclass(frozen=True)
class _Amount:
    """An amount of money, as far as the strength tells it."""

    letter: str
    full: float

    def __call__(self, strength: float, _: bool) -> str:
        if strength == 0:
            return f"No {self.letter}"
        if strength == 1:
            return f"{capitalised(self.letter)} of {self.full:,.0f} or more"
        return f"{capitalised(self.letter)} of about {_two_digits(strength * self.full):,.0f}"


@dataclass(frozen=True)
class _Date:
    """How far ahead a date is, as far as the strength tells it."""

    letter: str
    near: float
    far: float

    def __call__(self, strength: float, _: bool) -> str:
        is_timeline = self.letter == "timeline"
        wanted = "Wants it" if is_timeline else f"{capitalised(self.letter)}:"
        far_off = "Does not want it" if is_timeline else f"{capitalised(self.letter)}: not"
        if strength == 1:
            return f"{wanted} within {self.near:,.0f} days"
        if strength == 0:
            return f"{far_off} within {self.far:,.0f} days, or the date has passed"
        days = self.far - strength * (self.far - self.near)
        return f"{wanted} in about {_two_digits(days):,.0f} days"


def _two_digits(number: float) -> float:
    """A number that is only about right, rounded to two digits."""
    return float(f"{number:.2g}")


def word_answers(letter: str) -> Phrase:
    """How often a question was answered, in words."""
    return both(
        f"answers on {letter} so far",
        f"{capitalised(letter)} entered or updated {{value}} times",
        one=f"{capitalised(letter)} entered once",
        counted=True,
        none=f"No answer on {letter} yet",
    )
