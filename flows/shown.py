"""What Prefect's pages show of a flow run: metrics, a summary, links to the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leadscore.cli.rendering import METRIC_NAMES
from leadscore.printable import as_markdown
from local import artifacts


def show_training(trained: dict[str, Any], registered: dict[str, Any]) -> None:
    """The metrics as a table, and a link to the model card."""
    told = trained["evaluation"]["metrics"].get("all", {})
    rows = [{"metric": words, **told[name]} for name, words in METRIC_NAMES.items() if name in told]
    version = registered["registered"]
    what = (
        trained["no_signal"] or f"version {version['number']} of {registered['registered_model']}"
    )
    basis = trained["evaluation"]["basis"]
    artifacts.create_table_artifact(
        rows, key="leadscore-metrics", description=as_markdown(f"{what}, judged {basis}")
    )
    artifacts.create_link_artifact(_uri(trained["card"]), "model card", key="leadscore-model-card")


def show_scores(scored: dict[str, Any]) -> None:
    """How many leads there are in each tier, and a link to the files."""
    tiers = "".join(f"\n| {tier} | {n:,} |" for tier, n in scored["tiers"].items())
    as_of = f" as of {scored['as_of']}" if scored["as_of"] else ""
    model, folder = as_markdown(scored["model_version"]), as_markdown(scored["folder"])
    summary = (
        f"**{scored['counts']['scored']:,} open leads** scored{as_of} by model "
        f"{model}, in {folder}\n\n| tier | leads |\n|---|---|{tiers}"
    )
    if scored["withheld"]:
        summary += f"\n\nNot published, it differs too much from the previous list: {'; '.join(scored['withheld'])}"
    if scored["newer"]:
        summary += f"\n\nNot published: readers stay with the newer list `{scored['newer']['publication_id']}`"
    artifacts.create_markdown_artifact(summary, key="leadscore-summary")
    artifacts.create_link_artifact(
        _uri(scored["folder"]), scored["publication_id"], key="leadscore-files"
    )


def _uri(path: str) -> str:
    return Path(path).resolve().as_uri()
