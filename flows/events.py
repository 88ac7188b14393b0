"""Events that Prefect's automations react to: ids, counts and reasons, never a row or a name."""

from __future__ import annotations

from typing import Any

from leadscore import Project
from leadscore.results import Published, Scored
from local import flow_run_name, prefect_events


def announce_list(scored: Scored, published: Published) -> None:
    """That a list counts now, or that it differs too much from the one that stands."""
    about: dict[str, Any] = {
        "publication_id": scored.publication_id,
        "as_of": scored.as_of,
        "leads": scored.counts.scored,
        "model_version": scored.model_version,
    }
    if published.published:
        announce("published", scored.project, **about)
    elif published.withheld:
        announce("withheld", scored.project, **about, reasons=published.withheld)


def announce_promotion(config: str) -> None:
    """That this flow run has made a model the champion, if it has."""
    status = Project(config).status()
    champion = status.champion
    if champion is not None and champion.by == flow_run_name():
        about = champion.to_dict()
        announce("promoted", status.project, **about)


def announce(what: str, project: str, **about: Any) -> None:
    """Emit `leadscore.<what>` of a project; where Prefect cannot send it, its log says so."""
    resource = {"prefect.resource.id": f"leadscore.project.{project}"}
    prefect_events.emit_event(f"leadscore.{what}", resource, payload=about)
