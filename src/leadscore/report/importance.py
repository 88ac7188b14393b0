"""Which groups of features carry the score, as the card and the report list them."""

from __future__ import annotations

from dataclasses import dataclass

from leadscore.report.formats import capitalise, format_percent
from leadscore.report.wording import FAMILIES
from leadscore.results import Carriers

MOST_GROUPS = 12  # the others carry little


@dataclass(frozen=True)
class GroupShare:
    """A group of features, its share of the mean absolute contribution, and its bar in percent of the width."""

    name: str
    share: str
    bar: float


def list_importance(carriers: Carriers | None) -> list[GroupShare]:
    """The groups that carry the score, the largest first; the bar of the largest is full."""
    if carriers is None:
        return []
    moving = [group for group in carriers.groups if group.share > 0]
    shares = []
    for group in moving[:MOST_GROUPS]:
        name = _name_group(group.group)
        bar = round(100 * group.share / moving[0].share, 1)
        shares.append(GroupShare(name, format_percent(group.share), bar))
    return shares


def _name_group(group: str) -> str:
    """A group of features in words: "Engagement: email sent" for engagement_email_sent."""
    family, _, rest = group.partition("_")
    title = FAMILIES.get(family, (capitalise(family), ""))[0]
    return f"{title}: {rest.replace('_', ' ')}" if rest else title
