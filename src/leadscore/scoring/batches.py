"""Rows as SQL gives them, batch by batch, to scores: here, on Spark's executors, or beside a warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from leadscore.evaluation.reference import compute_score
from leadscore.features.feature import Feature
from leadscore.features.matrix import finish_rows
from leadscore.model.apply import WinModel
from leadscore.scoring.features import build_model_features
from leadscore.settings.settings import Settings

NUMBERS = ("log_odds", "win_probability", "probability_low", "probability_high", "score")
BATCH_SCORES = pa.schema(
    [
        pa.field("lead_id", pa.string(), nullable=False),
        pa.field("as_of", pa.timestamp("us", tz="UTC"), nullable=False),
        *(pa.field(name, pa.float64(), nullable=False) for name in NUMBERS),
    ]
)


def write_scorer(settings: Settings, model: WinModel, *, shift: float) -> str:
    """All that `score_batches` needs to know of a model, as text."""
    scorer = {
        "settings": settings.public(),
        "model": model.document,
        "booster": model.booster_text,
        "shift": shift,
    }
    return json.dumps(scorer, ensure_ascii=False)


def score_batches(scorer: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The scores of leads, as `BATCH_SCORES`, batch by batch and in their order.

    Args:
        scorer: as of `write_scorer`.
        batches: what `Snapshot.aggregate_sql` selects.
    """
    read = _read_scorer(scorer)
    for batch in batches:
        if batch.num_rows:
            yield read.score(batch)


@dataclass(frozen=True)
class _Scorer:
    """A model, the features that it learned from, and the running intercept in log-odds."""

    model: WinModel
    features: Sequence[Feature]
    shift: float

    def score(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """The scores (n,) of rows (n,)."""
        log_odds = self.model.log_odds(finish_rows(rows, self.features))
        interval = self.model.interval(log_odds, self.shift)
        unshifted = self.model.probability(log_odds)
        columns = [
            rows["lead_id"],
            rows["as_of_us"],
            log_odds,
            self.model.probability(log_odds, self.shift),
            interval[:, 0],
            interval[:, 1],
            compute_score(unshifted, self.model.document["reference"]),
        ]
        arrays = []
        for field, values in zip(BATCH_SCORES, columns, strict=True):
            arrays.append(pa.array(values).cast(field.type))
        return pa.RecordBatch.from_arrays(arrays, schema=BATCH_SCORES)


@lru_cache(maxsize=1)
def _read_scorer(text: str) -> _Scorer:
    """Read once in each process."""
    scorer = json.loads(text)
    settings = Settings.model_validate(scorer["settings"])
    model = WinModel(scorer["model"], scorer["booster"])
    return _Scorer(model, build_model_features(settings, model), scorer["shift"])
