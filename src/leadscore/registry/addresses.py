"""Addresses of servers and databases, as they may be shown: scheme, host, port and path, and nothing else of them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

SHORTEST = 3  # characters of a secret: what is shorter is none, and would be a part of many words
# a password may hold anything, even @ and blanks; a name or token alone ends at the first @
USER = re.compile(r"(://)(?:[^:/?#@\s]*:.*@|[^/?#@\s'\"]*@)")
QUERY = re.compile(r"(://[^\s'\"?#]*)[?#][^\s'\"]*")
VALUE = re.compile(r"([?&;][\w.%-]+=)[^&;\s'\"]*")


def hide_secrets(text: str, *, of: str = "") -> str:
    """Text whose addresses show scheme, host, port and path; the secrets of the address `of` are `***` anywhere.

    >>> hide_secrets("cannot reach http://t0ken@host:5000/x?key=abc: no route")
    'cannot reach http://host:5000/x no route'
    """
    for secret in sorted(_secrets(of), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    text = USER.sub(r"\1", text)
    text = QUERY.sub(r"\1", text)
    return VALUE.sub(r"\1***", text)


def _secrets(address: str) -> set[str]:
    """User, password and values of the query, as they stand and as they are meant."""
    try:
        parts = urlsplit(address)
    except ValueError:  # such as a bracket without its other half
        return {address} if address else set()
    user = parts.netloc.rpartition("@")[0]
    given = {
        user,
        *user.split(":", 1),
        *(value for _, value in parse_qsl(parts.query)),
        parts.fragment,
    }
    given |= {value.partition("=")[2] for value in parts.query.split("&")}
    return {each for secret in given for each in (secret, unquote(secret)) if len(each) >= SHORTEST}
