"""The features that several files of tests look at."""

from __future__ import annotations

import pytest

from features.declared import declared_features, declared_settings
from leadscore.features.feature import Feature


@pytest.fixture(scope="module")
def features(tmp_path_factory) -> dict[str, Feature]:
    found = declared_features(declared_settings())
    return {feature.name: feature for feature in found}
