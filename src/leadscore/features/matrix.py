"""The feature matrix: every feature of every snapshot, built alike for training and scoring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.features.account import build_account
from leadscore.features.bant import build_bant
from leadscore.features.contact import build_contact
from leadscore.features.engagement import build_engagement
from leadscore.features.feature import Feature
from leadscore.features.grouping import group_leads
from leadscore.features.narrow import Narrow
from leadscore.features.people import unasked_fields
from leadscore.features.profile import build_profile
from leadscore.features.stage import build_stage
from leadscore.history.snapshot import Snapshot
from leadscore.progress import Progress, silent
from leadscore.settings.settings import Settings


@dataclass(frozen=True)
class Taken(Mapping[str, np.ndarray]):
    """Columns at positions (m,) of others, copied when they are read and not before.

    A training takes most rows of its matrix many times, and reads a column at a time.
    """

    columns: Mapping[str, np.ndarray]
    at: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        if isinstance(self.columns, Narrow):
            return self.columns.take(name, self.at)
        return np.asarray(self.columns[name][self.at])

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @classmethod
    def of(cls, columns: Mapping[str, np.ndarray], at: np.ndarray) -> Taken:
        """Columns at positions, which may be taken themselves."""
        if isinstance(columns, Taken):
            return cls(columns.columns, columns.at[at])
        return cls(columns, at)


@dataclass(frozen=True)
class Named(Mapping[str, np.ndarray]):
    """Some columns of others, which are read when they are asked for and not before."""

    columns: Mapping[str, np.ndarray]
    names: tuple[str, ...]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            raise KeyError(name)
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Matrix:
    """The features of n snapshots, not yet encoded, in the order of `keys` (lead_id, as_of_us).

    `columns` maps a feature's name to its values (n,): float64 with NaN for unknown, or text with
    None. `identical_together` says that two leads of equal features may be one that was exported
    twice. `lead_keys` are the account and the contact (n,) of the leads, where they are mapped.
    """

    keys: pd.DataFrame
    columns: Mapping[str, np.ndarray]
    identical_together: bool = False
    lead_keys: tuple[np.ndarray, ...] = ()

    def groups(self) -> np.ndarray:
        """Groups (n,) of rows that cross-validation must keep together, whatever their order.

        They are the rows of a lead, or, `identical_together`, those with equal features; and those
        of an account or contact, where one is mapped (see `group_leads`).
        """
        units = self.units()
        return group_leads(units, self.lead_keys) if self.lead_keys else units

    def units(self) -> np.ndarray:
        """What is counted, and resampled for intervals (n,), whatever the order of the rows.

        It is the lead's id, or, `identical_together`, a number for each set of equal features.
        """
        if not self.identical_together:
            return self.keys["lead_id"].to_numpy()
        values = pd.DataFrame(dict(self.columns))
        by_values = values.groupby(list(values), dropna=False, sort=True)
        return by_values.ngroup().to_numpy()

    def take(self, rows: pd.DataFrame) -> Matrix:
        """The same features for a list of snapshots, in its order.

        Every one of them must be in this matrix.
        """
        return self.rows(self._find(rows))

    def take_keys(self, rows: pd.DataFrame) -> Matrix:
        """The same with no more of the features than `units` and `groups` read."""
        keys = self if self.identical_together else self.only(frozenset())
        return keys.rows(self._find(rows))

    def _find(self, rows: pd.DataFrame) -> np.ndarray:
        """The positions (m,) of snapshots.

        Raises:
            KeyError: some are not in this matrix.
        """
        asked = pd.MultiIndex.from_frame(rows[["lead_id", "as_of_us"]])
        place = self._present.get_indexer(asked)
        absent = (place < 0).sum()
        if absent:
            raise KeyError(f"{absent} snapshots are not in the matrix")
        return np.asarray(place)

    @cached_property
    def _present(self) -> pd.MultiIndex:
        """The snapshots; a training takes rows of one matrix again and again."""
        return pd.MultiIndex.from_frame(self.keys)

    def only(self, names: AbstractSet[str]) -> Matrix:
        """The same with some of the features; a name that is none of them is passed over."""
        named = {name: self.columns[name] for name in self.columns if name in names}
        return replace(self, columns=named)

    def rows(self, at: np.ndarray) -> Matrix:
        """The rows at positions (m,), whose columns are copied when they are read."""
        keys = self.keys.iloc[at]
        return replace(
            self,
            keys=keys.reset_index(drop=True),
            columns=Taken.of(self.columns, at),
            lead_keys=tuple(texts[at] for texts in self.lead_keys),
        )


def build_features(
    settings: Settings,
    *,
    leave_out: AbstractSet[str] = frozenset(),
) -> list[Feature]:
    """All features that the settings give, in a fixed order, without the fields in `leave_out`.

    Fields that name our own people are left out too, unless the settings say `learn = true` (see
    `people`).
    """
    leave_out = leave_out | unasked_fields(settings)
    bant = build_bant(settings, leave_out=leave_out)
    profile = build_profile(settings, leave_out=leave_out)
    if not settings.is_dated:  # engagement and stages are measured by when they happened
        return [*bant, *profile]
    engagement = build_engagement(settings.activity_kinds(), settings.kinds)
    contact = build_contact(settings)
    stage = build_stage(settings.stages)
    account = build_account(settings, leave_out=leave_out)
    return [*bant, *engagement, *contact, *stage, *account, *profile]


def build_matrix(
    snapshot: Snapshot,
    features: Sequence[Feature],
    *,
    progress: Progress = silent,
) -> Matrix:
    """The features of a snapshot's list, chunk by chunk; ordered by lead_id and as_of_us."""
    rows = len(snapshot.rows)
    columns = Narrow.allocate(features, rows=rows)
    keys: list[pd.DataFrame] = []
    done = 0
    for part in build_parts(snapshot, features):
        for name, finished in part.columns.items():
            columns.fill(name, done, finished)
        keys.append(part.keys)
        done += len(part.keys)
        progress("building features", done, rows)

    together = snapshot.identical_rows == "together"
    if snapshot.identical_rows == "copies":
        together = _may_be_copies(columns, rows=rows)
    lead_keys = tuple(snapshot.key_texts().values()) if snapshot.keys else ()
    return Matrix(
        keys=pd.concat(keys, ignore_index=True),
        columns=columns,
        identical_together=together,
        lead_keys=lead_keys,
    )


def build_parts(snapshot: Snapshot, features: Sequence[Feature]) -> Iterator[Matrix]:
    """The same in parts that follow each other, for lists that are too long for memory.

    Which rows share a group (see `Matrix`) is known of a whole list alone.
    """
    for table in snapshot.aggregate(list_measures(features)):
        yield Matrix(copy_keys(table), finish_rows(table, features))


def copy_keys(table: pa.Table) -> pd.DataFrame:
    """The keys of rows from an engine, in memory of their own.

    All columns of a batch that DuckDB gives are freed together, so whoever holds a text of Arrow from
    it holds hundreds of columns.
    """
    keys = table.select(["lead_id", "as_of_us"])
    every_row = np.arange(len(keys))
    copied: pd.DataFrame = keys.take(every_row).to_pandas()
    return copied


def finish_rows(
    rows: pa.Table | pa.RecordBatch,
    features: Sequence[Feature],
) -> dict[str, np.ndarray]:
    """The features (n,) of rows (n,) as SQL gives them (see `Snapshot.aggregate`)."""
    columns = {name: _to_numpy(rows[name]) for name in rows.schema.names}
    as_of_us = rows["as_of_us"].to_numpy()
    return {feature.name: feature.finish(columns, as_of_us) for feature in features}


def list_measures(features: Sequence[Feature]) -> dict[str, dict[str, str]]:
    """Relation -> name -> expression of all columns that features rest on, each once."""
    measures: dict[str, dict[str, str]] = {}
    for feature in features:
        for relation, expressions in feature.columns.items():
            measures.setdefault(relation, {}).update(expressions)
    return measures


def _may_be_copies(columns: Mapping[str, np.ndarray], *, rows: int) -> bool:
    """Whether equal rows may well be copies: there are more combinations of values than rows."""
    combinations = 1
    for values in columns.values():
        distinct = pd.unique(pd.Series(values))
        combinations *= len(distinct)
    return combinations > rows


def _to_numpy(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Integers as float64 with NaN for null, text as of `read_texts`.

    That is exact below 2**53, which ingest guarantees.
    """
    if pa.types.is_integer(column.type):
        floats = column.cast(pa.float64(), safe=False)
        numbers: np.ndarray = floats.to_numpy(zero_copy_only=False)
        return numbers
    return read_texts(column)


def read_texts(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Text (n,) as objects with None, equal texts as one object."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    encoded = column.dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    with_unknown = np.array([*texts, None], dtype=object)  # at the place -1
    codes = encoded.indices.fill_null(-1).to_numpy()
    return np.asarray(with_unknown[codes])
