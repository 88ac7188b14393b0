"""Text from outside, fit for a page: short, and without what hides or reverses it."""

from __future__ import annotations

import re
from datetime import date

from leadscore.printable import printable

LONGEST = 240  # characters; our own sentences are shorter
JOINERS = "\u200c\u200d"  # Persian words and emoji need them
SAFE_LINKS = ("https://", "http://")
ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
NUMBER = re.compile(r"\+?[0-9(][0-9 ().-]*")
TRUNK = re.compile(r"^\+([0-9 .-]*)\(0\)")  # the 0 of +49 (0)30 is not dialled from abroad
DIGITS = range(5, 16)  # of a number to dial: at most those of E.164


def clean(text: object, *, most: int = LONGEST) -> str:
    r"""Text in one line of at most `most` characters; hidden characters become U+FFFD.

    >>> clean("a\x00b\u202ec"), clean("too long", most=5)
    ('a�b�c', 'too …')
    """
    if text is None:
        return ""
    words = " ".join(str(text).split())
    if len(words) > most:
        words = words[: most - 1] + "…"
    return printable(words, keep=JOINERS)


def clean_link(text: str) -> str:
    """A link that a browser may follow, or "".

    >>> clean_link("https://crm.example/1"), clean_link("javascript:alert(1)")
    ('https://crm.example/1', '')
    """
    link = text.strip()
    is_safe = link.lower().startswith(SAFE_LINKS)
    return link if is_safe and link.isprintable() and " " not in link else ""


def link_email(text: str) -> str:
    """A mailto: link to a plain address, or "".

    >>> link_email("eva@firm.example"), link_email("eva@firm.example?bcc=all@firm.example")
    ('mailto:eva@firm.example', '')
    """
    address = text.strip()
    return f"mailto:{address}" if ADDRESS.fullmatch(address) else ""


def link_phone(text: str) -> str:
    """A tel: link to a plain number, or "".

    >>> link_phone("+49 (0)30 1234-56"), link_phone("030 123456 ext. 7")
    ('tel:+4930123456', '')
    """
    number = TRUNK.sub(r"+\1", text.strip())
    digits = re.sub("[^0-9]", "", number)
    if NUMBER.fullmatch(number) is None or len(digits) not in DIGITS:
        return ""
    return f"tel:+{digits}" if number.startswith("+") else f"tel:{digits}"


def name_day(moment: str | None) -> str:
    """The day of an ISO moment, as people write it.

    >>> name_day("2026-03-01T00:00:00Z")
    '1 March 2026'
    """
    if moment is None:
        return "undated"
    day = date.fromisoformat(moment[:10])
    return f"{day.day} {day:%B %Y}"
