"""Deliveries: what a target was given, in immutable folders, of which the last one counts.

A delivery is named by its list and by what it was made from: the layout of the target, and the
delivery before. So a repeated command finds it again, and completes what a killed one left undone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any, Literal

import pyarrow as pa

from leadscore.atomic import write_folder, write_pointer
from leadscore.errors import CorruptFileError, DamagedFileError
from leadscore.files import hash_bytes, is_there, read_verified
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import locked
from leadscore.publish.publication import Publication, read_as_of
from leadscore.publish.targets.delta import Changes, State, find_changes
from leadscore.publish.targets.fields import describe_fields, write_fields_page
from leadscore.publish.targets.kind import Layout, Part
from leadscore.publish.targets.parts import build_parts
from leadscore.publish.targets.rows import ListRows, Refused, build_rows
from leadscore.publish.targets.state import STATE, format_state, parse_state

MANIFEST = "manifest.json"
POINTER = {"delivery_id": str, "manifest_sha256": str}
SHAPE = {
    "publication_id": str,
    "mode": str,
    "base": (str, NoneType),
    "as_of": (str, NoneType),
    "layout": {"fields": [list]},
    "files": {STATE: {"sha256": str}},
}
CURE = "deliver the current list in full: leadscore publish --target NAME --full"
SCHEMA_VERSION = 1
PLACE = ("kind", "object", "key", "key_prefix", "constants")  # what decides which records are found
Mode = Literal["full", "delta"]


@dataclass(frozen=True)
class Delivery:
    """What was written for a target: its id, its folder, and what its manifest says."""

    id: str
    folder: Path
    manifest: dict[str, Any]

    @property
    def base(self) -> str | None:
        """The delivery that this one continues."""
        base: str | None = self.manifest["base"]
        return base


def deliver(
    publication: Publication,
    scores: pa.Table,
    layout: Layout,
    *,
    folder: Path,
    mode: Mode,
    excluded: Collection[str],
) -> Delivery:
    """Write the files of a list for a target, then make them its latest delivery.

    Repeating it writes the same bytes. A list that was delivered last is not delivered again, only
    mended, unless `mode` or the layout is another one.

    Args:
        publication: of the list.
        scores: its scores.
        layout: of the target.
        folder: of the target.
        mode: all leads, or those that changed since the last delivery.
        excluded: leads that people took off the list.

    Raises:
        CorruptFileError: what the target was given before is damaged, so that nobody knows what it
            holds; `mode = "full"` does without it.
    """
    rows = build_rows(publication, scores, layout, excluded=excluded)
    with locked(folder):
        base = _find_base(folder, publication, layout, mode)
        before = None if base is None else _read_base(base, folder, layout, mode)
        as_of_us = read_as_of(publication.manifest)
        is_full = mode == "full"
        changes = find_changes(rows, before, layout, as_of_us=as_of_us, is_full=is_full)
        facts = _describe(publication, rows, changes, layout, mode=mode, base=base)
        delivery = _write(folder, facts, changes, layout)
        _point_to(delivery, folder)
    return delivery


def _read_base(base: str, folder: Path, layout: Layout, mode: Mode) -> State | None:
    """What the records hold that the layout finds, None if they were never given anything.

    A full delivery does without it if it is damaged.
    """
    try:
        last = _find_last(base, folder, layout)
        return None if last is None else read_state(last, folder=folder)
    except CorruptFileError:
        if mode == "full":
            return None
        raise


def _find_last(base: str | None, folder: Path, layout: Layout) -> str | None:
    """The last delivery to the records that the layout finds, from `base` back; None without one."""
    now = layout.describe()
    while base is not None:
        delivery = read_delivery(base, folder=folder)
        earlier = delivery.manifest["layout"]
        if all(earlier.get(name) == now[name] for name in PLACE):
            return base
        base = delivery.base
    return None


def read_latest(folder: Path) -> Delivery | None:
    """The latest delivery of a target, or None without one.

    Raises:
        CorruptFileError: it is damaged.
    """
    if not is_there(folder / "current.json"):
        return None
    pointer = read_json(folder / "current.json", POINTER, cure=CURE)
    delivery = read_delivery(pointer["delivery_id"], folder=folder)
    if hash_bytes(canonical_json(delivery.manifest)) != pointer["manifest_sha256"]:
        raise DamagedFileError(
            delivery.folder / MANIFEST, "it is not as current.json says", cure=CURE
        )
    return delivery


def read_delivery(delivery_id: str, *, folder: Path) -> Delivery:
    """A delivery by its id.

    Raises:
        CorruptFileError: its manifest is damaged.
    """
    home = folder / delivery_id
    manifest = read_json(home / MANIFEST, SHAPE, cure=CURE)
    return Delivery(delivery_id, home, manifest)


def read_state(delivery_id: str, *, folder: Path) -> State:
    """What the target holds after a delivery.

    Raises:
        CorruptFileError: it is damaged.
    """
    delivery = read_delivery(delivery_id, folder=folder)
    sha256 = delivery.manifest["files"][STATE]["sha256"]
    return parse_state(read_verified(delivery.folder / STATE, sha256=sha256))


def _find_base(folder: Path, publication: Publication, layout: Layout, mode: Mode) -> str | None:
    """The delivery to continue: the latest, or the one before where it is this list again."""
    try:
        latest = read_latest(folder)
    except CorruptFileError:
        if mode == "full":
            return None
        raise
    if latest is None:
        return None
    manifest = latest.manifest
    is_again = (
        manifest["publication_id"] == publication.id
        and manifest["layout"] == layout.describe()
        and manifest["mode"] == mode
    )
    return latest.base if is_again else latest.id


def _describe(
    publication: Publication,
    rows: ListRows,
    changes: Changes,
    layout: Layout,
    *,
    mode: Mode,
    base: str | None,
) -> dict[str, Any]:
    """The manifest of a delivery, but for its files."""
    return {
        "schema_version": SCHEMA_VERSION,
        "target": layout.target,
        "publication_id": publication.id,
        "as_of": publication.manifest["as_of"],
        "mode": mode,
        "base": base,
        "layout": layout.describe(),
        "counts": {
            "on_the_list": len(rows.rows) + len(rows.refused),
            "written": len(changes.scored),
            "unchanged": changes.unchanged,
            "cleared": len(changes.cleared),
            "refused": len(changes.refused),
        },
        "refused": [_describe_refused(row) for row in changes.refused],
    }


def _describe_refused(row: Refused) -> dict[str, str]:
    return {"lead_id": row.lead_id, "reason": row.reason}


def name_delivery(facts: Mapping[str, Any]) -> str:
    """The id of a delivery: its list, and a hash of all that its bytes are made of."""
    return f"{facts['publication_id']}-{hash_bytes(canonical_json(facts))[:8]}"


def _write(folder: Path, facts: dict[str, Any], changes: Changes, layout: Layout) -> Delivery:
    files, parts = build_parts(changes, layout)
    return write_delivery(folder, facts, layout, files=files, parts=parts, state=changes.state)


def write_delivery(
    folder: Path,
    facts: dict[str, Any],
    layout: Layout,
    *,
    files: dict[str, bytes],
    parts: list[Part],
    state: State,
) -> Delivery:
    """Write the folder of a delivery, whole, with its checksums."""
    delivery_id = name_delivery(facts)
    first = next(iter(state.leads.values()), None)
    fields = describe_fields(layout, example=first.row.key if first else None)
    files = {
        **files,
        "FIELDS.json": canonical_json(fields),
        "FIELDS.md": write_fields_page(fields).encode(),
        STATE: format_state(state),
    }
    rows_of = {part.name: part.rows for part in parts}
    manifest = {
        **facts,
        "delivery_id": delivery_id,
        "parts": [part.name for part in parts],
        "files": {
            name: {"sha256": hash_bytes(data), "bytes": len(data), "rows": rows_of.get(name)}
            for name, data in files.items()
        },
    }
    sums = [f"{hash_bytes(data)}  {name}\n" for name, data in sorted(files.items())]
    home = folder / delivery_id
    files["SHA256SUMS"] = "".join(sums).encode()
    write_folder(home, {**files, MANIFEST: canonical_json(manifest)})
    return Delivery(delivery_id, home, manifest)


def _point_to(delivery: Delivery, folder: Path) -> None:
    pointer = {
        "delivery_id": delivery.id,
        "manifest_sha256": hash_bytes(canonical_json(delivery.manifest)),
    }
    write_pointer(folder / "current.json", canonical_json(pointer))
