"""The arithmetic of the sales pipeline: leads by month and by group, velocity, irregularities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out, short, table_of
from leadscore.report.funnel.sentences import FEWEST, write_velocity
from leadscore.wording import counted

if TYPE_CHECKING:
    from rich.table import Table

    from leadscore.results import (
        Cohort,
        Funnel,
        Interval,
        Irregular,
        PipelineSpeed,
        Velocity,
    )

UNKNOWN = "-"
MOST_GROUPS = 15
# what is counted -> one, several
IRREGULAR = {
    "skipped": ("move that skipped a stage", "moves that skipped stages"),
    "moved_back": ("move back", "moves back"),
    "changed_pipeline": ("move into another pipeline", "moves into another pipeline"),
    "not_allowed": ("move that is not allowed", "moves that are not allowed"),
    "reopened": ("lead re-opened", "leads re-opened"),
    "entered_midway": ("lead that entered midway", "leads that entered midway"),
    "without_stage": ("lead without a stage", "leads without a stage"),
    "at_one_moment": (
        "entry replaced by another of the same moment",
        "entries replaced by others of the same moment",
    ),
    "repeated": ("entry into the same stage again", "entries into the same stage again"),
    "while_closed": (
        "entry into an open stage while closed",
        "entries into an open stage while closed",
    ),
    "not_declared": (
        "entry into a stage that is not declared",
        "entries into stages that are not declared",
    ),
    "rejected_stage": ("row rejected for its stage", "rows rejected for their stage"),
    "rejected_date": ("row rejected for its date", "rows rejected for their date"),
}


def write_share(share: Interval) -> str:
    """Per cent with half the width of its interval, or a dash."""
    if share.value is None or share.low is None or share.high is None:
        return UNKNOWN
    half = max(share.value - share.low, share.high - share.value)
    return f"{100 * share.value:.0f} ± {100 * half:.0f}"


def _write_share_of(share: Interval, leads: int) -> str:
    """The same, or a dash where it rests on too few leads to show."""
    return UNKNOWN if leads < FEWEST else write_share(share)


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
        "Won in so many days: per cent of the month's leads, with 95 % intervals; a dash where less "
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
    by, groups = str(funnel.by), funnel.groups
    flows = groups[0].stages[:-1]
    days = f"{groups[0].within_days:g}"
    title = f"Leads by {escaped(by)}: won and lost within {days} days, moved on by stage"
    counted_as = "Leads that came in in the period, by their first close."
    if funnel.tiers_as_of is not None:
        date = short(funnel.tiers_as_of)
        title = f"Leads on the list of {date} by tier: won and lost within {days} days of it"
        counted_as = (
            "Leads on that list, followed from its date on, with the visits that began since."
        )
    heads = [escaped(flow.stage) for flow in flows]
    table = table_of(title, escaped(by), "leads", "open", "won", "lost", *heads)
    for group in groups[:MOST_GROUPS]:
        moved_on = [flow.ways["forward"].share for flow in group.stages[:-1]]
        table.add_row(
            escaped(group.value),
            f"{group.leads:,}",
            f"{group.open:,}",
            _write_share_of(group.won, group.leads),
            _write_share_of(group.lost, group.leads),
            *(UNKNOWN if share is None else f"{100 * share:.0f}" for share in moved_on),
        )
    within = [
        UNKNOWN if flow.within_days is None else f"{flow.within_days:.0f} d" for flow in flows
    ]
    table.add_section()
    table.add_row("within", "", "", f"{days} d", f"{days} d", *within)
    out.print(table)
    out.print(
        f"{counted_as} Within: the days in which all groups are counted alike, those of a stage from "
        "its entry on. A dash: too few were followed for so long.",
        highlight=False,
    )
    if len(groups) > MOST_GROUPS:
        left = counted(len(groups) - MOST_GROUPS, "group with fewer leads", "groups with fewer")
        out.print(f"{left} not shown; --json has all.", highlight=False)


def draw_velocity(velocity: Velocity) -> None:
    """What the open leads bring a day, and beside it what was won."""
    out.print(escaped(write_velocity(velocity)), highlight=False)


def write_irregular(irregular: Irregular) -> str:
    """What is irregular in the histories, each with its count."""
    counts = irregular.to_dict()
    parts = [counted(counts[name], *words) for name, words in IRREGULAR.items() if counts[name]]
    if not parts:
        return "Nothing in the histories of the period is irregular."
    return f"Irregular, and counted as docs/funnel.md says: {', '.join(parts)}."
