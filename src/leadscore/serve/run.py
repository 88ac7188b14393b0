"""Runs the service until it is told to stop."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from leadscore.errors import UserError
from leadscore.serve.app import build_app
from leadscore.serve.keeper import Keeper
from leadscore.serve.limits import App, is_loopback
from leadscore.serve.prompt import Prompt
from leadscore.settings.environment import SERVICE_TOKEN, read_service_token
from leadscore.settings.settings import Settings

SHORTEST_TOKEN = 16  # characters
STOPS_WITHIN_S = 10  # requests that have begun may end


def run_service(
    settings: Settings,
    *,
    listener: socket.socket,
    per_second: float,
    clock_us: Callable[[], int],
    as_of_us: int | None,
) -> None:
    """Answer at an address, until the process is interrupted or terminated.

    Args:
        settings: of the project.
        listener: where requests come in, as `open_listener` opens it.
        per_second: how often each client may ask.
        clock_us: gives now, in UTC microseconds.
        as_of_us: a fixed moment to score at; None moves with the clock.
    """
    keeper = Keeper(settings, clock_us=clock_us, as_of_us=as_of_us)
    app = build_app(keeper, token=read_service_token(), per_second=per_second)
    with listener:
        build_server(app).run(sockets=[listener])


def build_server(app: App) -> uvicorn.Server:
    """A server that hangs up on whoever does not ask, and counts the pace of who connects."""
    config = uvicorn.Config(
        app,
        http=Prompt,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # a header could name a new client for each request
        timeout_graceful_shutdown=STOPS_WITHIN_S,
    )
    return uvicorn.Server(config)


def open_listener(host: str, port: int) -> socket.socket:
    """Take an address, so that nobody is told of one at which nothing answers.

    Args:
        host: the address; other machines reach it only with a token.
        port: the port.

    Raises:
        UserError: the address is open to others without a token, the token is too short, or the
            address cannot be taken, as when another process has it.
    """
    check_token(host, read_service_token())
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as e:
        problem = e.strerror or str(e)
        raise UserError(
            f"cannot answer at {host}, port {port}: {problem}; try another --port"
        ) from e


def check_token(host: str, token: str | None) -> None:
    """Refuse an address that anybody could ask.

    Raises:
        UserError: says what to set.
    """
    if token is None and not is_loopback(host):
        raise UserError(
            f"{host} can be reached from other machines: set a token in the environment variable "
            f"{SERVICE_TOKEN}, or leave out --host"
        )
    if token is not None:
        _check_characters(token)


def _check_characters(token: str) -> None:
    if not token.strip():
        raise UserError(f"{SERVICE_TOKEN} is blank: set a token, or unset it")
    if token != token.strip():
        raise UserError(
            f"{SERVICE_TOKEN} begins or ends with a space or a line break, which a header would lose"
        )
    if len(token) < SHORTEST_TOKEN:
        raise UserError(f"{SERVICE_TOKEN} must have at least {SHORTEST_TOKEN} characters")
