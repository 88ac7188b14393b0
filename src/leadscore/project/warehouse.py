"""Features where the data live: the champion's SQL for a warehouse, and scores of the rows it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from leadscore.engine.dialects import translate
from leadscore.errors import UserError
from leadscore.features.matrix import list_measures
from leadscore.history.bulk import LIST, read_columns
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.project.opened import checked_as_of, open_store
from leadscore.registry.registry import Registry
from leadscore.scoring.batches import score_batches, write_scorer
from leadscore.scoring.features import build_model_features, check_features
from leadscore.scoring.probabilities import compute_shift
from leadscore.settings.settings import Settings
from leadscore.tables import KEYS

SELECT_WHOLE = "run the SELECT of `write_feature_sql` as it is"


def write_feature_sql(settings: Settings, *, dialect: str) -> str:
    """One SELECT of all that the champion's features rest on, a row for each lead of `snapshots`.

    It reads the tables `snapshots` (lead_id, spell, as_of_us, known_us), `leads`, `activities`,
    `stages` and `changes`, with the columns that the store has.

    Args:
        settings: of the project.
        dialect: bigquery, databricks, postgres, snowflake or spark.

    Raises:
        UserError: there is no store or champion, no such dialect, or the champion compares leads of
            one account or contact with each other, which is not done in SQL.
    """
    with open_store(settings) as history:
        model, _, version = Registry(settings).load_champion()
        return translate(_select_features(history, model, version), dialect)


def _select_features(history: History, model: WinModel, version: str) -> str:
    """The SELECT of all that a model's features rest on, as DuckDB reads it."""
    features = build_model_features(history.settings, model)
    check_features(model, features, model_version=version)
    measures = list_measures(features)
    compared = sorted(measures.keys() & set(KEYS))
    if compared:
        raise UserError(
            f"the champion learned from other leads of the same {' and '.join(compared)}, "
            "which are compared on one machine: use score_bulk, or train without "
            f"{' and '.join(compared)} in the mapping"
        )
    snapshot = history.snapshot(LIST.empty_table().to_pandas())
    return snapshot.aggregate_sql(measures)


def score_rows(
    settings: Settings,
    batches: Iterable[pa.RecordBatch],
    *,
    as_of_us: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """The champion's scores, as `BATCH_SCORES`, of rows that `write_feature_sql` selected.

    Args:
        settings: of the project.
        batches: the rows; names in any case, integers and texts. Whole numbers may also come as
            floats or decimals, and columns without any value as nulls.
        as_of_us: the moment of the list, for a running intercept; default: known_until.

    Raises:
        UserError: a column is missing, or its values are of another kind.
    """
    with open_store(settings) as history:
        model, manifest, version = Registry(settings).load_champion()
        schema = read_columns(history, _select_features(history, model, version))
        moment = checked_as_of(history, as_of_us)
        known_us = manifest["known_until_us"]
        shift = compute_shift(history, model, known_us=known_us, as_of_us=moment)
    scorer = write_scorer(settings, model, shift=shift)
    typed = (_with_types(batch, schema) for batch in batches)
    yield from score_batches(scorer, typed)


def _with_types(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The same rows with the names and types that features expect.

    Snowflake gives names in upper case, pandas whole numbers as floats where some are missing.
    """
    named = batch.rename_columns([name.lower() for name in batch.schema.names])
    columns = []
    for field in schema:
        if field.name not in named.schema.names:
            raise UserError(f"the rows have no column {field.name}: {SELECT_WHOLE}")
        columns.append(_cast(named[field.name], field))
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


def _cast(column: pa.Array, field: pa.Field) -> pa.Array:
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as e:
        raise UserError(
            f"column {field.name} is of type {column.type}, and {field.type} is needed: {SELECT_WHOLE}"
        ) from e
