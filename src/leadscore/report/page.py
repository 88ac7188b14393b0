"""Pages from the templates of this room. What is filled in is text, never markup."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from leadscore.report.formats import (
    capitalise,
    format_count,
    format_moment,
    format_number,
    format_percent,
    format_share,
)


def render_page(template: str, **values: Any) -> str:
    """The HTML text of a template."""
    environment = Environment(
        loader=PackageLoader("leadscore.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        moment=format_moment,
        share=format_share,
        number=format_number,
        percent=format_percent,
        count=format_count,
        capitalised=capitalise,
    )
    return environment.get_template(template).render(**values)


def render_page_of_figures(template: str, **values: Any) -> str:
    """The HTML text of a template of a page with figures, which has their style and its hash."""
    style = _read_style_of_figures()
    return render_page(template, style=style, style_hash=hash_style(style), **values)


def _read_style_of_figures() -> str:
    """The style of the report of a list, and what figures need beside it."""
    own = files("leadscore.report.funnel") / "funnel.css"
    return read_list_style() + own.read_text(encoding="utf-8")


def read_list_style() -> str:
    """The style of the report of a list, with that of wide tables, which all pages share."""
    own = files("leadscore.report.listing") / "report.css"
    wide = files("leadscore.report") / "wide.css"
    return own.read_text(encoding="utf-8") + wide.read_text(encoding="utf-8")


def hash_style(style: str) -> str:
    """The hash by which a page's policy allows its style."""
    digest = hashlib.sha256(style.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
