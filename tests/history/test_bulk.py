"""The list written where the leads are is the list of `History.open_list`."""

from dataclasses import replace
from random import Random

import pandas as pd
import pyarrow as pa
import pytest

from builders import day
from features.oracle import build_random_facts
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.bulk import open_bulk_list
from leadscore.history.opening import open_history
from leadscore.history.split import History
from leadscore.settings.engine import EngineSettings
from leadscore.tables import PRESENCE


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Leads of which many were re-opened; the export of day 100 misses half, that of 105 a quarter."""
    facts, _ = build_random_facts(Random(5), leads=120, rows=20)  # noqa: S311
    version = facts.write(tmp_path_factory.mktemp("store"), known_until=200)
    engine = DuckDBEngine(EngineSettings(threads=2))
    opened = open_history(facts.settings, version, engine)
    yield _with_absences(opened, [row["lead_id"] for row in facts.rows["leads"]])
    engine.close()


def _with_absences(history: History, lead_ids: list[str]) -> History:
    missing = [(lead_id, 0, day(99), day(100), 0) for lead_id in lead_ids[::2]]
    back = [(lead_id, 1, day(99), day(105), 1) for lead_id in lead_ids[::4]]
    presence = pd.DataFrame(missing + back, columns=PRESENCE.names)
    rows = pa.Table.from_pandas(presence, schema=PRESENCE, preserve_index=False)
    history.engine.add_rows("presence", rows)
    return replace(history, presence=presence)


@pytest.mark.parametrize("as_of", [30, 99, 103, 130, 300])
def test_a_bulk_list_is_the_open_list_with_absent_and_reopened_leads(tmp_path, history, as_of):
    listed = history.open_list(day(as_of))
    snapshot = open_bulk_list(history, tmp_path, as_of_us=day(as_of))
    rows = history.engine.query("SELECT * FROM snapshots ORDER BY lead_id").to_pandas()
    pd.testing.assert_frame_equal(rows, listed, check_dtype=False)
    assert len(listed) > 2
    assert snapshot.rows.empty


def test_the_open_lists_of_this_history_have_absent_and_reopened_leads(history):
    spells = history.spells(day(103))
    assert (spells["spell"] > 1).sum() > 10
    assert len(history.open_list(day(99))) > len(history.open_list(day(103))) + 5
    assert len(history.open_list(day(105) + 1)) > len(history.open_list(day(105))) + 2
