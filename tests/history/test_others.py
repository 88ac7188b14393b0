"""Somebody else's scores as known at a moment: cases by hand, and laws."""

import numpy as np
import pandas as pd
import pytest

from builders import Facts, day
from leadscore.features.matrix import build_features, build_matrix


def asked(*moments, lead="a"):
    return pd.DataFrame({"lead_id": [lead] * len(moments), "known_us": [day(at) for at in moments]})


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    facts = Facts().lead("a", 1).lead("b", 1)
    facts.score("a", 3, "points", 40).score("a", 9, "points", 0.1234).score("a", 5, "other", 7)
    facts.score("a", 12, "points", 60, known=20)  # known late
    facts.score("b", 4, "points", 1, seq=1).score("b", 4, "points", 2, seq=0)
    return facts.history(tmp_path_factory.mktemp("others"), known_until=30)


@pytest.mark.parametrize(("at", "value"), [
    (2, None), (3, None), (3.1, 40), (9, 40), (9.1, 0.1234), (13, 0.1234), (20, 0.1234), (21, 60),
])  # fmt: skip
def test_value_when_asked_at_a_moment_then_is_the_latest_known_just_before(history, at, value):
    values = history.facts.others.values("points", asked(at))
    assert values.tolist() == (
        [pytest.approx(value)] if value is not None else pytest.approx([np.nan], nan_ok=True)
    )


def test_values_when_asked_in_any_order_then_follow_the_rows(history):
    rows = pd.concat([asked(21, 4, 21), asked(5, lead="b"), asked(9, lead="nobody")])
    assert history.facts.others.values("points", rows)[:4].tolist() == [60, 40, 60, 1]
    assert np.isnan(history.facts.others.values("points", rows)[4])


def test_names_when_asked_then_are_those_known_by_then(history):
    assert history.facts.others.names(day(4)) == ["points"]
    assert history.facts.others.names(day(30)) == ["other", "points"]


def test_moves_when_asked_about_the_past_then_later_ones_are_unknown(history):
    moves = history.facts.others.moves("points", day(15))
    assert moves["value"].tolist() == [40, 0.1234, 2, 1]


def test_features_when_somebody_scores_leads_then_nothing_changes(history, tmp_path):
    bare = Facts().lead("a", 1).lead("b", 1).history(tmp_path, known_until=30)
    features = build_features(bare.settings)
    with_scores = build_matrix(history.snapshot(history.open_list(day(25))), features)
    without = build_matrix(bare.snapshot(bare.open_list(day(25))), features)
    for name, values in without.columns.items():
        np.testing.assert_array_equal(with_scores.columns[name], values, err_msg=name)
