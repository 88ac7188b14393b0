"""The leads of a list, and what is known of them: all that decisions about them rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, build_parts
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.scoring.bant_answers import BantAnswers, read_answers
from leadscore.scoring.parts import Parts
from leadscore.scoring.value import Market, build_amount, read_market, take_amounts
from leadscore.settings.settings import Settings

Name = TypeVar("Name", bound=str)
STAGE = "stage_current"


@dataclass(frozen=True)
class Listed:
    """The leads (n,) of a list, by lead_id: what all of them are compared by.

    Attributes:
        lead_id: (n,) text of Arrow, of which a long list has no object each.
        log_odds: (n,) by the model.
        amount: (n,) as known, NaN where none is.
        stage: (n,) text, None where none is known.
        answers: on BANT.
        market: what amounts are compared with.
        changed: the fields of which a change was known.
    """

    lead_id: pa.Array
    log_odds: np.ndarray
    amount: np.ndarray
    stage: np.ndarray
    answers: BantAnswers
    market: Market
    changed: frozenset[str]

    def joined_by(self, others: Listed) -> Listed:
        """This list with other leads in it; of a lead of both, what the others say counts."""
        join = _Join.of(self.lead_id, others.lead_id)
        answers = BantAnswers(
            strengths=join.all(self.answers.strengths, others.answers.strengths),
            values=join.all(self.answers.values, others.answers.values),
            unlearned=others.answers.unlearned,
        )
        return Listed(
            lead_id=join.lead_id,
            log_odds=join(self.log_odds, others.log_odds),
            amount=join(self.amount, others.amount),
            stage=join(self.stage, others.stage),
            answers=answers,
            market=others.market,
            changed=others.changed,
        )


@dataclass(frozen=True)
class _Join:
    """Which rows (m,) of two lists, one after the other, are the joined one, and their leads."""

    rows: np.ndarray
    lead_id: pa.Array

    @classmethod
    def of(cls, lead_id: pa.Array, other: pa.Array) -> _Join:
        """All rows of the other list, and the rest of the first one, by lead_id."""
        stays = np.flatnonzero(pc.invert(pc.is_in(lead_id, other)))
        rows = np.concatenate([stays, len(lead_id) + np.arange(len(other))])
        lead_ids = pa.concat_arrays([lead_id, other]).take(rows)
        order = pc.sort_indices(lead_ids)
        return cls(rows[order], lead_ids.take(order))

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
) -> tuple[Listed, Parts]:
    """The leads that are open at a moment, by what was known then, and their features.

    Args:
        history: where the leads are.
        model: what scores them.
        features: that it learned from.
        as_of_us: the moment.
        joining: the list that these leads are to join, whose market is theirs.
    """
    parts = Parts()
    changed = _read_changed(history, joining, as_of_us=as_of_us)
    names = {feature.name for feature in features}
    log_odds = []
    compared = []
    answers = []
    for read in _read_parts(history, features, as_of_us=as_of_us):
        learned = read.only(names)
        log_odds.append(model.log_odds(read.columns))
        compared.append(read.only(_name_compared(history.settings)))
        answers.append(read_answers(history, learned, as_of_us=as_of_us, changed=changed))
        parts.add(learned)

    matrix = _join_parts(compared)
    listed = Listed(
        lead_id=_read_ids(matrix),
        log_odds=np.concatenate(log_odds),
        amount=take_amounts(history, matrix, as_of_us=as_of_us),
        stage=_read_stage(matrix),
        answers=BantAnswers.join(answers),
        market=_read_market(history, joining, as_of_us=as_of_us),
        changed=changed,
    )
    return listed, parts


def _read_parts(
    history: History,
    features: Sequence[Feature],
    *,
    as_of_us: int,
) -> Iterator[Matrix]:
    """The features of the open leads, and what `take_amounts` reads, part by part."""
    snapshot = history.snapshot(history.open_list(as_of_us))
    return build_parts(snapshot, [*features, *build_amount(history.settings)])


def _name_compared(settings: Settings) -> set[str]:
    """The columns that leads are compared by, but for their answers."""
    return {STAGE, *(feature.name for feature in build_amount(settings))}


def _read_stage(matrix: Matrix) -> np.ndarray:
    """The stage (n,) of each lead, None where it is not known."""
    unknown = np.full(len(matrix.keys), None, dtype=object)
    return matrix.columns.get(STAGE, unknown)


def _read_ids(matrix: Matrix) -> pa.Array:
    """The leads (n,) in one piece; of none, or of several parts joined, pandas gives another number of them."""
    ids = pa.table({"lead_id": matrix.keys["lead_id"]}, pa.schema([("lead_id", pa.string())]))
    return ids["lead_id"].combine_chunks()


def _join_parts(parts: Sequence[Matrix]) -> Matrix:
    keys = pd.concat([part.keys for part in parts], ignore_index=True)
    columns = {}
    for name in parts[0].columns:
        columns[name] = np.concatenate([part.columns[name] for part in parts])
    return Matrix(keys, columns)


def _read_market(history: History, joining: Listed | None, *, as_of_us: int) -> Market:
    """The market of a list; of one that joins another, that of both."""
    if joining is None:
        return read_market(history, as_of_us=as_of_us)
    own = frozenset(history.facts.currencies(history.known_us(as_of_us)))
    return replace(joining.market, currencies=joining.market.currencies | own)


def _read_changed(history: History, joining: Listed | None, *, as_of_us: int) -> frozenset[str]:
    """The fields of which a change was known; of a list that joins another, those of both."""
    own = frozenset(history.facts.changed_fields(history.known_us(as_of_us)))
    return own if joining is None else own | joining.changed
