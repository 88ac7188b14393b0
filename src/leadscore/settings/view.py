"""The section `views`: SQL that prepares rows before they are mapped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from leadscore.errors import SettingsError
from leadscore.settings.base import FilePath
from leadscore.settings.source import Reading


class View(Reading):
    """One SELECT over sources and earlier views; a mapping entry names it as its source.

    Every column of a source is text, missing values are NULL. Beside them stand `_source`, `_file`
    and `_line`, where the row came from.
    """

    sql: str = Field(default="", description="the SELECT, in the SQL of DuckDB")
    file: FilePath | None = Field(
        default=None, description="file with the SELECT, relative to the settings file"
    )

    @model_validator(mode="after")
    def _one_statement(self) -> View:
        if not self.sql.strip():
            raise ValueError("give the SELECT as `sql`, or the name of a `file` that holds it")
        return self


def read_sql_files(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    """Settings as read from `path`, with the text of the SQL files that views name.

    Raises:
        SettingsError: a file cannot be read, or a view has both a file and a statement.
    """
    views = raw.get("views")
    if not isinstance(views, dict):
        return raw
    filled = {}
    for name, view in views.items():
        filled[name] = _fill(name, view, path)
    return raw | {"views": filled}


def _fill(name: str, view: Any, path: Path) -> Any:
    if not isinstance(view, dict) or not isinstance(view.get("file"), str):
        return view
    if "sql" in view:
        raise SettingsError(path, [f"views.{name}: has both `sql` and `file`; keep one of them"])
    file = path.parent / view["file"]
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(path, [f"views.{name}.file: {file} cannot be read: {reason}"]) from e
    return view | {"sql": text}
