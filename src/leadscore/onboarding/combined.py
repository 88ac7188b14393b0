"""Files that belong together, by month or as open and closed leads: one source, read by a pattern."""

from __future__ import annotations

import glob
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from leadscore.onboarding.profile import Column, Profile
from leadscore.onboarding.words import slug

MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
VARYING = re.compile(rf"\d+|(?<![a-z])(?:{MONTHS})[a-z]*", re.IGNORECASE)
WORD_OR_MARK = re.compile(r"[^\W_]+|[\W_]")
REPEATED = re.compile(r"\*(?:[-_. ]?\*)+")


def combine(profiles: Sequence[Profile]) -> list[Profile]:
    """The profiles, with those of files that one pattern reads in one.

    Such files lie in one folder, have the same columns, and names that differ in numbers or months
    only. Files of leads are combined only if no lead is in two of them: exports that each hold all
    leads must not be read together.
    """
    groups: dict[tuple[object, ...], list[Profile]] = defaultdict(list)
    for profile in profiles:
        folder = profile.file.path.parent
        alike = (folder, _pattern_of(profile), frozenset(profile.columns))
        groups[alike].append(profile)
    combined: list[Profile] = []
    taken = {profile.file.source for profile in profiles}
    for group in groups.values():
        pattern = _pattern_of(group[0])
        if _belong_together(group, pattern):
            combined.append(_join(group, pattern, taken))
        else:
            combined += group
    return combined


def combine_leads(profiles: Sequence[Profile], leads: Profile) -> list[Profile] | None:
    """The profiles, with the file of leads and others of its columns in one, or None.

    Such are open and closed deals in two files, if one pattern fits both and no other file, and no
    lead is in both.
    """
    folder = leads.file.path.parent
    alike = [
        profile
        for profile in profiles
        if profile.columns.keys() == leads.columns.keys() and profile.file.path.parent == folder
    ]
    pattern = _common_pattern([profile.file.path.name for profile in alike])
    has_keys = any(_is_key(name, alike) for name in leads.columns)
    if not has_keys or not _belong_together(alike, pattern):
        return None
    others = [profile for profile in profiles if profile not in alike]
    taken = {profile.file.source for profile in others}
    return [_join(alike, pattern, taken), *others]


def _common_pattern(names: Sequence[str]) -> str:
    """What names begin and end with, in whole words, with a star between.

    >>> _common_pattern(["open_deals.csv", "closed_deals.csv"])
    '*_deals.csv'
    """
    parts = [WORD_OR_MARK.findall(name) for name in names]
    begin = _common_begin(parts)
    rests = [part[len(begin) :] for part in parts]
    end = _common_begin([rest[::-1] for rest in rests])[::-1]
    return f"{glob.escape(''.join(begin))}*{glob.escape(''.join(end))}"


def _common_begin(parts: Sequence[Sequence[str]]) -> Sequence[str]:
    """The longest beginning that all have."""
    n = 0
    for beside in zip(*parts, strict=False):
        if len(set(beside)) > 1:
            break
        n += 1
    return parts[0][:n] if parts else []


def _pattern_of(profile: Profile) -> str:
    """The name of a file, with a star for numbers and months."""
    parts = VARYING.split(profile.file.path.name)
    stars = "*".join(glob.escape(part) for part in parts)
    return REPEATED.sub("*", stars)


def _belong_together(group: Sequence[Profile], pattern: str) -> bool:
    if len(group) < 2 or any(profile.is_table or profile.sheet for profile in group):
        return False
    first = group[0]
    folder = first.file.path.parent
    names = glob.glob(pattern, root_dir=folder)  # noqa: PTH207
    matched = {folder / name for name in names}
    if matched != {profile.file.path for profile in group}:
        return False

    keys = [name for name in first.columns if _is_key(name, group)]
    together = _join_columns(group)
    return not keys or any(together[name].is_unique for name in keys)


def _is_key(name: str, group: Sequence[Profile]) -> bool:
    """Whether a column is unique in every one of the files."""
    return all(profile.columns[name].is_unique for profile in group)


def _join(group: Sequence[Profile], pattern: str, taken: Collection[str]) -> Profile:
    """One profile of several files, under the name of their pattern, as a source not yet taken."""
    first = group[0]
    stem = pattern.partition(".")[0]
    source = slug(stem.replace("*", " "))
    if source in taken:
        source = first.file.source
    missing: set[str] = set()
    sparse: dict[str, Column] = {}
    for profile in group:
        missing.update(profile.missing)
        sparse = sparse or profile.sparse
    return replace(
        first,
        file=replace(first.file, source=source, name=pattern),
        columns=_join_columns(group),
        rows=sum(profile.rows for profile in group),
        paths=tuple(profile.file.path for profile in group),
        missing=tuple(sorted(missing)),
        headers=sum(profile.headers for profile in group),
        sparse=sparse,
    )


def _join_columns(group: Sequence[Profile]) -> dict[str, Column]:
    columns = {}
    for name in group[0].columns:
        parts = [profile.columns[name] for profile in group]
        text = pa.concat_arrays([part.text for part in parts])
        are_numbers = all(part.is_stored_number for part in parts)
        columns[name] = Column(name, text, are_numbers)
    return columns


def newest(profile: Profile) -> int:
    """When the newest file of a profile was written, in UTC microseconds."""
    paths: Sequence[Path] = profile.paths or (profile.file.path,)
    return max(path.stat().st_mtime_ns for path in paths) // 1000
