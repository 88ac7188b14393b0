"""Prefect's test harness, which the tests of flows share."""

import gc
import os
import sys
from pathlib import Path

import pytest

FLOWS = Path(__file__).parents[2] / "flows"


@pytest.fixture(scope="module")
def harness(tmp_path_factory):
    sys.path.insert(0, str(FLOWS))
    before = dict(os.environ)
    os.environ["PREFECT_HOME"] = str(tmp_path_factory.mktemp("prefect"))
    from prefect.testing.utilities import prefect_test_harness

    import local  # noqa: F401  (sets the environment before Prefect is imported)

    with prefect_test_harness(server_startup_timeout=300):
        yield
    gc.collect()  # Prefect leaves sockets open; let them be found here, where warnings are ignored
    sys.path.remove(str(FLOWS))
    os.environ.clear()
    os.environ.update(before)
