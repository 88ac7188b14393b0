"""What Prefect's pages show of a list: a summary, and links to its files, its report and its workbook."""

from __future__ import annotations

from pathlib import Path

from leadscore.printable import as_markdown
from leadscore.results import Published, Reported, Scored, WrittenWorkbook
from local import artifacts


def show_scores(
    scored: Scored, published: Published, written: WrittenWorkbook | None = None
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
    folder_uri = _uri(published.folder)
    artifacts.create_link_artifact(folder_uri, scored.publication_id, key="leadscore-files")
    if written is not None:
        workbook_uri = _uri(written.workbook)
        artifacts.create_link_artifact(workbook_uri, "worklist", key="leadscore-worklist")


def show_report(reported: Reported) -> None:
    """A link to the page of the list, and its five lines, without names."""
    artifacts.create_markdown_artifact(reported.digest, key="leadscore-digest")
    artifacts.create_link_artifact(_uri(reported.path), "report", key="leadscore-report")


def _uri(path: str) -> str:
    return Path(path).resolve().as_uri()
