"""What first settings hand over."""

from __future__ import annotations

from leadscore.results.base import Result


class Part(Result):
    """A part that a file or a column plays, why, and what may be wrong with that."""

    part: str
    place: str
    evidence: str
    doubt: str | None


class Started(Result):
    """Settings that were written, what they rest on, and what remains to be confirmed.

    `is_dated` is whether something says when leads were created.
    `url_env` is the environment variable that must hold the address of the database, if there is one.
    `has_outcomes` is whether won and lost are mapped; without them there is nothing to learn from.
    """

    config: str
    preset: str | None
    url_env: str | None
    parts: list[Part]
    unused: list[str]
    to_confirm: list[str]
    has_outcomes: bool
    is_dated: bool
