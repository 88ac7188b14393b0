"""What can be done with a project: `Project`, and the functions behind it, which read no clock.

`train` and `score` write files that do not count yet; `register` and `publish` make them count. Each can be repeated,
so a flow may retry it. Each is imported when it is first asked for: all of them together take seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadscore.project.auditing import audit as audit
    from leadscore.project.backtesting import backtest as backtest
    from leadscore.project.comparing import compare as compare
    from leadscore.project.delivering import check_file as check_file
    from leadscore.project.delivering import deliver as deliver
    from leadscore.project.delivering import rewrite_failed as rewrite_failed
    from leadscore.project.explaining import explain as explain
    from leadscore.project.explaining import replay as replay
    from leadscore.project.ingesting import ingest as ingest
    from leadscore.project.ingesting import list_rejects as list_rejects
    from leadscore.project.ingesting import write_rejects as write_rejects
    from leadscore.project.models import list_models as list_models
    from leadscore.project.models import promote as promote
    from leadscore.project.models import rollback as rollback
    from leadscore.project.models import show as show
    from leadscore.project.project import Project as Project
    from leadscore.project.publishing import publish as publish
    from leadscore.project.publishing import roll_back as roll_back
    from leadscore.project.registering import register as register
    from leadscore.project.reviewing import find_due as find_due
    from leadscore.project.reviewing import review as review
    from leadscore.project.scoring import score as score
    from leadscore.project.training import train as train
    from leadscore.project.upkeep import list_store as list_store
    from leadscore.project.upkeep import prune_store as prune_store
    from leadscore.project.upkeep import rollback_store as rollback_store
    from leadscore.publish.pruning import ListLimits as ListLimits

HOMES = {
    "ListLimits": "leadscore.publish.pruning",
    "Project": "leadscore.project.project",
    "audit": "leadscore.project.auditing",
    "backtest": "leadscore.project.backtesting",
    "check_file": "leadscore.project.delivering",
    "compare": "leadscore.project.comparing",
    "deliver": "leadscore.project.delivering",
    "explain": "leadscore.project.explaining",
    "find_due": "leadscore.project.reviewing",
    "ingest": "leadscore.project.ingesting",
    "list_models": "leadscore.project.models",
    "list_rejects": "leadscore.project.ingesting",
    "list_store": "leadscore.project.upkeep",
    "promote": "leadscore.project.models",
    "prune_store": "leadscore.project.upkeep",
    "publish": "leadscore.project.publishing",
    "register": "leadscore.project.registering",
    "replay": "leadscore.project.explaining",
    "review": "leadscore.project.reviewing",
    "rewrite_failed": "leadscore.project.delivering",
    "roll_back": "leadscore.project.publishing",
    "rollback": "leadscore.project.models",
    "rollback_store": "leadscore.project.upkeep",
    "score": "leadscore.project.scoring",
    "show": "leadscore.project.models",
    "train": "leadscore.project.training",
    "write_rejects": "leadscore.project.ingesting",
}


def __getattr__(name: str) -> Any:
    """A function or class from its home."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(HOMES[name]), name)
