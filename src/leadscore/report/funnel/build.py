"""The funnel as one HTML file that needs no network and runs nothing.

Its style is allowed by its hash; scripts, inline styles and requests are not allowed at all.
"""

from __future__ import annotations

from leadscore.report.funnel.drawings import inline
from leadscore.report.funnel.sentences import (
    clear_patterns,
    list_buyers,
    write_contact,
    write_improvement,
    write_pattern,
    write_percent,
    write_stalled,
    write_undecided,
    write_untouched,
    write_velocity,
)
from leadscore.report.page import hash_style, read_style, render_page
from leadscore.results import Funnel

MOST_STALLED = 15


def build_funnel_page(funnel: Funnel, *, project: str) -> str:
    """The HTML text; the same funnel gives the same text."""
    style = read_style()
    patterns = clear_patterns(funnel.patterns)
    contact = funnel.contact
    untouched = funnel.untouched
    return render_page(
        "funnel/funnel.html.j2",
        style=style,
        style_hash=hash_style(style),
        project=project,
        funnel=funnel,
        figures=_draw(funnel),
        months=_draw_months(funnel),
        velocity=write_velocity,
        share=write_percent,
        contact=write_contact(contact) if contact else "",
        untouched=write_untouched(untouched) if untouched else "",
        improvements=[write_improvement(improvement) for improvement in funnel.improvements],
        stalled=[write_stalled(lead) for lead in funnel.stalled[:MOST_STALLED]],
        undecided=write_undecided(funnel.undecided) if funnel.undecided else "",
        buyers=[write_pattern(pattern) for pattern in list_buyers(funnel.patterns)],
        patterns=[write_pattern(pattern) for pattern in patterns],
        tested=len(funnel.patterns),
    )


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
