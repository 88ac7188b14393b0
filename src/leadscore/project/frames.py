"""Raw features as a data frame, for the snapshots that somebody asks about, and a model of them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from leadscore.errors import UserError
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.horizon import choose_horizon
from leadscore.model.train import FitResult, fit_model
from leadscore.progress import Progress
from leadscore.project.auditing import doubt_fields
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

    features = build_features(history.settings)
    matrix = build_matrix(history.snapshot(snapshots), features)
    columns = pd.DataFrame(dict(matrix.columns))
    frame = pd.concat([matrix.keys, columns], axis=1)
    built = pd.MultiIndex.from_frame(matrix.keys)
    asked = pd.MultiIndex.from_frame(rows[LEAD_AND_MOMENT])
    places = built.get_indexer(asked)
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


def fit_in_memory(opened: History, *, known_us: int, progress: Progress) -> FitResult:
    """A model of what was known at a moment, without the database that it was learned from."""
    history, _ = choose_horizon(opened, known_us=known_us)
    doubted = doubt_fields(history, known_us=known_us)
    result = fit_model(history, known_us=known_us, progress=progress, **doubted)
    return replace(result, training=None)
