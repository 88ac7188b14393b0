"""Scoring the open leads: a list in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.errors import LeadscoreError
from leadscore.history.absences import seen_until
from leadscore.history.split import History
from leadscore.ingest.overrides import read_overrides
from leadscore.ingest.reps import read_reps
from leadscore.model.apply import WinModel
from leadscore.model.target import check_target, with_horizon_of
from leadscore.progress import Progress, silent
from leadscore.project.opened import checked_as_of, open_store
from leadscore.project.publishing import find_previous
from leadscore.project.routing import ROUTED_BY, route_list
from leadscore.publish.publication import Publication, write_publication
from leadscore.registry.registry import Registry
from leadscore.registry.versions import CHALLENGER
from leadscore.results import Scored
from leadscore.routing.reps import is_away
from leadscore.scoring.change import Previous
from leadscore.scoring.ranked import Ranked
from leadscore.scoring.score import (
    OpenLeads,
    decide_list,
    decided_rows,
    list_facts,
    rank_rows,
    read_open_leads,
)
from leadscore.settings.settings import Settings
from leadscore.settings.tiers import Tiers
from leadscore.tables import MOMENT, REPS
from leadscore.times import FOREVER_US

Loaded = tuple[WinModel, dict[str, Any], str]  # a model, its manifest and its version


@dataclass(frozen=True)
class ScoringRun:
    """What a list is scored with.

    Attributes:
        history: where the leads are, with the settings of the model's horizon.
        model: what scores.
        model_version: its version.
        known_us: up to when it has seen facts.
        as_of_us: the moment to score at.
        previous: the most recent list before it.
        inputs: what scoring reads besides the store (see `read_inputs`).
        warnings: about these.
    """

    history: History
    model: WinModel
    model_version: str
    known_us: int
    as_of_us: int
    previous: Previous | None
    inputs: dict[str, Any]
    warnings: list[str]

    def open_leads(self) -> OpenLeads:
        """The open leads, to be scored by themselves, before they are routed."""
        return read_open_leads(
            self.history,
            self.model,
            model_version=self.model_version,
            known_us=self.known_us,
            as_of_us=self.as_of_us,
            previous=self.previous,
            **_decided_beside(self.history.settings, self.inputs, as_of_us=self.as_of_us),
        )


def prepare_run(opened: History, loaded: Loaded, *, as_of_us: int) -> ScoringRun:
    """What the leads open at a moment are scored with.

    Raises:
        UserError: the model predicts something else than the settings ask for.
    """
    model, manifest, version = loaded
    check_target(opened.settings, manifest, version=version)
    settings = with_horizon_of(opened.settings, manifest)
    history = replace(opened, settings=settings)
    previous, warnings = find_previous(
        settings, as_of_us=history.published_us(as_of_us), loaded={version: model}
    )
    return ScoringRun(
        history=history,
        model=model,
        model_version=version,
        known_us=manifest["known_until_us"],
        as_of_us=as_of_us,
        previous=previous,
        inputs=read_inputs(settings),
        warnings=warnings,
    )


def score(
    settings: Settings,
    *,
    as_of_us: int | None = None,
    progress: Progress = silent,
) -> Scored:
    """The leads open at a moment (default: known_until), scored by the champion; `publish` makes the list count."""
    with open_store(settings) as opened:
        moment = checked_as_of(opened, as_of_us)
        registry = Registry(settings)
        champion = registry.load_champion()
        progress("scoring", 0, 1)
        publication, scores, facts = _score_with(opened, champion, as_of_us=moment)
        scored = _summarise(publication, scores, facts)
        if settings.retraining.shadow:
            shadow = _score_in_shadow(opened, registry, as_of_us=moment)
            scored = scored.model_copy(
                update=shadow | {"warnings": scored.warnings + shadow["warnings"]}
            )
    return scored


def _score_with(
    opened: History,
    loaded: Loaded,
    *,
    as_of_us: int,
    folder: str = "scores",
) -> tuple[Publication, Ranked, dict[str, Any]]:
    """The list that a model gives, written to a folder of the project; its scores, and the facts of the run."""
    run = prepare_run(opened, loaded, as_of_us=as_of_us)
    history = run.history
    scores, facts = score_list(
        history,
        run.model,
        model_version=run.model_version,
        known_us=run.known_us,
        as_of_us=as_of_us,
        previous=run.previous,
        inputs=run.inputs,
    )
    facts["warnings"] = [*run.warnings, *facts["warnings"]]
    counts = _counts(history, as_of_us, scores.num_rows)
    basis = _describe_basis(history, scores, known_us=run.known_us, previous=run.previous)
    publication = write_publication(
        scores,
        folder=opened.settings.project_folder() / folder,
        as_of_us=history.published_us(as_of_us),
        model_version=run.model_version,
        store_version=history.version.id,
        project=opened.settings.project,
        counts=counts,
        basis=basis | facts,
        inputs=run.inputs,
    )
    return publication, scores, facts


def _score_in_shadow(opened: History, registry: Registry, *, as_of_us: int) -> dict[str, Any]:
    """The challenger's list, which is written and never published; a challenger that cannot score is a warning."""
    versions = [version for version in registry.versions() if CHALLENGER in version.aliases]
    if not versions:
        return {"shadow": None, "warnings": []}
    try:
        challenger = registry.load(str(versions[0].number))
        publication, _, _ = _score_with(opened, challenger, as_of_us=as_of_us, folder="shadow")
    except LeadscoreError as e:
        return {"shadow": None, "warnings": [f"the challenger wrote no list: {e}"]}
    return {"shadow": str(publication.folder), "warnings": []}


def _describe_basis(
    history: History,
    scores: Ranked,
    *,
    known_us: int,
    previous: Previous | None,
) -> dict[str, Any]:
    """What the scores were made from, as JSON: with it a list can be made again."""
    public = history.settings.public()
    return {
        # as text, since the order of its keys is part of the features' order
        "settings": json.dumps(public, ensure_ascii=False),
        "model_known_us": known_us,
        "known_until_us": history.version.known_until_us,
        "previous": previous.publication_id if previous else None,
        "returned": _count_returned(history, scores, previous),
    }


def _summarise(publication: Publication, scores: Ranked, facts: dict[str, Any]) -> Scored:
    manifest = publication.manifest
    summed = scores.columns(["win_probability", "tier"])
    mean = pc.mean(summed["win_probability"]).as_py()
    top = next(iter(scores)).slice(0, 10).drop_columns(["as_of"])
    return Scored.from_dict(
        {
            "project": manifest["project"],
            "publication_id": publication.id,
            "folder": str(publication.folder),
            "as_of": manifest["as_of"],
            "model_version": manifest["model_version"],
            "store_version": manifest["store_version"],
            "counts": manifest["counts"],
            "tiers": _count_tiers(summed),
            "mean_win_probability": mean,
            **facts,
            "top": top.to_pylist(),
        }
    )


def _count_tiers(scores: pa.Table) -> dict[str, int]:
    """How many leads are in each tier, the best first; tiers without leads are left out."""
    if not scores.num_rows:
        return {}
    counts = pc.value_counts(scores["tier"]).to_pylist()
    best_first = sorted(counts, key=itemgetter("values"))
    return {row["values"]: row["counts"] for row in best_first}


def read_inputs(settings: Settings) -> dict[str, Any]:
    """What scoring reads besides the store, as JSON: the list of reps, and what people decided by hand."""
    inputs: dict[str, Any] = {}
    if settings.qualification.overrides is not None:
        inputs["overrides"] = read_overrides(settings)
    if settings.routing is not None:
        reps, _ = read_reps(settings.routing, settings)
        # the inputs stay with the list, and routing needs ids only
        inputs["reps"] = [rep | {"name": None} for rep in _with_whole_moments(reps).to_pylist()]
    return inputs


def _with_whole_moments(rows: pa.Table) -> pa.Table:
    """Rows whose moments are UTC microseconds, which JSON can hold."""
    types = [pa.int64() if kind == MOMENT else kind for kind in rows.schema.types]
    return rows.cast(pa.schema(list(zip(rows.column_names, types, strict=True))))


def score_list(
    history: History,
    model: WinModel,
    *,
    model_version: str,
    known_us: int,
    as_of_us: int,
    previous: Previous | None,
    inputs: Mapping[str, Any],
) -> tuple[Ranked, dict[str, Any]]:
    """The scores of all leads open at a moment, routed, and the facts of the run.

    The same arguments give the same bytes, now and when replayed.
    """
    leads = read_open_leads(
        history,
        model,
        model_version=model_version,
        known_us=known_us,
        as_of_us=as_of_us,
        previous=previous,
        **_decided_beside(history.settings, inputs, as_of_us=as_of_us),
    )
    decisions = decide_list(leads)
    facts = decisions.facts | list_facts(leads, decisions.facts)
    if history.settings.routing is None:
        return rank_rows(leads, decisions), facts | {"routing": None}
    routes, routing = route_list(
        history,
        decided_rows(leads, decisions, ROUTED_BY),
        as_of_us=as_of_us,
        previous=previous,
        inputs=inputs,
    )
    return rank_rows(leads, decisions, beside=routes), facts | {
        "routing": routing,
        "warnings": [*facts["warnings"], *routing["warnings"]],
    }


def _decided_beside(
    settings: Settings, inputs: Mapping[str, Any], *, as_of_us: int
) -> dict[str, Any]:
    """What people decided by hand, and how tiers are decided: arguments of `read_open_leads`."""
    return {
        "overrides": inputs.get("overrides", ()),
        "tiers": _with_capacity(settings.tiers, inputs, as_of_us=as_of_us),
    }


def _with_capacity(tiers: Tiers, inputs: Mapping[str, Any], *, as_of_us: int) -> Tiers:
    """Tiers whose capacity, unless stated, is the free capacity of all reps who are not on leave."""
    if tiers.by != "capacity" or tiers.capacity is not None:
        return tiers
    reps = pa.Table.from_pylist(inputs["reps"], schema=REPS)
    slots = pc.subtract(reps["capacity"], reps["load"])
    free = int(np.maximum(slots, 0)[~is_away(reps, as_of_us)].sum())
    return tiers.model_copy(update={"capacity": max(free, 1)})


def _count_returned(history: History, scores: Ranked, previous: Previous | None) -> int:
    """How many leads of the list existed when the list before was made, and were not on it."""
    if previous is None:
        return 0
    listed = scores.columns(["lead_id"])["lead_id"]
    was_listed = pc.is_in(listed, previous.receipts["lead_id"])
    new = listed.filter(pc.invert(was_listed))
    return history.facts.count_leads(previous.as_of_us, among=new)


def _counts(history: History, as_of_us: int, scored: int) -> dict[str, int]:
    """Scored + closed + absent + not_yet_created + refused = leads, the refused ones being those that ingest rejected.

    Absent are open leads of earlier exports that the latest one known at `as_of_us` does not have.
    """
    stored = history.facts.count_leads(FOREVER_US)
    spells = history.spells(as_of_us)
    created = int((spells["spell"] == 1).sum())
    absent = int((seen_until(spells) < as_of_us).sum())
    refused = history.version.manifest["accounts"]["tables"]["leads"]["rejected"]
    return {
        "leads": stored + refused,
        "scored": scored,
        "closed": created - scored - absent,
        "absent": absent,
        "not_yet_created": stored - created,
        "refused": refused,
    }
