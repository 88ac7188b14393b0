"""What every row of a source needs: files without it are refused, rows without it rejected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadscore.errors import MissingColumnsError
from leadscore.ingest.mapping.words import Texts, is_missing
from leadscore.ingest.readers.batch import SourceFile
from leadscore.settings.mapping import Mapping

RULE = "required"

Required = Sequence[Sequence[str]]  # of the columns of each inner list, a row needs one


def check_required(file: SourceFile, required: Required, names: Sequence[str]) -> None:
    """Refuse a file that lacks a required column.

    Raises:
        MissingColumnsError: of the columns of some choice it has none.
    """
    lacking = [choice for choice in required if not set(choice) & set(names)]
    single = [choice[0] for choice in lacking if len(choice) == 1]
    if single:
        raise _missing(file, single, names, ", which every row needs")
    if lacking:
        raise _missing(file, lacking[0], names, ", one of which every row needs")


def _missing(
    file: SourceFile,
    columns: Sequence[str],
    names: Sequence[str],
    purpose: str,
) -> MissingColumnsError:
    return MissingColumnsError(
        file.source,
        file.name,
        missing=columns,
        available=names,
        delimiter=None,
        purpose=f"{purpose} (`required`)",
    )


def purpose_of(columns: Sequence[str], entries: Sequence[Mapping]) -> str:
    """What mapping entries read from some columns, as a message says it; "" for nothing."""
    uses = []
    for entry in entries:
        targets = [target for target, column in entry.columns.items() if column in columns]
        if set(entry.id_columns).intersection(columns):
            targets.append("lead_id")
        if targets:
            uses.append(f"{', '.join(targets)} of {entry.table}")
    return f" for {' and '.join(uses)}" if uses else ""


def lacks_all(texts: Texts, choice: Sequence[str]) -> np.ndarray:
    """Which rows (n,) have no value in any column of a choice."""
    lacks = np.ones(texts.n, dtype=bool)
    for name in choice:
        lacks &= is_missing(texts.columns[name])
    return lacks
