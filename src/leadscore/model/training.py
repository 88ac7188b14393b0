"""All that can be learned from at a moment K: rows, splits and features, and predictions for rows not learned from.

Only facts known before K are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import pandas as pd

from leadscore.evaluation.learning import compute_learning
from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.history.labels import Side
from leadscore.history.snapshot import KEYS
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.choose import (
    allowed_scorers,
    choose_fields,
)
from leadscore.model.encode import FOLDS, LEAST_LEADS, OTHER, pool_rare_levels
from leadscore.model.fit import cross_validate, fit_scorer
from leadscore.model.held_out import HeldOut, build_pools, can_choose, predict_pool
from leadscore.model.judge import basis_of, count_repeats
from leadscore.model.periods import keep_late_moments
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.linear_choice import Linear, choose_linear
from leadscore.model.scorers.segments import Segmented, choose_segments, read_segments
from leadscore.model.scorers.time_limit import TimeLimit
from leadscore.model.scorers.tune import Tuning, tune_boosted
from leadscore.model.scorers.tune_within import tune_within
from leadscore.progress import Progress, silent

MIN_OUTCOMES = 20  # snapshots won, and as many not won: with fewer nothing can be learned
MIN_EVALUATED = 30  # leads of either outcome after a split: with fewer its figures are mostly luck
TUNED_SPLITS = 3  # the latest that may be tuned on: each costs every trial a fit
RARE_SEGMENTS = f"others (fewer than {LEAST_LEADS} leads each)"
WITH_TREES = ("boosted", "average")


@dataclass(frozen=True)
class Training:
    """All that can be learned from at K, ready to fit scorers of any kind.

    `left_out` are the fields that `features` do without. `moments` are the splits, `earlier` what could be learned at
    each, `pools` the later rows that judge, `matrix` the features of all of these and of `side`, all of history.
    `linear` is how logistic regression is fitted, None to choose it within the rows of each fit.
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
        """Whether cross-validation has to do for judging and for all choices: nothing says which leads are later."""
        return not (self.moments or self.history.settings.is_dated)

    def fit(self, kind: str, rows: pd.DataFrame, *, boosting: Boosting | None) -> WinModel:
        """An uncalibrated model of a kind, from some rows; without `boosting` its trees are tuned within these."""
        s = self.history.settings
        if boosting is None:
            boosting = self.tune_within(rows).boosting if kind in WITH_TREES else Boosting()
        return fit_scorer(
            self.matrix,
            rows,
            kind=kind,
            features=self.features,
            scorecard=s.scorecard,
            boosting=boosting,
            linear=self.linear,
            seed=s.seed,
            threads=s.engine.threads,
        )

    def predict(self, kind: str, *, boosting: Boosting | None) -> dict[str, HeldOut]:
        """Predictions for the rows of every pool by models that had not seen them; without splits, cross-validated.

        Where the splits before the last can choose nothing, `inner` is what could be learned at the last split,
        cross-validated by lead: it knows nothing of what came after.
        """
        fit = partial(self.fit, kind, boosting=boosting)
        what = f"fitting {kind}"
        if not self.moments:
            return {"last": self._cross_validate(self.side, fit, repeats=self.repeats(), what=what)}
        models = []
        for done, side in enumerate(self.earlier):
            self.progress(what, done, len(self.earlier))
            models.append(fit(side.rows))
        held_out = {}
        for name, pool in self.pools.items():
            log_odds = predict_pool(self.matrix, pool, self.moments, models)
            held_out[name] = HeldOut(pool, log_odds, self.matrix.take(pool.rows).groups())
        if not can_choose(held_out):
            held_out["inner"] = self._cross_validate(self.earlier[-1], fit, repeats=1, what=what)
        return held_out

    def _cross_validate(
        self, side: Side, fit: Callable[[pd.DataFrame], WinModel], *, repeats: int, what: str
    ) -> HeldOut:
        """A side's rows, predicted by models that saw no row of their group; repeated with other folds."""
        deals: list[tuple[int, ...]] = [()]
        if repeats > 1:
            deals = [(self.history.settings.seed, i) for i in range(repeats)]
        steps, of_all = count(1), FOLDS * len(deals)
        self.progress(what, 0, of_all)

        def fold_done() -> None:
            self.progress(what, next(steps), of_all)

        found = [
            cross_validate(self.matrix, side, fit, seed=deal, done=fold_done) for deal in deals
        ]
        log_odds = np.stack([predicted for predicted, _ in found])
        folds = np.stack([FOLDS * i + fold for i, (_, fold) in enumerate(found)])
        blocks = folds if side.target is None else None
        return HeldOut(side, log_odds, self.matrix.take(side.rows).groups(), blocks)

    def without(self, fields: AbstractSet[str]) -> Training:
        """The same, but for features that rest on some fields."""
        left_out = self.left_out | fields
        features = tuple(build_features(self.history.settings, leave_out=left_out))
        columns = {feature.name: self.matrix.columns[feature.name] for feature in features}
        return replace(
            self, left_out=left_out, features=features, matrix=replace(self.matrix, columns=columns)
        )

    def kinds(self) -> list[str]:
        """The kinds of scorer to try."""
        s = self.history.settings
        card = fit_scorer(
            self.matrix,
            self.side.rows.iloc[:0],
            kind="scorecard",
            features=self.features,
            scorecard=s.scorecard,
            seed=0,
            threads=1,
        )
        has_points = bool(np.ptp(card.log_odds(self.matrix.columns)) > 0)
        return allowed_scorers(self.side, chosen=s.model.scorer, has_points=has_points)

    def doubt(self, clocks: AbstractSet[str]) -> tuple[Training, dict[str, Any]]:
        """Without fields that say when rather than who, unless they are clearly worth it; and how that was found."""
        plain = self.without(clocks)
        if not clocks or not plain.features:
            return self, {}
        learned, without = (
            {
                kind: each.predict(kind, boosting=Boosting())
                for kind in each.kinds()
                if kind != "average"
            }
            for each in (self, plain)
        )
        leave_out, losses = choose_fields(learned, without)
        return plain if leave_out else self, {
            "fields": sorted(clocks),
            "left_out": leave_out,
            "log_loss": losses,
        }

    def divide(self, held_out: Mapping[str, HeldOut], model: WinModel) -> Segmented:
        """Predictions corrected in the segments that can have a model of their own, if the settings ask for such."""
        s = self.history.settings.model
        if not (s.segment and s.segment_models):
            return Segmented(dict(held_out), {}, {})
        return choose_segments(held_out, model, self.matrix, self.features, field=s.segment)

    def segment_of_evaluated(self) -> np.ndarray | None:
        """The segment (n,) of each row that judges, once a repeat, as known then; None if the settings name none.

        Values of few leads are one segment: they may be names, and reports are shown to many.
        """
        field = self.history.settings.model.segment
        if field is None:
            return None
        last = self.last()
        values = read_segments(self.history, last.rows, field=field)[last.observed]
        pooled = pool_rare_levels(values, last.rows["lead_id"].to_numpy()[last.observed])
        pooled[pooled == OTHER] = RARE_SEGMENTS
        return np.tile(pooled, self.repeats())

    def scorecard_of_evaluated(self) -> np.ndarray:
        """What the scorecard says (n,) of each row that judges, once a repeat."""
        last = self.last()
        card = self.fit("scorecard", self.side.rows.iloc[:0], boosting=Boosting())
        return np.tile(
            card.log_odds(self.matrix.take(last.rows[last.observed]).columns), self.repeats()
        )

    def last(self) -> Side:
        """The rows that judge: those after the last split, or, cross-validated, all."""
        return self.pools.get("last", self.side)

    def repeats(self) -> int:
        """How often each row that judges was predicted."""
        return count_repeats(len(self.side.rows)) if self.is_crossed else 1

    def learn_in_parts(
        self, kind: str, candidates: Mapping[str, Mapping[str, HeldOut]], *, boosting: Boosting
    ) -> dict[str, Any] | None:
        """The learning curve at the last split; None without one, or for a scorer that learns nothing."""
        if not self.moments or kind == "scorecard":
            return None
        last = self.pools["last"]
        columns = self.matrix.take(last.rows[last.observed]).columns

        def learn(rows: pd.DataFrame) -> np.ndarray:
            return self.fit(kind, rows, boosting=boosting).log_odds(columns)

        log_odds = candidates[kind]["last"].log_odds
        return compute_learning(
            self.earlier[-1], last, log_odds=log_odds, learn=learn, seed=self.history.settings.seed
        )

    def evaluated_on(self) -> str:
        """In words, on which leads the last split judges."""
        since = f" from {self.history.name(self.moments[-1])}" if self.moments else ""
        return f"{self.basis()}{since}"

    def basis(self) -> str:
        """In words, what the predictions that judge are."""
        return basis_of(
            self.history.settings.time,
            later_share=self._later_share(),
            identical_together=self.matrix.identical_together,
            repeats=self.repeats(),
        )

    def _later_share(self) -> float | None:
        """The share of the labelled leads that come after the last split; None without splits."""
        if not self.moments:
            return None
        before, after = (sum(side.count_leads()) for side in (self.earlier[-1], self.pools["last"]))
        return after / (before + after)

    def tune_linear(self) -> Linear | None:
        """How logistic regression is fitted, by the splits before the last one; None where there are too few."""
        pairs = self._earlier_pairs()
        if len(pairs) < 2:
            return None
        return choose_linear(
            self.matrix, pairs, features=self.features, scorecard=self.history.settings.scorecard
        )

    def tune(self) -> Tuning | None:
        """How large the boosted trees may be, by the splits before the last one; None if there is nothing to try."""
        s, pairs = self.history.settings, self._earlier_pairs()
        if s.model.trials == 1:
            return None
        if not s.is_dated and len(pairs) < 2:
            return self.tune_within([self.side, *self.earlier][-1].rows)
        if len(pairs) < 2:
            return None
        return tune_boosted(
            self.matrix,
            pairs,
            features=self.features,
            trials=s.model.trials,
            seed=s.seed,
            threads=s.engine.threads,
            timeout_s=self.limit.left_s(),
        )

    def tune_within(self, rows: pd.DataFrame) -> Tuning:
        """How large the boosted trees may be, by folds of some rows alone."""
        s = self.history.settings
        return tune_within(
            self.matrix,
            rows,
            features=self.features,
            trials=s.model.trials,
            seed=s.seed,
            limit=self.limit,
        )

    def _earlier_pairs(self) -> list[tuple[pd.DataFrame, pd.DataFrame]]:
        """The latest splits but the last: what could be learned at each, and the rows up to the next split."""
        before = self.pools.get("before")
        if before is None:
            return []
        at = before.latest_moment(self.moments)
        later = [before.rows[at == i] for i in range(len(self.moments) - 1)]
        pairs = [
            (side.rows, rows)
            for side, rows in zip(self.earlier, later, strict=False)
            if rows["label"].nunique() == 2
        ]
        return pairs[-TUNED_SPLITS:]


def open_training(
    history: History, *, known_us: int, progress: Progress, leave_out: AbstractSet[str]
) -> Training:
    """History as of `known_us`, split and turned into features.

    Raises:
        FollowUpError: history before K is too short for the horizon.
        TooFewOutcomesError: it has too few wins or losses.
    """
    side = history.earlier_side(known_us)
    side.check(least=MIN_OUTCOMES)
    features = tuple(build_features(history.settings, leave_out=leave_out))
    moments = history.split_moments(known_us, least=MIN_OUTCOMES, least_later=MIN_EVALUATED)
    moments = keep_late_moments(history, moments, known_us=known_us)
    earlier = [history.earlier_side(moment) for moment in moments]
    pools = build_pools(history, moments, known_us)
    rows = pd.concat([each.rows[KEYS] for each in (side, *earlier, *pools.values())])
    rows = rows.drop_duplicates(
        ["lead_id", "as_of_us"]
    )  # a snapshot's features do not depend on its side
    matrix = build_matrix(history.snapshot(rows), features, progress=progress)
    limit = TimeLimit(history.settings.model.time_limit_s)
    return Training(
        history,
        frozenset(leave_out),
        features,
        side,
        moments,
        earlier,
        pools,
        matrix,
        limit=limit,
        progress=progress,
    )
