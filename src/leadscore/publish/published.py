"""Publishing a list: its receipts are kept, and readers are led to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leadscore.atomic import write_pointer
from leadscore.files import hash_bytes
from leadscore.json_files import canonical_json
from leadscore.locks import locked
from leadscore.publish.listed import Listed, find_standing
from leadscore.publish.publication import (
    Publication,
    read_as_of,
    read_known_until,
    read_publication,
)
from leadscore.publish.receipts import keep_receipts, mend_receipts
from leadscore.tables import RECEIPTS


@dataclass(frozen=True)
class Published:
    """A publication, and the newer list that stays current instead of it, if there is one."""

    publication: Publication
    newer: Listed | None = None


def publish(
    publication_id: str,
    *,
    folder: Path,
    store_folder: Path,
    replace_newer: bool = False,
) -> Published:
    """Keep the receipts of a written publication, then lead readers to it: current.json comes last.

    A list that is older than the current one is not published, and has no receipts, unless
    `replace_newer`. Publishing again changes nothing, and completes what a process that died left
    undone.

    Raises:
        CorruptFileError: its files are not what its manifest says, or the manifest is not what its
            id says.
    """
    publication, scores = read_publication(publication_id, folder=folder, columns=RECEIPTS.names)
    with locked(folder):
        standing = find_standing(folder, store_folder)
        if standing is not None and not replace_newer and is_older(publication, standing):
            return Published(publication, standing)
        keep_receipts(store_folder, publication, scores)
        previous = publication.manifest.get("previous")
        if previous:
            mend_receipts(previous, folder=folder, store_folder=store_folder)
        _point_to(publication, folder=folder)
    return Published(publication)


def is_older(publication: Publication, standing: Listed) -> bool:
    """Whether a list has an earlier as_of than the standing one, or comes from an older store."""
    if publication.id == standing.id:
        return False
    its_us = read_as_of(publication.manifest)
    if its_us != standing.as_of_us:
        if its_us is None or standing.as_of_us is None:
            return False
        return its_us < standing.as_of_us
    known_until_us = read_known_until(publication.manifest)
    return -1 < known_until_us < standing.known_until_us


def _point_to(publication: Publication, *, folder: Path) -> None:
    pointer = {
        "publication_id": publication.id,
        "manifest_sha256": hash_bytes(canonical_json(publication.manifest)),
    }
    write_pointer(folder / "current.json", canonical_json(pointer))
