"""What was known of leads at an earlier moment, where only those with news are built again."""

import numpy as np
import pytest

import histories
from builders import Facts, day, make_settings
from leadscore.features.matrix import build_features, build_matrix
from leadscore.scoring.replay import replay_lists

NOW = 60.0


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    settings = histories.sales_settings(tmp_path_factory.mktemp("replay"))
    facts = histories.sales_facts(settings, leads=150, days=NOW, seed=4)
    for row in facts.rows["activities"][::7]:  # some are entered days after they happened
        row["available_us"] += day(3) - day(0)
    return facts.history(settings.data_folder, known_until=NOW)


def build_plainly(history, features, lead_id, *, as_of_us, known_us):
    """The matrix of all leads, whatever became known of them."""
    rows = history.open_list(day(NOW))
    rows = rows[rows["lead_id"].isin(lead_id)]
    rows = rows.assign(as_of_us=as_of_us, known_us=known_us)
    matrix = build_matrix(history.snapshot(rows), features)
    keys = matrix.keys["lead_id"].tolist()
    return matrix.rows(np.array([keys.index(lead) for lead in lead_id]))


def assert_same(matrix, expected):
    assert matrix.keys["lead_id"].tolist() == expected.keys["lead_id"].tolist()
    for name, values in expected.columns.items():
        np.testing.assert_array_equal(matrix.columns[name], values, err_msg=name)


@pytest.mark.parametrize("gap", [0.0, 0.5, 3.0, 20.0])
def test_leads_when_replayed_then_are_those_of_a_plain_build(history, gap):
    features = build_features(history.settings)
    now_us, then_us = day(NOW), day(NOW - gap)
    listed = history.open_list(then_us)["lead_id"]
    also = history.open_list(now_us)["lead_id"]
    lead_id = also[also.isin(listed)].to_numpy(dtype=object)[::-1]

    replayed = replay_lists(history, features, lead_id, then_us=then_us, now_us=now_us)

    for matrix, as_of_us, known_us in (
        (replayed.then, then_us, then_us),
        (replayed.later, now_us, then_us),
        (replayed.now, now_us, now_us),
    ):
        assert_same(
            matrix, build_plainly(history, features, lead_id, as_of_us=as_of_us, known_us=known_us)
        )
    assert 0 < replayed.has_news.sum() < len(lead_id) or gap in (0.0, 20.0)

    some = np.arange(len(lead_id))[1::3]
    assert_same(replayed.rows(some).later, replayed.later.rows(some))


def test_plans_when_they_are_booked_called_off_or_over_then_are_news(tmp_path):
    settings = with_plans()
    facts = Facts(settings)
    for lead_id in "abcd":
        facts.lead(lead_id, 10)
    facts.activity("a", NOW + 5, "meeting", known=58, booked_at=day(58))
    facts.activity("b", NOW + 5, "meeting", known=40, booked_at=day(40), outcome="cancelled")
    facts.activity("c", NOW - 1, "meeting", known=40, booked_at=day(40))
    history = facts.history(tmp_path, known_until=NOW)
    features = build_features(settings)
    lead_id = np.array([*"abcd"], dtype=object)
    then_us, now_us = day(NOW - 7), day(NOW)

    replayed = replay_lists(history, features, lead_id, then_us=then_us, now_us=now_us)

    plainly = build_plainly(history, features, lead_id, as_of_us=now_us, known_us=then_us)
    assert_same(replayed.later, plainly)
    assert replayed.has_news.tolist() == [True, True, True, False]


def with_plans():
    """Settings whose activities state what came of them, and since when they were booked."""
    plain = make_settings().model_dump(mode="json")["mapping"][:1]
    names = ("lead_id", "event_at", "kind", "outcome", "booked_at")
    columns = {name: name for name in names}
    entry = {"source": "leads", "table": "activities", "columns": columns}
    return make_settings(mapping=[*plain, entry])
