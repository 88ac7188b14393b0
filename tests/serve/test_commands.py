"""`leadscore serve` and `leadscore mcp` as they are typed."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

import histories
from commands import run

LOADED = """
import sys
import leadscore.cli.main
print(sorted({"fastapi", "mcp", "starlette", "uvicorn"} & set(sys.modules)))
"""


def test_command_line_when_it_starts_then_no_web_server_is_imported():
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEADSCORE_TOKEN", raising=False)
    assert run("sample", "crm", "--leads", 60).code == 0
    return "crm/leadscore.toml"


def test_serve_when_others_could_ask_without_a_token_then_it_ends_and_says_what_to_set(config):
    done = run("serve", "--config", config, "--host", "0.0.0.0")  # noqa: S104
    assert done.code == 2
    assert "LEADSCORE_TOKEN" in done.err
    assert "answers at" not in done.out


def test_serve_when_the_port_is_taken_then_it_says_so_and_announces_no_address(config):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("serve", "--config", config, "--port", port)
    assert done.code == 2
    assert done.out == ""
    assert f"cannot answer at 127.0.0.1, port {port}: Address already in use" in done.err


def test_mcp_when_its_package_is_missing_then_it_says_what_to_install(config, monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    done = run("mcp", "--config", config)
    assert done.code == 2
    assert "pip install 'leadscore[mcp]'" in done.err


def test_service_when_leads_have_no_dates_then_it_says_so():
    from leadscore.errors import UserError
    from leadscore.project.standpoint import open_standpoint

    with pytest.raises(UserError, match="scored in lists only"):
        open_standpoint(histories.undated_settings("none"))
