"""The funnel as one HTML file that needs no network and runs nothing.

Its style is allowed by its hash; scripts, inline styles and requests are not allowed at all.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from leadscore.report.funnel.drawings import inline
from leadscore.report.funnel.sentences import (
    clear_patterns,
    write_contact,
    write_improvement,
    write_pattern,
    write_percent,
    write_stalled,
    write_untouched,
)
from leadscore.report.page import render_page
from leadscore.results import Funnel

MOST_STALLED = 15


def build_funnel_page(funnel: Funnel, *, project: str) -> str:
    """The HTML text; the same funnel gives the same text."""
    style = _read_style()
    patterns = clear_patterns(funnel.patterns)
    contact = funnel.contact
    untouched = funnel.untouched
    return render_page(
        "funnel/funnel.html.j2",
        style=style,
        style_hash=_hash(style),
        project=project,
        funnel=funnel,
        figures=_draw(funnel),
        share=write_percent,
        contact=write_contact(contact) if contact else "",
        untouched=write_untouched(untouched) if untouched else "",
        improvements=[write_improvement(improvement) for improvement in funnel.improvements],
        stalled=[write_stalled(lead) for lead in funnel.stalled[:MOST_STALLED]],
        patterns=[write_pattern(pattern) for pattern in patterns],
        tested=len(funnel.patterns),
    )


def _draw(funnel: Funnel) -> dict[str, str]:
    """Figure -> SVG, to stand within the page."""
    # matplotlib takes half a second to import
    from leadscore.report.figures.funnel import (
        plot_cohorts,
        plot_funnel,
        plot_losses,
        plot_patterns,
        plot_staying,
    )

    figures = {
        "funnel": plot_funnel(funnel.stages),
        "staying": plot_staying(funnel.curves),
        "cohorts": plot_cohorts(funnel.cohorts),
        "losses": plot_losses(funnel.losses),
        "patterns": plot_patterns(clear_patterns(funnel.patterns)),
    }
    return {name: inline(svg) for name, svg in figures.items()}


def _read_style() -> str:
    """The style of the report of a list, and what the figures need beside it."""
    shared = files("leadscore.report.listing") / "report.css"
    own = files("leadscore.report.funnel") / "funnel.css"
    return shared.read_text(encoding="utf-8") + own.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
