"""Rows of leads that an export has more than once, which ingest stores once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from leadscore.onboarding import words
from leadscore.onboarding.profile import Column, Profile


def without_repeats(profile: Profile) -> Profile:
    """The profile without rows that equal an earlier one, if only these keep an id from being unique."""
    columns = profile.columns.values()
    has_id = any(column.is_unique for column in columns)
    if has_id or not any(map(_may_be_id, columns)):
        return profile

    values = pd.DataFrame({column.name: column.text.to_pandas() for column in columns})
    is_first = ~values.duplicated().to_numpy()
    first_rows = pa.array(is_first)
    once = {}
    for column in columns:
        once[column.name] = replace(column, text=column.text.filter(first_rows))
    if not any(_may_be_id(column) and column.is_unique for column in once.values()):
        return profile

    rows = int(np.count_nonzero(is_first))
    return replace(profile, columns=once, rows=rows, repeats=profile.rows - rows)


def _may_be_id(column: Column) -> bool:
    """Whether a column is called like an id, and names something new in most rows."""
    names_most = 2 * len(column.values) > column.rows == column.filled
    return names_most and words.speaks_of(column.name, words.ID) > 0
