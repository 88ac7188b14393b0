"""Connections that must be used: one that does not ask in time makes room for others."""

from __future__ import annotations

from asyncio import TimerHandle, Transport

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from leadscore.serve.limits import Receive, Scope, Send, answer, build_error

ASKS_WITHIN_S = 5.0  # from connecting to the end of the headers
MOST_AT_ONCE = 64  # connections that are served
NOT_HTTP = "the request is not valid HTTP/1.1"
FULL = f"more than {MOST_AT_ONCE} connections are open; try again in a second"


class Prompt(H11Protocol):
    """HTTP that hangs up on whoever connects and asks nothing: idle ones would take all places."""

    asks_by: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.asks_by = self.loop.call_later(ASKS_WITHIN_S, self._hang_up, transport)
        if len(self.connections) > MOST_AT_ONCE:
            self.logger.warning(FULL)
            self.app = _refuse_connection

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        if self.asks_by is not None:
            self.asks_by.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (uvicorn's words)
        """Refuse what is not HTTP as everything else is refused, in JSON, and hang up."""
        headers = [("content-type", "application/json"), ("connection", "close")]
        start = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        events = (start, h11.Data(data=build_error(NOT_HTTP)), h11.EndOfMessage())
        for event in events:
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _hang_up(self, transport: Transport) -> None:
        has_asked = self.cycle is not None
        if not has_asked:
            transport.close()


async def _refuse_connection(_: Scope, _receive: Receive, send: Send) -> None:
    """Answer whoever connects when all places are taken; the next attempt takes a new connection."""
    await answer(send, 503, FULL)
