"""The section `activities`, and the names of kinds, which the section `kinds` puts in words."""

from __future__ import annotations

from pydantic import Field

from leadscore.settings.base import Frozen
from leadscore.times import DAY_US, SECOND_US

DAY_S = DAY_US // SECOND_US


class Activities(Frozen):
    """How activities are read."""

    conversation_seconds: int = Field(
        default=60,
        ge=0,
        le=DAY_S,
        description="a call or meeting counts as a conversation if its `duration_s` is longer "
        "than this",
    )


def kind_slug(kind: str) -> str:
    """A kind of activity, or a stage, as part of a feature's name.

    >>> kind_slug("E-mail")
    'e_mail'
    """
    slug = ""
    for letter in kind.lower():
        is_plain = letter.isascii() and letter.isalnum()
        slug += letter if is_plain else "_"
    return slug
