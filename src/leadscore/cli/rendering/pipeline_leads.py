"""The arithmetic of the sales pipeline: leads by month and by group, velocity, irregularities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, table_of
from leadscore.report.funnel.grouped import (
    MOST_GROUPS,
    caption_groups,
    count_hidden,
    explain_groups,
    write_share_of_leads,
)
from leadscore.report.funnel.sentences import FEWEST, UNKNOWN, write_percent, write_velocity

if TYPE_CHECKING:
    from rich.table import Table

    from leadscore.results import (
        Cohort,
        Funnel,
        Interval,
        PipelineSpeed,
        StageFlow,
        Velocity,
    )
    from leadscore.results.funnel import FunnelGroup


def write_share(share: Interval) -> str:
    """Percent with half the width of its interval, or a dash."""
    return write_percent(share).removesuffix("%")


def _write_share_of(share: Interval, leads: int) -> str:
    """The same, or a dash where it rests on too few leads to show."""
    return write_share_of_leads(share, leads).removesuffix("%")


def draw_pipeline(speed: PipelineSpeed) -> None:
    """The months and the velocity of one of several pipelines."""
    name = escaped(speed.pipeline)
    if speed.cohorts:
        out.print(_list_cohorts(speed.cohorts, title=f"Leads of {name} by month"))
    out.print(f"{name}. {escaped(write_velocity(speed.velocity))}", highlight=False)


def draw_cohorts(cohorts: list[Cohort]) -> None:
    """A line a month in which leads came in."""
    out.print(_list_cohorts(cohorts, title="Leads by month"))
    out.print(
        "Counted: leads, by the month they came in. Won in so many days: percent of the month's "
        "leads, with 95% intervals; a dash where less "
        f"than half of them came in so long ago, or they are fewer than {FEWEST}. A lead counts by "
        "its first close: what a re-opened one did later is not counted here.",
        highlight=False,
    )


def _list_cohorts(cohorts: list[Cohort], *, title: str) -> Table:
    within = list(cohorts[0].won_within)
    columns = [f"won in {days} days" for days in within]
    table = table_of(title, "month", "leads", *columns, "won so far", "lost", "open")
    for cohort in cohorts:
        table.add_row(
            cohort.month,
            f"{cohort.leads:,}",
            *(_write_share_of(cohort.won_within[days], cohort.leads) for days in within),
            f"{cohort.won:,}",
            f"{cohort.lost:,}",
            f"{cohort.open:,}",
        )
    return table


def draw_groups(funnel: Funnel) -> None:
    """A line a group, with the share that moves on from each stage."""
    groups = funnel.groups
    flows = groups[0].stages[:-1]
    heads = [escaped(flow.stage) for flow in flows]
    by = escaped(str(funnel.by))
    title = f"Leads by {by}: {caption_groups(funnel)}, moved on by stage"
    table = table_of(title, by, "leads", "open", "won", "lost", *heads)
    for group in groups[:MOST_GROUPS]:
        table.add_row(*_write_group(group))
    days = f"{groups[0].within_days:g}"
    table.add_section()
    table.add_row("within (days)", "", "", days, days, *(_write_within(flow) for flow in flows))
    out.print(table)
    out.print(explain_groups(funnel), highlight=False)
    hidden = count_hidden(len(groups))
    if hidden:
        out.print(hidden, highlight=False)


def _write_group(group: FunnelGroup) -> list[str]:
    moved_on = [flow.ways["forward"].share for flow in group.stages[:-1]]
    return [
        escaped(group.value),
        f"{group.leads:,}",
        f"{group.open:,}",
        _write_share_of(group.won, group.leads),
        _write_share_of(group.lost, group.leads),
        *(UNKNOWN if share is None else f"{100 * share:.0f}" for share in moved_on),
    ]


def _write_within(flow: StageFlow) -> str:
    return UNKNOWN if flow.within_days is None else f"{flow.within_days:.0f}"


def draw_velocity(velocity: Velocity) -> None:
    """What the open leads bring a day, and beside it what was won."""
    out.print(escaped(write_velocity(velocity)), highlight=False)
