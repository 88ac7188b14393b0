"""The receipts of publications, which are settled later."""

from __future__ import annotations

import logging
from pathlib import Path

import pyarrow as pa

from leadscore.errors import CorruptFileError
from leadscore.files import is_there
from leadscore.publish.listed import Listed, list_published
from leadscore.publish.publication import Publication, read_publication
from leadscore.store.receipts import build_receipts, read_receipts, write_receipts
from leadscore.tables import RECEIPTS

logger = logging.getLogger(__name__)


def receipts_of(publication: Publication, scores: pa.Table) -> pa.Table:
    """The receipts that a publication with these scores has."""
    return build_receipts(scores, **_read_versions(publication))


def keep_receipts(
    store_folder: Path,
    publication: Publication,
    scores: pa.Table,
) -> None:
    """Write the receipts of a publication, if the store does not have them."""
    write_receipts(store_folder, scores, **_read_versions(publication))


def mend_receipts(
    publication_id: str,
    *,
    folder: Path,
    store_folder: Path,
) -> None:
    """Write the receipts of a list again if they were changed and the list itself is whole."""
    try:
        publication, scores = read_publication(
            publication_id, folder=folder, columns=RECEIPTS.names
        )
    except CorruptFileError:
        return
    keep_receipts(store_folder, publication, scores)


def read_past_receipts(folder: Path, store_folder: Path) -> pa.Table:
    """The receipts of every published list, taken from its checked scores.

    Those of a pruned list are as the store has them.
    Damaged lists are left out with a warning.
    """
    published = list_published(folder, store_folder)
    tables = [read_receipts_of(listed, folder, store_folder) for listed in published]
    return pa.concat_tables([RECEIPTS.empty_table(), *tables])


def read_receipts_of(listed: Listed, folder: Path, store_folder: Path) -> pa.Table:
    """The receipts of one list, taken from its checked scores, or from the store if it was pruned.

    None of a damaged list, with a warning.
    """
    if not is_there(folder / listed.id):
        return read_receipts(store_folder, publication_id=listed.id)
    try:
        publication, scores = read_publication(listed.id, folder=folder, columns=RECEIPTS.names)
    except CorruptFileError as e:
        logger.warning("the list %s is left out: %s", listed.id, e)
        return RECEIPTS.empty_table()
    return receipts_of(publication, scores)


def _read_versions(publication: Publication) -> dict[str, str]:
    return {
        "publication_id": publication.id,
        "model_version": publication.manifest["model_version"],
        "store_version": publication.manifest["store_version"],
    }
