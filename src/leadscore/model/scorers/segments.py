"""Models of segments: the model of all leads, corrected where a segment's evidence supports it.

A correction is used only where, on the splits before the last, it is better by more than two
standard errors: of several segments one is often better by one standard error by chance.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import compute_standard_error, row_log_loss
from leadscore.evaluation.sums import weighted_mean
from leadscore.features.feature import Feature
from leadscore.features.fields import field_column, field_finish
from leadscore.features.finish import Text
from leadscore.features.matrix import Matrix, build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import WinModel, correct
from leadscore.model.encode import FOLDS, fold_of_group
from leadscore.model.held_out import HeldOut, can_choose
from leadscore.model.scorers.correction import fit_correction
from leadscore.results import ComparedSegment, SegmentModels

CLEARLY = 2.0  # standard errors
LEAST = 10  # won leads, and as many others, in a segment that is tried


@dataclass(frozen=True)
class Segmented:
    """The result of looking for segments with a model of their own.

    Attributes:
        held_out: pool -> predictions by the corrected models.
        segments: the corrections to use, as JSON for the model; empty for none.
        report: the segments that were tried, or why none was.
    """

    held_out: dict[str, HeldOut]
    segments: dict[str, Any]
    report: SegmentModels


def choose_segments(
    held_out: Mapping[str, HeldOut],
    model: WinModel,
    matrix: Matrix,
    features: Sequence[Feature],
    *,
    field: str,
) -> Segmented:
    """Correct every segment for which that is clearly better on all splits but the last.

    Segments are chosen by cross-validation over leads. The last split only evaluates corrections
    that were fitted before it; those to use are fitted on all splits.

    Args:
        held_out: pool -> held-out predictions.
        model: whose encoder gives the columns.
        matrix: has the features of all rows.
        features: what it holds.
        field: the lead's field that divides the leads.
    """
    name = f"profile_{field}"
    why = _why_not_tried(held_out, features, name=name, field=field)
    if why is not None:
        report = SegmentModels(field=field, models=[], why=why)
        return Segmented(dict(held_out), {}, report)

    pools = {}
    for pool, predictions in held_out.items():
        pools[pool] = _Pool(predictions, model, matrix, features, name)
    comparisons = _compare_segments(pools["before"])
    chosen = sorted(compared.segment for compared in comparisons if compared.own)
    if not chosen:
        why = "in no segment is it clearly better"
        report = SegmentModels(field=field, models=comparisons, why=why)
        return Segmented(dict(held_out), {}, report)

    fitted = pools["whole"].fit()
    segments = {"feature": name, "models": _only(fitted, chosen)}
    report = SegmentModels(field=field, models=comparisons, why=None)
    return Segmented(_correct_pools(pools, chosen), segments, report)


def _why_not_tried(
    held_out: Mapping[str, HeldOut],
    features: Sequence[Feature],
    *,
    name: str,
    field: str,
) -> str | None:
    """Why no segment can be compared; None if they can."""
    if all(feature.name != name for feature in features):
        return f"{field} is not learned from"
    if not can_choose(held_out):
        return "the order of the leads is not known, or too few splits have follow-up and both outcomes"
    return None


def _only(corrections: Mapping[str, Any], segments: Collection[str]) -> dict[str, Any]:
    """The corrections of some segments, in their order."""
    return {name: corrections[name] for name in corrections if name in segments}


def read_segments(history: History, rows: pd.DataFrame, *, field: str) -> np.ndarray:
    """The value (n,) of a field for each row as known at its moment; None where unknown."""
    columns = field_column(field, history.settings)
    assert columns is not None, field  # noqa: S101  (the settings refuse others as segments)
    finish = field_finish(Text(f"field_{field}"), field, history.settings)
    feature = Feature("segment", columns, finish, "category", "segment")
    keys = rows[KEYS].drop_duplicates(["lead_id", "as_of_us"])
    matrix = build_matrix(history.snapshot(keys), [feature])
    return matrix.take(rows).columns["segment"]


class _Pool:
    """Held-out predictions with the encoded features and the segment of each row."""

    def __init__(
        self,
        held_out: HeldOut,
        model: WinModel,
        matrix: Matrix,
        features: Sequence[Feature],
        name: str,
    ) -> None:
        self.held_out = held_out
        self.features = features
        self.rows = held_out.side.rows.assign(log_odds=held_out.log_odds)
        self.is_labelled = self.rows["label"].notna().to_numpy()

        columns = matrix.take(held_out.side.rows).columns
        self.segment = columns[name]
        self.encoded = model.encode(columns)
        for position, entry in enumerate(model.document["encoder"]):
            if entry["kind"] == "rate":  # it contains the labels of these very rows
                self.encoded[:, position] = 0.0

    def list_segments(self) -> list[str]:
        """The segments with enough leads of either outcome, sorted."""
        rows = self.rows.assign(segment=self.segment)
        rows = rows[self.is_labelled & rows["segment"].notna()]
        groups = rows.groupby(["segment", "label"], sort=True)
        by_outcome = groups["lead_id"].nunique()
        by_label = by_outcome.unstack(fill_value=0)
        leads = by_label.reindex(columns=[0.0, 1.0], fill_value=0)
        has_enough = leads.min(axis=1) >= LEAST
        return [str(segment) for segment in leads.index[has_enough]]

    def fit(self, within: np.ndarray | None = None) -> dict[str, Any]:
        """Segment -> correction, from the rows `within` (n,), by default all."""
        usable = self.is_labelled
        if within is not None:
            usable = usable & within
        corrections = {}
        for segment in self.list_segments():
            inside = self.segment == segment
            corrections[segment] = self._fit_segment(inside & usable)
        return corrections

    def _fit_segment(self, inside: np.ndarray) -> dict[str, Any]:
        rows = self.rows[inside]
        return fit_correction(
            self.encoded[inside],
            rows["log_odds"].to_numpy(dtype=float),
            rows["label"].to_numpy(dtype=float),
            rows["weight"].to_numpy(dtype=float),
            leads=rows["lead_id"].nunique(),
            features=self.features,
        )

    def correct(self, corrections: Mapping[str, Any]) -> HeldOut:
        """The same rows with corrected log-odds."""
        log_odds = self.rows["log_odds"].to_numpy()
        corrected = correct(corrections, self.segment, self.encoded, log_odds)
        return replace(self.held_out, log_odds=corrected)

    def cross_correct(self, chosen: Collection[str]) -> HeldOut:
        """The same rows, each corrected by a fit that saw no row of its lead or account."""
        fold = fold_of_group(self.held_out.folded_by())
        log_odds = self.rows["log_odds"].to_numpy().copy()
        for k in range(FOLDS):
            is_held_out = fold == k
            corrections = _only(self.fit(~is_held_out), chosen)
            corrected = self.correct(corrections)
            log_odds[is_held_out] = corrected.log_odds[is_held_out]
        return replace(self.held_out, log_odds=log_odds)


def _correct_pools(pools: Mapping[str, _Pool], chosen: Collection[str]) -> dict[str, HeldOut]:
    """Pool -> predictions with the chosen segments corrected by fits that saw no such lead."""
    before = pools["before"]
    fitted_before_last = _only(before.fit(), chosen)
    return {
        "last": pools["last"].correct(fitted_before_last),
        "before": before.cross_correct(chosen),
        "whole": pools["whole"].cross_correct(chosen),
    }


def _compare_segments(before: _Pool) -> list[ComparedSegment]:
    """`_compare` of every segment with enough leads, by cross-validation."""
    segments = before.list_segments()
    corrected = before.cross_correct(segments)
    return [_compare(segment, before, corrected) for segment in segments]


def _compare(segment: str, pool: _Pool, corrected: HeldOut) -> ComparedSegment:
    """Whether a correction beats the model of all on its segment.

    `gain` is the mean log loss of the model of all less that of the corrected one. Both are
    calibrated alike, by the sigmoid that fits the model of all.
    """
    inside = (pool.segment == segment)[pool.is_labelled]
    sigmoid = pool.held_out.fit_calibrator("sigmoid")
    of_all = pool.held_out.evaluated(sigmoid).take(inside)
    of_segment = corrected.evaluated(sigmoid).take(inside)

    if not of_all.has_both_labels():
        return ComparedSegment(
            segment=segment,
            leads=of_all.count_leads(),
            own=False,
            log_loss=None,
            gain=None,
            standard_error=None,
        )

    loss = row_log_loss(of_all.probability, of_all.label)
    gain = loss - row_log_loss(of_segment.probability, of_segment.label)
    mean_gain = weighted_mean(gain, of_all.weight)
    error = compute_standard_error(gain, of_all.weight, of_all.units)
    return ComparedSegment(
        segment=segment,
        leads=of_all.count_leads(),
        own=mean_gain > CLEARLY * error,
        log_loss=weighted_mean(loss, of_all.weight),
        gain=mean_gain,
        standard_error=error,
    )
