"""SQL of views, tried on the first rows of files in the database that will run it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from leadscore.engine.closed import ClosedDatabase, read_select
from leadscore.ingest.mapping.words import Texts
from leadscore.ingest.readers.batch import Batch
from leadscore.ingest.text_for_views import text_for_views
from leadscore.locks import scratch
from leadscore.onboarding.profile import Column, Profile
from leadscore.settings.engine import EngineSettings


def run_select(sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """The rows of a SELECT over tables.

    Raises:
        SelectError: it fails, or takes too long.
    """
    with scratch() as folder:
        paths = {}
        for name, rows in tables.items():
            paths[name] = [folder / f"{name}.parquet"]
            pq.write_table(rows, paths[name][0])
        with ClosedDatabase(EngineSettings(), paths) as database:
            select = read_select(sql)
            n = database.add_result("result_of_trial", select)
            batches = database.stream("result_of_trial", rows=max(n, 1))
            return pa.Table.from_batches(batches, schema=database.schema("result_of_trial"))


def rows_for_views(profile: Profile, columns: Iterable[Column]) -> pa.Table:
    """Some columns of the rows that were looked at, as a view sees them."""
    texts = {column.name: column.text for column in columns}
    batch = Batch(np.arange(profile.rows), pa.table(texts))
    return text_for_views(profile.file, batch.lines, Texts(batch), list(texts))
