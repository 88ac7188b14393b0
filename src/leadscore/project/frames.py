"""Raw features as a data frame, for the snapshots that somebody asks about."""

from __future__ import annotations

import pandas as pd

from leadscore.errors import UserError
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.times import FOREVER_US
from leadscore.wording import counted, listed

LEAD_AND_MOMENT = ["lead_id", "as_of_us"]


def build_frame(history: History, rows: pd.DataFrame) -> pd.DataFrame:
    """lead_id, as_of_us and a column for each feature, in the order of `rows` and with its index.

    Args:
        history: the store version.
        rows: snapshots, in any order: lead_id, spell, as_of_us and known_us.

    Raises:
        UserError: a column is missing, or a lead is not in the store.
    """
    _check_columns(rows)
    _check_leads(history, rows)
    snapshots = rows[KEYS].drop_duplicates()
    if snapshots.duplicated(LEAD_AND_MOMENT).any():
        raise UserError("rows have a lead twice at one moment, with different spell or known_us")

    matrix = build_matrix(history.snapshot(snapshots), build_features(history.settings))
    columns = pd.DataFrame(matrix.columns)
    frame = pd.concat([matrix.keys, columns], axis=1)
    built = pd.MultiIndex.from_frame(matrix.keys)
    places = built.get_indexer(pd.MultiIndex.from_frame(rows[LEAD_AND_MOMENT]))
    return frame.iloc[places].set_axis(rows.index)


def _check_columns(rows: pd.DataFrame) -> None:
    missing = [name for name in KEYS if name not in rows]
    if missing:
        raise UserError(
            f"rows lack the columns {listed(missing)}; take them from snapshot() or open_leads()"
        )


def _check_leads(history: History, rows: pd.DataFrame) -> None:
    known = history.facts.lead_ids(FOREVER_US)
    unknown = sorted(set(rows["lead_id"]) - known)
    if unknown:
        leads = counted(len(unknown), "lead of rows is", "leads of rows are")
        raise UserError(f"{leads} not in the store, like {unknown[0]!r}")
