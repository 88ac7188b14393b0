"""Which preset fits some files, and which file is which of its sources."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from leadscore.audit.names import words_of
from leadscore.onboarding.profile import Profile
from leadscore.settings.preset import preset_names, read_preset

LEAST_SHARE = 0.5  # of a source's columns that a file must have
LEAST_COLUMNS = 4
LEAST_OF_NAMED = 2  # columns of a file that has the source's name


@dataclass(frozen=True)
class Match:
    """A preset, and the file of each of its sources that was found.

    Attributes:
        name: the preset.
        title: what it is for.
        files: the file of each source.
        columns: how many of the preset's columns these files have.
    """

    name: str
    title: str
    files: dict[str, Profile]
    columns: int


def recognise(profiles: Sequence[Profile]) -> Match | None:
    """The preset that fits the files best, or None if none has all its required sources."""
    matches = [_match(name, profiles) for name in preset_names()]
    fitting = [match for match in matches if match is not None]
    return max(fitting, key=lambda match: match.columns, default=None)


def _match(name: str, profiles: Sequence[Profile]) -> Match | None:
    preset = read_preset(name)
    sources: dict[str, dict[str, Any]] = preset.get("sources", {})
    pairs = []
    for source, settings in sources.items():
        for place, profile in enumerate(profiles):
            likeness = _likeness(source, settings, profile)
            if likeness is not None:
                pairs.append((likeness, source, place))
    files: dict[str, Profile] = {}
    taken: set[int] = set()
    for _, source, place in sorted(pairs, reverse=True):
        if source not in files and place not in taken:
            files[source] = profiles[place]
            taken.add(place)
    required = {source for source, settings in sources.items() if "optional" not in settings}
    if not required or not required <= set(files):
        return None
    shared = [_shared(sources[source], profile) for source, profile in files.items()]
    columns = sum(map(len, shared))
    return Match(name, preset["about"]["title"], files, columns)


def _likeness(source: str, settings: dict[str, Any], profile: Profile) -> tuple[bool, float] | None:
    """How much a file looks like a source of a preset, its name before its columns; None if not."""
    expected = settings.get("columns", [])
    shared = len(_shared(settings, profile))
    share = shared / len(expected) if expected else 0.0
    is_named = _is_called(profile, {source, settings["path"].rpartition("/")[2].partition(".")[0]})
    is_alike = share >= LEAST_SHARE and shared >= LEAST_COLUMNS
    if not is_alike and not (is_named and shared >= min(LEAST_OF_NAMED, len(expected))):
        return None
    return is_named, shared * share


def _shared(settings: dict[str, Any], profile: Profile) -> set[str]:
    """The columns of a source that a file has, in whichever case."""
    in_file = {name.casefold() for name in profile.columns}
    names = settings.get("columns", [])
    return {name for name in names if name.casefold() in in_file}


def _is_called(profile: Profile, names: Collection[str]) -> bool:
    """Whether a file bears the name of a source, maybe with a date or a prefix."""
    called = words_of(profile.stem)
    noise = {"data", "export", "table", "hubspot", "sf", "salesforce", "all", "csv"}
    spoken = [word.rstrip("s") for word in called if not word.isdigit() and word not in noise]
    return any(spoken == [word.rstrip("s") for word in words_of(name)] for name in names)
