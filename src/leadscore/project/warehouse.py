"""Features where the data live: the champion's SQL for a warehouse, and scores of the rows it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from leadscore.engine.dialects import translate
from leadscore.errors import UserError
from leadscore.features.matrix import list_measures
from leadscore.history.bulk import LIST
from leadscore.project.opened import checked_as_of, open_store
from leadscore.registry.registry import Registry
from leadscore.scoring.batches import score_batches, write_scorer
from leadscore.scoring.features import build_model_features, check_features
from leadscore.scoring.probabilities import compute_shift
from leadscore.settings.settings import Settings
from leadscore.tables import KEYS


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
        features = build_model_features(settings, model)
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
        return translate(snapshot.aggregate_sql(measures), dialect)


def score_rows(
    settings: Settings,
    batches: Iterable[pa.RecordBatch],
    *,
    as_of_us: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """The champion's scores, as `BATCH_SCORES`, of rows that `write_feature_sql` selected.

    Args:
        settings: of the project.
        batches: the rows; names in any case, integers and texts.
        as_of_us: the moment of the list, for a running intercept; default: known_until.
    """
    with open_store(settings) as history:
        model, manifest, _ = Registry(settings).load_champion()
        moment = checked_as_of(history, as_of_us)
        known_us = manifest["known_until_us"]
        shift = compute_shift(history, model, known_us=known_us, as_of_us=moment)
    scorer = write_scorer(settings, model, shift=shift)
    yield from score_batches(scorer, map(_in_lower_case, batches))


def _in_lower_case(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with the names that features have; Snowflake gives them in upper case."""
    return batch.rename_columns([name.lower() for name in batch.schema.names])
