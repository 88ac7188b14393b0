"""Who the customers are: the account or contact of each lead, as was known at a moment."""

from __future__ import annotations

import pandas as pd

from leadscore.errors import UserError
from leadscore.history.split import History
from leadscore.settings.memory import lead_keys
from leadscore.settings.settings import Settings
from leadscore.tables import KEYS


def are_known(settings: Settings) -> bool:
    """Whether the mapping gives a key by which customers are known."""
    return not set(KEYS).isdisjoint(lead_keys(settings))


def customer_key(settings: Settings) -> str:
    """The key by which customers are known: the account, else the contact.

    Raises:
        UserError: the mapping gives neither.
    """
    keys = lead_keys(settings)
    for name in KEYS:
        if name in keys:
            return name
    raise UserError(
        "customers are known by their account or contact, and no column of leads is mapped to "
        'either; add one, as in columns = { account = "company" }'
    )


def read_texts(history: History, name: str, *, known_us: int) -> pd.Series[str]:
    """The key or field of each lead as known at a moment, by lead_id; the others are left out."""
    known = history.known_values([name], as_of_us=known_us).to_pandas()
    values: pd.Series[str] = known.set_index("lead_id")[name].dropna()
    return values
