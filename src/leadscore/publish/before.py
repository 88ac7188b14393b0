"""The list that a new one is compared with: the most recent publication with an earlier as_of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from leadscore.errors import CorruptFileError
from leadscore.publish.listed import Listed, list_published, read_current_id
from leadscore.publish.publication import Publication, read_publication
from leadscore.publish.receipts import receipts_of
from leadscore.store.receipts import is_receipt_of, receipts_path
from leadscore.tables import RECEIPTS

SECOND_US = 1_000_000


@dataclass(frozen=True)
class Before:
    """The previous list with its receipts, or warnings why there is none to compare with."""

    publication: Publication | None = None
    receipts: pa.Table | None = None
    warnings: tuple[str, ...] = ()


def find_before(
    folder: Path,
    store_folder: Path,
    *,
    as_of_us: int | None,
) -> Before:
    """The most recent publication with an earlier as_of, whichever list is current.

    Of several with one as_of it is the one from the store that knew most, then one that is current
    or that another list was compared with. If that list is gone or damaged there is no comparison,
    and a warning.
    """
    if as_of_us is None:
        return Before()
    published = list_published(folder, store_folder)
    earlier = [listed for listed in published if _is_earlier(listed, as_of_us)]
    if not earlier:
        return Before()

    in_use = {listed.previous_id for listed in published} | {read_current_id(folder)}

    def recency(listed: Listed) -> tuple[int, int, bool, str]:
        return listed.as_of_us or 0, listed.known_until_us, listed.id in in_use, listed.id

    best = max(earlier, key=recency)
    if best.manifest is None:
        warning = _describe_missing(best.id, best.problem)
        return Before(warnings=(warning,))
    return read_before(best.id, folder=folder, store_folder=store_folder)


def read_before(
    publication_id: str,
    *,
    folder: Path,
    store_folder: Path,
) -> Before:
    """A published list with its receipts.

    They are taken from its scores, which are checked, and never from the file of receipts. If that
    says otherwise there is a warning.
    """
    try:
        publication, scores = read_publication(
            publication_id, folder=folder, columns=RECEIPTS.names
        )
    except CorruptFileError as e:
        return Before(warnings=(_describe_missing(publication_id, str(e)),))
    receipts = receipts_of(publication, scores)
    path = receipts_path(store_folder, publication_id)
    if is_receipt_of(path, receipts):
        return Before(publication, receipts)
    warning = (
        f"{path} is not what was published; it is not used, the list itself is. "
        "It is written again when this list is published"
    )
    return Before(publication, receipts, (warning,))


def _is_earlier(listed: Listed, as_of_us: int) -> bool:
    """Whether a list is from before a moment; one dated by its id only, if it is by a second."""
    its_us = listed.as_of_us
    if its_us is None:
        return False
    if listed.manifest is not None:
        return its_us < as_of_us
    second_us = as_of_us // SECOND_US * SECOND_US
    return its_us < second_us


def _describe_missing(publication_id: str, problem: str) -> str:
    return f"no comparison with the previous list, {publication_id}: {problem}"
