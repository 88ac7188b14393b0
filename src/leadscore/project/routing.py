"""Whom the leads of a list are given to, by what was known at its moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.history.split import History
from leadscore.routing.assign import assign
from leadscore.scoring.change import Previous
from leadscore.tables import REPS

ROUTED_BY = ("tier", "win_probability", "expected_value", "qualification")  # what was decided


def route_list(
    history: History,
    scores: pa.Table,
    *,
    as_of_us: int,
    previous: Previous | None,
    inputs: Mapping[str, Any],
) -> tuple[pa.Table, dict[str, Any]]:
    """Who should call each lead of a list (n,), by what was known of it at `as_of_us`, and the facts of the routing.

    Args:
        history: where the leads are.
        scores: lead_id and the columns `ROUTED_BY` of the leads, in the order of the list.
        as_of_us: the moment.
        previous: the previous list.
        inputs: with the list of reps.

    Raises:
        RuntimeError: the settings have no section `routing`.
    """
    settings = history.settings
    if settings.routing is None:
        raise RuntimeError("the settings have no [routing] section")
    matched = settings.routing.match.columns().values()
    names = list(dict.fromkeys(["owner_id", *matched]))
    to_call = pc.not_equal(scores["qualification"], "disqualified")
    routing = assign(
        scores.drop_columns(["qualification"]).filter(to_call),
        history.known_values(names, as_of_us=as_of_us),
        pa.Table.from_pylist(inputs["reps"], schema=REPS),
        settings.routing,
        as_of_us=as_of_us,
        seed=settings.seed,
        previous=_previous_reps(previous),
    )
    return _take_routes(to_call, routing.routes), routing.facts


def _previous_reps(previous: Previous | None) -> dict[str, str]:
    """Which rep each lead was given to on the previous list."""
    if previous is None:
        return {}
    receipts = previous.receipts
    routed = receipts.filter(pc.is_valid(receipts["rep_id"]))
    leads = routed["lead_id"].to_pylist()
    reps = routed["rep_id"].to_pylist()
    return dict(zip(leads, reps, strict=True))


def _take_routes(to_call: pa.ChunkedArray, routes: pa.Table) -> pa.Table:
    """The columns of the routes in the order of the list (n,); leads not `to_call` (n,) are disqualified."""
    is_routed = np.asarray(to_call)
    row_of_lead = pa.array(np.cumsum(is_routed) - 1, mask=~is_routed)
    names = ["rep_id", "route_reason", "exploration_probability"]
    columns = {name: routes[name].take(row_of_lead) for name in names}
    columns["route_reason"] = pc.fill_null(columns["route_reason"], "disqualified")
    schema = pa.schema([routes.schema.field(name) for name in names])
    return pa.table(columns, schema=schema)
