"""Leads of a file that only says what happened: the first row of each, made by a view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from leadscore.engine.protocol import quoted_name
from leadscore.ingest.readers.batch import SourceFile
from leadscore.onboarding import words
from leadscore.onboarding.events import kind_score, when_score
from leadscore.onboarding.profile import Column, Profile, ViewOf, among, best

FIRST_ROWS = "first_rows"  # the view of them
FEWEST = 10  # leads
LEAST_ROWS = 1.5  # of a lead, on average
MOSTLY = 0.9
COMMENT = "the file says what happened; the first row of each lead is its creation"


def find_first_rows(profile: Profile) -> Profile | None:
    """The first rows of what a log of events is about, or None if a file is no such log.

    A log names something in several rows, most of which begin with the same kind of event and end at
    most once with one that means won or lost.
    """
    columns = list(profile.columns.values())
    when = best(profile.dates(), when_score)
    if when is None or when.filled < when.rows:
        return None
    others = [column for column in columns if column is not when]
    with_ends = [column for column in others if _names_both_ends(column)]
    kind = best(with_ends, kind_score)
    repeating = [column for column in others if _repeats(column)]
    ref = best(repeating, _ref_score)
    moment = _moment_sql(when)
    if kind is None or ref is None or ref is kind or moment is None:
        return None
    firsts = _places_of_firsts(ref, when)
    if not _is_log(ref, kind, firsts):
        return None
    of_leads = [column for column in columns if column is when or not column.is_unique]
    sql = _first_rows_sql(profile, ref, moment)
    return _profile_of(profile, of_leads, firsts, sql=sql)


def _names_both_ends(column: Column) -> bool:
    names_wins = any(map(words.means_won, column.values))
    names_losses = any(map(words.means_lost, column.values))
    return names_wins and names_losses and len(column.values) > len(("won", "lost"))


def _repeats(column: Column) -> bool:
    names = len(column.values)
    is_filled = column.filled == column.rows
    return names >= FEWEST and is_filled and column.rows >= LEAST_ROWS * names


def _ref_score(column: Column) -> float:
    """Of the columns that are called like ids, the one with the most values."""
    if column.date_order is not None or not words.speaks_of(column.name, words.ID):
        return 0
    return len(column.values)


def _places_of_firsts(ref: Column, when: Column) -> np.ndarray:
    """Where the first row of each value of `ref` is (n,), by time, then as they stand."""
    codes = ref.text.dictionary_encode().indices.to_numpy()
    in_time = np.argsort(when.moments, kind="stable")
    _, first = np.unique(codes[in_time], return_index=True)
    return np.sort(in_time[first])


def _is_log(ref: Column, kind: Column, firsts: np.ndarray) -> bool:
    """Whether nearly all begin with the same kind, which is no end, and few end twice."""
    texts = kind.text.to_numpy(zero_copy_only=False)
    first_kinds = texts[firsts].astype(str)
    begins, counts = np.unique(first_kinds, return_counts=True)
    usual = str(begins[counts.argmax()])
    begin_alike = counts.max() >= MOSTLY * len(firsts)

    won = [value for value in kind.values if words.means_won(value)]
    lost = [value for value in kind.values if words.means_lost(value)]
    ends = {*won, *lost}
    is_end = pa.array(among(kind, ends))
    ended = ref.text.filter(is_end)
    end_once = len(ended.unique()) >= MOSTLY * len(ended)
    return begin_alike and usual not in ends and end_once


def _profile_of(
    profile: Profile,
    columns: Sequence[Column],
    firsts: np.ndarray,
    *,
    sql: str,
) -> Profile:
    rows = pa.array(firsts)
    filled = {}
    for column in columns:
        taken = replace(column, text=column.text.take(rows))
        if taken.values:
            filled[column.name] = taken
    name = f"first rows of {profile.file.name}"
    file = SourceFile(FIRST_ROWS, profile.file.path, name)
    return replace(
        profile, file=file, columns=filled, rows=len(firsts), view=ViewOf(profile, sql, COMMENT)
    )


def _moment_sql(when: Column) -> str | None:
    """SQL by which rows are in the order of time; None for dates that SQL does not read."""
    counts_time = all(value.isdigit() for value in when.values)
    if not counts_time and when.date_order != "iso":
        return None
    of_type = "BIGINT" if counts_time else "TIMESTAMP"
    return f"TRY_CAST({quoted_name(when.name)} AS {of_type})"


def _first_rows_sql(profile: Profile, ref: Column, moment: str) -> str:
    order = ", ".join((moment, "_file", "_line"))
    return (
        f"SELECT * FROM {quoted_name(profile.file.source)} "
        f"QUALIFY row_number() OVER (PARTITION BY {quoted_name(ref.name)} ORDER BY {order}) = 1"
    )
