"""Folds that tear no lead, account or contact apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import open_undated, undated_leads, undated_settings
from leadscore.features.grouping import LARGEST_SHARE, group_leads
from leadscore.features.matrix import build_features, build_matrix
from leadscore.model.encode import FOLDS, fold_of_group

KEY = st.sampled_from([None, *(f"k{n}" for n in range(40))])


def texts(values):
    return np.array(values, dtype=object)


def is_small(key, lead_id):
    """Which rows have a key that no more than a fifth of the leads share."""
    pairs = pd.DataFrame({"key": key, "lead": lead_id}).drop_duplicates().dropna()
    leads = pairs.groupby("key")["lead"].size()
    small = leads.index[leads <= max(2, LARGEST_SHARE * len(set(lead_id)))]
    return pd.Series(key).isin(small).to_numpy()


@given(
    account_of=st.lists(KEY, min_size=61, max_size=61),
    rows=st.lists(st.tuples(st.integers(0, 60), KEY), min_size=1, max_size=120),
    random=st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_folds_when_keys_are_mapped_then_tear_no_lead_or_account_apart_in_any_order(
    account_of, rows, random
):
    leads, contacts = (texts(column) for column in zip(*rows, strict=True))
    accounts = texts([account_of[lead] for lead in leads])
    fold = fold_of_group(group_leads(leads, [accounts, contacts]))
    assert pd.Series(fold).groupby(leads).nunique().max() == 1
    small = is_small(accounts, leads)
    if small.any():
        assert pd.Series(fold[small]).groupby(accounts[small]).nunique().max() == 1

    order = random.sample(range(len(rows)), len(rows))
    shuffled = group_leads(leads[order], [accounts[order], contacts[order]])
    np.testing.assert_array_equal(fold_of_group(shuffled), fold[order])


N = 20
LEADS = texts([f"l{n:02d}" for n in range(N)])


def with_keys(**shared):
    """A key (n,) of its own for each lead, but for those named."""
    key = texts([None] * N)
    for text, places in shared.items():
        key[places] = text
    return key


@pytest.mark.parametrize(
    ("accounts", "contacts", "together"),
    [
        pytest.param({"x": [0, 3]}, {}, [[0, 3]], id="an account"),
        pytest.param({"x": [0, 3]}, {"p": [3, 5]}, [[0, 3, 5]], id="a chain through a contact"),
        pytest.param({"x": [0, 1, 2, 3, 4]}, {}, [], id="an account of too many"),
        pytest.param({"x": [0, 1, 2]}, {"p": [2, 3, 4]}, [[0, 1, 2]], id="a chain too long"),
        pytest.param({}, {"p": [7, 8]}, [[7, 8]], id="a contact alone"),
    ],
)
def test_groups_when_keys_connect_leads_then_hold_them_together(accounts, contacts, together):
    groups = group_leads(LEADS, [with_keys(**accounts), with_keys(**contacts)])
    found = [np.flatnonzero(groups == group).tolist() for group in np.unique(groups)]
    assert [members for members in found if len(members) > 1] == together


@pytest.mark.parametrize("time", ["none", "ordered"])
def test_undated_matrix_when_accounts_are_mapped_then_groups_by_them_and_learns_nothing_from_them(
    time,
):
    rows = undated_leads(leads=60, seed=1)
    plain = undated_settings(time).model_dump(mode="json")["mapping"]
    plain[0]["columns"]["account"] = "firm"
    history = open_undated(
        rows.assign(account=[f"f{n // 4}" for n in range(60)]), time=time, mapping=plain
    )
    side = history.earlier_side(10**9)
    features = build_features(history.settings)
    matrix = build_matrix(history.snapshot(side.rows), features)
    assert len(np.unique(matrix.groups())) == 15
    assert len(np.unique(matrix.units())) == 60
    assert not [feature.name for feature in features if "account" in feature.name]
    fold = fold_of_group(matrix.take(side.rows).groups())
    assert np.unique(fold, return_counts=True)[1].tolist() == [12] * FOLDS
