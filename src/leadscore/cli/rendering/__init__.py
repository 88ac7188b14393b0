"""Results drawn for people who watch a terminal."""

from leadscore.cli.rendering.console import (
    METRIC_NAMES,
    draw_usage,
    err,
    escaped,
    exit_with_words,
    out,
)
from leadscore.cli.rendering.delivered import (
    draw_checked_file,
    draw_failed_rows,
    draw_publish,
)
from leadscore.cli.rendering.explained import draw_explained
from leadscore.cli.rendering.models import (
    draw_backtest,
    draw_compared,
    draw_models,
    draw_moved,
    draw_shown,
)
from leadscore.cli.rendering.recorded import draw_history
from leadscore.cli.rendering.reported import draw_report
from leadscore.cli.rendering.scored import draw_run, draw_score, draw_worklist
from leadscore.cli.rendering.standing import draw_status
from leadscore.cli.rendering.started import draw_checkup, draw_start, draw_started
from leadscore.cli.rendering.stored import (
    draw_audit,
    draw_forgotten,
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
    "draw_checked_file",
    "draw_checkup",
    "draw_compared",
    "draw_explained",
    "draw_failed_rows",
    "draw_forgotten",
    "draw_history",
    "draw_ingest",
    "draw_models",
    "draw_moved",
    "draw_pruned",
    "draw_publish",
    "draw_rejects",
    "draw_report",
    "draw_run",
    "draw_sample",
    "draw_score",
    "draw_shown",
    "draw_start",
    "draw_started",
    "draw_status",
    "draw_store",
    "draw_store_version",
    "draw_train",
    "draw_usage",
    "draw_worklist",
    "err",
    "escaped",
    "exit_with_words",
    "out",
]
