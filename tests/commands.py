"""The command line as the console script runs it, within the process of a test."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from leadscore.cli import main as cli


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def run(*words: object) -> Ended:
    """Run `leadscore words...` in the working directory."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["leadscore", *map(str, words)]
    with (
        patch.object(sys, "argv", argv),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        cli.main()
    return Ended(end.value.code or 0, out.getvalue(), err.getvalue())
