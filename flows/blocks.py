"""Secrets that Prefect keeps: loaded inside a task, named outside."""

from __future__ import annotations

from typing import Any

from leadscore.errors import UserError
from local import Secret


def load_secret(name: str | None) -> str | None:
    """The text of a Secret block, or None without a name.

    Raises:
        UserError: there is no such block.
    """
    if name is None:
        return None
    try:
        block: Any = Secret.load(name)
    except ValueError as e:
        raise UserError(f"Prefect has no Secret block {name!r}; see `prefect block ls`") from e
    return str(block.get())
