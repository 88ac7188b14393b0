"""The arithmetic of the sales pipeline: stages and what changed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, short, table_of
from leadscore.cli.rendering.pipeline_leads import (
    draw_cohorts,
    draw_groups,
    draw_pipeline,
    draw_velocity,
    write_share,
)
from leadscore.cli.rendering.pipeline_losses import draw_losses
from leadscore.report.funnel.grouped import explain_no_groups
from leadscore.report.funnel.irregular import write_irregular
from leadscore.report.funnel.sentences import (
    UNKNOWN,
    clear_changes,
    explain_changes,
    write_change,
    write_days,
)

if TYPE_CHECKING:
    from pathlib import Path

    from leadscore.results import Funnel, ShareChange, StageFlow, StageMove

OTHER = "other_pipeline"
MOST_CHANGES = 5
LONGEST_NAME = 24  # characters of a stage
SPARE = ("still there", "back")  # columns that go first where the terminal is narrow
EXPLAINED = (
    "Counted: visits that began in the period. Percent of them, with 95% intervals; a visit that has "
    "not ended counts as unfinished, not as lost. Measured over: the days after entry for which enough "
    "visits could be observed; do not compare tables where they differ. Still there: in the stage after "
    "that time (a narrow terminal leaves out this column, then back). Days: the median, and in brackets "
    'those after which 10% and 90% have ended ("from" where fewer than 90% have). Stalled: in the '
    "stage for longer than 90% of visits take, or longer than stages.stalled_days; a dash where fewer "
    "than 90% have ended. The action `close out` on the list is something else: tier D, and 3 times "
    "the usual time (actions.stalled_times)."
)


def draw_funnel(funnel: Funnel) -> None:
    """The stages, what changed in them, leads by month and by group, velocity, losses, irregularities."""
    _draw_stages(funnel)
    _draw_changes(funnel.changes)
    if funnel.groups:
        draw_groups(funnel)
    elif funnel.by is not None:
        _print(escaped(explain_no_groups(funnel)))
    if funnel.cohorts:
        draw_cohorts(funnel.cohorts)
    draw_velocity(funnel.velocity)
    for pipeline in funnel.pipelines:
        draw_pipeline(pipeline)
    draw_losses(funnel)
    _print(write_irregular(funnel.irregular))
    _draw_outside(funnel.moves)


def draw_file(name: str, path: Path) -> None:
    """Where a file is that was written, by what it is."""
    out.print(f"{name}: {escaped(str(path))}", highlight=False, soft_wrap=True)


def _draw_stages(funnel: Funnel) -> None:
    """A line a stage: how its visits ended, and how long they lasted."""
    title = f"Visits to stages from {short(funnel.since)} to {short(funnel.as_of)}"
    columns = (
        "stage",
        "visits",
        "measured over (days)",
        "still there",
        "moved on",
        "won",
        "lost",
        "back",
        *(["other"] if _has_pipelines(funnel) else []),
        "days",
        "stalled",
    )
    table = table_of(title, *columns)
    table.spare = SPARE
    table.columns[0].no_wrap = True
    pipeline = ""
    for stage in funnel.stages:
        if stage.pipeline != pipeline:
            pipeline = stage.pipeline
            table.add_section()
            table.add_row(escaped(pipeline), style="bold")
        table.add_row(*_write_row(stage))
    out.print(table)
    _print(EXPLAINED)
    if _has_pipelines(funnel):
        _print("Other: moved into another pipeline.")
    if any(stage.is_qualification for stage in funnel.stages):
        _print("(q): a stage of qualification.")


def _has_pipelines(funnel: Funnel) -> bool:
    return any(stage.pipeline for stage in funnel.stages)


def _write_row(stage: StageFlow) -> list[str]:
    mark = " (q)" if stage.is_qualification else ""
    return [
        escaped(_cut_name(stage.stage)) + mark,
        f"{stage.visits:,}",
        UNKNOWN if stage.within_days is None else f"{stage.within_days:.0f}",
        _write_plain(stage.staying),
        *(write_share(stage.ways[way].interval) for way in ("forward", "won", "lost")),
        _write_plain(stage.ways["back"].share),
        *([_write_plain(stage.ways[OTHER].share)] if OTHER in stage.ways else []),
        write_days(stage),
        UNKNOWN if stage.stalled_after_days is None else f"{stage.stalled:,}",
    ]


def _cut_name(stage: str) -> str:
    """A name that leaves room for the figures."""
    return stage if len(stage) <= LONGEST_NAME else f"{stage[: LONGEST_NAME - 1]}…"


def _write_plain(share: float | None) -> str:
    return UNKNOWN if share is None else f"{100 * share:.0f}"


def _draw_changes(changes: list[ShareChange]) -> None:
    """The changes against the period before that are more than chance, the clearest first."""
    _print(explain_changes(changes))
    clear = clear_changes(changes)
    for change in clear[:MOST_CHANGES]:
        _print(f"  {escaped(write_change(change))}")
    if len(clear) > MOST_CHANGES:
        _print(f"  and {len(clear) - MOST_CHANGES} more")


def _draw_outside(moves: list[StageMove]) -> None:
    """The moves that the settings do not allow, most visits first."""
    outside = [move for move in moves if not move.is_allowed]
    if outside:
        outside.sort(key=lambda move: -move.visits)
        pairs = [f"{move.stage} to {move.next_stage} ({move.visits:,})" for move in outside]
        _print(f"Moves that stages.moves does not allow: {escaped(', '.join(pairs))}")


def _print(words: str) -> None:
    out.print(words, highlight=False)
