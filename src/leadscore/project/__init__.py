"""What can be done with a project: `Project`, and the functions behind it, which read no clock.

`train` and `score` write files that do not count yet; `register` and `publish` make them count. Each can be repeated,
so a flow may retry it.
"""

from leadscore.project.auditing import audit
from leadscore.project.backtesting import backtest
from leadscore.project.delivering import check_file, deliver, rewrite_failed
from leadscore.project.explaining import explain, replay
from leadscore.project.ingesting import ingest, list_rejects, write_rejects
from leadscore.project.models import compare, list_models, promote, register, rollback, show
from leadscore.project.project import Project
from leadscore.project.publishing import publish, roll_back
from leadscore.project.reviewing import find_due, review
from leadscore.project.scoring import score
from leadscore.project.training import train
from leadscore.project.upkeep import list_store, prune_store, rollback_store
from leadscore.publish.pruning import ListLimits

__all__ = [
    "ListLimits",
    "Project",
    "audit",
    "backtest",
    "check_file",
    "compare",
    "deliver",
    "explain",
    "find_due",
    "ingest",
    "list_models",
    "list_rejects",
    "list_store",
    "promote",
    "prune_store",
    "publish",
    "register",
    "replay",
    "review",
    "rewrite_failed",
    "roll_back",
    "rollback",
    "rollback_store",
    "score",
    "show",
    "train",
    "write_rejects",
]
