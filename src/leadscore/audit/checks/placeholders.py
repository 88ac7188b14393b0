"""Values that stand for "nothing is known": how they look, and whether they hang on the outcome."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from leadscore.audit.checks.outcome import has_outcomes, odds_between_outcomes
from leadscore.audit.finding import Finding, share
from leadscore.audit.leads import Leads
from leadscore.audit.values import Values
from leadscore.times import DAY_US

# What forms and exports write for "nothing". "None", "No", "Unknown", "Other" and "Not sure" are
# answers, and not here.
PLACEHOLDERS = re.compile(
    r"[\W_]+|(please |-+ ?)?(select|choose)( (one|an? \w+|value|option))?[ .-]*|n/?a|n\.a\.?|#n/a|nan|null|nil|<?null>?"
    r"|\(?blank\)?|undefined|unknown date|no date|tb[ad]|not (set|entered)|x{2,}|0000-00-00.*|00/00/0000"
    r"|19(00|70)-01-01.*|-?9{3,}|dummy|to be (defined|determined)",
    re.IGNORECASE,
)
# What may as well be an answer: only its odds tell.
UNKNOWN = re.compile(
    r"(un|not )known|unbekannt|inconnue?|desconocid[oa]|desconhecid[oa]|sconosciut[oa]|onbekend"
    r"|no information|keine angabe|(bitte )?(aus)?wählen|s[ée]lectionner|seleccionar|selecionar|selezionare|selecteer"
    r"|unspecified|0|-1",
    re.IGNORECASE,
)
UNKNOWN_NUMBERS = (0.0, -1.0)
OUTCOME_ODDS = 8.0  # that a placeholder multiplies, before it counts as left by the outcome
PLACEHOLDER_DAYS = {
    "1899-12-30",
    "1899-12-31",
    "1900-01-01",
    "1970-01-01",
    "2099-12-31",
    "2100-01-01",
    "2199-12-31",
}
MIN_SHARE = 0.005  # of the filled leads, before a placeholder is more than a slip
MIN_LEADS = 5
MOST_NAMED = 3  # placeholders in a line of evidence


@dataclass(frozen=True)
class Placeholder:
    """A value that may stand for "nothing is known", as written, and which leads (n,) have it."""

    text: str
    rows: np.ndarray


def check_placeholder(values: Values, leads: Leads) -> Finding | None:
    """A value that looks like another word for missing."""
    del leads
    is_filled = ~values.missing
    least = max(MIN_LEADS, MIN_SHARE * is_filled.sum())
    counts = []
    for placeholder in _find_placeholders(values):
        n = int(placeholder.rows.sum())
        if n >= least:
            counts.append((n, placeholder.text))
    if not counts:
        return None

    counts.sort(reverse=True)
    named = [f"{text} in {share(n / len(is_filled))}" for n, text in counts[:MOST_NAMED]]
    evidence = f"{', '.join(named)} of the leads: looks like a placeholder for missing"
    listed = [{"value": text, "leads": n} for n, text in counts]
    return Finding("placeholder", "suspect", evidence, {"values": listed})


def stand_for_missing(values: Values) -> np.ndarray:
    """Which leads (n,) have a value that looks like another word for missing."""
    rows = np.zeros(len(values.missing), dtype=bool)
    for placeholder in _find_placeholders(values):
        rows |= placeholder.rows
    return rows


def check_left_by_outcome(values: Values, leads: Leads) -> Finding | None:
    """A value for "not known" that leads of one outcome have far more often."""
    label = leads.label[leads.judged]
    if not has_outcomes(label):
        return None
    candidates = [*_find_placeholders(values), *_find_unknown(values)]
    findings = [_compare_by_outcome(candidate, leads) for candidate in candidates]
    strongest = max(findings, key=lambda finding: finding.numbers["odds_low"], default=None)
    if strongest is None or strongest.numbers["odds_low"] < OUTCOME_ODDS:
        return None
    return strongest


def _compare_by_outcome(placeholder: Placeholder, leads: Leads) -> Finding:
    """How much more often the leads of one outcome have it, in odds at the cautious ends."""
    label = leads.label[leads.judged]
    rows = placeholder.rows[leads.judged]
    of_won = float(rows[label == 1].mean())
    of_lost = float(rows[label == 0].mean())
    odds = odds_between_outcomes(of_won, of_lost, label)

    shares = f"{share(of_won)} of the won leads and {share(of_lost)} of the lost"
    evidence = f"{placeholder.text} for {shares}: filled in by outcome"
    numbers = {
        "value": placeholder.text,
        "won": of_won,
        "lost": of_lost,
        "odds_low": odds,
    }
    return Finding("placeholder_by_outcome", "suspect", evidence, numbers)


def _find_placeholders(values: Values) -> list[Placeholder]:
    """Values that look like another word for missing."""
    if values.is_text:
        return _find_words(values, PLACEHOLDERS)
    if values.type == "date":
        return _find_dates(values)
    return _find_numbers(values)


def _find_unknown(values: Values) -> list[Placeholder]:
    """Values that may stand for "not known", or for themselves."""
    if values.is_text:
        return _find_words(values, UNKNOWN)
    if values.type != "number":
        return []
    return [Placeholder(f"{number:.0f}", values.numbers == number) for number in UNKNOWN_NUMBERS]


def _find_words(values: Values, pattern: re.Pattern[str]) -> list[Placeholder]:
    return [
        Placeholder(f'"{word}"', values.codes == code)
        for code, word in enumerate(values.words)
        if pattern.fullmatch(word.strip())
    ]


def _find_dates(values: Values) -> list[Placeholder]:
    placeholders = []
    for moment_us in np.unique(values.numbers[~values.missing]):
        days = np.floor(moment_us / DAY_US)
        day = str(days.astype("datetime64[D]"))
        if day in PLACEHOLDER_DAYS:
            placeholders.append(Placeholder(day, values.numbers == moment_us))
    return placeholders


def _find_numbers(values: Values) -> list[Placeholder]:
    """The largest number in 9s, or a smallest one like -1, that lies far from all others."""
    distinct = np.unique(values.numbers[~values.missing])
    if len(distinct) < 3:
        return []
    placeholders = []
    for place in (-1, 0):
        number = float(distinct[place])
        others = np.delete(distinct, place)
        if _is_placeholder(number, others):
            placeholders.append(Placeholder(f"{number:.0f}", values.numbers == number))
    return placeholders


def _is_placeholder(number: float, others: np.ndarray) -> bool:
    """Whether a number is written like a placeholder, and out of place among others (rising)."""
    if not number.is_integer():
        return False
    text = f"{number:.0f}"
    lowest = others[0]
    highest = others[-1]
    if re.fullmatch("9{3,}", text):
        distance = min(abs(number - lowest), abs(number - highest))
        return bool(distance > highest - lowest)
    is_only_negative = lowest >= 0 > number
    return bool(is_only_negative and re.fullmatch("-(1|9{2,})", text))
