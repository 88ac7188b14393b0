"""The export that a test writes in its own odd way."""

from __future__ import annotations

import pytest

from ingest.hard_export import Export


@pytest.fixture
def export(tmp_path):
    return Export(tmp_path)
