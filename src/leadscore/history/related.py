"""Other leads of the same account or contact, as they were known at each snapshot.

Counts are differences of sorted moments: of the intervals in which a lead of the account stood in
some way, those that began before the snapshot less those that ended before it. So an account of
any size costs one search a snapshot, and no snapshot is joined with another.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.history.timelines import LISTED, LOST, OPEN, UNKNOWN, WON, Timelines

RELATED = ("leads", "won", "lost", "open", "won_us", "people")  # of other leads of the same key


@dataclass(frozen=True)
class Asked:
    """Snapshots (n,): the place of the lead in `Timelines.lead_id`, and the moment asked about."""

    lead: np.ndarray
    known_us: np.ndarray


class Related:
    """Answers what was known of the leads that share a key with a snapshot's lead."""

    def __init__(self, timelines: Timelines, rows: pd.DataFrame) -> None:
        """Of snapshots `rows` (lead_id, as_of_us, known_us)."""
        self.timelines = timelines
        self.rows = rows
        leads = pd.Index(timelines.lead_id)
        lead = leads.get_indexer(rows["lead_id"])
        known_us = rows["known_us"].to_numpy(dtype=np.int64)
        self.asked = Asked(lead, known_us)

    @cached_property
    def clock(self) -> _Clock:
        """The moments that are compared, as small numbers."""
        intervals = self.timelines.intervals
        return _Clock.of(self.asked.known_us, intervals["from_us"], intervals["to_us"])

    @cached_property
    def now(self) -> np.ndarray:
        """The place (n,) of each snapshot's own interval; `UNKNOWN` where nothing was known."""
        asked = self.asked.lead
        intervals = self.timelines.intervals
        lead = intervals["lead"].to_numpy()
        if not len(lead):
            return np.full(len(asked), UNKNOWN)

        begun = self.clock.join(lead, intervals["from_us"])
        place = self.clock.before(begun, asked) - 1
        is_own = lead[place] == asked
        is_own &= place >= 0
        return np.where(is_own, place, UNKNOWN)

    def own(self, column: str) -> np.ndarray:
        """A column (n,) of the snapshots' own intervals; `UNKNOWN` where nothing was known."""
        intervals = self.timelines.intervals
        values = intervals[column].to_numpy(dtype=np.int64)
        padded = np.append(values, UNKNOWN)  # at the place UNKNOWN
        return np.asarray(padded[self.now])

    def key_texts(self, name: str) -> np.ndarray:
        """The text (n,) of a key as it was known, None where it was not."""
        names = self.timelines.names[name]
        padded = np.array([*names, None], dtype=object)  # at the place UNKNOWN
        return np.asarray(padded[self.own(name)])

    def table(self, name: str, *, other: str | None) -> pa.Table:
        """What was known of other leads of the same key, for the snapshots whose key was known.

        Args:
            name: the key.
            other: the key whose values are counted as people; None if none is.

        Returns:
            lead_id, as_of_us and `RELATED`; won_us is null without a win, people without `other`.
        """
        group = self.own(name)
        is_known = group != UNKNOWN
        lead_id = self.rows["lead_id"][is_known]
        as_of_us = self.rows["as_of_us"][is_known]
        columns = {
            "lead_id": pa.array(lead_id, pa.string()),
            "as_of_us": pa.array(as_of_us, pa.int64()),
        }
        counts = self._count_others(name, group)
        for measure, count in counts.items():
            columns[measure] = pa.array(count[is_known])

        people = np.full(len(group), UNKNOWN)
        if other is not None:
            people = self._count_people(name, other, group)
        won_us = self._last_win(name, group)
        columns["won_us"] = _nullable(won_us[is_known])
        columns["people"] = _nullable(people[is_known])
        return pa.table(columns)

    def _count_others(self, key: str, group: np.ndarray) -> dict[str, np.ndarray]:
        """How many other leads (n,) the group had, in all and by status."""
        in_group = self._count(key, group, self.timelines.intervals)
        counts = {"leads": in_group - 1}
        own_status = self.own("status")
        statuses = {"won": WON, "lost": LOST, "open": OPEN}
        for name, status in statuses.items():
            is_own = own_status == status
            if status == OPEN:
                is_own &= self.own("listed") == LISTED
            standing = self._standing(status)
            in_group = self._count(key, group, standing)
            counts[name] = in_group - is_own.astype(np.int64)
        return counts

    def _standing(self, status: int) -> pd.DataFrame:
        """The intervals of leads that stood so; open ones only while exports had them."""
        intervals = self.timelines.intervals
        stands = intervals["status"] == status
        if status == OPEN:
            stands &= intervals["listed"] == LISTED
        return intervals[stands]

    def _count(self, key: str, group: np.ndarray, intervals: pd.DataFrame) -> np.ndarray:
        """How many intervals (n,) of a group there were at each snapshot."""
        group_of_interval = intervals[key]
        begun = self.clock.join(group_of_interval, intervals["from_us"])
        ended = self.clock.join(group_of_interval, intervals["to_us"])
        n_begun = self.clock.count(begun, group)
        n_ended = self.clock.count(ended, group)
        return np.asarray(n_begun - n_ended)

    def _last_win(self, key: str, group: np.ndarray) -> np.ndarray:
        """When the last win (n,) of another lead of the group became known, else `UNKNOWN`.

        Wins are looked at from the latest back; one that is the lead's own, was not yet of the
        group, or is no longer a win, is passed over.
        """
        wins = self._standing(WON)
        wins = wins[wins[key] != UNKNOWN]
        order = [key, "won_us", "from_us"]
        wins = wins.sort_values(order, ignore_index=True)
        group_of_win = wins[key].to_numpy()
        won_us = wins["won_us"].to_numpy(dtype=np.int64)

        sorted_wins = self.clock.join(group_of_win, won_us)
        place = self.clock.before(sorted_wins, group) - 1
        last_win = np.full(len(group), UNKNOWN)
        is_left = (group != UNKNOWN) & (place >= 0)
        left = np.flatnonzero(is_left)
        while len(left):
            is_of_group = group_of_win[place[left]] == group[left]
            left = left[is_of_group]
            at = place[left]
            counts = self._counts_as_win(wins, at, left)
            last_win[left[counts]] = won_us[at[counts]]

            left = left[~counts]
            place[left] -= 1
            left = left[place[left] >= 0]
        return last_win

    def _counts_as_win(self, wins: pd.DataFrame, at: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Which wins (k,) at places `at` were of another lead and stood, at the snapshots `left`."""
        candidates = wins.take(at)
        lead = candidates["lead"].to_numpy()
        from_us = candidates["from_us"].to_numpy()
        to_us = candidates["to_us"].to_numpy()

        known_us = self.asked.known_us[left]
        is_other = lead != self.asked.lead[left]
        has_begun = from_us < known_us
        has_ended = to_us < known_us  # False for NaN: it never ends
        return np.asarray(is_other & has_begun & ~has_ended)

    def _count_people(self, key: str, other: str, group: np.ndarray) -> np.ndarray:
        """How many values of `other` (n,) the group's other leads had."""
        width = len(self.timelines.names[other]) + 1

        def pair_up(groups: np.ndarray, others: np.ndarray) -> np.ndarray:
            has_both = (groups != UNKNOWN) & (others != UNKNOWN)
            pair = groups * width + others
            return np.where(has_both, pair, UNKNOWN)

        intervals = self.timelines.intervals
        pair = pair_up(intervals[key].to_numpy(), intervals[other].to_numpy())
        pairs = intervals.assign(pair=pair)[pair != UNKNOWN]
        merged = self._merge_pairs(pairs, key)
        people = self._count(key, group, merged)

        own_pair = pair_up(group, self.own(other))
        has_pair = own_pair != UNKNOWN
        with_pair = self._count("pair", own_pair, pairs)
        is_only_own = has_pair & (with_pair == 1)
        return np.asarray(people - is_only_own)

    def _merge_pairs(self, pairs: pd.DataFrame, key: str) -> pd.DataFrame:
        """The intervals in which at least one lead had a pair of keys: key, from_us, to_us."""
        groups = pairs[["pair", key]]
        begins = groups.assign(us=pairs["from_us"], step=1)
        ends = groups.assign(us=pairs["to_us"], step=-1).dropna(subset="us")
        steps = pd.concat([begins, ends])
        steps = steps.sort_values(
            ["pair", "us", "step"],
            ascending=[True, True, False],  # begins before ends
            ignore_index=True,
        )

        steps_of_pair = steps.groupby("pair", sort=False)["step"]
        leads = steps_of_pair.cumsum()
        is_begin = (steps["step"] == 1) & (leads == 1)
        is_end = (steps["step"] == -1) & (leads == 0)
        from_us = steps["us"].where(is_begin)
        to_us = steps["us"].where(is_end)
        merged = steps[[key]].assign(from_us=from_us, to_us=to_us)
        return pd.DataFrame(merged[is_begin | is_end])


def _nullable(values: np.ndarray) -> pa.Array:
    """Integers (n,), null where they are `UNKNOWN`."""
    is_unknown = values == UNKNOWN
    return pa.array(values, pa.int64(), mask=is_unknown)


@dataclass(frozen=True)
class _Clock:
    """Moments as small numbers, so that a group and a moment make one number to search for.

    Attributes:
        moments: distinct, rising; a moment's number is its place among them.
        asked: (n,) the numbers of the moments that are asked about.
    """

    moments: np.ndarray
    asked: np.ndarray

    @classmethod
    def of(cls, asked_us: np.ndarray, *columns: pd.Series) -> _Clock:
        """Of the moments that are asked about, and of those that they are compared with."""
        every_moment = [asked_us]
        for column in columns:
            known = column.dropna()
            every_moment.append(known.to_numpy(dtype=np.int64))
        moments = np.unique(np.concatenate(every_moment))
        return cls(moments, np.searchsorted(moments, asked_us))

    def join(self, group: pd.Series | np.ndarray, us: pd.Series | np.ndarray) -> np.ndarray:
        """Group and moment as one number, rising; rows without a moment or a group are left out."""
        group = np.asarray(group)
        moment = pd.Series(np.asarray(us))
        has_moment = moment.notna().to_numpy()
        has_group = group != UNKNOWN
        is_known = has_moment & has_group
        moments = moment[is_known].to_numpy(dtype=np.int64)
        numbers = np.searchsorted(self.moments, moments)
        return np.sort(self._first(group[is_known]) + numbers)

    def before(self, joined: np.ndarray, group: np.ndarray) -> np.ndarray:
        """How many of `joined` come before the group and the moment of each question (n,)."""
        wanted = self._first(group) + self.asked
        return np.asarray(np.searchsorted(joined, wanted, side="left"))

    def count(self, joined: np.ndarray, group: np.ndarray) -> np.ndarray:
        """How many of `joined` are of the group of each question (n,), and before its moment."""
        of_earlier_groups = np.searchsorted(joined, self._first(group), side="left")
        return np.asarray(self.before(joined, group) - of_earlier_groups)

    def _first(self, group: np.ndarray) -> np.ndarray:
        """The number (n,) of each group and the earliest moment."""
        width = len(self.moments) + 1
        return np.asarray(group * width)
