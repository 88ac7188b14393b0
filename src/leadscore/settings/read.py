"""Reads the settings of a project from its TOML file, with the presets that it names laid below."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from leadscore.errors import SettingsError
from leadscore.settings.preset import apply_preset
from leadscore.settings.problems import describe_problems, lines_to_paste
from leadscore.settings.settings import Settings
from leadscore.settings.stage_preset import apply_stage_preset
from leadscore.settings.toml_file import TOO_DEEP, read_toml
from leadscore.settings.view import read_sql_files


def read_settings(path: Path, *, input_folder: Path | None = None) -> Settings:
    """Settings from a TOML file.

    Args:
        path: the file.
        input_folder: overrides the folder of the sources.

    Raises:
        SettingsError: the file does not exist or is not TOML, or a key or value in it is wrong.
    """
    try:
        raw = apply_preset(read_sql_files(read_toml(path), path))
    except ValueError as e:
        raise SettingsError(path, [f"preset: {e}"]) from e
    try:
        raw = apply_stage_preset(raw)
    except ValueError as e:
        raise SettingsError(path, [f"stages.preset: {e}"]) from e
    stated = raw.get("input_folder", ".")
    if not isinstance(stated, str):
        raise SettingsError(path, [f"input_folder: must be text, got {stated!r}"])
    folder = input_folder or path.parent / stated
    try:
        return Settings.model_validate(raw | {"input_folder": folder})
    except (ValidationError, TypeError) as e:
        problems = describe_problems(e, Settings)
        raise SettingsError(path, problems, cure=lines_to_paste(e)) from e
    except RecursionError as e:
        raise SettingsError(path, [TOO_DEEP]) from e
