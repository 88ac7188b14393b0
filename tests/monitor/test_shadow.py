"""A challenger's lists beside the published ones: figures by hand."""

import numpy as np
import pytest

from builders import Facts, day
from leadscore.monitor.settle import settle
from leadscore.monitor.shadow import compare_shadow
from settlings import scored

UNTIL = 100


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    facts = Facts()
    for lead in "abcd":
        facts.lead(lead, 5)
    facts.outcome("a", 30, "won").outcome("b", 30, "lost")
    return facts.history(tmp_path_factory.mktemp("store"), known_until=UNTIL)


def compare(history, published, shadow):
    known_us = day(UNTIL)
    ours = settle(history, published, known_us=known_us)
    return compare_shadow(ours, settle(history, shadow, known_us=known_us), seed=1)


def test_shadow_when_both_lists_are_settled_then_is_compared_on_their_common_leads(history):
    compared = compare(
        history,
        [scored(20, {"a": 0.4, "b": 0.4, "c": 0.4}), scored(25, {"a": 0.4})],
        [scored(20, {"a": 0.8, "b": 0.2, "d": 0.9})],
    )
    assert (compared.lists, compared.leads, compared.won) == (1, 2, 0.5)
    assert compared.predicted == pytest.approx(0.4)
    assert compared.predicted_in_shadow == pytest.approx(0.5)
    ours = -(np.log(0.4) + np.log(0.6)) / 2
    theirs = -(np.log(0.8) + np.log(0.8)) / 2
    assert compared.gain.value == pytest.approx(ours - theirs)


def test_shadow_when_none_is_written_then_there_is_nothing_to_compare(history):
    assert compare(history, [scored(20, {"a": 0.4})], []) is None


@pytest.mark.parametrize("at", [20, 90])
def test_shadow_when_no_common_lead_is_settled_then_has_no_figures(history, at):
    compared = compare(history, [scored(at, {"a": 0.4, "c": 0.1})], [scored(at, {"d": 0.1})])
    assert (compared.leads, compared.gain, compared.won) == (0, None, None)


def test_shadow_when_the_challenger_was_replaced_then_only_the_latest_counts(history):
    earlier = scored(20, {"a": 0.9})
    later = scored(22, {"a": 0.7, "b": 0.3})
    later = type(later)(
        later.name, later.as_of_us, later.horizon_days, later.rows.assign(model_version="m2")
    )
    published = [scored(20, {"a": 0.4}), scored(22, {"a": 0.4, "b": 0.4})]
    compared = compare(history, published, [earlier, later])
    assert (compared.model_version, compared.lists, compared.leads) == ("m2", 1, 2)
