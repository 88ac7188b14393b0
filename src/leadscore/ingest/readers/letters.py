# ruff: noqa: RUF001 - letters of many languages look alike
"""Tells encodings of one byte a letter apart: by the words of which languages a file makes sense."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

ASCII = bytes(range(0x80))
MOST_WORDS = 5_000
MOST_SHOWN = 5
ENOUGH_WORDS = 2  # that make sense in one encoding alone
WESTERN = "cp1252"
CLOSEST = (WESTERN, "cp1250")  # the usual ones, which nearly all letters can be read as
# The same in nearly all of these encodings: quotes, dashes, spaces, and signs such as that of the euro.
MARKS = (
    b"\x80\x82\x84\x85\x86\x87\x89\x8b\x91\x92\x93\x94\x95\x96\x97\x99\x9b"
    b"\xa0\xa4\xa6\xa7\xa9\xab\xac\xad\xae\xb0\xb1\xb5\xb6\xb7\xbb"
)
NO_MARKS = bytes.maketrans(MARKS, b" " * len(MARKS))
WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
SIGN = re.compile(rb"[\xa0-\xbf]")  # alone, as that of pounds is, no letter
VOWELS = "aeiouyáéíóúýâêîôûäëïöüàèìòùãõæøåąęěůőűăāēīūėįųı"

# By encoding: which letters beyond ASCII a language has, and next to which others. Where the same
# bytes make sense in several encodings, the first of these wins.
LANGUAGES = {
    "cp1252": (
        "[äöüßé]",  # German
        "[éàâîôûùœüê]|(?<=[aeiou])[ëï]|(?<!^)è(?![aeiou])|ç(?=[aou])",  # French
        "[áéíóúü]|ñ(?=[aeiouáéíóú])|^[¿¡]",  # Spanish
        "[áâàéêíóôúü]|ç(?=[aouãõáóú])|ã(?=[eo])|(?<=[hmç])ã(?=s?$)|õ(?=e)",  # Portuguese
        "[àé]|[èìòù](?=$)",  # Italian
        "[éöüáó]|(?<=[aeiou])[ëï]",  # Dutch
        "[æøåéöü]",  # Danish, Norwegian
        "[åäöéü]",  # Swedish, Finnish
        "[áéíóúæö]|ý(?!$)|(?<!^)ð|^þ",  # Icelandic
        "[äöüšž]|õ(?!$|[srnkt]$)",  # Estonian
        "ë|ç(?=[aeiou]|$)",  # Albanian
        "(?<=m)[²³]|(?<=^[nm])[ªº](?=$)",  # signs
    ),
    "cp1250": (
        "[ąćęłóśźż]|ń(?![aeiouy])",  # Polish
        "[áčéíňóřšťúýž]|(?<=[bpvmfdtn])ě|ď(?![bcdfghklmnprstvz])|(?<![aeiou])ů",  # Czech
        "[áäčéíľňóôšťúýž]|ď(?![bcdfghklmnprstvz])",  # Slovak
        "[áéíóöúü]|[őű](?![aeiou])",  # Hungarian
        "[čćđšž]",  # Croatian, Slovene
        "[âîşţ]|ă(?![aeio])",  # Romanian
    ),
    "cp1254": ("[çğıöşüâîû]",),  # Turkish
    "cp1257": (
        "[ąįšūž]|č(?=[aeiouąęėįūų])|(?<![aeiou])ė|[ęų](?=s|$)",  # Lithuanian
        "[āčēģīķļņšūž]",  # Latvian
    ),
    "cp1251": ("[абвгдежзиклмнопрстуфхцчшщъыьэюяёєіїґ]|(?<=[аеёиоуыэюяіє])й|й(?=о)",),  # Cyrillic
    "cp1253": ("[αβγδεζηθικλμνξοπρτυφχψωάέήίόύώϊϋ]|σ(?!$)|ς(?=$)",),  # Greek
    "cp1255": ("[אבגדהוזחטיכלמנסעפצקרשת]|[םןךףץ](?=$)",),  # Hebrew
}
NOT_LATIN = ("cp1251", "cp1253", "cp1255")
PLAUSIBLE = {
    encoding: [
        re.compile(f"(?:{language})+" if encoding in NOT_LATIN else f"(?:[a-z]|{language})+")
        for language in languages
    ]
    for encoding, languages in LANGUAGES.items()
}
ODD_LATIN = re.compile(
    rf"[^a-z]{{4}}|^[^a-z]{{2,3}}$|^[^{VOWELS}]$"  # accents that follow each other
    rf"|(?<![{VOWELS}])(?!^č|(?<=r)č[kn])[čćđďľłňņķļřťşţğñþ](?![{VOWELS}])"  # consonants without a vowel
    rf"|[{VOWELS}][æå]|[eiouy]ø|[æå][{VOWELS}]|ø(?!e[rns]|y)[{VOWELS}]|è[{VOWELS}]"  # of vowels
)
UNACCENTED = re.compile("[Α-Ω]?[α-ω]{4,}")  # as no Greek word of that length is, but in capitals


@dataclass(frozen=True)
class Reading:
    """The encoding that makes most sense of some words.

    Attributes:
        encoding: None if no word makes sense in any.
        share: of the words with letters beyond ASCII, those that make sense.
        doubt: in which other encoding they may be, in words; None if hardly.
    """

    encoding: str | None
    share: float
    doubt: str | None


def read_letters(block: bytes) -> Reading | None:
    """How to read a block of text that is not UTF-8; None if it has no words beyond ASCII.

    >>> read_letters("Łódź,Wałęsa,Kraków".encode("cp1250"))
    Reading(encoding='cp1250', share=1.0, doubt=None)
    """
    distinct = dict.fromkeys(WORD.findall(block.translate(NO_MARKS)))
    beyond_ascii = (word for word in distinct if not word.isascii() and not SIGN.fullmatch(word))
    words = list(islice(beyond_ascii, MOST_WORDS))
    sensible = {encoding: _sensible(words, encoding) for encoding in _possible(block)}
    _share_western(sensible)
    best = max(sensible, key=lambda encoding: len(sensible[encoding]), default=None)
    if not words:
        return None
    if best is None or not sensible[best]:
        return Reading(None, 0.0, None)
    share = len(sensible[best]) / len(words)
    return Reading(best, share, _doubt(words, best, sensible))


def _possible(block: bytes) -> list[str]:
    """The encodings that have a letter for every byte."""
    return [encoding for encoding in LANGUAGES if _decodes(block, encoding)]


def _decodes(block: bytes, encoding: str) -> bool:
    try:
        block.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _sensible(words: Iterable[bytes], encoding: str) -> set[bytes]:
    """The words that could be of a language with that encoding."""
    return {word for word in words if _is_sensible(word.decode(encoding), encoding)}


def _is_sensible(word: str, encoding: str) -> bool:
    word = word.replace("İ", "I")
    rest = word.lstrip("¿¡")[1:]
    if not word.isupper() and rest != rest.lower():
        return False
    lower = word.lower()
    if encoding in NOT_LATIN:
        is_odd = len(word) < 2 or UNACCENTED.fullmatch(word) is not None
    else:
        is_odd = ODD_LATIN.search(lower) is not None
    if is_odd:
        return False
    return any(language.fullmatch(lower) for language in PLAUSIBLE[encoding])


def _share_western(sensible: dict[str, set[bytes]]) -> None:
    """Add the words that make sense as western ones and are the same in another encoding."""
    western = sensible.get(WESTERN, set())
    for encoding, words in sensible.items():
        words |= {word for word in western if word.decode(encoding) == word.decode(WESTERN)}


def _doubt(words: Iterable[bytes], best: str, sensible: dict[str, set[bytes]]) -> str | None:
    """Another encoding that explains about as many of the words which it reads otherwise."""
    for other, sensible_there in sensible.items():
        differing = {word for word in words if word.decode(best) != word.decode(other)}
        ours = differing & sensible[best]
        theirs = differing & sensible_there
        is_rival = bool(theirs) or (other in CLOSEST and bool(differing))
        evidence = len(ours - theirs) - 2 * len(theirs - ours)
        is_explained = 2 * len(ours) >= len(differing)
        if is_rival and not (evidence >= ENOUGH_WORDS and is_explained):
            return _in_words(differing, best, other)
    return None


def _in_words(words: Iterable[bytes], best: str, other: str) -> str:
    """Which letters two encodings read differently, and how to choose the other one."""
    letters = sorted(set(b"".join(words).translate(None, ASCII)))
    read = [(bytes([letter]).decode(best), bytes([letter]).decode(other)) for letter in letters]
    differing = [(ours, theirs) for ours, theirs in read if ours != theirs][:MOST_SHOWN]
    ours = ", ".join(letter for letter, _ in differing)
    theirs = ", ".join(letter for _, letter in differing)
    return (
        f"the text may be {other.upper()}, in which {ours} would be {theirs}; "
        f"if so, set encoding = '{other}'"
    )
