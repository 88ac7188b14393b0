"""Leads of a part are found among all of them, and parts follow each other."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from leadscore.history.chunks import split_between_leads, take_leads

ids = st.lists(st.text(alphabet="aZ-ü\U0001f600é0", max_size=3), max_size=8)


@given(ids, ids)
def test_rows_of_some_leads_when_taken_by_their_range_then_are_those_that_name_them(listed, asked):
    rows = pd.DataFrame({"lead_id": pd.array(sorted(listed), dtype="str")})
    taken = take_leads(rows, np.array(asked, dtype=object))
    assert taken.equals(rows[rows["lead_id"].isin(asked)])


@given(ids, st.integers(1, 5))
def test_rows_when_split_then_no_lead_is_in_two_parts_and_none_is_lost(listed, size):
    rows = pd.DataFrame({"lead_id": pd.array(sorted(listed), dtype="str")})
    parts = list(split_between_leads(rows, size))
    assert pd.concat(parts).equals(rows)
    of_parts = [set(part["lead_id"]) for part in parts]
    assert sum(map(len, of_parts)) == len(set(listed))
