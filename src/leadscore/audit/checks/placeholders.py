"""Values that stand for "nothing is known": what they look like, and whether they depend on the outcome."""

from __future__ import annotations

import re

import numpy as np

from leadscore.audit.checks.outcome import has_outcomes
from leadscore.audit.fields import Leads, Values
from leadscore.audit.finding import Finding, share
from leadscore.audit.statistics import compute_bounds, compute_odds
from leadscore.times import DAY_US

# What forms and exports write for "nothing". "None", "No", "Unknown", "Other" and "Not sure" are answers, and not here.
PLACEHOLDERS = re.compile(
    r"[\W_]+|(please |-+ ?)?(select|choose)( (one|an? \w+|value|option))?[ .-]*|n/?a|n\.a\.?|#n/a|nan|null|nil|<?null>?"
    r"|\(?blank\)?|undefined|unknown date|no date|tb[ad]|not (set|entered)|x{2,}|0000-00-00.*|00/00/0000"
    r"|19(00|70)-01-01.*|-?9{3,}|dummy|to be (defined|determined)",
    re.IGNORECASE,
)
# And what may as well be an answer: only its odds tell.
UNKNOWN = re.compile(
    r"(un|not )known|unbekannt|inconnue?|desconocid[oa]|desconhecid[oa]|sconosciut[oa]|onbekend"
    r"|no information|keine angabe|(bitte )?(aus)?wählen|s[ée]lectionner|seleccionar|selecionar|selezionare|selecteer"
    r"|unspecified|0|-1",
    re.IGNORECASE,
)
UNKNOWN_NUMBERS = (0.0, -1.0)
OUTCOME_ODDS = (
    8.0  # by which a placeholder multiplies the odds of an outcome, before it was left by it
)
PLACEHOLDER_DAYS = {
    "1899-12-30",
    "1899-12-31",
    "1900-01-01",
    "1970-01-01",
    "2099-12-31",
    "2100-01-01",
    "2199-12-31",
}
MIN_SHARE, MIN_LEADS = 0.005, 5  # of the filled leads, before a placeholder is more than a slip


def check_placeholder(values: Values, leads: Leads) -> Finding | None:
    """A value that looks like another word for missing."""
    del leads
    there = ~values.missing
    candidates = _placeholder_words(values) if values.is_text else _placeholder_numbers(values)
    counted = [(int(rows.sum()), said) for rows, said in candidates]
    found = [(n, said) for n, said in counted if n >= max(MIN_LEADS, MIN_SHARE * there.sum())]
    if not found:
        return None
    told = ", ".join(
        f"{said} in {share(n / len(there))}" for n, said in sorted(found, reverse=True)[:3]
    )
    numbers = {"values": [{"value": said, "leads": n} for n, said in sorted(found, reverse=True)]}
    return Finding(
        "placeholder",
        "suspect",
        f"{told} of the leads: looks like a placeholder for missing",
        numbers,
    )


def stand_for_missing(values: Values) -> np.ndarray:
    """Which leads (n,) have a value that looks like another word for missing."""
    found = np.zeros(len(values.missing), dtype=bool)
    for rows, _ in _placeholder_words(values) if values.is_text else _placeholder_numbers(values):
        found |= rows
    return found


def check_left_by_outcome(values: Values, leads: Leads) -> Finding | None:
    """A value for "not known" that leads of one outcome have far more often, as nobody filled it in for the others."""
    label = leads.label[leads.judged]
    if not has_outcomes(label):
        return None
    found = []
    for rows, spoken in _unknown_values(values):
        part = rows[leads.judged]
        odds = _odds_between(part[label == 1], part[label == 0])
        if odds >= OUTCOME_ODDS:
            found.append((odds, spoken, part))
    if not found:
        return None
    odds, spoken, part = max(found, key=lambda each: each[0])
    of_won, of_lost = (float(part[label == outcome].mean()) for outcome in (1, 0))
    evidence = f"{spoken} for {share(of_won)} of the won leads and {share(of_lost)} of the lost: filled in by outcome"
    numbers = {"value": spoken, "won": of_won, "lost": of_lost, "odds_low": odds}
    return Finding("placeholder_by_outcome", "suspect", evidence, numbers)


def _odds_between(won: np.ndarray, lost: np.ndarray) -> float:
    """How many times more often, in odds, one outcome has a value than the other, at the near ends of both shares."""
    low, high = compute_bounds(np.array([won.mean(), lost.mean()]), np.array([len(won), len(lost)]))
    odds = compute_odds(low) / compute_odds(high)[::-1]
    return float(odds.max())


def _unknown_values(values: Values) -> list[tuple[np.ndarray, str]]:
    """Values that may stand for "not known": which leads (n,) have them, and how they are written."""
    if not values.is_text:
        zeros = [(values.numbers == number, f"{number:.0f}") for number in UNKNOWN_NUMBERS]
        return [*_placeholder_numbers(values), *(zeros if values.type == "number" else [])]
    unknown = []
    for code, word in enumerate(values.words):
        if UNKNOWN.fullmatch(word.strip()):
            unknown.append((values.codes == code, f'"{word}"'))
    return [*_placeholder_words(values), *unknown]


def _placeholder_words(values: Values) -> list[tuple[np.ndarray, str]]:
    return [
        (values.codes == code, f'"{word}"')
        for code, word in enumerate(values.words)
        if PLACEHOLDERS.fullmatch(word.strip())
    ]


def _placeholder_numbers(values: Values) -> list[tuple[np.ndarray, str]]:
    """The largest or smallest number where it is written in 9s, or is -1, and lies far from all others."""
    numbers = values.numbers
    distinct = np.unique(numbers[~values.missing])
    if values.type == "date":
        days = (
            np.floor(distinct / DAY_US).astype("datetime64[D]").astype(str)
            if len(distinct)
            else distinct
        )
        return [
            (numbers == n, day)
            for n, day in zip(distinct, days, strict=True)
            if day in PLACEHOLDER_DAYS
        ]
    if len(distinct) < 3:
        return []
    found = []
    for number, rest in ((distinct[-1], distinct[:-1]), (distinct[0], distinct[1:])):
        written = f"{number:.0f}" if float(number).is_integer() else ""
        far = min(abs(number - rest[0]), abs(number - rest[-1])) > rest[-1] - rest[0]
        below = rest[0] >= 0 > number
        if (re.fullmatch("9{3,}", written) and far) or (
            re.fullmatch("-(1|9{2,})", written) and below
        ):
            found.append((numbers == number, written))
    return found
