"""What changed since the model of the latest list was trained: features, score, volumes, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.reference import compute_score
from leadscore.evaluation.stability import compute_psi
from leadscore.features.feature import Feature
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.monitor.alarms import (
    LATE_DAYS,
    find_calibration_alarm,
    find_delay_alarm,
    find_feature_alarms,
    find_score_alarm,
    find_volume_alarms,
)
from leadscore.monitor.calibration import run_calibration_test
from leadscore.monitor.freshness import describe_freshness, find_freshness_alarms
from leadscore.monitor.settle import WITHOUT_LEAD
from leadscore.monitor.shifts import compare_features
from leadscore.results.drift import Alarm, FeatureDrift, Freshness, ModelDrift
from leadscore.times import DAY_US

WEEK_US = 7 * DAY_US
WEEKS = 9  # of facts: the last one beside the eight before
WEEKS_OF_CLOSES = 16
EARLIER_LISTS = 12  # in which the beginning of a change is looked for
SAMPLED = 1000  # leads by which the weight of a feature is measured
SCORE_BINS = np.arange(10.0, 100.0, 10.0)
WITHOUT_BINS = (
    "the model was trained before bins of its features were stored; train again to compare them"
)


@dataclass(frozen=True)
class Watched:
    """A model whose lists are watched.

    Attributes:
        history: where the leads are.
        version: of the model.
        model: itself.
        bins: how its features were distributed in training; None if that was not stored.
        published: all lists, as `settle` gave them, with `score`.
        trained_us: up to when each model version knew the facts.
    """

    history: History
    version: str
    model: WinModel
    bins: Mapping[str, Any] | None
    published: pd.DataFrame
    trained_us: Mapping[str, int]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The lists of the model itself."""
        return self.published[self.published["model_version"] == self.version]

    @cached_property
    def features(self) -> list[Feature]:
        """The features that the settings still declare as the model learned them."""
        document = self.model.document
        left_out = frozenset(document.get("left_out", ()))
        declared = build_features(self.history.settings, leave_out=left_out)
        learned = {entry["name"]: entry["fingerprint"] for entry in document["features"]}

        def is_unchanged(feature: Feature) -> bool:
            return learned.get(feature.name) == feature.fingerprint()

        return [feature for feature in declared if is_unchanged(feature)]

    @property
    def has_all_features(self) -> bool:
        """Whether these are all that the model learned from."""
        return len(self.features) == len(self.model.document["features"])

    def dates(self) -> list[int]:
        """The dates of the lists, the latest first."""
        return sorted(self.rows["as_of_us"].unique().tolist(), reverse=True)

    def open_rows(self, date_us: int) -> pd.DataFrame:
        """The leads of a list that are still known to have been open then."""
        of_list = self.rows[self.rows["as_of_us"] == date_us]
        return of_list[of_list["state"] != WITHOUT_LEAD]


def watch(watched: Watched, *, known_us: int) -> ModelDrift:
    """Alarms about the latest list of a model and what came of its lists, and the figures beside."""
    history = watched.history
    latest_us = watched.dates()[0]
    drifts, alarms, notes = _watch_features(watched, latest_us)
    alarms += _watch_score(watched, latest_us)
    freshness, of_facts = _watch_facts(history, known_us)
    alarms += of_facts

    published = watched.published
    calibration = run_calibration_test(history, published, watched.trained_us, known_us=known_us)
    if calibration is not None:
        alarms += find_calibration_alarm(calibration)
    return ModelDrift(
        model_version=watched.version,
        compared=history.name(latest_us) if drifts else None,
        alarms=alarms,
        calibration=calibration,
        features=drifts,
        freshness=freshness,
        notes=notes,
    )


def _watch_features(
    watched: Watched,
    date_us: int,
) -> tuple[list[FeatureDrift], list[Alarm], list[str]]:
    """The features of a list beside training; alarms with their beginning; and notes."""
    if watched.bins is None:
        return [], [], [WITHOUT_BINS]
    keys = watched.open_rows(date_us)[KEYS]
    if keys.empty:
        return [], [], []
    snapshot = watched.history.snapshot(keys)
    columns = build_matrix(snapshot, watched.features).columns
    shares = _share_of_features(watched, columns)
    drifts = compare_features(watched.bins, columns, watched.features, shares)
    leads_before = watched.bins["leads"]
    alarms = find_feature_alarms(drifts, leads_before=leads_before, leads=len(keys))
    return drifts, _date_alarms(watched, alarms), []


def _watch_facts(history: History, known_us: int) -> tuple[list[Freshness], list[Alarm]]:
    """How fresh the facts are, and alarms about their number, their silence and their delay."""
    facts = history.facts
    counts = facts.count_weeks(known_us, weeks=WEEKS)
    alarms = find_volume_alarms(counts, weeks=WEEKS)

    silences = facts.measure_silences(known_us, weeks=WEEKS)
    freshness = describe_freshness(silences, known_us=known_us)
    subjects = {alarm.subject for alarm in alarms}
    alarms += find_freshness_alarms(freshness, beside=subjects)

    late_us = LATE_DAYS * DAY_US
    closes = facts.count_closes(known_us, weeks=WEEKS_OF_CLOSES, late_us=late_us)
    alarms += find_delay_alarm(closes)
    return freshness, alarms


def _share_of_features(watched: Watched, columns: Mapping[str, np.ndarray]) -> dict[str, float]:
    """How much of the mean absolute contribution each feature has; they add up to 1."""
    if not watched.has_all_features:
        return {}
    sampled = {name: values[:SAMPLED] for name, values in columns.items()}
    contributions = watched.model.contributions(sampled)
    of_features = contributions[:, :-1]  # without the intercept
    sizes = np.abs(of_features).mean(axis=0)
    total = sizes.sum()
    if total <= 0:
        return {}
    shares = (sizes / total).tolist()
    names = [entry["name"] for entry in watched.model.document["features"]]
    return dict(zip(names, shares, strict=True))


def _date_alarms(watched: Watched, alarms: Sequence[Alarm]) -> list[Alarm]:
    """The alarms with the date of the first list of an unbroken run that shows them.

    Values must have changed for a week: those of a Saturday differ from those of a Monday.
    """
    if not alarms:
        return []
    latest_us, *earlier = watched.dates()
    since = {alarm.subject: latest_us for alarm in alarms}
    running = {(alarm.subject, alarm.kind) for alarm in alarms}
    for date_us in earlier[: EARLIER_LISTS - 1]:
        running &= _find_again(watched, date_us, names=set(since))
        for subject, _ in running:
            since[subject] = date_us
        if not running:
            break

    dated = []
    for alarm in alarms:
        since_us = since[alarm.subject]
        is_lasting = since_us <= latest_us - WEEK_US
        if is_lasting or alarm.kind != "values":
            begin = watched.history.name(since_us)
            dated.append(alarm.model_copy(update={"since": begin}))
    return dated


def _find_again(watched: Watched, date_us: int, *, names: set[str]) -> set[tuple[str, str]]:
    """Which features raise which alarm on an earlier list."""
    keys = watched.open_rows(date_us)[KEYS]
    if watched.bins is None or keys.empty:
        return set()
    features = [feature for feature in watched.features if feature.name in names]
    snapshot = watched.history.snapshot(keys)
    columns = build_matrix(snapshot, features).columns
    drifts = compare_features(watched.bins, columns, features, {})
    leads_before = watched.bins["leads"]
    alarms = find_feature_alarms(drifts, leads_before=leads_before, leads=len(keys))
    return {(alarm.subject, alarm.kind) for alarm in alarms}


def _watch_score(watched: Watched, date_us: int) -> list[Alarm]:
    """The scores of a list beside those of the leads that evaluated the model."""
    reference = watched.model.document["reference"]
    scores = watched.open_rows(date_us)["score"].to_numpy(dtype=float)
    if not len(scores) or not reference:
        return []
    of_reference = compute_score(np.array(reference), reference)
    expected = _share_by_bin(of_reference)
    actual = _share_by_bin(scores)
    leads = watched.bins["leads"] if watched.bins else len(scores)
    psi, p_value = compute_psi(expected, actual, before=leads, now=len(scores))
    return find_score_alarm(psi, p_value)


def _share_by_bin(scores: np.ndarray) -> np.ndarray:
    bins = len(SCORE_BINS) + 1
    at = np.searchsorted(SCORE_BINS, scores, side="right")
    counts = np.bincount(at, minlength=bins)
    return counts / len(scores)
