"""Samples that several files of tests look at."""

import pytest

from leadscore.sample import draw, sample


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A sample of 600 leads."""
    folder = tmp_path_factory.mktemp("small")
    sample.write_sample(folder, leads=600, seed=3)
    return folder


@pytest.fixture(scope="session")
def draws():
    """Some large samples, not written."""
    return [drawn for seed in (11, 12, 13) for drawn in draw.draw_leads(leads=20_000, seed=seed)]
