"""What Prefect's pages show of a flow run: metrics, a summary, links to the files."""

from __future__ import annotations

from pathlib import Path

from leadscore.cli.rendering import METRIC_NAMES
from leadscore.printable import as_markdown
from leadscore.results import Published, Registered, Scored, Trained
from local import artifacts


def show_training(trained: Trained, registered: Registered) -> None:
    """The metrics as a table, and a link to the model card."""
    evaluation, version = trained.evaluation, registered.registered
    intervals = evaluation.overall.intervals() if evaluation.overall else {}
    rows = [
        {"metric": words, **intervals[name].to_dict()}
        for name, words in METRIC_NAMES.items()
        if name in intervals
    ]
    name = f"version {version.number} of {registered.registered_model}" if version else "no model"
    description = f"{trained.no_signal or name}, evaluated {evaluation.basis}"
    artifacts.create_table_artifact(
        rows, key="leadscore-metrics", description=as_markdown(description)
    )
    artifacts.create_link_artifact(_uri(trained.card), "model card", key="leadscore-model-card")


def show_scores(scored: Scored, published: Published) -> None:
    """How many leads there are in each tier, and a link to the files."""
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


def _uri(path: str) -> str:
    return Path(path).resolve().as_uri()
