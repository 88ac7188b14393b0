"""Reading a TOML file, with every way it can fail in words."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from leadscore.errors import SettingsError
from leadscore.settings.limits import DEEP_KEY
from leadscore.wording import cut

MISSING = (
    "there is no such file. Write one with `leadscore init FILES`, or name yours with --config"
)
TOO_DEEP = "is nested too deeply; settings are a few levels deep"


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file.

    Raises:
        SettingsError: the file does not exist, cannot be read, or is not TOML.
    """
    text = _read_text(path)
    if DEEP_KEY.search(text):
        raise SettingsError(path, [TOO_DEEP])
    try:
        return tomllib.loads(text)
    except RecursionError as e:
        raise SettingsError(path, [TOO_DEEP]) from e
    except ValueError as e:  # TOMLDecodeError, and what int() refuses
        problem = f"is not valid TOML: {cut(str(e))}"
        if "digits" in str(e) and not isinstance(e, tomllib.TOMLDecodeError):
            problem = "holds a number of thousands of digits"
        raise SettingsError(path, [problem]) from e


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as e:
        raise SettingsError(path, [MISSING]) from e
    except OSError as e:
        problem = f"cannot be read: {e.strerror}; name the file with --config"
        raise SettingsError(path, [problem]) from e
    except UnicodeDecodeError as e:
        raise SettingsError(path, ["is not UTF-8 text, as TOML must be; save it as UTF-8"]) from e
    except ValueError as e:  # a NUL character in the path
        raise SettingsError(path, [f"is not valid TOML: {cut(str(e))}"]) from e
