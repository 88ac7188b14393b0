"""The arithmetic of the sales pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, short, table_of

if TYPE_CHECKING:
    from leadscore.results import Funnel, StageFlow, WayOut

UNKNOWN = "-"


def draw_funnel(funnel: Funnel) -> None:
    """A line a stage: how its visits ended, and how long they lasted."""
    title = f"Visits to stages from {short(funnel.since)} to {short(funnel.as_of)}"
    columns = ("stage", "visits", "there", "moved on", "won", "lost", "back", "days")
    table = table_of(title, *columns)
    table.columns[0].no_wrap = True
    for stage in funnel.stages:
        table.add_row(*_write_row(stage))
    out.print(table)
    out.print(
        "Per cent of all visits, with 95 % intervals: a visit that has not ended counts as "
        "unfinished, not as lost; there: still in the stage. Days: the median, and in brackets "
        "those after which 10 % and 90 % have ended.",
        highlight=False,
    )


def _write_row(stage: StageFlow) -> list[str]:
    ways = stage.ways
    return [
        escaped(stage.stage),
        f"{stage.visits:,}",
        _write_share(stage.staying),
        *(_write_way(ways[way]) for way in ("forward", "won", "lost")),
        _write_share(ways["back"].share),
        _write_days(stage),
    ]


def _write_way(way: WayOut) -> str:
    if way.share is None or way.low is None or way.high is None:
        return UNKNOWN
    half = max(way.share - way.low, way.high - way.share)
    return f"{100 * way.share:.0f} ± {100 * half:.0f}"


def _write_share(share: float | None) -> str:
    return UNKNOWN if share is None else f"{100 * share:.0f}"


def _write_days(stage: StageFlow) -> str:
    days = (stage.median_days, stage.fast_days, stage.slow_days)
    median, fast, slow = (UNKNOWN if day is None else f"{day:.0f}" for day in days)
    return f"{median} ({fast}-{slow})"
