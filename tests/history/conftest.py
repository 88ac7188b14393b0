"""An engine that the tests of a file share."""

from collections.abc import Iterator

import pytest

from builders import make_settings
from leadscore.engine.duckdb import DuckDBEngine


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDBEngine]:
    opened = DuckDBEngine(make_settings(engine={"threads": 1}).engine)
    yield opened
    opened.close()
