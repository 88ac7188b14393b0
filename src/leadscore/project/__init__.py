"""The jobs, each the rooms in order; plain functions that do not read the clock.

`train` and `score` write files that nobody is led to yet; `register` and `publish` make them count. Each can be
repeated, so a flow may retry it.
"""

from leadscore.project.explained import explain, replay
from leadscore.project.scored import publish, score
from leadscore.project.stored import (
    audit,
    ingest,
    list_rejects,
    list_store,
    prune_store,
    rollback_store,
    write_rejects,
)
from leadscore.project.trained import backtest, compare, register, rollback, train
from leadscore.publish.pruning import ListLimits

__all__ = [
    "ListLimits",
    "audit",
    "backtest",
    "compare",
    "explain",
    "ingest",
    "list_rejects",
    "list_store",
    "prune_store",
    "publish",
    "register",
    "replay",
    "rollback",
    "rollback_store",
    "score",
    "train",
    "write_rejects",
]
