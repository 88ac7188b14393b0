"""Addresses of servers and databases as they may be shown: scheme, host, port and path only."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

SHORTEST = 3  # characters of a secret: anything shorter would also be a part of many words
# a password may hold anything, even @ and blanks; a name or token alone ends at the first @
USER = re.compile(r"(://)(?:[^:/?#@\s]*:.*@|[^/?#@\s'\"]*@)")
QUERY = re.compile(r"(://[^\s'\"?#]*)[?#][^\s'\"]*")
VALUE = re.compile(r"([?&;][\w.%-]+=)[^&;\s'\"]*")


def hide_secrets(text: str, *, of: str = "") -> str:
    """The text without user, password and query of addresses.

    The secrets of the address `of` become `***` wherever they stand.

    >>> hide_secrets("cannot reach http://t0ken@host:5000/x?key=abc: no route")
    'cannot reach http://host:5000/x no route'
    """
    longest_first = sorted(_secrets(of), key=len, reverse=True)
    for secret in longest_first:
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    text = USER.sub(r"\1", text)
    text = QUERY.sub(r"\1", text)
    return VALUE.sub(r"\1***", text)


def _secrets(address: str) -> set[str]:
    """User, password and values of the query, as they are written and decoded."""
    try:
        parts = urlsplit(address)
    except ValueError:  # such as a bracket without its other half
        return {address} if address else set()

    user, _, _ = parts.netloc.rpartition("@")
    written = {user, *user.split(":", 1), parts.fragment}
    for _, value in parse_qsl(parts.query):
        written.add(value)
    for pair in parts.query.split("&"):
        _, _, value = pair.partition("=")
        written.add(value)

    decoded = {unquote(secret) for secret in written}
    return {secret for secret in written | decoded if len(secret) >= SHORTEST}
