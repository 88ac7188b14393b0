"""The report of a list: where it is, or its digest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import escaped, out
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import Reported


def draw_report(reported: Reported, digests: Sequence[str] = ()) -> None:
    """Where the page is and how large; instead of that the digests, if there are any."""
    for digest in digests:
        out.print(digest, end="", markup=False, highlight=False, soft_wrap=True)
    if digests:
        return
    out.print(
        f"Written to {escaped(reported.path)} "
        f"({counted(reported.leads, 'lead')}, {reported.bytes / 1000:,.0f} kB)",
        highlight=False,
        soft_wrap=True,
    )
