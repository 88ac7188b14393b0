"""What changed since the previous list, in words."""

import re

import numpy as np
import pytest

import histories
from leadscore.scoring.change import Previous
from leadscore.scoring.change_words import describe_points
from leadscore.store.receipts import build_receipts
from leadscore.times import DAY_US
from scoring.lists import score

PART = re.compile(r" ([+-]\d+)(?=,|$)")


@pytest.fixture(scope="module")
def receipts():
    """What a list four weeks ago published."""
    world = histories.trained()
    before = score(world.history, as_of_us=four_weeks_before(world))
    versions = {"model_version": "m", "store_version": "s"}
    return build_receipts(before.scores, publication_id="before", **versions)


def four_weeks_before(world):
    return world.history.version.known_until_us - 28 * DAY_US


def compare(receipts, *, model):
    """The texts and the percentage points of leads that are on both lists, and all trends."""
    world = histories.trained()
    previous = Previous("before", four_weeks_before(world), receipts, model)
    until = world.history.version.known_until_us
    scores = score(world.history, as_of_us=until, previous=previous).scores.to_pandas()
    on_both = scores[scores["change_points"].notna()]
    return on_both["change"].to_numpy(), on_both["change_points"].to_numpy(), set(scores["trend"])


@pytest.fixture(scope="module")
def changes(receipts):
    texts, points, _ = compare(receipts, model=histories.trained().model)
    return texts, points


def test_change_when_it_is_said_then_begins_with_its_points(changes):
    for text, points in zip(*changes, strict=True):
        assert text.partition(":")[0] == describe_points(points)


def test_change_when_it_is_less_than_a_point_then_is_not_explained(changes):
    texts, points = changes
    is_explained = np.array([":" in text for text in texts])
    is_small = np.abs(points) < 1
    assert is_small.any()
    assert not is_explained[is_small].any()
    assert is_explained[~is_small].mean() > 0.8


def test_change_when_it_is_explained_then_its_parts_add_up_to_it(changes):
    explained = 0
    for text, points in zip(*changes, strict=True):
        whole, _, parts = text.partition(": ")
        if parts:
            assert sum(map(int, PART.findall(text))) == round(points), (whole, text)
            explained += 1
    assert explained > 20


def test_change_when_the_model_of_then_is_gone_then_is_stated_and_not_explained(receipts, changes):
    texts, points, trends = compare(receipts, model=None)
    assert points.tolist() == changes[1].tolist()
    assert texts.tolist() == [text.partition(":")[0] for text in changes[0]]
    assert {"improving", "declining"} <= trends
