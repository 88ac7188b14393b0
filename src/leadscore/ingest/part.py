"""What one file gave, as the store keeps it: mapped rows, and where each came from.

A part depends on the file's bytes and on how the settings read it, and on nothing else: a file that
has not changed is not read again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leadscore.atomic import write_pointer
from leadscore.engine import Engine
from leadscore.errors import CorruptFileError
from leadscore.files import hash_bytes, hash_file, list_below
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.readers.sources import SourceFile
from leadscore.ingest.reading import FileReading
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import scratch
from leadscore.settings.settings import Settings
from leadscore.store.objects import FILES, is_whole, object_path
from leadscore.tables import PERSONAL

FORMAT = 4  # of parts; a new one makes every file be read again
SEAL = "content_sha256"  # of the rest of a part's JSON, so that damage is never taken for data
KEY_DIGITS = 32

DECIDING_SETTINGS = ("time", "timezone", "stages", "kinds", "money", "pass_through")
FIELD_KEYS_WITHOUT_EFFECT = {"label", "learn"}  # they change nothing in how a field is read

Part = dict[str, Any]
ACCOUNT = {"read": int, "used": int, "ignored": int, "rejected": int, "ignored_by": {str: int}}
COUNTS = {"selected": int, "refused": int, "duplicates": int}
PART = {
    "key": str,
    "source": str,
    "file": str,
    "sha256": str,
    "account": ACCOUNT,
    "tables": {str: COUNTS | {"rows": FILES, "side": FILES}},
    "rejects": FILES,
}


def read_part(file: SourceFile, settings: Settings, *, engine: Engine, folder: Path) -> Part:
    """The part of a file: from the store at `folder` if it is whole there, else read now.

    A part is JSON with these keys:
        key, source, file, dialect: what was read, and how it is written.
        sha256: of the file.
        decimal: its decimal mark.
        account: numbers of rows `read`, `used`, `ignored` and `rejected`, and `ignored_by` rule.
        tables: for each table `selected`, `refused`, `duplicates`, `repeated`, and the objects
            `rows` and `side`.
        rejects: the object with the refused rows and those with a warning.
        ignored_leads: the object with the ids of leads whose row was ignored, and by which rule.
        stated_us: the latest moment in its `known_until_column`, or None.
        texts: the columns and objects of the source text of leads.
        unchanged: whether the store had the part already; not stored.

    Raises:
        UserError: the file cannot be read.
    """
    sha256 = hash_tree(file.path)
    key = part_key(sha256, file.name, file.source, settings)
    home = part_path(folder, key)
    stored = read_kept_part(home)
    if stored is not None and _has_all_objects(stored, folder):
        return stored | {"unchanged": True}

    with scratch() as staging:
        personal = _personal_hash(file.source, settings, folder)
        reading = FileReading(file, settings, staging=staging, personal=personal)
        part = reading.read(engine, folder)

    if personal.salt_id or part["texts"]["is_hashed"]:
        part |= {"salt": PersonalHash.of_store(folder).salt_id}
    part |= {"source": file.source, "file": file.name, "sha256": sha256, "key": key}
    seal = hash_bytes(canonical_json(part))
    write_pointer(home, canonical_json(part | {SEAL: seal}))
    return part | {"unchanged": False}


def part_key(sha256: str, name: str, source: str, settings: Settings) -> str:
    """The key of the part of a file with that content and name, read by these settings."""
    inputs = {"sha256": sha256, "name": name, "reading": reading_of(source, settings)}
    return hash_bytes(canonical_json(inputs))[:KEY_DIGITS]


def reading_of(source: str, settings: Settings) -> dict[str, Any]:
    """All settings that decide what a file of this source gives, as JSON."""
    public = settings.public()
    how_to_read = dict(public["sources"][source])
    del how_to_read["path"]

    reading = {key: public[key] for key in DECIDING_SETTINGS}
    return reading | {
        "format": FORMAT,
        "source": source,
        "read": how_to_read,
        "entries": [entry for entry in public["mapping"] if entry["source"] == source],
        "severity": public["validation"]["severity"],
        "fields": {name: _deciding_keys(field) for name, field in public["fields"].items()},
    }


def _deciding_keys(field: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in field.items() if key not in FIELD_KEYS_WITHOUT_EFFECT}


def part_path(folder: Path, key: str) -> Path:
    """Where the store at `folder` keeps a part's JSON."""
    return folder / "parts" / f"{key}.json"


def read_kept_part(path: Path) -> Part | None:
    """A stored part; None if it is gone or damaged, so that its file is read again."""
    try:
        part = read_json(path, PART)
    except CorruptFileError:
        return None
    seal = part.pop(SEAL, None)
    return part if seal == hash_bytes(canonical_json(part)) else None


def part_objects(part: Part) -> list[str]:
    """The SHA-256 of every object of a part."""
    groups = [part["rejects"], part["ignored_leads"], part["texts"]]
    for table in part["tables"].values():
        groups += [table["rows"], table["side"]]
    return [file["sha256"] for group in groups for file in group["files"]]


def _has_all_objects(part: Part, folder: Path) -> bool:
    return all(is_whole(object_path(folder, sha256)) for sha256 in part_objects(part))


def hash_tree(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files below a folder."""
    if path.is_file():
        return hash_file(path)
    hashes = {file.relative_to(path).as_posix(): hash_file(file) for file in list_below(path)}
    return hash_bytes(canonical_json(hashes))


def _personal_hash(source: str, settings: Settings, folder: Path) -> PersonalHash:
    """With the store's salt if the source has personal columns, else without one.

    The store makes its salt when a personal column is read for the first time.
    """
    targets: set[str] = set()
    for entry in settings.mapping:
        if entry.source == source:
            targets.update(entry.targets())

    personal = set(PERSONAL) - set(settings.fields)
    return PersonalHash.of_store(folder) if targets & personal else PersonalHash(b"")
