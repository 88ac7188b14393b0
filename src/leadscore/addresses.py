"""Addresses of servers and databases as they may be shown: scheme, host, port and path only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

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


def find_address(path: Path, *, served: Mapping[str, Path], base_url: str | None) -> str:
    """The address under which a browser finds a file.

    >>> find_address(Path("/srv/data/a b.html"), served={"data": Path("/srv/data")}, base_url="https://host/x/")
    'https://host/x/data/a%20b.html'
    >>> find_address(Path("/etc/a.html"), served={"data": Path("/srv/data")}, base_url="https://host")
    'file:///etc/a.html'

    Args:
        path: of the file.
        served: name below the base URL -> the folder that it shows.
        base_url: http or https; None: the file is found on this machine alone.
    """
    full = path.resolve()
    for name, folder in served.items():
        root = folder.resolve()
        if base_url and full.is_relative_to(root):
            below = quote(full.relative_to(root).as_posix())
            return f"{base_url.rstrip('/')}/{name}/{below}"
    return full.as_uri()


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
