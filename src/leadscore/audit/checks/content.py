"""Checks of what a field holds: ids, proxies for time, constants, values that history lacks."""

from __future__ import annotations

import numpy as np

from leadscore.audit.finding import Finding, share
from leadscore.audit.leads import Leads
from leadscore.audit.statistics import compute_bounds, compute_lower_bound, compute_ranks
from leadscore.audit.values import Values

MIN_LEADS = 5
MANY_LEADS = 50
CLOCK_SHARE = 0.10  # of a field's variation that is left at one time
CLOCK_LEADS = 200
CLOCK_BLOCK = 40
UNSEEN_SHARE = 0.02
MOST_LEVELS = 1 / 4  # of the leads: with more values, too few leads share one
MIN_COLLISIONS = 10.0
ID_SHARE = 0.9  # of the leads that have a value of their own


def check_constant(values: Values, leads: Leads) -> Finding | None:
    """A field that is the same for all leads, or empty: harmless, and useless."""
    codes = values.identities()
    if len(codes) == 0 or (codes != codes[0]).any():
        return None
    what = "is empty for every lead" if codes[0] < 0 else "has one value for every lead"
    numbers = {"leads": len(leads.lead_id)}
    return Finding("constant", "ok", f"{what}: it says nothing", numbers)


def check_identity(values: Values, leads: Leads) -> Finding | None:
    """A field that says who a lead is, not what it is like: nearly every lead has its own value."""
    del leads
    codes = values.identities()
    codes = codes[codes >= 0]
    n = len(codes)
    distinct = len(np.unique(codes))
    if n < MANY_LEADS:
        return None

    if not _is_identity(values, distinct=distinct, n=n):
        return None
    evidence = f"{distinct:,} different values for {n:,} leads: it says who, not what"
    numbers = {"distinct": distinct, "leads": n}
    return Finding("identity", "suspect", evidence, numbers)


def _is_identity(values: Values, *, distinct: int, n: int) -> bool:
    """Whether n values, `distinct` of them different, say who a lead is."""
    if values.is_text:
        return distinct >= ID_SHARE * n
    return distinct == n and _are_ids(values)


def _are_ids(values: Values) -> bool:
    """Whether whole numbers that never repeat would have done so by chance.

    n numbers drawn from a range of R collide about n (n - 1) / 2R times.
    """
    numbers = values.numbers[~values.missing]
    if values.type != "number" or (numbers % 1 != 0).any():
        return False
    n = len(numbers)
    numbers_in_range = float(np.ptp(numbers)) + 1
    collisions = n * (n - 1) / (2 * numbers_in_range)
    return collisions >= MIN_COLLISIONS


def check_clock(values: Values, leads: Leads) -> Finding | None:
    """A field that only says when: leads that come one after another have nearly the same value.

    The variation left within runs of `CLOCK_BLOCK` leads by creation is compared with that over all
    leads: of numbers the variance of ranks, of text the Gini impurity 1 - Σ share². Dates are
    measured from as_of, so they are left out.
    """
    rows = np.flatnonzero(~values.missing & ~leads.undated)
    if values.type == "date" or len(rows) < CLOCK_LEADS or not leads.has_order:
        return None

    order = np.argsort(leads.created_us[rows], kind="stable")
    by_creation = rows[order]
    if values.is_text:
        left = _text_variation_left(values.codes[by_creation])
    else:
        left = _number_variation_left(values.numbers[by_creation])
    if left is None or left > CLOCK_SHARE:
        return None
    left_share = share(max(left, 0.001))
    evidence = (
        f"only {left_share} of its variation is left among leads of the same time: a proxy for time"
    )
    return Finding("clock", "suspect", evidence, {"left": left})


def _text_variation_left(codes: np.ndarray) -> float | None:
    """The share of the Gini impurity that is left within runs.

    It is None where it cannot be told from chance.
    """
    n = len(codes)
    block = np.arange(n) // CLOCK_BLOCK
    _, codes = np.unique(codes, return_inverse=True)
    if codes.max() >= MOST_LEVELS * n:
        return None

    code_n = np.bincount(codes)
    total = n - (code_n**2).sum() / n

    levels = len(code_n)
    pair = block * levels + codes
    pairs, pair_n = np.unique(pair, return_counts=True)
    block_n = np.bincount(block)[pairs // levels]
    within = n - (pair_n**2 / block_n).sum()
    return float(within / total) if total > 0 else None


def _number_variation_left(numbers: np.ndarray) -> float | None:
    """The share of the variance of ranks that is left within runs; None if there is none."""
    ranks = compute_ranks(numbers)
    block = np.arange(len(ranks)) // CLOCK_BLOCK
    block_n = np.bincount(block)
    block_sum = np.bincount(block, weights=ranks)

    deviation = ranks - ranks.mean()
    total = (deviation**2).sum()
    between = (block_sum**2 / block_n).sum()
    within = (ranks**2).sum() - between
    return float(within / total) if total > 0 else None


def check_unseen(values: Values, leads: Leads) -> Finding | None:
    """Open leads with values that no closed lead has: a model has learned nothing about them.

    Some are to be expected: of categories the share of closed leads that are alone with theirs
    (Good 1953), of numbers two in n.
    """
    closed = ~leads.is_open & ~values.missing
    opened = leads.is_open & ~values.missing
    n_closed = closed.sum()
    if n_closed < MANY_LEADS or opened.sum() < MIN_LEADS or values.type == "date":
        return None

    if values.is_text:
        known_codes, n = np.unique(values.codes[closed], return_counts=True)
        if len(known_codes) > MOST_LEVELS * n_closed:
            return None
        what = "a value that no closed lead has"
        is_unseen = ~np.isin(values.codes[opened], known_codes)
        alone = (n == 1).sum() / n_closed
    else:
        what = "a number outside the range of the closed leads"
        is_unseen = _is_beyond(values.numbers[opened], values.numbers[closed])
        alone = 2 / n_closed

    _, expected = compute_bounds(np.array(alone), n_closed)
    if compute_lower_bound(is_unseen) < UNSEEN_SHARE + expected:
        return None
    unseen = float(is_unseen.mean())
    evidence = f"{share(unseen)} of the open leads have {what}"
    numbers = {"share": unseen, "open": int(opened.sum())}
    return Finding("unseen", "suspect", evidence, numbers)


def _is_beyond(numbers: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which numbers (n,) are below, or above, all known ones."""
    is_below = numbers < known.min()
    is_above = numbers > known.max()
    return np.asarray(is_below | is_above)
