"""What the settled lists ask for: a new training, or the champion before."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore.atomic import write_pointer
from leadscore.errors import CorruptFileError, LeadscoreError
from leadscore.files import is_there
from leadscore.history.split import History
from leadscore.json_files import canonical_json, read_result
from leadscore.monitor.policy import (
    SinceTraining,
    asks_again,
    decide_rollback,
    is_retraining_due,
    may_cure,
)
from leadscore.monitor.settle import SETTLED, as_evaluation_set, settle
from leadscore.project.models import rollback
from leadscore.project.monitoring import find_drift, monitor, read_lists
from leadscore.project.opened import checked_as_of, open_store
from leadscore.project.trail import record
from leadscore.registry.registry import Registry, Who
from leadscore.registry.versions import PREVIOUS
from leadscore.results import LastLook, ModelDrift, RetrainingDue, Reviewed, RollbackDecision
from leadscore.results.drift import Alarm
from leadscore.scoring.probabilities import compute_probabilities
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US, parse_moment

logger = logging.getLogger(__name__)


def review(settings: Settings, *, who: Who, as_of_us: int | None = None) -> Reviewed:
    """Settle the lists, enter alarms in the audit trail, and go back to the champion before where it must be.

    Args:
        settings: of the project.
        who: does it, and when; the reason is that of the decision.
        as_of_us: the moment; default known_until.
    """
    monitored = monitor(settings, as_of_us=as_of_us)
    look = LastLook(as_of=monitored.as_of, alarms=monitored.alarms)
    write_pointer(look_path(settings), canonical_json(look.to_dict()))
    alarms = [f"{alarm.kind} of {alarm.subject}" for alarm in monitored.alarms]
    if alarms:
        record(settings, "alarm", why="; ".join(alarms), who=who, as_of=monitored.as_of)
    decision = _decide(settings, as_of_us)
    if decision.rolled_back:
        rollback(settings, who=replace(who, why=decision.why))
    retraining = _find_due(settings, as_of_us, drift=monitored.drift)
    return Reviewed(monitored=monitored, retraining=retraining, rollback=decision)


def look_path(settings: Settings) -> Path:
    """Where the alarms of the last look are."""
    return settings.project_folder() / "alarms.json"


def read_last_look(settings: Settings) -> LastLook | None:
    """The alarms of the last look; None before the first, or where its file is damaged."""
    if not is_there(look_path(settings)):
        return None
    try:
        return read_result(look_path(settings), LastLook, cure="run `leadscore monitor --act`")
    except CorruptFileError as e:
        logger.warning("%s", e)
        return None


def find_due(settings: Settings, *, as_of_us: int | None = None) -> RetrainingDue:
    """Whether to train again, by the policy of the settings, at a moment (default: known_until)."""
    drift = None
    if settings.retraining.on_alarm and settings.is_dated:
        drift = find_drift(settings, as_of_us=as_of_us)
    return _find_due(settings, as_of_us, drift=drift)


def _find_due(
    settings: Settings,
    as_of_us: int | None,
    *,
    drift: ModelDrift | None,
) -> RetrainingDue:
    trained_us = Registry(settings).last_trained_us()
    if trained_us is None:
        return is_retraining_due(None, settings.retraining)
    with open_store(settings) as history:
        known_us = history.known_us(checked_as_of(history, as_of_us))
        close_us = history.spells(known_us)["close_us"]
    is_since = close_us.between(trained_us, known_us, inclusive="left")
    alarms = []
    if drift is not None:
        alarms = _list_new(drift, trained_us=trained_us, known_us=known_us)
    since = SinceTraining(
        days=(known_us - trained_us) / DAY_US,
        outcomes=int(is_since.sum()),
        alarms=alarms,
    )
    return is_retraining_due(since, settings.retraining)


def _list_new(drift: ModelDrift, *, trained_us: int, known_us: int) -> list[str]:
    """The alarms that newer data may cure, and that ask for a training by now."""
    new = []
    for alarm in drift.alarms:
        shown_us = _shown_us(alarm, drift, known_us)
        asks = asks_again(shown_us, trained_us=trained_us, known_us=known_us)
        if asks and may_cure(alarm):
            new.append(f"{alarm.kind} of {alarm.subject}")
    return new


def _shown_us(alarm: Alarm, drift: ModelDrift, known_us: int) -> int:
    """When an alarm could first be seen; one of calibration when the evidence was enough."""
    shown = alarm.since
    if alarm.kind == "calibration" and drift.calibration is not None:
        shown = drift.calibration.raised
    return known_us if shown is None else parse_moment(shown, zone="UTC")


def _decide(settings: Settings, as_of_us: int | None) -> RollbackDecision:
    """What the settled lists of the champion say of it."""
    registry = Registry(settings)
    champion = registry.champion()
    if champion is None or not settings.retraining.rollback:
        return RollbackDecision(rolled_back=False, why="nothing was asked for, or nothing scores")
    with open_store(settings) as history:
        known_us = history.known_us(checked_as_of(history, as_of_us))
        lists, _ = read_lists(settings)
        rows = settle(history, lists, known_us=known_us)
        is_settled = rows["state"] == SETTLED
        is_own = rows["model_version"] == champion.version
        settled = rows[is_settled & is_own].reset_index(drop=True)
        return decide_rollback(
            as_evaluation_set(settled),
            _predict_previous(history, registry, settled),
            settings.model,
            seed=settings.seed,
        )


def _predict_previous(
    history: History,
    registry: Registry,
    settled: pd.DataFrame,
) -> np.ndarray | None:
    """The probabilities (n,) of the champion before, which saw none of these rows; None without one."""
    previous = [version for version in registry.versions() if PREVIOUS in version.aliases]
    if not previous or settled.empty:
        return None
    try:
        model, manifest, version = registry.load(str(previous[0].number))
        if manifest["known_until_us"] > settled["as_of_us"].min():
            return None
        return compute_probabilities(history, model, settled, model_version=version, shift=0.0)
    except LeadscoreError:  # damaged, or of other features than the settings declare
        return None
