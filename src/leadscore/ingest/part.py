"""What one file gave, as the store keeps it: mapped rows, and where each came from.

A part depends on the file's bytes and on how the settings read it, and on nothing else: a file that
has not changed is not read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leadscore.atomic import write_pointer
from leadscore.engine import Engine
from leadscore.errors import CorruptFileError, MissingColumnsError
from leadscore.files import hash_bytes, hash_file, list_below
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.ingest.read_by_views import columns_in_views, select_of, sources_of_views
from leadscore.ingest.readers.batch import SourceFile
from leadscore.ingest.readers.rows import Rows, rows_of
from leadscore.ingest.reading import FileReading
from leadscore.ingest.required import purpose_of
from leadscore.ingest.shown.rows import has_shown, keep_shown, shown_folder
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import scratch
from leadscore.settings.memory import lead_keys
from leadscore.settings.settings import Settings
from leadscore.settings.source import WHERE
from leadscore.store.objects import FILES, is_whole, object_path
from leadscore.tables import KEYS, PERSONAL

FORMAT = 9  # of parts; a new one makes every file be read again
SEAL = "content_sha256"  # of the rest of a part's JSON, so that damage is never taken for data
KEY_DIGITS = 32

DECIDING_SETTINGS = ("time", "timezone", "stages", "kinds", "money")
FIELD_KEYS_WITHOUT_EFFECT = {"label", "learn"}  # they change nothing in how a field is read

# JSON with these keys:
#   key, source, file, dialect: what was read, and how it is written.
#   sha256: of the file; of a view, of all that it reads.
#   decimal: its decimal mark.
#   account: numbers of rows `read`, `used`, `ignored` and `rejected`, and `ignored_by` rule.
#   tables: for each table `selected`, `refused`, `duplicates`, `repeated`, and the objects `rows`
#       and `side`.
#   rejects: the object with the refused rows and those with a warning.
#   ignored_leads: the object with the ids of leads whose row was ignored, and by which rule.
#   notes: `warnings` of what was taken for granted, and `hints` at settings.
#   stated_us: the latest moment in its `known_until_column`, or None.
#   texts: the columns and objects of the source text of leads.
#   views: of a view, for it and those behind it, `rows_in` by table and `rows` that came out.
#   shown: whether people see columns of it, which are in a file of their own beside the store.
#   unchanged: whether the store had the part already; not stored.
Part = dict[str, Any]
ACCOUNT = {"read": int, "used": int, "ignored": int, "rejected": int, "ignored_by": {str: int}}
COUNTS = {"selected": int, "refused": int, "duplicates": int}
PART = {
    "key": str,
    "source": str,
    "file": str,
    "sha256": str,
    "account": ACCOUNT,
    "notes": dict,
    "tables": {str: COUNTS | {"rows": FILES, "side": FILES}},
    "rejects": FILES,
}


def part_of_file(
    file: SourceFile,
    settings: Settings,
    *,
    engine: Engine,
    folder: Path,
    view_text: Path | None,
) -> Part:
    """The part of a file: from the store if it is whole there, else read now."""
    sha256 = hash_tree(file.path)
    stored = stored_part(file, sha256, settings, folder)
    if stored is not None:
        return stored
    rows = rows_of(file, settings)
    return read_part(rows, sha256, settings, engine=engine, folder=folder, view_text=view_text)


def read_part(
    rows: Rows,
    sha256: str,
    settings: Settings,
    *,
    engine: Engine,
    folder: Path,
    about: Mapping[str, Any] | None = None,
    view_text: Path | None = None,
) -> Part:
    """The part of a file or a view, read now into the store at `folder`.

    Args:
        rows: what is read.
        sha256: of the file; of a view, of all that it reads.
        settings: of the project.
        engine: runs the SQL.
        folder: the store.
        about: further entries of the part.
        view_text: where to stage the text of all rows for views; None for no text.

    Raises:
        UserError: the file cannot be read.
    """
    file = rows.file
    key = part_key(sha256, file.name, file.source, settings)
    part = _read_rows(rows, key, settings, engine=engine, folder=folder, view_text=view_text)
    part |= {
        "source": file.source,
        "file": file.name,
        "sha256": sha256,
        "key": key,
    }
    part |= about or {}
    _write_part(part, folder)
    return part | {"unchanged": False}


def _read_rows(
    rows: Rows,
    key: str,
    settings: Settings,
    *,
    engine: Engine,
    folder: Path,
    view_text: Path | None,
) -> Part:
    """What the rows themselves gave, as entries of the part with that key."""
    personal = _personal_hash(rows.file.source, settings, folder)
    with scratch() as staging:
        reading = FileReading(
            rows,
            settings,
            staging=staging,
            personal=personal,
            view_text=view_text,
        )
        try:
            part = reading.read(engine, folder)
        except MissingColumnsError as e:
            purpose = purpose_of(e.missing, reading.entries)
            raise (e.with_purpose(purpose) if purpose else e) from None
        if reading.shown_columns:
            keep_shown(reading.shown_path, shown_folder(folder), key)

    if personal.salt_id or part["texts"]["is_hashed"]:
        part["salt"] = PersonalHash.of_store(folder).salt_id
    part["shown"] = bool(reading.shown_columns)
    return part


def _write_part(part: Part, folder: Path) -> None:
    seal = hash_bytes(canonical_json(part))
    sealed = canonical_json(part | {SEAL: seal})
    write_pointer(part_path(folder, part["key"]), sealed)


def stored_part(file: SourceFile, sha256: str, settings: Settings, folder: Path) -> Part | None:
    """The part of a file or a view with that content, or None if the store has it not whole."""
    key = part_key(sha256, file.name, file.source, settings)
    part = whole_part(key, folder)
    return None if part is None else part | {"unchanged": True}


def whole_part(key: str, folder: Path) -> Part | None:
    """The part with that key, or None if the store at `folder` has it not whole."""
    part = read_part_file(part_path(folder, key))
    if part is None or not _has_all_objects(part, folder):
        return None
    if part.get("shown") and not has_shown(shown_folder(folder), key):
        return None
    return part


def stage_text(rows: Rows, settings: Settings, path: Path) -> None:
    """Write the text of all rows of a file for views, and nothing else."""
    with scratch() as staging:
        reading = FileReading(
            rows,
            settings,
            staging=staging,
            personal=PersonalHash(b""),
            view_text=path,
        )
        reading.stage(rows.dialect())


def part_key(sha256: str, name: str, source: str, settings: Settings) -> str:
    """The key of the part of a file with that content and name, read by these settings."""
    inputs = {"sha256": sha256, "name": name, "reading": reading_of(source, settings)}
    return hash_bytes(canonical_json(inputs))[:KEY_DIGITS]


def reading_of(source: str, settings: Settings) -> dict[str, Any]:
    """All settings that decide what a file of this source, or this view, gives, as JSON."""
    public = settings.public()
    reading = {key: public[key] for key in DECIDING_SETTINGS}
    entries = [entry for entry in public["mapping"] if entry["source"] == source]
    fields = {name: _deciding_keys(field) for name, field in public["fields"].items()}
    shown = settings.shown_columns(source)
    if shown:
        reading["shown"] = shown
    return reading | {
        "format": FORMAT,
        "source": source,
        "entries": entries,
        "keys": sorted(lead_keys(settings)),
        "severity": public["validation"]["severity"],
        "fields": fields,
        **_how_to_read(source, settings, public),
    }


def _how_to_read(source: str, settings: Settings, public: dict[str, Any]) -> dict[str, Any]:
    """How a source is written; of a view, its SQL and how all that it reads is read."""
    if source in settings.views:
        tables = sorted(select_of(source, settings).tables)
        view = dict(public["views"][source])
        del view["file"]
        inputs = [_how_to_read(name, settings, public) for name in tables]
        return {"read": view, "inputs": inputs}
    stated = public["sources"][source]
    written = {key: value for key, value in stated.items() if key not in WHERE}
    feeds: dict[str, Any] = {}
    if source in sources_of_views(settings):
        feeds = {"feeds_views": True, "named": sorted(columns_in_views(source, settings))}
    return {"read": written, **feeds}


def _deciding_keys(field: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in field.items() if key not in FIELD_KEYS_WITHOUT_EFFECT}


def part_path(folder: Path, key: str) -> Path:
    """Where the store at `folder` keeps a part's JSON."""
    return folder / "parts" / f"{key}.json"


def read_part_file(path: Path) -> Part | None:
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
    paths = [object_path(folder, sha256) for sha256 in part_objects(part)]
    return all(map(is_whole, paths))


def hash_tree(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files below a folder."""
    if path.is_file():
        return hash_file(path)
    hashes = {}
    for file in list_below(path):
        hashes[file.relative_to(path).as_posix()] = hash_file(file)
    return hash_bytes(canonical_json(hashes))


def _personal_hash(source: str, settings: Settings, folder: Path) -> PersonalHash:
    """With the store's salt if the source has personal columns, else without one.

    The store makes its salt when a personal column is read for the first time.
    """
    targets: set[str] = set()
    gives_keys = False
    for entry in settings.mapping:
        if entry.source == source:
            targets.update(entry.targets())
            gives_keys |= entry.table == "changes" and bool(lead_keys(settings))

    personal = {*PERSONAL, *KEYS} - set(settings.fields)
    is_personal = gives_keys or bool(targets & personal)
    return PersonalHash.of_store(folder) if is_personal else PersonalHash(b"")
