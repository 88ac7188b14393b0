"""Another currency: leads that changed it, or amounts that changed by one and the same factor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from leadscore.engine.protocol import identifier
from leadscore.ingest.alarms.exports import Exports

LEAST_LEADS = 20  # in both exports; of fewer nothing is said
MANY = 0.2  # of the leads that both exports have


def find_currency_switch(exports: Exports) -> Iterator[str]:
    """The currency that many leads changed to, and numbers that many leads have times a factor.

    None of it is the delivery's doing where the settings read the leads in another way, such as with
    new rates.
    """
    if exports.is_reread("leads"):
        return
    in_both = exports.leads_in_both
    leads = exports.number(f"SELECT COUNT(*) {in_both}")
    if leads < LEAST_LEADS:
        return
    switches = exports.rows(
        f"""SELECT b.currency AS old, n.currency AS new, COUNT(*) AS n {in_both}
        WHERE b.currency <> n.currency
        GROUP BY b.currency, n.currency ORDER BY n DESC, old, new"""
    )
    if switches and switches[0]["n"] > MANY * leads:
        most = switches[0]
        yield (
            f"the currency of {most['n']:,} of {leads:,} leads changed from {most['old']} to "
            f"{most['new']}"
        )
    for name in exports.shared_fields("number"):
        yield from _find_factor(exports, name)


def _find_factor(exports: Exports, name: str) -> Iterator[str]:
    column = identifier(name)
    rows = exports.staged.engine.query(
        f"""SELECT b.{column} AS old, n.{column} AS new {exports.leads_in_both}
        WHERE b.{column} > 0 AND n.{column} > 0"""
    )
    leads = rows.num_rows
    if leads < LEAST_LEADS:
        return
    old = rows["old"].to_numpy()
    new = rows["new"].to_numpy()
    factors = (new / old).round(4)
    changed = factors[factors != 1]
    if not len(changed):
        return
    distinct, counts = np.unique(changed, return_counts=True)
    n = int(counts.max())
    if n > MANY * leads:
        factor = float(distinct[counts.argmax()])
        yield f"{name} of {n:,} of {leads:,} leads is {factor:g} times what it was"
