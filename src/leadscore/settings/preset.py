"""The key `preset`: settings for a known CRM, which a user's own settings override part by part."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from leadscore.settings.base import hint

OWN_EXPORT = "export"  # the form that is meant where only the CRM is named
PLACES = {"path", "db_table", "sql"}  # a source has one of them
ABOUT = "about"  # what a preset says of itself; no setting
SHARED = "_"  # how the names of folders and files begin that are no presets of their own


def preset_names() -> list[str]:
    """All presets, such as "hubspot" (its own export) and "hubspot/fivetran"."""
    names = []
    for crm in _root().iterdir():
        if not crm.is_dir() or crm.name.startswith(SHARED):
            continue
        for file in crm.iterdir():
            form, _, ending = file.name.rpartition(".")
            if ending == "toml" and not form.startswith(SHARED):
                names.append(crm.name if form == OWN_EXPORT else f"{crm.name}/{form}")
    return sorted(names)


def _root() -> Traversable:
    return files("leadscore.presets")


def preset_text(name: str) -> str:
    """The TOML of a preset: that of its form, and below it what several forms share.

    Raises:
        ValueError: there is no such preset.
    """
    own = _file(name).read_text(encoding="utf-8")
    shared = tomllib.loads(own)[ABOUT].get("shares", [])
    files = [_root() / f"{part}.toml" for part in shared]
    parts = [own, *(file.read_text(encoding="utf-8") for file in files)]
    return "\n".join(parts)


def _file(name: str) -> Traversable:
    known = preset_names()
    if name not in known:
        raise ValueError(f"there is no preset {name!r}{hint(name, known)}")
    crm, _, form = name.partition("/")
    return _root() / crm / f"{form or OWN_EXPORT}.toml"


def read_preset(name: str) -> dict[str, Any]:
    """The settings of a preset, with the SQL of its views, and what it says `about` itself.

    Raises:
        ValueError: there is no such preset.
    """
    raw = tomllib.loads(preset_text(name))
    crm = name.partition("/")[0]
    for view in raw.get("views", {}).values():
        if "file" in view:
            file = view.pop("file")
            place = file if "/" in file else f"{crm}/{file}"
            view["sql"] = (_root() / place).read_text(encoding="utf-8")
    return raw


def apply_preset(raw: dict[str, Any]) -> dict[str, Any]:
    """Settings as read from a file, laid over those of the preset that they name.

    Tables are merged key by key, lists replaced. A mapping entry is merged with the preset's entry
    for the same source, table and field; a column that is set to "" is taken out.

    Raises:
        ValueError: there is no such preset.
    """
    if not isinstance(raw.get("preset"), str):
        return raw
    preset = read_preset(raw["preset"])
    preset.pop(ABOUT, None)
    _drop_replaced_places(preset, raw)
    _drop_paths(preset, raw)

    own = dict(raw)
    own_entries = own.pop("mapping", [])
    merged = _merge(preset, own)
    if isinstance(own_entries, list):
        usual_entries = preset.get("mapping", [])
        merged["mapping"] = _merge_entries(usual_entries, own_entries)
    memory = merged.get("memory")
    if isinstance(memory, dict):
        named = _keys(merged) | set(raw.get("memory", {}))
        merged["memory"] = {key: value for key, value in memory.items() if key in named}
    return merged


def _keys(merged: Mapping[str, Any]) -> set[str]:
    """What is mapped and not declared as a field: only of such keys may a preset say anything."""
    mapped: set[str] = set()
    for entry in merged["mapping"]:
        columns = entry.get("columns") if isinstance(entry, dict) else None
        if isinstance(columns, dict):
            mapped |= set(columns)
    for section in ("fields", "pass_through"):
        declared = merged.get(section)
        if isinstance(declared, dict | list):
            mapped = {key for key in mapped if key not in declared}
    return mapped


def _drop_replaced_places(preset: dict[str, Any], raw: Mapping[str, Any]) -> None:
    """Take out where a preset's sources are if the user's settings say that they are elsewhere."""
    for name, stated in _own_sources(raw).items():
        source = preset.get("sources", {}).get(name)
        if source is None or PLACES.isdisjoint(stated):
            continue
        for place in PLACES:
            source.pop(place, None)
        if "path" not in stated:
            source.pop("optional", None)


def _own_sources(raw: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The sources that the user's settings state; what is no table is refused later."""
    sources = raw.get("sources")
    if not isinstance(sources, dict):
        return {}
    return {name: source for name, source in sources.items() if isinstance(source, dict)}


def _drop_paths(preset: dict[str, Any], raw: Mapping[str, Any]) -> None:
    """Take the paths of sources out that are read from a database."""
    sources = preset.get("sources", {})
    for name, stated in _own_sources(raw).items():
        is_query = "db_table" in stated or "sql" in stated
        if is_query and name in sources:
            sources[name].pop("path", None)


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, dict) and isinstance(under, dict):
            merged[key] = _merge(under, value)
        else:
            merged[key] = value
    return merged


def _merge_entries(below: list[Any], above: list[Any]) -> list[Any]:
    entries = list(below)
    places = {_key(entry): place for place, entry in enumerate(below)}
    for entry in above:
        place = places.get(_key(entry))
        if place is None:
            entries.append(entry)
        else:
            entries[place] = _without_empty(_merge(entries[place], entry))
    return entries


def _key(entry: Any) -> tuple[Any, ...]:
    if not isinstance(entry, dict):
        return (id(entry),)
    field = None
    constants = entry.get("constants", {})
    if isinstance(constants, dict):
        field = constants.get("field")
    return (entry.get("source"), entry.get("table"), field)


def _without_empty(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without the columns that are set to ""."""
    columns = entry.get("columns")
    if not isinstance(columns, dict):
        return entry
    filled = {name: column for name, column in columns.items() if column != ""}
    return entry | {"columns": filled}
