"""The leads of a list as an earlier list could have known them, to see what changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from leadscore.features.feature import Feature
from leadscore.features.matrix import Matrix, build_matrix
from leadscore.history.news import find_news
from leadscore.history.split import History


@dataclass(frozen=True)
class Replayed:
    """Leads (k,) at two moments; where nothing new became known, only time has passed.

    Attributes:
        then: their features at the earlier moment.
        now: at the later one.
        has_news: (k,) of which leads anything became known between the two.
        of_news: of these (m,) the features of now by what was known then.
    """

    then: Matrix
    now: Matrix
    has_news: np.ndarray
    of_news: Matrix

    @property
    def later(self) -> Matrix:
        """The features of now by what was known then, of all leads (k,)."""
        columns = {}
        for name, values in self.now.columns.items():
            columns[name] = self.fill(values, self.of_news.columns[name])
        return replace(self.now, columns=columns)

    def fill(self, now: np.ndarray, of_news: np.ndarray) -> np.ndarray:
        """Values of now (k, ...) with those by what was known then (m, ...) where there are news."""
        later = now.copy()
        later[self.has_news] = of_news
        return later

    def rows(self, at: np.ndarray) -> Replayed:
        """The leads at positions (j,)."""
        return Replayed(
            then=self.then.rows(at),
            now=self.now.rows(at),
            has_news=self.has_news[at],
            of_news=self.of_news.rows(self.places_among_news(at)),
        )

    def places_among_news(self, at: np.ndarray) -> np.ndarray:
        """The positions in `of_news` of those leads at positions (j,) that have news."""
        place = np.cumsum(self.has_news) - 1
        return np.asarray(place[at[self.has_news[at]]])


def replay_lists(
    history: History,
    features: Sequence[Feature],
    lead_id: np.ndarray,
    *,
    then_us: int,
    now_us: int,
    now: Matrix | None = None,
) -> Replayed:
    """The leads (k,) then, and now by what was known then and by what is known now.

    Args:
        history: where the leads are.
        features: to build.
        lead_id: (k,) leads on the list of now; the matrices have their order.
        then_us: the date of the earlier list.
        now_us: the date of this one.
        now: the features of now (k,), if they are built already.
    """
    listed = _read_rows(history, lead_id, as_of_us=now_us)
    place = pd.Index(listed["lead_id"]).get_indexer(lead_id)
    if now is None:
        now = build_matrix(history.snapshot(listed), features).rows(place)

    from_us, to_us = sorted((then_us, history.known_us(now_us)))
    has_news = find_news(history, lead_id, from_us=from_us, to_us=to_us)
    in_list = np.zeros(len(listed), dtype=bool)
    in_list[place] = has_news
    then = listed.assign(as_of_us=then_us)
    known_then = _build_known(history, features, [then, listed[in_list]], known_us=then_us)

    as_of_us = known_then.keys["as_of_us"].to_numpy()
    of_then = np.flatnonzero(as_of_us == then_us)
    of_now = np.flatnonzero(as_of_us == now_us)
    with_news = pd.Index(known_then.keys["lead_id"].iloc[of_now])
    order = with_news.get_indexer(lead_id[has_news])
    of_news = known_then.rows(of_now[order])
    return Replayed(known_then.rows(of_then[place]), now, has_news, of_news)


def _read_rows(history: History, lead_id: np.ndarray, *, as_of_us: int) -> pd.DataFrame:
    """The open leads of a moment that are among some leads (k,), by lead_id."""
    return history.open_list(as_of_us, among=lead_id)


def _build_known(
    history: History,
    features: Sequence[Feature],
    lists: Sequence[pd.DataFrame],
    *,
    known_us: int,
) -> Matrix:
    """The features of lists by what was known at a moment; of equal rows once."""
    rows = pd.concat(lists).assign(known_us=known_us)
    distinct = rows.drop_duplicates(["lead_id", "as_of_us"])
    return build_matrix(history.snapshot(distinct), features)
