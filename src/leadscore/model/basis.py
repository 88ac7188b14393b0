"""What the evaluated predictions are, in words: out of time, by order, or cross-validated."""

from __future__ import annotations

import numpy as np

from leadscore.model.encode import FOLDS

REPEATS = 5  # of cross-validation where nothing is dated: one split of few leads is mostly luck
REPEATED_LEADS = 3_000  # predictions in all; with so many leads one cross-validation is enough


def count_repeats(leads: int) -> int:
    """How often cross-validation of undated leads is repeated with other folds: 1 to `REPEATS`."""
    repeats = REPEATED_LEADS // max(leads, 1)
    return int(np.clip(repeats, 1, REPEATS))


def describe_basis(
    time: str,
    *,
    later_share: float | None,
    identical_together: bool = False,
    repeats: int = 1,
) -> str:
    """What the evaluated predictions are, to stand after "evaluated".

    Args:
        time: the mode of the settings: "dated", "ordered" or "none".
        later_share: of all labelled leads, those after the last split; None without splits.
        identical_together: whether identical rows share a fold.
        repeats: of the cross-validation.

    >>> describe_basis("none", later_share=None, repeats=5)
    'by cross-validation, 5 x 5 folds of leads'
    """
    if time == "dated":
        return "cross-validated by lead" if later_share is None else "out of time"
    if later_share is not None:
        return f"on the last {100 * later_share:.0f}% by order"
    times = f"{repeats} x " if repeats > 1 else ""
    rows = "groups of identical rows" if identical_together else "leads"
    return f"by cross-validation, {times}{FOLDS} folds of {rows}"
