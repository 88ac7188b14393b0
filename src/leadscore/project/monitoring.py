"""Published scores settled: what became of the leads on every list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from leadscore.errors import LeadscoreError, UserError
from leadscore.history.split import History
from leadscore.monitor.calibration import find_last_alarm
from leadscore.monitor.contact import estimate_extra_contact
from leadscore.monitor.performance import summarise_settled
from leadscore.monitor.settle import ScoredList, settle
from leadscore.monitor.shadow import compare_shadow
from leadscore.monitor.watch import Watched, watch
from leadscore.project.opened import checked_as_of, open_store
from leadscore.proposals import propose
from leadscore.publish.listed import Listed, list_published, list_written, read_listed
from leadscore.publish.receipts import read_receipts_of
from leadscore.registry.registry import Registry
from leadscore.results.contact import ExtraContact
from leadscore.results.drift import ModelDrift
from leadscore.results.monitor import Monitored
from leadscore.settings.check_references import check_segment
from leadscore.settings.settings import Settings
from leadscore.wording import counted

COLUMNS = {
    "lead_id": "lead_id",
    "win_probability": "probability",
    "log_odds": "log_odds",
    "score": "score",
    "tier": "tier",
    "model_version": "model_version",
    "exploration_probability": "exploration_probability",
}


def monitor(
    settings: Settings,
    *,
    as_of_us: int | None = None,
    segment: str | None = None,
) -> Monitored:
    """Every published score settled by what was known at a moment (default: known_until).

    Args:
        settings: of the project.
        as_of_us: the moment.
        segment: a text field to divide the leads by; default: `model.segment`.

    Raises:
        UserError: nothing is dated, nothing is published, or the segment is no text field that is
            known in time.
    """
    check_dated(settings)
    segment = segment or settings.model.segment
    if segment is not None:
        _check_segment(settings, segment)
    with open_store(settings) as history:
        known_us = history.known_us(checked_as_of(history, as_of_us))
        lists, warnings = read_lists(settings)
        if not lists:
            raise UserError(f"no list is published yet; run `{propose('score')}` first")
        rows = settle(history, lists, known_us=known_us)
        in_shadow = settle(history, _read_shadow_lists(settings), known_us=known_us)
        drift, why = _watch(history, rows, known_us=known_us)
        return Monitored(
            project=settings.project,
            as_of=history.name(known_us),
            store_version=history.version.id,
            settled=summarise_settled(history, rows, known_us=known_us, segment=segment),
            drift=drift,
            extra_contact=_estimate_contact(settings, rows),
            shadow=compare_shadow(rows, in_shadow, seed=settings.seed),
            warnings=[*warnings, *why],
        )


def find_drift(settings: Settings, *, as_of_us: int | None = None) -> ModelDrift | None:
    """The alarms of `monitor` without the rest of it; None without a list, or without its model."""
    lists, _ = read_lists(settings)
    if not lists:
        return None
    with open_store(settings) as history:
        known_us = history.known_us(checked_as_of(history, as_of_us))
        rows = settle(history, lists, known_us=known_us)
        drift, _ = _watch(history, rows, known_us=known_us)
    return drift


def _watch(
    history: History,
    rows: pd.DataFrame,
    *,
    known_us: int,
) -> tuple[ModelDrift | None, list[str]]:
    """What changed since the model of the latest list was trained; or why that cannot be said."""
    if rows.empty:
        return None, []
    by_date = rows.sort_values("as_of_us")
    latest_version = str(by_date["model_version"].iloc[-1])
    registry = Registry(history.settings)
    try:
        model, _, version = registry.load(latest_version)
        bins = registry.read_bins(version)
    except LeadscoreError as e:
        return None, [f"the model of the latest list cannot be read, so drift is unknown: {e}"]
    watched = Watched(
        history=history,
        version=version,
        model=model,
        bins=bins,
        published=rows,
        trained_us=read_trained_us(registry),
    )
    return watch(watched, known_us=known_us), []


def find_calibration_alarm(history: History, *, since_us: int | None, known_us: int) -> str | None:
    """When published lists last raised a calibration alarm, answered or not; None if not since a moment."""
    settings = history.settings
    if since_us is None or not settings.is_dated:
        return None
    lists, _ = read_lists(settings)
    if not lists:
        return None
    rows = settle(history, lists, known_us=known_us)
    trained_us = read_trained_us(Registry(settings))
    raised_us = find_last_alarm(rows, trained_us, known_us=known_us)
    if raised_us is None or raised_us < since_us:
        return None
    return history.name(raised_us)


def read_trained_us(registry: Registry) -> dict[str, int]:
    """Up to when each model version knew the facts."""
    return {known.version: known.known_us for known in registry.versions()}


def _estimate_contact(settings: Settings, rows: pd.DataFrame) -> ExtraContact | None:
    if settings.routing is None or rows.empty:
        return None
    return estimate_extra_contact(rows, routed=settings.routing.tiers)


def check_dated(settings: Settings) -> None:
    """Refuse leads without dates: leads that close early could not be told from the others."""
    if not settings.is_dated:
        raise UserError(
            f"time = {settings.time}: without dates nobody can say when the horizon of a list is "
            "over, so its scores cannot be settled"
        )


def _check_segment(settings: Settings, segment: str) -> None:
    try:
        check_segment(settings, segment, place="--by")
    except ValueError as e:
        raise UserError(str(e)) from e


def read_lists(settings: Settings) -> tuple[list[ScoredList], list[str]]:
    """The published lists by date, one a date, and warnings about those that are left out.

    Of several lists of one date it is the one from the store that knew most.
    """
    folder = settings.project_folder()
    published = list_published(folder / "scores", folder / "store")
    return _read_lists(settings, published, folder=folder / "scores")


def _read_shadow_lists(settings: Settings) -> list[ScoredList]:
    """The lists that challengers wrote in shadow, one a date."""
    folder = settings.project_folder() / "shadow"
    written = [read_listed(folder, name) for name in list_written(folder)]
    whole = [listed for listed in written if listed.manifest is not None]
    lists, _ = _read_lists(settings, whole, folder=folder)
    return lists


def _read_lists(
    settings: Settings,
    written: Sequence[Listed],
    *,
    folder: Path,
) -> tuple[list[ScoredList], list[str]]:
    """Lists of a folder with their scores, one a date, and warnings about those that are left out."""
    store = settings.project_folder() / "store"
    horizons = _read_horizons(settings, written)
    lists = []
    left_out = []
    for listed in _latest_of_dates(written):
        receipts = read_receipts_of(listed, folder, store)
        horizon_days = horizons[listed.id]
        if not receipts.num_rows or not horizon_days or listed.as_of_us is None:
            left_out.append(listed.id)
            continue
        moments = receipts["as_of"].cast("int64")
        as_of_us = int(moments[0].as_py())
        rows = receipts.select(list(COLUMNS)).to_pandas()
        scored = rows.rename(columns=COLUMNS)
        lists.append(ScoredList(listed.id, as_of_us, horizon_days, scored))
    return lists, _describe_left_out(left_out)


def _latest_of_dates(published: Iterable[Listed]) -> list[Listed]:
    by_knowledge = sorted(published, key=lambda listed: (listed.known_until_us, listed.id))
    by_date = {listed.as_of_us: listed for listed in by_knowledge}
    return sorted(by_date.values(), key=lambda listed: listed.as_of_us or 0)


def _read_horizons(settings: Settings, published: Sequence[Listed]) -> dict[str, int]:
    """The horizon of each list in days; of a pruned list that of the lists that are left, or of the settings."""
    known = {listed.id: _read_horizon(listed) for listed in published}
    stated = [days for days in known.values() if days]
    usual = stated[-1] if stated else settings.target.horizon_days
    return {name: days or usual for name, days in known.items()}


def _read_horizon(listed: Listed) -> int:
    """The horizon of a list in days; 0 where its manifest does not say."""
    manifest = listed.manifest or {}
    settings_then = json.loads(manifest.get("settings", "{}"))
    target = settings_then.get("target", {})
    days: int = target.get("horizon_days", 0)
    return days


def _describe_left_out(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    lists = counted(len(names), "list cannot", "lists cannot")
    return [f"{lists} be settled, since receipts or horizon are gone, like {names[0]}"]
