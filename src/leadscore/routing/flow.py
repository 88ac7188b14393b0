"""Minimum-cost flows, solved by OR-tools; no other module imports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from leadscore.errors import LeadscoreError


@dataclass(frozen=True)
class Arcs:
    """Arcs of one kind, each array (arcs,) of whole numbers; `cost` is that of one unit."""

    tail: np.ndarray
    head: np.ndarray
    capacity: np.ndarray
    cost: np.ndarray


def solve_flow(
    kinds: Sequence[Arcs],
    supply: np.ndarray,
    *,
    what: str,
    partial: bool = False,
) -> list[np.ndarray]:
    """The flow through each arc (arcs,) at the least total cost, one array for each of `kinds`.

    Args:
        kinds: the arcs, kind by kind.
        supply: (nodes,) what each node sends out, negative where it takes in; adds up to 0.
        what: what is solved, for the error message.
        partial: send as much as possible where not all of the supply can flow.

    Raises:
        LeadscoreError: no flow meets the supply.
    """
    flow = SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        _join([kind.tail for kind in kinds]),
        _join([kind.head for kind in kinds]),
        _join([kind.capacity for kind in kinds]),
        _join([kind.cost for kind in kinds]),
    )
    sizes = [len(kind.tail) for kind in kinds]
    del kinds  # the solver has its own, and takes much memory
    nodes = np.arange(len(supply))
    flow.set_nodes_supplies(nodes, supply.astype(np.int64))

    status = flow.solve_max_flow_with_min_cost() if partial else flow.solve()
    if status != flow.OPTIMAL:
        raise LeadscoreError(f"{what} was not solved: {status.name}")

    ends = np.cumsum(sizes)
    return np.split(flow.flows(arcs), ends[:-1])


def _join(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts).astype(np.int64)
