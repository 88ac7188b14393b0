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
LEAST_OF_NAMED = 2  # columns of a file that has the source's name; the leads need LEAST_COLUMNS
NOISE = {"data", "export", "table", "hubspot", "sf", "salesforce", "all", "csv"}  # in file names

Sources = dict[str, dict[str, Any]]  # of a preset, with their settings


@dataclass(frozen=True)
class Match:
    """A preset, and the file of each of its sources that has one.

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
    sources: Sources = preset.get("sources", {})
    files = _assign(sources, profiles)
    required = {source for source, settings in sources.items() if "optional" not in settings}
    if not required or not required <= set(files):
        return None

    about = preset["about"]
    signs = about.get("signs", [])
    leads = files[about["leads"]]
    if not _columns_of(leads).issuperset(signs):
        return None

    columns = 0
    for source, profile in files.items():
        shared = _shared(sources[source], profile)
        columns += len(shared)
    return Match(name, about["title"], files, columns)


def _assign(sources: Sources, profiles: Sequence[Profile]) -> dict[str, Profile]:
    """The file of each source, the likest pairs first; no file is that of two sources."""
    pairs = []
    for source, settings in sources.items():
        for place, profile in enumerate(profiles):
            likeness = _likeness(source, settings, profile)
            if likeness is not None:
                pairs.append((likeness, source, place))
    pairs.sort(reverse=True)

    files: dict[str, Profile] = {}
    taken: set[int] = set()
    for _, source, place in pairs:
        if source not in files and place not in taken:
            files[source] = profiles[place]
            taken.add(place)
    return files


def _likeness(source: str, settings: dict[str, Any], profile: Profile) -> tuple[bool, float] | None:
    """How much a file looks like a source of a preset, its name before its columns; None if not."""
    if not _has_required(settings, profile):
        return None
    expected = _expected(settings)
    shared = len(_shared(settings, profile))
    share = shared / len(expected) if expected else 0.0
    file_name = settings["path"].rpartition("/")[2]
    usual_stem = file_name.partition(".")[0]
    is_named = _is_called(profile, {source, usual_stem})

    is_alike = share >= LEAST_SHARE and shared >= LEAST_COLUMNS
    least = LEAST_OF_NAMED if "optional" in settings else LEAST_COLUMNS
    least_if_named = min(least, len(expected))
    fits_its_name = is_named and shared >= least_if_named
    if not (is_alike or fits_its_name):
        return None
    return is_named, shared * share


def _shared(settings: dict[str, Any], profile: Profile) -> set[str]:
    """The columns of a source that a file has, in whichever case."""
    in_file = _columns_of(profile)
    return {name for name in _expected(settings) if name.casefold() in in_file}


def _has_required(settings: dict[str, Any], profile: Profile) -> bool:
    """Whether a file has the columns that every row of a source needs, one of each choice."""
    in_file = _columns_of(profile)

    def has_one_of(choice: Sequence[str]) -> bool:
        return any(name.casefold() in in_file for name in choice)

    return all(map(has_one_of, _required(settings)))


def _required(settings: dict[str, Any]) -> list[list[str]]:
    """The columns that every row of a source needs: of each list one."""
    required = settings.get("required", [])
    return [[names] if isinstance(names, str) else names for names in required]


def _expected(settings: dict[str, Any]) -> list[str]:
    """The columns that a preset states of a source."""
    names = [*settings.get("columns", [])]
    for choice in _required(settings):
        names += choice
    return names


def _columns_of(profile: Profile) -> set[str]:
    return {name.casefold() for name in profile.columns}


def _is_called(profile: Profile, names: Collection[str]) -> bool:
    """Whether a file bears the name of a source, maybe with a date or a prefix."""
    spoken = [word for word in words_of(profile.stem) if not word.isdigit()]
    telling = [word for word in spoken if word not in NOISE]
    name_of_file = _singular(telling)
    return any(name_of_file == _singular(words_of(name)) for name in names)


def _singular(words: Sequence[str]) -> list[str]:
    return [word.rstrip("s") for word in words]
