"""The leads of a list, and what is known of them: all that decisions about them rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, build_matrix
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.scoring.at_once import split_evenly
from leadscore.scoring.bant_answers import BantAnswers, read_answers
from leadscore.scoring.value import Market, build_amount, read_market, take_amounts

Name = TypeVar("Name", bound=str)


@dataclass(frozen=True)
class Listed:
    """The leads (n,) of a list, by lead_id.

    Attributes:
        matrix: their features.
        log_odds: (n,) by the model.
        amount: (n,) as known, NaN where none is.
        answers: on BANT.
        market: what amounts are compared with.
        changed: the fields of which a change was known.
    """

    matrix: Matrix
    log_odds: np.ndarray
    amount: np.ndarray
    answers: BantAnswers
    market: Market
    changed: frozenset[str]

    @property
    def lead_id(self) -> np.ndarray:
        """The ids (n,)."""
        return self.matrix.keys["lead_id"].to_numpy(dtype=object)

    def joined_by(self, others: Listed) -> Listed:
        """This list with other leads in it; of a lead of both, what the others say counts."""
        join = _Join.of(self.lead_id, others.lead_id)
        keys = pd.concat([self.matrix.keys, others.matrix.keys], ignore_index=True)
        columns = join.all(self.matrix.columns, others.matrix.columns)
        answers = BantAnswers(
            strengths=join.all(self.answers.strengths, others.answers.strengths),
            values=join.all(self.answers.values, others.answers.values),
            unlearned=others.answers.unlearned,
        )
        return Listed(
            matrix=Matrix(keys.iloc[join.rows].reset_index(drop=True), columns),
            log_odds=join(self.log_odds, others.log_odds),
            amount=join(self.amount, others.amount),
            answers=answers,
            market=others.market,
            changed=others.changed,
        )


@dataclass(frozen=True)
class _Join:
    """Which rows (m,) of two lists, one after the other, are the joined one."""

    rows: np.ndarray

    @classmethod
    def of(cls, lead_id: np.ndarray, other: np.ndarray) -> _Join:
        """All rows of the other list, and the rest of the first one, by lead_id."""
        is_replaced = pd.Index(lead_id).isin(other)  # numpy compares every text with every other
        stays = np.flatnonzero(~is_replaced)
        rows = np.concatenate([stays, len(lead_id) + np.arange(len(other))])
        lead_ids = np.concatenate([lead_id, other])
        order = np.argsort(lead_ids[rows], kind="stable")
        return cls(rows[order])

    def __call__(self, values: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Both columns joined (m,)."""
        both = np.concatenate([values, other])
        return np.asarray(both[self.rows])

    def all(
        self,
        columns: Mapping[Name, np.ndarray],
        other: Mapping[Name, np.ndarray],
    ) -> dict[Name, np.ndarray]:
        """Columns of both lists, each joined."""
        return {name: self(values, other[name]) for name, values in columns.items()}


def read_listed(
    history: History,
    model: WinModel,
    features: Sequence[Feature],
    *,
    as_of_us: int,
    joining: Listed | None = None,
) -> Listed:
    """The leads that are open at a moment, by what was known then.

    Args:
        history: where the leads are.
        model: what scores them.
        features: that it learned from.
        as_of_us: the moment.
        joining: the list that these leads are to join, whose market is theirs.
    """
    of_amount = build_amount(history.settings)
    snapshot = history.snapshot(history.open_list(as_of_us))
    read = build_matrix(snapshot, [*features, *of_amount])
    matrix = read.without({feature.name for feature in of_amount})
    market = _read_market(history, joining, as_of_us=as_of_us)
    changed = frozenset(history.facts.changed_fields(history.known_us(as_of_us)))
    if joining is not None:
        changed |= joining.changed
    return Listed(
        matrix=matrix,
        log_odds=_predict(model, matrix),
        amount=take_amounts(history, read, as_of_us=as_of_us),
        answers=read_answers(history, matrix, as_of_us=as_of_us, changed=changed),
        market=market,
        changed=changed,
    )


def _predict(model: WinModel, matrix: Matrix) -> np.ndarray:
    """The log-odds (n,); encoded at once, the rows would take their memory twice again."""
    everyone = np.arange(len(matrix.keys))
    parts = [model.log_odds(matrix.rows(at).columns) for at in split_evenly(everyone)]
    return np.concatenate(parts)


def _read_market(history: History, joining: Listed | None, *, as_of_us: int) -> Market:
    """The market of a list; of one that joins another, that of both."""
    if joining is None:
        return read_market(history, as_of_us=as_of_us)
    own = frozenset(history.facts.currencies(history.known_us(as_of_us)))
    return replace(joining.market, currencies=joining.market.currencies | own)
