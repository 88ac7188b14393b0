"""Connections that must be used: one that does not ask in time makes room for others."""

from __future__ import annotations

from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.h11_impl import H11Protocol

ASKS_WITHIN_S = 5.0  # from connecting to the end of the headers


class Prompt(H11Protocol):
    """HTTP that hangs up on whoever connects and asks nothing: idle ones would take all places."""

    asks_by: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self.asks_by = self.loop.call_later(ASKS_WITHIN_S, self._hang_up, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        if self.asks_by is not None:
            self.asks_by.cancel()
        super().connection_lost(exc)

    def _hang_up(self, transport: Transport) -> None:
        has_asked = self.cycle is not None
        if not has_asked:
            transport.close()
