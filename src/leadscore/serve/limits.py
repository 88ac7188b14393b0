"""Who may ask, how often, and how much: checked before a request is read."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from ipaddress import ip_address
from time import monotonic
from typing import Any

MOST_BYTES = 256 * 1024
BODY_WITHIN_S = 10.0
MOST_CLIENTS = 10_000  # whose pace is remembered
HEADERS = {  # of refusals, beside their type
    401: [(b"www-authenticate", b"Bearer")],
    429: [(b"retry-after", b"1")],
    503: [(b"retry-after", b"1"), (b"connection", b"close")],
}
FREE = ("/health",)  # asked by whatever watches the process; it says nothing of the project

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, seen from itself.

    >>> is_loopback("LocalHost"), is_loopback("[::1]"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Pace:
    """Lets each client ask so often a second, and up to two seconds' worth at once."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = max(2 * per_second, 1.0)
        self._left: dict[str, tuple[float, float]] = {}

    def admits(self, client: str, now_s: float) -> bool:
        """Whether a client may ask now; it counts as asked."""
        left, since_s = self._left.pop(client, (self._most, now_s))
        regained = (now_s - since_s) * self._per_second
        left = min(self._most, left + regained)
        is_admitted = left >= 1
        self._left[client] = (left - is_admitted, now_s)
        if len(self._left) > MOST_CLIENTS:  # the one that asked longest ago
            self._left.pop(next(iter(self._left)))
        return is_admitted


@dataclass(frozen=True)
class Guard:
    """Passes on what may be asked, and answers the rest itself.

    Attributes:
        app: what is guarded.
        token: that every request must carry; None: whoever reaches the address may ask.
        pace: of each client.
    """

    app: App
    token: str | None
    pace: Pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or pass on a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        refusal = self._refuse(scope, headers)
        if refusal is not None:
            await answer(send, *refusal)
            return
        try:
            body = await asyncio.wait_for(_read_body(receive), BODY_WITHIN_S)
        except TimeoutError:
            await answer(send, 408, f"the request did not end within {BODY_WITHIN_S:g} seconds")
            return
        if body is None:
            await answer(send, 413, f"a request may have {MOST_BYTES // 1024} KiB")
            return
        await self.app(scope, _replay(body, receive), send)

    def _refuse(self, scope: Scope, headers: dict[str, bytes]) -> tuple[int, str] | None:
        """The status and the words of a refusal; None if the request may pass."""
        if scope["path"] in FREE:
            return None
        if self.token is None and not _names_this_machine(headers.get("host", b"")):
            return 403, "without a token, only this machine may ask: call it localhost"
        if self.token is not None and not _has_token(headers, self.token):
            return 401, "send the header Authorization: Bearer TOKEN"
        client = (scope.get("client") or ("",))[0]
        if not self.pace.admits(client, monotonic()):
            return 429, "too many requests; wait a second"
        return None


async def _read_body(receive: Receive) -> bytes | None:
    """The body of a request; None as soon as it is too large, whatever it says of its length."""
    parts: list[bytes] = []
    size = 0
    goes_on = True
    while goes_on:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size > MOST_BYTES:
            return None
        parts.append(part)
        goes_on = message.get("more_body", False)
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _has_token(headers: dict[str, bytes], token: str) -> bool:
    expected = f"Bearer {token}".encode()
    return hmac.compare_digest(headers.get("authorization", b""), expected)


def _names_this_machine(host: bytes) -> bool:
    """Whether a request is meant for this machine; a page of elsewhere names its own host."""
    name = host.decode("latin-1")
    if name.endswith("]"):  # IPv6 without a port
        return is_loopback(name)
    without_port = name.rpartition(":")[0]
    return is_loopback(without_port or name)


def build_error(words: str) -> bytes:
    """The body of every refusal."""
    return json.dumps({"error": words}).encode()


async def answer(send: Send, status: int, words: str) -> None:
    """Refuse a request, in JSON."""
    headers = [(b"content-type", b"application/json"), *HEADERS.get(status, ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": build_error(words)})
