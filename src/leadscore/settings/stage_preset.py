"""The key `stages.preset`: a common sales pipeline with its actions, overridden part by part."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from leadscore.settings.base import hint

ENDING = ".toml"


def stage_preset_names() -> list[str]:
    """All presets of stages, such as "crm_classic"."""
    names = [file.name.removesuffix(ENDING) for file in _folder().iterdir()]
    return sorted(names)


def stage_preset_text(name: str) -> str:
    """The TOML of a preset of stages, as it is written.

    Raises:
        ValueError: there is no such preset.
    """
    known = stage_preset_names()
    if name not in known:
        raise ValueError(f"there are no stages {name!r}{hint(name, known)}")
    return (_folder() / f"{name}{ENDING}").read_text(encoding="utf-8")


def _folder() -> Traversable:
    return files("leadscore.presets") / "_stages"


def apply_stage_preset(raw: dict[str, Any]) -> dict[str, Any]:
    """Settings as read from a file, their stages laid over those of the preset that they name.

    A key of `stages` replaces the preset's. What the preset says of an open stage that is then not
    among them, as its action, is left out.

    Raises:
        ValueError: there is no such preset.
    """
    own = raw.get("stages")
    if not isinstance(own, dict) or not isinstance(own.get("preset"), str):
        return raw
    preset = tomllib.loads(stage_preset_text(own["preset"]))
    stages = preset["stages"] | own
    if not isinstance(stages["open"], list):  # which the settings refuse in words
        return raw
    if "qualification" not in own:
        staying = [stage for stage in stages["qualification"] if stage in stages["open"]]
        stages["qualification"] = staying

    own_actions = raw.get("actions", {})
    if not isinstance(own_actions, dict):
        return raw | {"stages": stages}
    usual = preset["actions"]["by_stage"]
    by_stage = {stage: action for stage, action in usual.items() if stage in stages["open"]}
    by_stage |= own_actions.get("by_stage", {})
    return raw | {"stages": stages, "actions": own_actions | {"by_stage": by_stage}}
