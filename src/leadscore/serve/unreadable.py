"""A server of tools that also answers lines which are no JSON-RPC message; the SDK passes over them."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError


class AgentServer(MCPServer[Any]):
    """Answers what cannot be read with the error that JSON-RPC 2.0 asks for, and an id of null."""

    async def run_stdio_async(self) -> None:
        """Answer over standard input and output until the input is closed."""
        server = self._lowlevel_server
        options = server.create_initialization_options()
        sender, readable = anyio.create_memory_object_stream[Any](0)
        async with stdio_server() as (messages, answers), anyio.create_task_group() as tasks:
            tasks.start_soon(_pass_on, messages, sender, answers)
            await server.run(readable, answers, options)


async def _pass_on(messages: Any, readable: Any, answers: Any) -> None:
    async with readable:
        async for message in messages:
            if isinstance(message, Exception):
                await answers.send(SessionMessage(_describe(message)))
            else:
                await readable.send(message)


def _describe(error: Exception) -> JSONRPCError:
    """The answer to a line that is no JSON, or no message of JSON-RPC."""
    problems = error.errors() if isinstance(error, ValidationError) else []
    is_json = all(problem["type"] != "json_invalid" for problem in problems)
    data = ErrorData(code=PARSE_ERROR, message="Parse error")
    if problems and is_json:
        data = ErrorData(code=INVALID_REQUEST, message="Invalid Request")
    return JSONRPCError(jsonrpc="2.0", id=None, error=data)
