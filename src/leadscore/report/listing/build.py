"""The report of a list as one HTML file that needs no network.

Its style and script are allowed by their hashes, and nothing else is: a text of a lead that got
past the escaping could not run.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from importlib.resources import files

from leadscore.report.listing.changes import find_changes
from leadscore.report.listing.contents import ListContents
from leadscore.report.listing.document import encode_leads
from leadscore.report.listing.headline import build_headline, format_money
from leadscore.report.listing.leads import build_leads
from leadscore.report.listing.modelled import describe_model
from leadscore.report.listing.routed import describe_routing
from leadscore.report.listing.texts import clean, name_day
from leadscore.report.page import read_list_style, render_page

MOST_LISTED = 50_000  # leads that the page lists; browsers hardly open more
PAGE = 50  # leads on a page of the table; the first works without a script


def build_report(contents: ListContents) -> str:
    """The HTML text; the same contents give the same text."""
    leads = build_leads(contents)
    listed = replace(contents, scores=contents.scores.slice(0, MOST_LISTED))
    headline = build_headline(contents, leads)
    style = read_list_style()
    script = _read("report.js")
    return render_page(
        "listing/report.html.j2",
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        contents=contents,
        project=clean(contents.project),
        currency=clean(contents.currency),
        day=name_day(contents.as_of),
        warnings=[clean(warning, most=1000) for warning in contents.warnings],
        headline=headline,
        value=format_money(headline.value, contents.currency),
        changes=find_changes(contents, leads),
        leads=leads[:PAGE],
        total=len(leads),
        listed=listed.scores.num_rows,
        page_size=PAGE,
        has=_list_columns(contents),
        stages=sorted({lead.stage for lead in leads if lead.stage}),
        reps=sorted({lead.rep for lead in leads if lead.rep}),
        tiers=list(headline.tiers),
        data=encode_leads(listed, leads[:MOST_LISTED]),
        model=describe_model(contents),
        routing=describe_routing(contents, leads),
    )


def _list_columns(contents: ListContents) -> dict[str, bool]:
    """Which of the columns that not every list has, this one has."""
    scores = contents.scores
    return {
        "value": scores["expected_value"].null_count < scores.num_rows,
        "stage": bool(contents.stages),
        "rep": contents.routing is not None,
        "change": contents.previous is not None,
    }


def _read(name: str) -> str:
    return (files("leadscore.report.listing") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
