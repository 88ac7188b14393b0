"""The funnel as one HTML file that needs no network and runs nothing.

Its style is allowed by its hash; scripts, inline styles and requests are not allowed at all.
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import Any

from leadscore.report.funnel.drawings import inline
from leadscore.report.funnel.grouped import (
    MOST_GROUPS,
    caption_groups,
    count_hidden,
    explain_groups,
    explain_no_groups,
    write_share_of_leads,
)
from leadscore.report.funnel.irregular import write_irregular
from leadscore.report.funnel.sentences import (
    WAY_NAMES,
    clear_changes,
    clear_patterns,
    explain_changes,
    explain_patterns,
    list_buyers,
    warn_cut_off_stages,
    write_change,
    write_contact,
    write_days,
    write_improvement,
    write_pattern,
    write_percent,
    write_stalled,
    write_undecided,
    write_untouched,
    write_velocity,
)
from leadscore.report.page import render_page_of_figures
from leadscore.results import Funnel, StageFlow

MOST_STALLED = 15


def build_funnel_page(funnel: Funnel, *, project: str) -> str:
    """The HTML text; the same funnel gives the same text."""
    patterns = clear_patterns(funnel.patterns)
    contact = funnel.contact
    untouched = funnel.untouched
    return render_page_of_figures(
        "funnel/funnel.html.j2",
        project=project,
        funnel=funnel,
        figures=_draw(funnel),
        months=_draw_months(funnel),
        velocity=write_velocity,
        share=write_percent,
        share_of_leads=write_share_of_leads,
        days=write_days,
        ways=_name_ways(funnel),
        pipelines=_list_pipelines(funnel),
        changed=explain_changes(funnel.changes),
        changes=[write_change(change) for change in clear_changes(funnel.changes)],
        irregular=write_irregular(funnel.irregular),
        **_describe_groups(funnel),
        contact=write_contact(contact) if contact else "",
        untouched=write_untouched(untouched) if untouched else "",
        cut_off=warn_cut_off_stages(funnel.stages),
        improvements=[write_improvement(improvement) for improvement in funnel.improvements],
        stalled=[write_stalled(lead) for lead in funnel.stalled[:MOST_STALLED]],
        undecided=write_undecided(funnel.undecided) if funnel.undecided else "",
        buyers=[write_pattern(pattern) for pattern in list_buyers(funnel.patterns)],
        patterns=[write_pattern(pattern) for pattern in patterns],
        explained_patterns=explain_patterns(funnel.patterns),
    )


def _name_ways(funnel: Funnel) -> dict[str, str]:
    """The ways out of the stages, with what people call them."""
    ways = funnel.stages[0].ways
    return {way: name for way, name in WAY_NAMES.items() if way in ways}


def _list_pipelines(funnel: Funnel) -> list[tuple[str, list[StageFlow]]]:
    """The stages of each pipeline, in their order."""
    by_pipeline = groupby(funnel.stages, key=attrgetter("pipeline"))
    return [(pipeline, list(stages)) for pipeline, stages in by_pipeline]


def _describe_groups(funnel: Funnel) -> dict[str, Any]:
    """What the template says of groups, or why there are none."""
    no_groups = explain_no_groups(funnel)
    if not funnel.groups:
        return {"groups": [], "no_groups": no_groups}
    return {
        "groups": funnel.groups[:MOST_GROUPS],
        "group_caption": caption_groups(funnel),
        "group_words": explain_groups(funnel),
        "hidden_groups": count_hidden(len(funnel.groups)),
    }


def _draw_months(funnel: Funnel) -> dict[str, str]:
    """Pipeline -> SVG of its leads by month, where there are several."""
    from leadscore.report.figures.funnel import plot_cohorts

    drawn = {}
    for number, speed in enumerate(funnel.pipelines, start=1):
        svg = plot_cohorts(speed.cohorts, name=f"cohorts-{number}")
        drawn[speed.pipeline] = inline(svg)
    return drawn


def _draw(funnel: Funnel) -> dict[str, str]:
    """Figure -> SVG, to stand within the page."""
    # matplotlib takes half a second to import
    from leadscore.report.figures.flow import plot_flow
    from leadscore.report.figures.funnel import (
        plot_cohorts,
        plot_funnel,
        plot_losses,
        plot_patterns,
        plot_staying,
    )

    figures = {
        "flow": plot_flow(funnel.stages, funnel.moves),
        "funnel": plot_funnel(funnel.stages),
        "staying": plot_staying(funnel.curves),
        "cohorts": plot_cohorts(funnel.cohorts),
        "losses": plot_losses(funnel.losses),
        "patterns": plot_patterns(clear_patterns(funnel.patterns)),
    }
    return {name: inline(svg) for name, svg in figures.items()}
