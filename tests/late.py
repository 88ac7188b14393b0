"""A server that answers late, in front of another one or alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

HOP = {"connection", "transfer-encoding", "content-length", "host"}  # of one connection alone


@contextmanager
def late_server(delay: Callable[[str, str], float], *, port: int | None = None) -> Iterator[str]:
    """The address of a server whose answers take so many seconds longer.

    Args:
        delay: from a request's method and path to seconds.
        port: of the server on this machine that has the answers; without one it never answers.
    """
    with _Server(("127.0.0.1", 0), _Late) as server:
        server.delay = delay
        server.behind = port
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.closing.set()
        server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    delay: Callable[[str, str], float]
    behind: int | None
    closing: Event

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        self.closing = Event()

    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that has gone."""


class _Late(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.behind is None:
            self.server.closing.wait()
            return
        status, headers, answer = self.ask(self.server.behind, body)
        self.server.closing.wait(self.server.delay(self.command, self.path))
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def ask(self, port: int, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = HTTPConnection("127.0.0.1", port)
        headers = {name: text for name, text in self.headers.items() if name.lower() not in HOP}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        passed = [pair for pair in answer.getheaders() if pair[0].lower() not in HOP]
        content = answer.read()
        connection.close()
        return answer.status, passed, content

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""
