"""The rooms of src/leadscore, as the README names them: folders, and the modules beside them as one."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src" / "leadscore"
TOP_LEVEL = "(top level)"


def room_of(path: Path) -> str:
    """The room of a source file.

    >>> room_of(PACKAGE / "model" / "encode.py")
    'model'
    """
    folders = path.relative_to(PACKAGE).parts[:-1]
    return folders[0] if folders else TOP_LEVEL
