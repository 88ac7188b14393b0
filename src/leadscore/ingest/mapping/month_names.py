"""Names of months in the languages of the exports that we know, and the month that each means."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

LEAST_LETTERS = 3  # of an abbreviation

# Full names; their beginnings of three letters and more are abbreviations, where one month has them.
# fmt: off
LANGUAGES = (
    ("january", "february", "march", "april", "may", "june", "july", "august", "september",
     "october", "november", "december"),
    ("januar", "februar", "märz", "april", "mai", "juni", "juli", "august", "september",
     "oktober", "november", "dezember"),
    ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
     "octobre", "novembre", "décembre"),
    ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
     "octubre", "noviembre", "diciembre"),
    ("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
     "ottobre", "novembre", "dicembre"),
    ("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
     "outubro", "novembro", "dezembro"),
    ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september",
     "oktober", "november", "december"),
    ("januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september",
     "oktober", "november", "december"),
    ("januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september",
     "oktober", "november", "december"),
    ("januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september",
     "oktober", "november", "desember"),
    ("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września",
     "października", "listopada", "grudnia"),
    ("ledna", "února", "března", "dubna", "května", "června", "července", "srpna", "září",
     "října", "listopadu", "prosince"),
    ("siječnja", "veljače", "ožujka", "travnja", "svibnja", "lipnja", "srpnja", "kolovoza", "rujna",
     "listopada", "studenoga", "prosinca"),
    ("января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября",
     "октября", "ноября", "декабря"),
    ("январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь",
     "октябрь", "ноябрь", "декабрь"),
)
IRREGULAR = {"mrz": 3, "mrt": 3, "sept": 9}
# fmt: on


def plain_word(text: str) -> str:
    """A word in lower case without accents.

    >>> plain_word("Août"), plain_word("MÄRZ")
    ('aout', 'marz')
    """
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = [mark for mark in decomposed if not unicodedata.combining(mark)]
    return "".join(letters)


def _collect(languages: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """The month of every name and abbreviation that means the same one wherever it is used.

    English names mean what they mean in English, and so do their abbreviations.
    """
    meanings: defaultdict[str, set[int]] = defaultdict(set)
    english, *others = languages
    for names in others:
        for month, name in enumerate(names, 1):
            for word in _spellings(name):
                meanings[word].add(month)
    clear = {}
    for word, months in meanings.items():
        if len(months) == 1:
            clear[word] = min(months)
    for month, name in enumerate(english, 1):
        clear |= dict.fromkeys(_spellings(name), month)
    return clear | IRREGULAR


def _spellings(name: str) -> list[str]:
    word = plain_word(name)
    lengths = range(LEAST_LETTERS, len(word) + 1)
    return [word[:length] for length in lengths]


MONTHS = _collect(LANGUAGES)


def read_month(word: str) -> int | None:
    """The month that a word names, or None where it names none, or two.

    >>> read_month("Jan"), read_month("Oktober"), read_month("août"), read_month("listopada")
    (1, 10, 8, None)
    """
    return MONTHS.get(plain_word(word).removesuffix("."))
