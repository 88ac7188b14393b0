"""Why the expected revenue of a period changed between two moments, in whole cents that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

KEY = ["lead_id", "spell"]
PARTS = (
    "new_leads",
    "won",
    "lost",
    "slipped_out",
    "pulled_in",
    "amount",
    "facts",
    "time",
    "model",
    "corrected",
    "yet_to_come",
)
NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Steps:
    """Leads (n,) that were open at both moments, on the way from one forecast to the other.

    Attributes:
        leads: (n,) lead_id and spell.
        revenue: what each brings if won, then and now, (n,) each.
        chances: the probability of a win in the period, (n,) each: then; now, by what was known
            then; by what is known now; and by the model of now.
        inside: whether each is expected to close within the period, then and now, (n,) each.
    """

    leads: pd.DataFrame
    revenue: tuple[np.ndarray, np.ndarray]
    chances: Sequence[np.ndarray]
    inside: tuple[np.ndarray, np.ndarray]


def to_cents(amount: np.ndarray | float) -> np.ndarray:
    """Amounts in whole cents, int64."""
    cents = np.rint(np.asarray(amount, dtype=float) * 100)
    return np.asarray(cents, dtype=np.int64)


def split_change(
    before: pd.DataFrame,
    after: pd.DataFrame,
    steps: Steps,
    *,
    yet_to_come: tuple[int, int],
) -> tuple[dict[str, int], dict[str, int]]:
    """The change in cents by part, and how many leads are in each.

    The parts add up to the value of all leads after, less that before, with those yet to come.

    A lead that stays open has slipped out if its close, if won, moved past the end of the period
    and its chance fell, and was pulled in if both went the other way; else its change is that of
    time, facts and model. What changed of leads that had closed before is `corrected`.

    Args:
        before: lead_id, spell, state ("open" or "won") and cents, of the leads counted then.
        after: the same of now, and of those that were counted then ("closed"); with `won`, and
            `is_new` for leads opened since.
        steps: of the leads open at both moments.
        yet_to_come: cents expected of leads yet to come, then and now.
    """
    both = before.merge(after, on=KEY, how="outer", suffixes=("_then", "_now"))
    cents_then = both["cents_then"].fillna(0)
    cents_now = both["cents_now"].fillna(0)
    change = cents_now - cents_then
    part = _name_parts(both)
    sums = change.groupby(part).sum()
    counts = part.value_counts()

    stayed = _split_steps(steps)
    parts = {}
    leads = {}
    for name in PARTS:
        of_stayed = stayed.get(name, NOTHING)
        parts[name] = int(sums.get(name, 0) + of_stayed.sum())
        leads[name] = int(counts.get(name, 0) + np.count_nonzero(of_stayed))
    then, now = yet_to_come
    parts["yet_to_come"] = now - then
    return parts, leads


def _name_parts(both: pd.DataFrame) -> pd.Series[str]:
    """The part (n,) that each lead's change belongs to; "" for those that stay open."""
    was_open = both["state_then"] == "open"
    is_open = both["state_now"] == "open"
    was_absent = both["state_then"].isna()
    is_new = both["is_new"].eq(True)
    is_won = both["won"].eq(True)
    cases = {
        "": was_open & is_open,
        "new_leads": was_absent & is_new,
        "won": was_open & is_won,
        "lost": was_open,
    }
    names = np.select(
        list(cases.values()),
        list(cases),
        "corrected",
    )
    return pd.Series(names, index=both.index)


def _split_steps(steps: Steps) -> dict[str, np.ndarray]:
    """The change in cents of each lead that stayed open (n,), by part."""
    revenue_then, revenue_now = steps.revenue
    old_value = to_cents(revenue_then * steps.chances[0])
    values = [to_cents(revenue_now * chance) for chance in steps.chances]
    first, aged, known, last = values

    was_inside, is_inside = steps.inside
    slipped = was_inside & ~is_inside & (last < first)
    pulled = is_inside & ~was_inside & (last > first)
    steady = ~(slipped | pulled)
    return {
        "amount": first - old_value,
        "slipped_out": slipped * (last - first),
        "pulled_in": pulled * (last - first),
        "time": steady * (aged - first),
        "facts": steady * (known - aged),
        "model": steady * (last - known),
    }
