"""What Prefect's pages show of a list: a summary, and links to its files, its report and its workbook."""

from __future__ import annotations

from leadscore.printable import as_markdown
from leadscore.results import Published, Reported, Scored, WrittenWorkbook
from links import link
from local import artifacts
from pages import page


@page
def show_scores(
    config: str, scored: Scored, published: Published, written: WrittenWorkbook | None = None
) -> None:
    """How many leads there are in each tier, and links to the files and the workbook."""
    tiers = "".join(f"\n| {tier} | {count:,} |" for tier, count in scored.tiers.items())
    as_of = f" as of {scored.as_of}" if scored.as_of else ""
    model, folder = as_markdown(scored.model_version), as_markdown(published.folder)
    summary = (
        f"**{scored.counts.scored:,} open leads** scored{as_of} by model "
        f"{model}, in {folder}\n\n| tier | leads |\n|---|---|{tiers}"
    )
    if published.withheld:
        why = "; ".join(published.withheld)
        summary += f"\n\nNot published, it differs too much from the previous list: {why}"
    if published.newer:
        newer = published.newer.publication_id
        summary += f"\n\nNot published: the newer list `{newer}` stands"
    artifacts.create_markdown_artifact(summary, key="leadscore-summary")
    files = link(config, published.folder)
    artifacts.create_link_artifact(files, scored.publication_id, key="leadscore-files")
    if written is not None:
        workbook = link(config, written.workbook)
        artifacts.create_link_artifact(workbook, "worklist", key="leadscore-worklist")


@page
def show_report(config: str, reported: Reported) -> None:
    """A link to the page of the list, and its five lines, without names."""
    page = link(config, reported.path)
    digest = f"{reported.digest.rstrip()}\n\n[The whole report]({page})\n"
    artifacts.create_markdown_artifact(digest, key="leadscore-digest")
    artifacts.create_link_artifact(page, "report", key="leadscore-report")
