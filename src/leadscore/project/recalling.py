"""What only the store and the model of a list know: stages, timelines, waterfalls, and how leads left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.engine.opening import open_engine
from leadscore.errors import LeadscoreError
from leadscore.features.matrix import build_features, build_matrix
from leadscore.funnel.health import measure_health
from leadscore.funnel.spells import list_endings
from leadscore.history.absences import seen_until
from leadscore.history.opening import open_history
from leadscore.history.split import History
from leadscore.project.explaining import find_moment
from leadscore.publish.publication import Publication, read_shift
from leadscore.registry.registry import Registry
from leadscore.report.listing.contents import TIMELINES, WATERFALLS, LeftLead, PastList
from leadscore.results import PipelineHealth
from leadscore.scoring.timeline import Happening, build_timelines
from leadscore.scoring.waterfall import Waterfall, build_waterfalls
from leadscore.settings.settings import Settings
from leadscore.store.version import open_version, read_version

STAGE = "stage_current"


@dataclass(frozen=True)
class Recalled:
    """All by lead, but for the leads of the previous list that left; empty where it is gone by now."""

    left: list[LeftLead]
    stages: dict[str, str] = field(default_factory=dict)
    waterfalls: dict[str, Waterfall] = field(default_factory=dict)
    timelines: dict[str, list[Happening]] = field(default_factory=dict)
    reopened: frozenset[str] = frozenset()
    health: PipelineHealth | None = None


def recall(
    settings: Settings,
    publication: Publication,
    scores: pa.Table,
    *,
    past: Sequence[PastList],
) -> Recalled:
    """What the store version and the model of a list knew at its date, and nothing of later."""
    manifest = publication.manifest
    then = settings.restore(json.loads(manifest["settings"]))
    store = settings.project_folder() / "store"
    gone = _find_gone(scores, past)
    try:
        with (
            open_version(lambda: read_version(store, manifest["store_version"])) as version,
            open_engine(settings.engine) as engine,
        ):
            history = open_history(then, version, engine)
            return _recall_from(history, settings, publication, scores, gone=gone)
    except LeadscoreError:  # pruned, or damaged
        return Recalled(left=gone)


def _recall_from(
    history: History,
    settings: Settings,
    publication: Publication,
    scores: pa.Table,
    *,
    gone: list[LeftLead],
) -> Recalled:
    """The same from an opened history; what is not dated has neither stages nor a timeline."""
    lead_ids = scores["lead_id"].to_pylist()
    as_of_us = find_moment(history, publication)
    rows = history.open_list(as_of_us)
    shown = rows[rows["lead_id"].isin(lead_ids[:WATERFALLS])]
    waterfalls = _explain(history, settings, publication, shown, as_of_us=as_of_us)
    if not history.settings.is_dated:
        return Recalled(gone, waterfalls=waterfalls)
    return Recalled(
        left=_name_ends(history, gone, as_of_us=as_of_us),
        stages=_read_stages(history, as_of_us=as_of_us),
        waterfalls=waterfalls,
        timelines=build_timelines(history, lead_ids[:TIMELINES], as_of_us=as_of_us),
        reopened=frozenset(rows.loc[rows["spell"] > 1, "lead_id"]),
        health=_measure_health(history, as_of_us=as_of_us),
    )


def _measure_health(history: History, *, as_of_us: int) -> PipelineHealth | None:
    known_us = history.known_us(as_of_us)
    ended = list_endings(history.spells(known_us), known_us=known_us)
    return measure_health(ended, known_us=known_us)


def _explain(
    history: History,
    settings: Settings,
    publication: Publication,
    rows: pd.DataFrame,
    *,
    as_of_us: int,
) -> dict[str, Waterfall]:
    """The waterfalls of leads by the model of their list; none if that is gone."""
    try:
        model, _, _ = Registry(settings).load(publication.manifest["model_version"])
    except LeadscoreError:
        return {}
    shift = read_shift(publication.manifest)
    return build_waterfalls(history, model, rows, as_of_us=as_of_us, shift=shift)


def _find_gone(scores: pa.Table, past: Sequence[PastList]) -> list[LeftLead]:
    """The leads of the previous list that are not on this one, for reasons not known yet."""
    if not past:
        return []
    listed = set(scores["lead_id"].to_pylist())
    previous = past[-1]
    gone = []
    for lead_id, probability in previous.probabilities.items():
        if lead_id not in listed:
            tier = previous.tiers[lead_id]
            gone.append(LeftLead(lead_id, "no longer open", tier, probability))
    return gone


def _name_ends(history: History, gone: Sequence[LeftLead], *, as_of_us: int) -> list[LeftLead]:
    """The leads with how they ended by what was known at the date of the list."""
    spells = history.spells(as_of_us)
    is_won = spells["won"].to_numpy(dtype=bool)
    is_closed = spells["close_us"].to_numpy() < as_of_us
    is_absent = seen_until(spells) < as_of_us
    conditions = [is_closed & is_won, is_closed, is_absent]
    ends = np.select(conditions, ["won", "lost", "not in the export"], "no longer open")
    end_of = dict(zip(spells["lead_id"], ends.tolist(), strict=True))  # of the last spell
    return [replace(lead, why=end_of.get(lead.lead_id, "no longer open")) for lead in gone]


def _read_stages(history: History, *, as_of_us: int) -> dict[str, str]:
    """The stage of each open lead that has one."""
    declared = build_features(history.settings)
    features = [feature for feature in declared if feature.name == STAGE]
    rows = history.open_list(as_of_us)
    if not features or rows.empty:
        return {}
    snapshot = history.snapshot(rows)
    matrix = build_matrix(snapshot, features)
    pairs = zip(matrix.keys["lead_id"], matrix.columns[STAGE], strict=True)
    return {lead_id: stage for lead_id, stage in pairs if stage}
