"""What scoring in bulk hands over."""

from __future__ import annotations

from leadscore.results.base import Result


class BulkScores(Result):
    """The scores of all open leads as Parquet files in a folder, and what made them.

    Attributes:
        folder: of the files; `_manifest.json` beside them says the same as this.
        rows: how many leads are scored: all that were open.
        as_of: the moment of the scores.
        model_version: the champion that scored.
        store_version: what was known of the leads.
        engine: what ran it, duckdb or spark.
    """

    folder: str
    rows: int
    as_of: str
    model_version: str
    store_version: str
    engine: str
