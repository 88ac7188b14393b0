"""Checks of what a field holds: ids, clocks, constants, values that history lacks."""

from __future__ import annotations

import numpy as np

from leadscore.audit.fields import Leads, Values
from leadscore.audit.finding import Finding, share
from leadscore.audit.statistics import compute_bounds, compute_ranks

MIN_LEADS = 5
MANY_LEADS = 50
CLOCK_SHARE = 0.10  # of a field's variation that is left at one time
CLOCK_LEADS = 200
CLOCK_BLOCK = 40
UNSEEN_SHARE = 0.02
MIN_COLLISIONS = 10.0


def check_constant(values: Values, leads: Leads) -> Finding | None:
    """A field that is the same for all leads, or empty: harmless, and useless."""
    codes = values.identities()
    if len(codes) == 0 or (codes != codes[0]).any():
        return None
    what = "is empty for every lead" if codes[0] < 0 else "has one value for every lead"
    return Finding("constant", "ok", f"{what}: it says nothing", {"leads": len(leads.lead_id)})


def check_identity(values: Values, leads: Leads) -> Finding | None:
    """A field that says who a lead is, not what it is like: of (nearly) every lead its own value.

    Whole numbers count as ids if they never repeat though chance alone would have repeated many: n numbers out of a
    range of R collide n (n - 1) / 2R times.
    """
    del leads
    codes = values.identities()
    n, distinct = int((codes >= 0).sum()), len(np.unique(codes[codes >= 0]))
    if n < MANY_LEADS:
        return None
    if values.is_text:
        is_id = distinct >= 0.9 * n
    else:
        numbers = values.numbers[~values.missing]
        spread = float(numbers.max() - numbers.min()) + 1
        whole = values.type == "number" and bool((numbers % 1 == 0).all())
        is_id = whole and distinct == n and n * (n - 1) / (2 * spread) >= MIN_COLLISIONS
    if not is_id:
        return None
    said = f"{distinct:,} different values for {n:,} leads: it says who, not what"
    return Finding("identity", "suspect", said, {"distinct": distinct, "leads": n})


def check_clock(values: Values, leads: Leads) -> Finding | None:
    """A field that only says when: leads that come one after another have nearly the same value.

    The variation left within runs of `CLOCK_BLOCK` leads by creation is set against that over all leads: of numbers
    the variance of ranks, of text the Gini impurity 1 - sum of squared shares. Dates are told from as_of, and left out.
    """
    rows = np.flatnonzero(~values.missing & ~leads.undated)
    if values.type == "date" or len(rows) < CLOCK_LEADS or not leads.has_order:
        return None
    rows = rows[np.argsort(leads.created_us[rows], kind="stable")]
    block = np.arange(len(rows)) // CLOCK_BLOCK
    n = np.bincount(block)
    if values.is_text:
        _, codes = np.unique(values.codes[rows], return_inverse=True)
        if codes.max() >= len(rows) / 4:  # too many values to tell a run from chance
            return None
        total = len(rows) - (np.bincount(codes) ** 2).sum() / len(rows)
        pairs, pair_n = np.unique(block * (codes.max() + 1) + codes, return_counts=True)
        within = len(rows) - (pair_n**2 / n[pairs // (codes.max() + 1)]).sum()
    else:
        ranks = compute_ranks(values.numbers[rows])
        total = ((ranks - ranks.mean()) ** 2).sum()
        within = (ranks**2).sum() - (np.bincount(block, weights=ranks) ** 2 / n).sum()
    if total <= 0 or within / total > CLOCK_SHARE:
        return None
    left = float(within / total)
    said = f"only {share(max(left, 0.001))} of its variation is left among leads of the same time: a clock in disguise"
    return Finding("clock", "suspect", said, {"left": left})


def check_unseen(values: Values, leads: Leads) -> Finding | None:
    """Open leads with categories, or numbers, that no closed lead has: a model has learned nothing of them.

    Some are to be expected: of categories as many as closed leads have alone (Good 1953), of numbers two in n.
    """
    closed = ~leads.is_open & ~values.missing
    opened = leads.is_open & ~values.missing
    if closed.sum() < MANY_LEADS or opened.sum() < MIN_LEADS or values.type == "date":
        return None
    if values.is_text:
        known = np.unique(values.codes[closed])
        if len(known) > closed.sum() / 4:
            return None
        unseen, what = ~np.isin(values.codes[opened], known), "a value"
        alone = (np.bincount(values.codes[closed]) == 1).sum() / closed.sum()
    else:
        low, high = values.numbers[closed].min(), values.numbers[closed].max()
        unseen, what = (
            (values.numbers[opened] < low) | (values.numbers[opened] > high),
            "a number beyond any",
        )
        alone = 2 / closed.sum()
    expected = compute_bounds(np.array(alone), closed.sum())[1]
    if compute_bounds(unseen.mean(), np.array(len(unseen)))[0] < UNSEEN_SHARE + expected:
        return None
    said = f"{share(unseen.mean())} of the open leads have {what} that no closed lead has"
    return Finding(
        "unseen", "suspect", said, {"share": float(unseen.mean()), "open": int(opened.sum())}
    )
