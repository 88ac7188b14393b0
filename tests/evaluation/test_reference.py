import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import percentileofscore

from leadscore.evaluation.reference import compute_score, decide_tier
from leadscore.settings.tiers import Tiers

REFERENCE = [0.1, 0.2, 0.2, 0.2, 0.4]


@pytest.mark.parametrize(
    ("probability", "score"),
    [
        pytest.param(0.05, 0.0, id="below all"),
        pytest.param(0.1, 10.0, id="tied with the lowest: half of one of five"),
        pytest.param(0.15, 20.0, id="between"),
        pytest.param(0.2, 50.0, id="tied with three: one below and half of three"),
        pytest.param(0.3, 80.0, id="four of five below"),
        pytest.param(0.4, 90.0, id="tied with the highest"),
        pytest.param(0.9, 100.0, id="above all"),
    ],
)
@pytest.mark.parametrize("order", [1, -1], ids=["rising", "falling"])
def test_score_when_read_off_a_small_reference_then_is_the_share_below_and_half_of_ties(
    probability, score, order
):
    assert compute_score(np.array([probability]), REFERENCE[::order]) == pytest.approx(
        [score], abs=1e-12
    )


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    reference=st.lists(st.integers(0, 20), min_size=1, max_size=40),
    asked=st.lists(st.integers(-1, 21), min_size=1, max_size=40),
)
def test_score_when_counted_by_a_slow_loop_then_is_the_same_and_never_falls(reference, asked):
    asked = sorted(asked)
    found = compute_score(np.array(asked) / 20, [x / 20 for x in reference])
    slow = [100 * sum((r < x) + (r == x) / 2 for r in reference) / len(reference) for x in asked]
    assert found == pytest.approx(slow, abs=1e-9)
    scipy = percentileofscore(np.array(reference) / 20, np.array(asked) / 20, kind="mean")
    assert found == pytest.approx(scipy, abs=1e-9)
    assert (np.diff(found) >= 0).all()
    assert (found >= 0).all()
    assert (found <= 100).all()


@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (100, "A"), (90, "A"), (np.nextafter(90, 0), "B"),
        (70, "B"), (np.nextafter(70, 0), "C"),
        (40, "C"), (np.nextafter(40, 0), "D"), (0, "D"),
    ],
)  # fmt: skip
def test_tier_when_the_score_is_at_an_edge_of_the_defaults_then_belongs_to_the_better_one(
    score, tier
):
    assert decide_tier(np.array([float(score)]), np.zeros(1), Tiers()).tolist() == [tier]


@pytest.mark.parametrize(
    ("tiers", "found"),
    [
        pytest.param(Tiers(a=50, b=20, c=10), "DCBA", id="other edges"),
        pytest.param(Tiers(a=100, b=99.5, c=0), "CCCC", id="hardly any A"),
    ],
)
def test_tier_when_the_settings_have_other_edges_then_they_count(tiers, found):
    assert "".join(decide_tier(np.array([5.0, 10.0, 20.0, 50.0]), np.zeros(4), tiers)) == found


@pytest.mark.parametrize(
    "edges", [(70, 90, 40), (90, 90, 40), (90, 70, 70), (101, 70, 40), (90, 70, -1)]
)
def test_tiers_when_their_edges_do_not_fall_within_the_range_of_scores_then_are_refused(edges):
    with pytest.raises(ValidationError):
        Tiers(**dict(zip("abc", edges, strict=True)))


def test_tier_when_there_is_no_lead_then_there_is_none():
    assert compute_score(np.zeros(0), REFERENCE).shape == (0,)
    assert decide_tier(np.zeros(0), np.zeros(0), Tiers()).shape == (0,)
