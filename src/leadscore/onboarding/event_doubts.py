"""What may be wrong with files of what happened to leads."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.onboarding import words
from leadscore.onboarding.events import Events
from leadscore.onboarding.profile import among
from leadscore.onboarding.roles import Leads
from leadscore.wording import counted


def doubt_closes(events: Events, leads: Leads) -> list[str]:
    """How many closed leads have no close in a history by which leads close; none if all have one.

    Where no close is of a closed lead, the ids or the words are others, and nothing is said.
    """
    if leads.id is None or events.kind is None:
        return []
    is_close = pa.array(among(events.kind, [*events.won, *events.lost]))
    closed_there = pc.unique(events.ref.text.filter(is_close))
    has_close = np.asarray(pc.is_in(leads.id.text, value_set=closed_there))
    is_closed = leads.is_won() | leads.is_lost()
    lacking = int((is_closed & ~has_close).sum())
    if not lacking or not (is_closed & has_close).any():
        return []
    closed = counted(lacking, "lead is closed", "leads are closed")
    verb = "counts" if lacking == 1 else "count"
    return [
        f"{closed} in {leads.profile.file.name} but not here, and {verb} as open: "
        "export the whole history, or add their closes by a view (docs/views.md)"
    ]


def doubt_activities(events: Events) -> list[str]:
    """Why rows may be no activities of salespeople."""
    doubts = []
    if words.speaks_of(events.profile.stem, words.NO_SALES):
        doubts.append("judging by its name, it may not hold sales activities: if so, leave it out")
    if events.seems_mailed:
        doubts.append(
            "most rows share their time with many others: if they are mailings to all, leave them out"
        )
    return doubts
