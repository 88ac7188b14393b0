"""What Prefect's pages show of a training: metrics, and a link to the model card."""

from __future__ import annotations

from leadscore.cli.rendering import METRIC_NAMES
from leadscore.printable import as_markdown
from leadscore.results import Registered, Trained
from links import link
from local import artifacts
from pages import page


@page
def show_training(config: str, trained: Trained, registered: Registered) -> None:
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
    card = link(config, trained.card)
    artifacts.create_link_artifact(card, "model card", key="leadscore-model-card")
