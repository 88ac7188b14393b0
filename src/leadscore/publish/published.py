"""Which lists were published, which one readers are led to, and which one came before a moment."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from leadscore.atomic import write_pointer
from leadscore.errors import CorruptFileError
from leadscore.files import hash_bytes, is_there, list_folder
from leadscore.json_files import canonical_json, read_json
from leadscore.locks import locked
from leadscore.publish.publication import Publication, read_manifest, read_publication
from leadscore.store.receipts import (
    build_receipts,
    is_receipt_of,
    read_receipts,
    receipts_path,
    write_receipts,
)
from leadscore.tables import RECEIPTS
from leadscore.times import parse_moment, to_us

ID = re.compile(r"(\d{8}T\d{6}Z|undated)-[0-9a-f]{12}")
POINTER = {"publication_id": str, "manifest_sha256": str}
SECOND_US = 1_000_000
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Listed:
    """A list that readers were led to once; `manifest` is None, and `problem` says why, if it cannot be read."""

    id: str
    manifest: dict[str, Any] | None
    problem: str = ""

    @property
    def as_of_us(self) -> int | None:
        """Its date; by its name, to the second, if that is all there is."""
        if self.manifest is not None:
            return read_as_of(self.manifest)
        try:
            named = datetime.strptime(self.id.rpartition("-")[0], "%Y%m%dT%H%M%SZ")  # noqa: DTZ007
        except ValueError:  # undated
            return None
        return to_us(named.replace(tzinfo=UTC))

    @property
    def known_until_us(self) -> int:
        """Up to when its store knew the facts; -1 if its manifest does not say."""
        return int((self.manifest or {}).get("known_until_us", -1))


@dataclass(frozen=True)
class Published:
    """A publication, and the newer list that readers stay with instead (None if they are led to this one)."""

    publication: Publication
    newer: Listed | None = None


@dataclass(frozen=True)
class Before:
    """The list before a moment with its receipts, or why there is none to compare with, as warnings."""

    publication: Publication | None = None
    receipts: pa.Table | None = None
    warnings: tuple[str, ...] = ()


def read_as_of(manifest: Mapping[str, Any]) -> int | None:
    """The date that a publication bears."""
    as_of = manifest["as_of"]
    return None if as_of is None else parse_moment(as_of, zone="UTC")


def publish(
    publication_id: str, *, folder: Path, store_folder: Path, replace_newer: bool = False
) -> Published:
    """Keep the receipts of a publication that was written, then lead readers to it: current.json comes last.

    An older list leads nobody, and has no receipts, unless `replace_newer`. Publishing again changes nothing, and
    completes what a process that died left undone.

    Raises:
        CorruptFileError: its files are not what its manifest says, or the manifest is not what its id says.
    """
    publication, scores = read_publication(publication_id, folder=folder)
    with locked(folder):
        standing = find_standing(folder, store_folder)
        if standing is not None and not replace_newer and is_older(publication, standing):
            return Published(publication, standing)
        _write_receipts(store_folder, publication, scores)
        if before := publication.manifest.get("previous"):
            _mend_receipts(before, folder=folder, store_folder=store_folder)
        pointer = {
            "publication_id": publication_id,
            "manifest_sha256": hash_bytes(canonical_json(publication.manifest)),
        }
        write_pointer(folder / "current.json", canonical_json(pointer))
    return Published(publication)


def is_older(publication: Publication, standing: Listed) -> bool:
    """Whether a list is of an earlier as_of than the standing one or, of the same, from a store that knew less."""
    if publication.id == standing.id:
        return False
    mine, other = read_as_of(publication.manifest), standing.as_of_us
    if mine != other:
        return mine is not None and other is not None and mine < other
    known = int(publication.manifest.get("known_until_us", -1))
    return -1 < known < standing.known_until_us


def read_current_id(folder: Path) -> str | None:
    """The publication that current.json names; None if there is none, or the file is damaged."""
    try:
        pointer = read_json(
            folder / "current.json", POINTER, cure="it is written again with the next list"
        )
    except CorruptFileError:
        return None
    name: str = pointer["publication_id"]
    return name if ID.fullmatch(name) else None


def find_standing(folder: Path, store_folder: Path) -> Listed | None:
    """The list that readers are led to; if current.json is damaged or names none, the newest whole one."""
    current = read_current_id(folder)
    if current is not None and (listed := read_listed(folder, current)).manifest is not None:
        return listed
    whole = [each for each in list_published(folder, store_folder) if each.manifest is not None]
    return max(
        whole, key=lambda each: (each.as_of_us or 0, each.known_until_us, each.id), default=None
    )


def read_listed(folder: Path, publication_id: str) -> Listed:
    """A publication by its id, or why it cannot be read."""
    if not is_there(folder / publication_id):
        return Listed(publication_id, None, f"its folder {folder / publication_id} is gone")
    try:
        return Listed(publication_id, read_manifest(folder / publication_id))
    except CorruptFileError as e:
        return Listed(publication_id, None, str(e))


def list_written(folder: Path) -> list[str]:
    """The ids of the lists that lie in a folder, published or not, whole or not."""
    return [path.name for path in list_folder(folder) if ID.fullmatch(path.name)]


def list_published(folder: Path, store_folder: Path) -> list[Listed]:
    """Every list that readers were led to, by id: with receipts, current, or named by another as the one before.

    Lists that were only written are not among them.
    """
    written = list_written(folder)
    listed = {name: read_listed(folder, name) for name in written}
    receipts = [path.stem for path in list_folder(store_folder / "receipts", "*.parquet")]
    before = [each.manifest.get("previous") for each in listed.values() if each.manifest]
    names = {
        name
        for name in [*receipts, *before, read_current_id(folder)]
        if name and ID.fullmatch(name)
    }
    return [listed.get(name) or read_listed(folder, name) for name in sorted(names)]


def find_before(folder: Path, store_folder: Path, *, as_of_us: int | None) -> Before:
    """The published list with the latest as_of before a moment, whichever list is current.

    Of several with one as_of it is the one from the store that knew most, then the one that a list names as the one
    before, or that is current. If that list is gone or damaged there is no comparison, and a warning.
    """
    if as_of_us is None:
        return Before()
    published = list_published(folder, store_folder)
    named = {each.manifest.get("previous") for each in published if each.manifest} | {
        read_current_id(folder)
    }
    earlier = [each for each in published if _is_before(each, as_of_us)]
    if not earlier:
        return Before()
    best = max(
        earlier, key=lambda each: (each.as_of_us, each.known_until_us, each.id in named, each.id)
    )
    if best.manifest is None:
        return Before(warnings=(_no_comparison(best.id, best.problem),))
    return read_before(best.id, folder=folder, store_folder=store_folder)


def read_before(publication_id: str, *, folder: Path, store_folder: Path) -> Before:
    """A published list with its receipts, taken from its scores, which are checked; the file of receipts never counts.

    What the file says otherwise is warned of.
    """
    try:
        publication, scores = read_publication(publication_id, folder=folder)
    except CorruptFileError as e:
        return Before(warnings=(_no_comparison(publication_id, str(e)),))
    receipts = _receipts_of(publication, scores)
    path = receipts_path(store_folder, publication_id)
    if is_receipt_of(path, receipts):
        return Before(publication, receipts)
    problem = (
        f"{path} is not what was published; it is not used, the list itself is. It is written again when this list "
        "is published"
    )
    return Before(publication, receipts, (problem,))


def read_past_receipts(folder: Path, store_folder: Path) -> pa.Table:
    """The receipts of every published list: of a list that is there from its checked scores, of a pruned one as kept.

    Lists that are damaged are left out with a warning.
    """
    tables = []
    for each in list_published(folder, store_folder):
        if not is_there(folder / each.id):
            tables.append(read_receipts(store_folder, publication_id=each.id))
            continue
        try:
            publication, scores = read_publication(each.id, folder=folder)
        except CorruptFileError as e:
            logger.warning("the list %s is left out: %s", each.id, e)
            continue
        tables.append(_receipts_of(publication, scores))
    return pa.concat_tables(tables) if tables else RECEIPTS.empty_table()


def _no_comparison(publication_id: str, problem: str) -> str:
    return f"no comparison with the list before, {publication_id}: {problem}"


def _is_before(listed: Listed, as_of_us: int) -> bool:
    """Whether a list is of before a moment; one that only its name dates is, if it is so by a second."""
    its = listed.as_of_us
    if its is None:
        return False
    return (
        its < as_of_us if listed.manifest is not None else its < as_of_us // SECOND_US * SECOND_US
    )


def _versions(publication: Publication) -> dict[str, str]:
    named = {name: publication.manifest[name] for name in ("model_version", "store_version")}
    return {"publication_id": publication.id, **named}


def _receipts_of(publication: Publication, scores: pa.Table) -> pa.Table:
    return build_receipts(scores, **_versions(publication))


def _write_receipts(store_folder: Path, publication: Publication, scores: pa.Table) -> None:
    write_receipts(store_folder, scores, **_versions(publication))


def _mend_receipts(publication_id: str, *, folder: Path, store_folder: Path) -> None:
    """Write the receipts of an earlier list again if they were changed and the list itself is whole."""
    try:
        publication, scores = read_publication(publication_id, folder=folder)
    except CorruptFileError:
        return
    _write_receipts(store_folder, publication, scores)
