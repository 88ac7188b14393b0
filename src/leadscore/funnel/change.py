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
    before: pd.DataFrame, after: pd.DataFrame, steps: Steps, *, yet_to_come: tuple[int, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """The change in cents by part, and how many leads are in each.

    The parts add up to the value of all leads after, less that before, with those yet to come.

    A lead that stays open belongs to `slipped_out` or `pulled_in` if its expected close crossed the
    end of the period; else its change is that of time, facts and model. What changed of leads that
    had closed before is `corrected`.

    Args:
        before: lead_id, spell, state ("open" or "won") and cents, of the leads counted then.
        after: the same of now, and of those that were counted then ("closed"); with `won`, and
            `is_new` for leads opened since.
        steps: of the leads open at both moments.
        yet_to_come: cents expected of leads yet to come, then and now.
    """
    both = before.merge(after, on=KEY, how="outer", suffixes=("_then", "_now"))
    change = both["cents_now"].fillna(0) - both["cents_then"].fillna(0)
    part = _name_parts(both)
    sums = change.groupby(part).sum()
    counts = part[part != ""].value_counts()

    stayed = _split_steps(steps)
    parts = dict.fromkeys(PARTS, 0)
    leads = dict.fromkeys(PARTS, 0)
    for name in PARTS:
        parts[name] = int(sums.get(name, 0)) + int(stayed.cents.get(name, 0))
        leads[name] = int(counts.get(name, 0)) + int(stayed.leads.get(name, 0))
    parts["yet_to_come"] = yet_to_come[1] - yet_to_come[0]
    return parts, leads


def _name_parts(both: pd.DataFrame) -> pd.Series[str]:
    """The part (n,) that each lead's change belongs to; "" for those that stay open."""
    then, now = both["state_then"], both["state_now"]
    was_open = then == "open"
    cases = [
        was_open & (now == "open"),
        then.isna() & both["is_new"].eq(True),
        was_open & both["won"].eq(True),
        was_open,
    ]
    names = np.select(cases, ["", "new_leads", "won", "lost"], "corrected")
    return pd.Series(names, index=both.index)


@dataclass(frozen=True)
class _Stayed:
    """Cents and leads by part, of the leads that stayed open."""

    cents: dict[str, int]
    leads: dict[str, int]


def _split_steps(steps: Steps) -> _Stayed:
    then, now = steps.revenue
    old_value = to_cents(then * steps.chances[0])
    values = [to_cents(now * chance) for chance in steps.chances]
    was_inside, is_inside = steps.inside
    slipped = was_inside & ~is_inside
    pulled = ~was_inside & is_inside
    steady = ~(slipped | pulled)
    whole = values[-1] - values[0]
    cents = {
        "amount": values[0] - old_value,
        "slipped_out": np.where(slipped, whole, 0),
        "pulled_in": np.where(pulled, whole, 0),
        "time": np.where(steady, values[1] - values[0], 0),
        "facts": np.where(steady, values[2] - values[1], 0),
        "model": np.where(steady, values[3] - values[2], 0),
    }
    return _Stayed(
        cents={name: int(change.sum()) for name, change in cents.items()},
        leads={name: int((change != 0).sum()) for name, change in cents.items()},
    )
