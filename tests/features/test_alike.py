"""Values that are worded together must read alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import histories
from leadscore.features.alike import Surroundings, group_alike
from leadscore.features.matrix import build_features

FEATURES = [
    feature
    for feature in build_features(histories.sales_settings(histories.scratch()))
    if not feature.names_people
]
DAYS = st.sampled_from([0.0, 0.0004, 0.4, 0.5, 0.6, 1.0, 1.5, 6.9, 7.0, 30.0, 90.2, 400.5])
NUMBERS = DAYS | DAYS.map(lambda days: -days) | st.floats(-100, 800, allow_subnormal=False)
LEADS = st.lists(
    st.tuples(NUMBERS, st.sampled_from(["new", "won back", None]), DAYS | st.just(np.nan), DAYS),
    min_size=2,
    max_size=8,
)


@pytest.mark.cases(16)
@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@settings(deadline=None, max_examples=25)
@given(leads=LEADS, elapsed=st.sampled_from([0.0, 0.3]))
def test_values_when_grouped_together_then_read_alike(feature, leads, elapsed):
    numbers, stages, spent, ages = (
        np.array(column, dtype=kind)
        for column, kind in zip(
            zip(*leads, strict=True), (float, object, float, float), strict=True
        )
    )
    around = Surroundings(elapsed, stages, spent, ages)
    values = readable(feature, numbers)
    words = {}
    for row, group in enumerate(group_alike(feature, values, around).tolist()):
        said = [
            feature.sentence(values[row], speaks_for=side, around=around.around(row))
            for side in (True, False)
        ]
        assert words.setdefault(group, said) == said


def readable(feature, numbers):
    """Values that the feature may have."""
    if feature.is_category:
        return np.array([f"level {number:.0f}" for number in numbers], dtype=object)
    if feature.unit in ("share", "flag") or feature.phrase.values:
        return np.clip(np.abs(numbers), 0, 1)
    if feature.unit == "count":
        return np.rint(np.abs(numbers))
    return np.abs(numbers) if feature.phrase.named else numbers


def test_values_when_days_read_alike_then_a_long_list_has_few_groups():
    days = next(feature for feature in FEATURES if feature.name == "stage_age")
    values = np.linspace(0, 50, 10_000)
    unknown = np.full(len(values), np.nan)
    nowhere = Surroundings(0.0, np.full(len(values), None, dtype=object), unknown, unknown)
    assert group_alike(days, values, nowhere).max() < 110
