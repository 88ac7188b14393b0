"""Results drawn for people who watch a terminal."""

from leadscore.cli.rendering.console import (
    METRIC_NAMES,
    draw_usage,
    err,
    escaped,
    exit_with_words,
    out,
)
from leadscore.cli.rendering.explained import draw_explained
from leadscore.cli.rendering.models import (
    draw_backtest,
    draw_compared,
    draw_models,
    draw_moved,
    draw_shown,
)
from leadscore.cli.rendering.scored import draw_run, draw_score
from leadscore.cli.rendering.stored import (
    draw_audit,
    draw_ingest,
    draw_pruned,
    draw_rejects,
    draw_sample,
    draw_store,
    draw_store_version,
)
from leadscore.cli.rendering.trained import draw_train

__all__ = [
    "METRIC_NAMES",
    "draw_audit",
    "draw_backtest",
    "draw_compared",
    "draw_explained",
    "draw_ingest",
    "draw_models",
    "draw_moved",
    "draw_pruned",
    "draw_rejects",
    "draw_run",
    "draw_sample",
    "draw_score",
    "draw_shown",
    "draw_store",
    "draw_store_version",
    "draw_train",
    "draw_usage",
    "err",
    "escaped",
    "exit_with_words",
    "out",
]
