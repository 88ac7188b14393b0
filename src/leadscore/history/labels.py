"""What became of each snapshot, as known at a moment K, and how much it weighs.

Won within the horizon (1), not won (0), or censored: what became of it is not known at K. See
`censoring` for what censored snapshots do to the weights of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leadscore.history.absences import seen_until
from leadscore.history.censoring import weigh
from leadscore.history.side import SHOWN_LEADS, Side
from leadscore.settings.target import Target
from leadscore.times import DAY_US

SPELL = ["lead_id", "spell"]  # the key of a spell


def build_side(
    name: str,
    rows: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    known_us: int,
    target: Target,
) -> Side:
    """Snapshots labelled and weighted by what was known of their spells at `known_us` (K).

    * Won (1): the spell's outcome is a win, and its first close is in [as_of, as_of + horizon).
    * Not won (0): it is a loss closed in that time, or the horizon was over at K without a win.
    * Censored (NaN): all others. A lead that is absent since an export was followed until the last
      one that had it.

    A snapshot whose label depends on a close without a usable date is left out, and counted.

    Args:
        name: what to call the side in messages.
        rows: a list with `KEYS`, grid_weight and young, all before K.
        spells: as of `build_spells` at K.
        known_us: K.
        target: horizon and cap.
    """
    usable = _find_usable(rows, spells, known_us=known_us, target=target)
    rows = usable.rows
    label, x_us = _label_rows(rows, usable.ends, known_us=known_us, target=target)
    observed = ~np.isnan(label)
    weights = weigh(x_us, observed, rows["grid_weight"].to_numpy(), target=target)
    return Side(
        name=name,
        rows=rows.assign(label=label, weight=weights.weight),
        known_us=known_us,
        watched=weights.watched,
        capped_share=float(weights.capped.sum() / max(observed.sum(), 1)),
        target=target,
        unusable=usable.left_out,
        undated=usable.undated,
        x_us=x_us,
    )


@dataclass(frozen=True)
class _Usable:
    """The snapshots whose label depends on no undated close, and the ends of their spells.

    Also how many were left out by outcome, and some of their leads.
    """

    rows: pd.DataFrame
    ends: pd.DataFrame
    left_out: dict[str, int]
    undated: tuple[str, ...]


def _find_usable(
    rows: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    known_us: int,
    target: Target,
) -> _Usable:
    rows = rows.reset_index(drop=True)
    ends = _look_up(rows, spells)
    is_unusable = _depends_on_date(rows, ends, known_us=known_us, target=target)
    undated = rows.loc[is_unusable, "lead_id"].unique()[:SHOWN_LEADS]
    return _Usable(
        rows=rows[~is_unusable].reset_index(drop=True),
        ends=ends[~is_unusable].reset_index(drop=True),
        left_out=_count_by_outcome(ends[is_unusable]),
        undated=tuple(map(str, undated)),
    )


def _look_up(rows: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """The spell of each snapshot, in their order."""
    ends = rows[SPELL].merge(spells, on=SPELL, how="left")
    assert len(ends) == len(rows)  # noqa: S101  (pandas' own validation doubles the time)
    return ends


def _label_rows(
    rows: pd.DataFrame,
    ends: pd.DataFrame,
    *,
    known_us: int,
    target: Target,
) -> tuple[np.ndarray, np.ndarray]:
    """The label (n,) of snapshots with these ends, and how long (n,) each was followed."""
    as_of_us = rows["as_of_us"].to_numpy()
    close_us = ends["close_us"].to_numpy()
    seen_us = seen_until(ends, known_us)
    label = _label(close_us, ends, as_of_us, seen_us=seen_us, target=target)

    followed_us = np.minimum(close_us, seen_us) - as_of_us
    horizon_us = target.horizon_days * DAY_US
    return label, np.minimum(followed_us, horizon_us)


def _label(
    close_us: np.ndarray,
    ends: pd.DataFrame,
    as_of_us: np.ndarray,
    *,
    seen_us: np.ndarray,
    target: Target,
) -> np.ndarray:
    """The label (n,) of snapshots whose spells closed at `close_us`, followed until `seen_us`."""
    won = ends["won"].to_numpy(dtype=bool)
    horizon_end_us = as_of_us + target.horizon_days * DAY_US
    closed_inside = (close_us < horizon_end_us) & (close_us < seen_us)
    is_over = horizon_end_us <= seen_us
    won_inside = (closed_inside & won).astype(float)
    return np.where(closed_inside | is_over, won_inside, np.nan)


def _depends_on_date(
    rows: pd.DataFrame,
    ends: pd.DataFrame,
    *,
    known_us: int,
    target: Target,
) -> np.ndarray:
    """Which snapshots (n,) have a label that depends on an unknown date of closing.

    Their lead closed between two moments, and the snapshot has another label, or none, at either.

    None, if it may have closed before the snapshot: then it would not have been on the list.
    """
    as_of_us = rows["as_of_us"].to_numpy()
    earliest_us = ends["earliest_us"].to_numpy()
    latest_us = ends["close_us"].to_numpy()
    seen_us = seen_until(ends, known_us)

    is_interval = (earliest_us < latest_us) & (latest_us < seen_us)
    if_early = _label(earliest_us, ends, as_of_us, seen_us=seen_us, target=target)
    if_late = _label(latest_us, ends, as_of_us, seen_us=seen_us, target=target)
    may_be_absent = earliest_us < as_of_us
    is_open_to_doubt = may_be_absent | (if_early != if_late)
    return np.asarray(is_interval & is_open_to_doubt)


def _count_by_outcome(ends: pd.DataFrame) -> dict[str, int]:
    """How many rows ended won, and lost; nothing if there are none."""
    if ends.empty:
        return {}
    won = int(ends["won"].sum())
    return {"won": won, "lost": len(ends) - won}


def build_final_side(
    name: str,
    rows: pd.DataFrame,
    spells: pd.DataFrame,
    *,
    known_us: int,
) -> Side:
    """Leads labelled by their final outcome, as known at `known_us`.

    Those open by then are left out.

    Args:
        name: what to call the side in messages.
        rows: as of `build_final_list`.
        spells: as of `build_spells` at `known_us`.
        known_us: a place in the order of leads.
    """
    is_closed = spells["close_us"] < known_us
    ends = spells.loc[is_closed, [*SPELL, "won"]]
    rows = rows.merge(ends, on=SPELL, validate="one_to_one")

    won = rows.pop("won")
    labelled = rows.assign(label=won.astype(float), weight=rows["grid_weight"])
    return Side(
        name=name,
        rows=labelled,
        known_us=known_us,
        watched=1.0,
        capped_share=0.0,
        target=None,
    )
