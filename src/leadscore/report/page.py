"""Pages from the templates of this room. What is filled in is text, never markup."""

from __future__ import annotations

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
