"""Models of segments: the model of all leads, corrected for the leads of one segment where the evidence carries it.

A segment's raw is a logistic regression on the raw of all and on the features, drawn to "the raw of all, as it is":
few leads move it little (partial pooling). It replaces the raw of all only in the segments where, on the splits before
the last, it is better by more than two standard errors: of several segments one is often better by one, by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.metrics import compute_standard_error, row_log_loss
from leadscore.features.feature import Feature
from leadscore.features.fields import field_column, field_finish
from leadscore.features.finish import Text
from leadscore.features.matrix import Matrix, build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import WinModel, correct
from leadscore.model.choose import LEAST_LEADS
from leadscore.model.encode import FOLDS, fold_of_group
from leadscore.model.held_out import HeldOut, can_choose
from leadscore.model.scorers.linear import Term, is_log
from leadscore.model.scorers.logistic import fit_terms

SPREAD = 0.6  # how far, in log-odds, all features together may well move a segment's raw away from that of all
CLEARLY = 2.0  # standard errors
WIDEST = 50.0  # log-odds that no raw exceeds
LEAST = LEAST_LEADS["logistic"]  # won, and as many others, in a segment that is tried


@dataclass(frozen=True)
class Segmented:
    """What came of it: predictions by the corrected models, the corrections to use, and what is told, as JSON."""

    held_out: dict[str, HeldOut]
    segments: dict[str, Any]
    told: dict[str, Any]


def choose_segments(
    held_out: Mapping[str, HeldOut],
    model: WinModel,
    matrix: Matrix,
    features: Sequence[Feature],
    *,
    field: str,
) -> Segmented:
    """Correct each segment for which that is clearly better, on all splits but the last, cross-validated by lead.

    The last split only evaluates corrections that were fitted before it; those to use are fitted on all splits.

    Args:
        held_out: pool -> predictions for rows that the model had not seen.
        model: whose encoder gives the columns.
        matrix: has the features of all rows.
        features: what it holds.
        field: the lead's field that divides the leads.
    """
    name = f"profile_{field}"
    if all(feature.name != name for feature in features):
        return Segmented(
            dict(held_out),
            {},
            {"field": field, "models": [], "why": f"{field} is not learned from"},
        )
    if not can_choose(held_out):
        why = (
            "nothing says which leads are later, or too few splits have follow-up and both outcomes"
        )
        return Segmented(dict(held_out), {}, {"field": field, "models": [], "why": why})
    pools = {pool: _Pool(rows, model, matrix, features, name) for pool, rows in held_out.items()}
    fitted = pools["before"].fit()
    crossed = pools["before"].cross_corrected(set(fitted))
    told = [_compare(value, pools["before"], crossed) for value in fitted]
    chosen = {each["segment"] for each in told if each["own"]}
    if not chosen:
        return Segmented(
            dict(held_out),
            {},
            {"field": field, "models": told, "why": "in no segment is it clearly better"},
        )
    corrected = {
        "last": pools["last"].corrected({value: fitted[value] for value in chosen}),
        "before": pools["before"].cross_corrected(chosen),
        "whole": pools["whole"].cross_corrected(chosen),
    }
    final = pools["whole"].fit()
    segments = {"feature": name, "models": {value: final[value] for value in sorted(chosen)}}
    return Segmented(corrected, segments, {"field": field, "models": told, "why": None})


def read_segments(history: History, rows: pd.DataFrame, *, field: str) -> np.ndarray:
    """The value (n,) of a field that may be learned from, for each row as known at its moment; None if unknown."""
    columns = field_column(field, history.settings)
    assert columns is not None, field  # noqa: S101  (the settings refuse others as segments)
    feature = Feature(
        "segment",
        columns,
        field_finish(Text(f"field_{field}"), field, history.settings),
        "category",
        "",
        "",
        "segment",
    )
    keys = rows[KEYS].drop_duplicates(["lead_id", "as_of_us"])
    return build_matrix(history.snapshot(keys), [feature]).take(rows).columns["segment"]


class _Pool:
    """Predicted rows with their encoded features and their segments."""

    def __init__(
        self,
        held_out: HeldOut,
        model: WinModel,
        matrix: Matrix,
        features: Sequence[Feature],
        name: str,
    ) -> None:
        self.held_out, self.features = held_out, features
        self.rows = held_out.side.rows.assign(log_odds=held_out.log_odds)
        columns = matrix.take(held_out.side.rows).columns
        self.encoded, self.segment = model.encode(columns), columns[name]
        for at, entry in enumerate(model.document["encoder"]):
            if entry["kind"] == "rate":  # it knows the labels of these very rows
                self.encoded[:, at] = 0.0

    def values(self) -> list[str]:
        """The segments with enough leads of either outcome, in order."""
        rows = self.rows.assign(segment=self.segment)
        rows = rows[rows["label"].notna() & rows["segment"].notna()]
        leads = (
            rows.groupby(["segment", "label"], sort=True)["lead_id"].nunique().unstack(fill_value=0)
        )
        leads = leads.reindex(columns=[0.0, 1.0], fill_value=0)
        return [str(value) for value in leads.index[leads.min(axis=1) >= LEAST]]

    def fit(self, within: np.ndarray | None = None) -> dict[str, Any]:
        """A correction for each of its segments, from the rows `within` (n,), by default all."""
        chosen = np.ones(len(self.rows), dtype=bool) if within is None else within.copy()
        chosen &= self.rows["label"].notna().to_numpy()
        return {value: self._fit((self.segment == value) & chosen) for value in self.values()}

    def _fit(self, chosen: np.ndarray) -> dict[str, Any]:
        rows, encoded = self.rows[chosen], self.encoded[chosen]
        log_odds, label, weight = (
            rows[name].to_numpy(dtype=float) for name in ("log_odds", "label", "weight")
        )
        return fit_correction(
            encoded,
            log_odds,
            label,
            weight,
            leads=rows["lead_id"].nunique(),
            features=self.features,
        )

    def corrected(self, models: Mapping[str, Any]) -> HeldOut:
        """The same rows, predicted with corrections."""
        return replace(
            self.held_out,
            log_odds=correct(
                dict(models), self.segment, self.encoded, self.rows["log_odds"].to_numpy()
            ),
        )

    def cross_corrected(self, chosen: set[str]) -> HeldOut:
        """The same rows, each with a correction that saw no row of its lead."""
        fold = fold_of_group(self.rows["lead_id"].to_numpy())
        log_odds = self.rows["log_odds"].to_numpy().copy()
        for k in range(FOLDS):
            models = {
                value: model for value, model in self.fit(fold != k).items() if value in chosen
            }
            log_odds[fold == k] = self.corrected(models).log_odds[fold == k]
        return replace(self.held_out, log_odds=log_odds)


def _compare(value: str, pool: _Pool, own: HeldOut) -> dict[str, Any]:
    """Whether a segment's own model, which saw no row of the lead it corrects, is better than that of all."""
    pooled = pool.held_out
    inside = (pool.segment == value)[pool.rows["label"].notna()]
    sigmoid = pooled.fit_calibrator("sigmoid")
    both = [each.evaluated(sigmoid).take(inside) for each in (pooled, own)]
    told: dict[str, Any] = {
        "segment": value,
        "leads": len(np.unique(both[0].lead_id)),
        "own": False,
    }
    if len(np.unique(both[0].label)) < 2:
        return told | {"log_loss": None, "gain": None, "standard_error": None}
    losses = [row_log_loss(each.probability, each.label) for each in both]
    gain = float(np.average(losses[0] - losses[1], weights=both[0].weight))
    error = compute_standard_error(losses[0] - losses[1], both[0].weight, both[0].units)
    loss = float(np.average(losses[0], weights=both[0].weight))
    return told | {
        "own": gain > CLEARLY * error,
        "log_loss": loss,
        "gain": gain,
        "standard_error": error,
    }


def fit_correction(
    encoded: np.ndarray,
    log_odds: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    *,
    leads: int,
    features: Sequence[Feature],
) -> dict[str, Any]:
    """A segment's correction as JSON: `base`, a term for each column of `encoded` (n, features), and `of_all`, for raw.

    As every direction holds in the raw of all, whose slope is not below 0, it holds in the corrected one.
    """
    terms = [Term(feature.name, log=is_log(feature), low=0.0, high=0.0) for feature in features]
    span = (float(log_odds.min()), float(log_odds.max())) if len(log_odds) else (-1.0, 1.0)
    of_all = Term("raw", log=False, low=span[0], high=span[1], slope=1.0)
    base, found = fit_terms(
        np.column_stack([encoded, log_odds]),
        label,
        weight,
        leads=leads,
        prior=[*terms, of_all],
        signs=[*(feature.direction for feature in features), 1],
        base=0.0,
        log_odds_spread=SPREAD,
    )
    unclipped = replace(found[-1], low=-WIDEST, high=WIDEST)
    return {
        "base": base,
        "terms": [term.as_json() for term in found[:-1]],
        "of_all": unclipped.as_json(),
    }
