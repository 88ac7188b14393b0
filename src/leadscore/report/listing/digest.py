"""A list in five lines of Markdown, for an e-mail or a chat."""

from __future__ import annotations

from collections.abc import Sequence

from leadscore.printable import as_markdown
from leadscore.report.listing.changes import Changes, find_changes
from leadscore.report.listing.contents import ListContents
from leadscore.report.listing.headline import Headline, build_headline, format_money
from leadscore.report.listing.leads import ListedLead, build_leads
from leadscore.report.listing.texts import name_day
from leadscore.results import PipelineHealth
from leadscore.wording import counted

TOP = 3  # leads named
LONGEST_WARNING = 160


def build_digest(contents: ListContents) -> str:
    """Date and sums, tiers, top leads, what changed, what to watch: a line each."""
    leads = build_leads(contents)
    headline = build_headline(contents, leads)
    changes = find_changes(contents, leads)
    lines = [
        _describe_sums(contents, headline),
        _describe_tiers(headline),
        _describe_top(contents, leads),
        _describe_changes(changes),
        _describe_watch(contents, leads, headline),
    ]
    return "\n".join(f"- {line}" for line in lines) + "\n"


def _describe_sums(contents: ListContents, headline: Headline) -> str:
    project = as_markdown(contents.project)
    within = f" within {contents.horizon_days} days" if contents.horizon_days else ""
    worth = format_money(headline.value, contents.currency)
    value = f", worth {as_markdown(worth)} at full amounts" if worth else ""
    leads = counted(headline.leads, "open lead")
    wins = f"{headline.wins:,.1f} wins expected{within}{value}"
    return f"**{project}, {name_day(contents.as_of)}**: {leads}, {wins}"


def _describe_tiers(headline: Headline) -> str:
    tiers = ", ".join(f"{tier} {count:,}" for tier, count in headline.tiers.items())
    verdicts = (
        f"{headline.sales_qualified:,} sales qualified, {headline.needs_answers:,} need answers"
    )
    return f"**Tiers**: {tiers or 'none'}; {verdicts}"


def _describe_top(contents: ListContents, leads: Sequence[ListedLead]) -> str:
    """The first leads; with their value where it decides the order."""
    top = []
    for lead in leads[:TOP]:
        facts = [lead.percent, lead.action]
        if contents.by_value and lead.value is not None:
            value = format_money(lead.value, contents.currency)
            facts.insert(1, f"value {as_markdown(value)}")
        top.append(f"{as_markdown(lead.name)} ({', '.join(facts)})")
    return f"**First to call**: {'; '.join(top) or 'nobody'}"


def _describe_changes(changes: Changes | None) -> str:
    if changes is None:
        return "**Changed**: this is the first list"
    counts = (
        f"{changes.rose_count:,} rose, {changes.fell_count:,} fell, "
        f"{changes.new_count:,} new, {changes.left_count:,} left"
    )
    ends = ", ".join(f"{count:,} {why}" for why, count in changes.left_counts.items())
    counts += f" ({ends})" if ends else ""
    most = [*changes.rose[:1], *changes.fell[:1]]
    moves = [f"; {as_markdown(lead.name)}: {as_markdown(lead.change)}" for lead in most]
    return f"**Since {changes.since}**: {counts}{''.join(moves)}"


def _describe_watch(contents: ListContents, leads: Sequence[ListedLead], headline: Headline) -> str:
    """What a manager should look at first, of what the list itself says."""
    best = [lead for lead in leads if lead.tier == "A"]
    falling = sum(lead.trend < 0 for lead in best)
    waiting = sum(lead.qualification == "needs answers" for lead in best)
    idle = sum(contents.routing is not None and not lead.rep for lead in best)
    notes = []
    if falling:
        notes.append(f"{counted(falling, 'tier A lead')} falling")
    if waiting:
        one = "tier A lead needs more answers before it qualifies"
        many = "tier A leads need more answers before they qualify"
        notes.append(counted(waiting, one, many))
    if idle:
        notes.append(f"{counted(idle, 'tier A lead')} without a rep")
    notes += [as_markdown(warning[:LONGEST_WARNING]) for warning in contents.warnings[:1]]
    if not notes and headline.leads:
        notes.append("nothing unusual")
    if contents.health:
        notes.append(_describe_health(contents.health))
    return f"**Watch**: {'; '.join(notes) or 'the list is empty'}"


def _describe_health(health: PipelineHealth) -> str:
    """Whether enough new leads come in to keep the pipeline full."""
    verdict = {
        "steady": "enough new leads to keep the pipeline full",
        "grows": "more new leads than close, so the pipeline grows",
        "shrinks": "too few new leads to keep the pipeline full",
    }[health.trend]
    return f"{verdict} ({health.opened:,} in, {health.closed:,} closed in {health.days} days)"
