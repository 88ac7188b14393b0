"""All that can be learned from at a moment K: rows, splits and features, and held-out predictions.

Only facts known before K are used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, Named, build_features, build_matrix
from leadscore.history.side import Side
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.basis import count_repeats, describe_basis
from leadscore.model.choose import allowed_scorers
from leadscore.model.encode import FOLDS, LEAST_LEADS, OTHER, pool_rare_levels
from leadscore.model.fit import cross_validate, fit_scorer
from leadscore.model.held_out import HeldOut, build_pools, can_choose, predict_pool
from leadscore.model.periods import keep_late_moments
from leadscore.model.predict import predict_log_odds
from leadscore.model.sampled import sample_sides
from leadscore.model.scorers.boosted import THREADED_ROWS, Boosting
from leadscore.model.scorers.linear_choice import Linear
from leadscore.model.scorers.segments import Segmented, choose_segments, read_segments
from leadscore.model.scorers.time_limit import TimeLimit
from leadscore.model.scorers.tune import Tuning
from leadscore.model.scorers.tune_within import tune_within
from leadscore.model.threads import map_in_threads
from leadscore.progress import Progress, silent
from leadscore.results import SegmentModels

MIN_OUTCOMES = 20  # leads won, and as many not won: with fewer nothing can be learned
MIN_EVALUATED = 30  # leads of either outcome after a split: with fewer its metrics are mostly luck
RARE_SEGMENTS = f"others (fewer than {LEAST_LEADS} leads each)"
WITH_TREES = ("boosted", "average")

Fit = Callable[[pd.DataFrame], WinModel]  # rows -> an uncalibrated model of them


@dataclass(frozen=True)
class Training:
    """All that can be learned from at K, ready to fit scorers of any kind.

    Attributes:
        history: where the leads are.
        left_out: fields that the features do without.
        features: what is learned from.
        side: all labelled rows of history.
        moments: the splits, rising.
        earlier: what could be learned at each split.
        pools: the rows that come after splits (see `build_pools`).
        matrix: the features of all these rows.
        linear: how logistic regression is fitted; None to choose it within the rows of each fit.
        limit: the time that tuning may take.
        progress: is told how far the work is.
    """

    history: History
    left_out: frozenset[str]
    features: tuple[Feature, ...]
    side: Side
    moments: list[int]
    earlier: list[Side]
    pools: dict[str, Side]
    matrix: Matrix
    linear: Linear | None = None
    limit: TimeLimit = field(default_factory=TimeLimit)
    progress: Progress = silent

    @property
    def is_crossed(self) -> bool:
        """Whether cross-validation evaluates and makes all choices: nothing says who is later."""
        return not (self.moments or self.history.settings.is_dated)

    @cached_property
    def learned(self) -> list[pd.DataFrame]:
        """The rows that learn at each split (see `sample_sides`)."""
        return sample_sides(self.earlier, seed=self.history.settings.seed)

    def last(self) -> Side:
        """The rows that evaluate: those after the last split or, cross-validated, all."""
        return self.pools.get("last", self.side)

    def repeats(self) -> int:
        """How often each row that evaluates was predicted."""
        return count_repeats(len(self.side.rows)) if self.is_crossed else 1

    def without(self, fields: AbstractSet[str]) -> Training:
        """The same without the features that rest on some fields."""
        left_out = self.left_out | fields
        features = tuple(build_features(self.history.settings, leave_out=left_out))
        names = tuple(feature.name for feature in features)
        matrix = replace(self.matrix, columns=Named(self.matrix.columns, names))
        return replace(self, left_out=left_out, features=features, matrix=matrix)

    def kinds(self) -> list[str]:
        """The kinds of scorer to try, the simplest first."""
        points = predict_log_odds(self.fit_scorecard(), self.matrix)
        has_points = bool(np.ptp(points) > 0)
        chosen = self.history.settings.model.scorer
        return allowed_scorers(self.side, chosen=chosen, has_points=has_points)

    def fit_scorecard(self) -> WinModel:
        """The scorecard of the settings, which learns nothing."""
        nothing = self.side.rows.iloc[:0]
        return self.fit("scorecard", nothing, boosting=Boosting())

    def fit(self, kind: str, rows: pd.DataFrame, *, boosting: Boosting | None) -> WinModel:
        """An uncalibrated model of that kind fitted on some rows.

        Without `boosting` the size of its trees is tuned within these rows.
        """
        settings = self.history.settings
        if boosting is None:
            boosting = self.tune_within(rows).boosting if kind in WITH_TREES else Boosting()
        return fit_scorer(
            self.matrix,
            rows,
            kind=kind,
            features=self.features,
            scorecard=settings.scorecard,
            boosting=boosting,
            linear=self.linear,
            seed=settings.seed,
            threads=settings.engine.threads,
        )

    def tune_within(self, rows: pd.DataFrame) -> Tuning:
        """The size of the boosted trees, tuned by cross-validation within some rows."""
        settings = self.history.settings
        return tune_within(
            self.matrix,
            rows,
            features=self.features,
            trials=settings.model.trials,
            seed=settings.seed,
            limit=self.limit,
        )

    def predict(self, kind: str, *, boosting: Boosting | None) -> dict[str, HeldOut]:
        """Held-out predictions by pool; without splits, "last" is all rows, cross-validated.

        Where the splits before the last can choose nothing, "inner" is what could be learned at the
        last split, cross-validated by lead: it knows nothing of what came after.
        """
        fit = partial(self.fit, kind, boosting=boosting)
        what = f"fitting {kind}"
        if not self.moments:
            validated = self._cross_validate(self.side, fit, repeats=self.repeats(), what=what)
            return {"last": validated}

        held_out = self._predict_pools(fit, kind=kind)
        if not can_choose(held_out):
            inner = self.earlier[-1]
            held_out["inner"] = self._cross_validate(inner, fit, repeats=1, what=what)
        return held_out

    def _predict_pools(self, fit: Fit, *, kind: str) -> dict[str, HeldOut]:
        """The rows of every pool, predicted by models fitted on what was known at the splits."""
        done = itertools.count()

        def fit_rows(rows: pd.DataFrame) -> WinModel:
            self.progress(f"fitting {kind}", next(done), len(self.learned))
            return fit(rows)

        models = self._fit_splits(fit_rows, kind=kind)
        held_out = {}
        for name, pool in self.pools.items():
            log_odds = predict_pool(self.matrix, pool, self.moments, models)
            rows = self.matrix.take_keys(pool.rows)
            held_out[name] = HeldOut(pool, log_odds, rows.units(), together=rows.groups())
        return held_out

    def _fit_splits(self, fit: Fit, *, kind: str) -> list[WinModel]:
        """A model of the rows that learn at each split.

        Trees of few rows are fitted side by side, those of many one after another by threads of
        LightGBM: the rows of one, as they are encoded, take as much memory as the matrix.
        """
        if kind != "boosted":
            return list(map(fit, self.learned))
        few = list(itertools.takewhile(_has_few_rows, self.learned))
        many = self.learned[len(few) :]
        models = map_in_threads(fit, few, threads=self.history.settings.engine.threads)
        return models + list(map(fit, many))

    def _cross_validate(self, side: Side, fit: Fit, *, repeats: int, what: str) -> HeldOut:
        """A side's rows, predicted by models that saw no row of their group.

        Each repeat has other folds. Undated rows are ranked within their fold.
        """
        steps = FOLDS * repeats
        done = 0
        self.progress(what, done, steps)

        def fold_done() -> None:
            nonlocal done
            done += 1
            self.progress(what, done, steps)

        log_odds, folds = [], []
        for repeat, seed in enumerate(self.fold_seeds(repeats)):
            predicted, fold = cross_validate(self.matrix, side, fit, seed=seed, done=fold_done)
            log_odds.append(predicted)
            folds.append(FOLDS * repeat + fold)

        rows = self.matrix.take_keys(side.rows)
        blocks = np.stack(folds) if side.target is None else None
        stacked = np.stack(log_odds)
        return HeldOut(side, stacked, rows.units(), blocks, together=rows.groups())

    def fold_seeds(self, repeats: int) -> list[tuple[int, ...]]:
        """The seed of the folds of each repeat; empty for folds that are not random."""
        if repeats == 1:
            return [()]
        own_seed = self.history.settings.seed
        return [(own_seed, repeat) for repeat in range(repeats)]

    def divide(self, held_out: Mapping[str, HeldOut], model: WinModel) -> Segmented:
        """Predictions corrected by models of segments, if the settings ask for such."""
        settings = self.history.settings.model
        if not (settings.segment and settings.segment_models):
            return Segmented(dict(held_out), {}, SegmentModels())
        field = settings.segment
        return choose_segments(held_out, model, self.matrix, self.features, field=field)

    def segment_of_evaluated(self) -> np.ndarray | None:
        """The segment (n,) of each row that evaluates, once a repeat, as known at its date.

        Values of few leads are one segment: they may be names, and many see the reports. None if
        the settings name no segment.
        """
        field = self.history.settings.model.segment
        if field is None:
            return None
        last = self.last()
        lead_id = last.rows["lead_id"].to_numpy()[last.observed]
        of_rows = read_segments(self.history, last.rows, field=field)
        values = of_rows[last.observed]
        pooled = pool_rare_levels(values, lead_id)
        pooled[pooled == OTHER] = RARE_SEGMENTS
        return np.tile(pooled, self.repeats())

    def scorecard_of_evaluated(self) -> np.ndarray:
        """The scorecard's log-odds (n,) of each row that evaluates, once a repeat."""
        last = self.last()
        observed = last.rows[last.observed]
        log_odds = predict_log_odds(self.fit_scorecard(), self.matrix.take(observed))
        return np.tile(log_odds, self.repeats())

    def evaluated_on(self) -> str:
        """On which leads the last split evaluates, in words."""
        if not self.moments:
            return self.basis()
        return f"{self.basis()} from {self.history.name(self.moments[-1])}"

    def basis(self) -> str:
        """What the predictions that evaluate are, in words."""
        return describe_basis(
            self.history.settings.time,
            later_share=self._later_share(),
            identical_together=self.matrix.identical_together,
            repeats=self.repeats(),
        )

    def _later_share(self) -> float | None:
        """The share of the labelled leads that come after the last split; None without splits."""
        if not self.moments:
            return None
        before = sum(self.earlier[-1].count_leads())
        after = sum(self.pools["last"].count_leads())
        return after / (before + after)


def _has_few_rows(rows: pd.DataFrame) -> bool:
    """Whether LightGBM fits the labelled ones on one thread."""
    return bool(rows["label"].count() < THREADED_ROWS)


def open_training(
    history: History,
    *,
    known_us: int,
    progress: Progress,
    leave_out: AbstractSet[str],
) -> Training:
    """History as of `known_us`, split and turned into features.

    Raises:
        TooLittleHistoryError: history before K is too short for the horizon, or has too
            few wins or losses.
    """
    side = history.earlier_side(known_us)
    side.check(tables=history.settings.tables(), least=MIN_OUTCOMES)
    features = tuple(build_features(history.settings, leave_out=leave_out))

    moments = history.split_moments(known_us, least=MIN_OUTCOMES, least_later=MIN_EVALUATED)
    moments = keep_late_moments(history, moments, known_us=known_us)
    earlier = [history.earlier_side(moment) for moment in moments]
    pools = build_pools(history, moments, known_us)

    rows = _distinct_snapshots([side, *earlier, *pools.values()])
    matrix = build_matrix(history.snapshot(rows), features, progress=progress)
    return Training(
        history,
        frozenset(leave_out),
        features,
        side,
        moments,
        earlier,
        pools,
        matrix,
        limit=TimeLimit(history.settings.model.time_limit_s),
        progress=progress,
    )


def _distinct_snapshots(sides: list[Side]) -> pd.DataFrame:
    """The snapshots of all sides, once each: their features do not depend on the side."""
    keys = [side.rows[KEYS] for side in sides]
    rows = pd.concat(keys)
    return rows.drop_duplicates(["lead_id", "as_of_us"])
