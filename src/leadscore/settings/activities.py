"""The names of kinds of activity, which the section `kinds` puts in words."""

from __future__ import annotations


def kind_slug(kind: str) -> str:
    """A kind of activity, or a stage, as part of a feature's name.

    >>> kind_slug("E-mail")
    'e_mail'
    """
    letters = (c if c.isascii() and c.isalnum() else "_" for c in kind.lower())
    return "".join(letters)
