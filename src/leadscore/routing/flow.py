"""Flows of least cost, solved by OR-tools: the one place that knows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from leadscore.errors import LeadscoreError

Arcs = tuple[
    np.ndarray, np.ndarray, np.ndarray, np.ndarray
]  # tail, head, capacity, unit cost; each (arcs,)


def solve_flow(
    parts: Sequence[Arcs], supply: np.ndarray, *, what: str, partial: bool = False
) -> np.ndarray:
    """What flows through each arc (arcs,), in the order of `parts`, at the least cost.

    Args:
        parts: the arcs, kind by kind; whole numbers.
        supply: (nodes,) what each node gives, negative where it takes; it adds up to 0.
        what: what is solved, for the message.
        partial: send as much as can flow, where not all can.

    Raises:
        LeadscoreError: there is no such flow.
    """
    tail, head, capacity, cost = (
        np.concatenate(part).astype(np.int64) for part in zip(*parts, strict=True)
    )
    flow = SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(tail, head, capacity, cost)
    flow.set_nodes_supplies(np.arange(len(supply)), supply.astype(np.int64))
    status = flow.solve_max_flow_with_min_cost() if partial else flow.solve()
    if status != flow.OPTIMAL:
        raise LeadscoreError(f"{what} was not solved: {status.name}")
    return np.asarray(flow.flows(np.arange(len(tail))))
