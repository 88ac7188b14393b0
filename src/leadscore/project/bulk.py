"""Scoring lists of any length: probabilities and scores as Parquet files, written where the leads are."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from leadscore.atomic import fill_folder
from leadscore.engine.protocol import BatchFunction
from leadscore.errors import LeadscoreError, UserError
from leadscore.features.matrix import list_measures
from leadscore.history.bulk import open_bulk_list
from leadscore.history.split import History
from leadscore.model.apply import WinModel
from leadscore.model.target import check_target, with_horizon_of
from leadscore.project.opened import checked_as_of, open_store
from leadscore.registry.registry import Registry
from leadscore.results.bulk import BulkScores
from leadscore.scoring.batches import BATCH_SCORES, score_batches, write_scorer
from leadscore.scoring.features import build_model_features, check_features
from leadscore.scoring.probabilities import compute_shift
from leadscore.scoring.score import check_as_of
from leadscore.settings.settings import Settings
from leadscore.times import format_us

MANIFEST = "_manifest.json"  # readers of Parquet pass over names that begin so


def score_bulk(settings: Settings, *, as_of_us: int | None = None) -> BulkScores:
    """The scores of all leads open at a moment (default: known_until), by the champion.

    They are bit for bit those of `score`, without tiers, reasons, routes and changes, and are in no
    order. The folder appears in one step, when all is written; one that is there stays as it
    is, whichever engine made it.

    Raises:
        UserError: there is no store or champion, the leads have no dates, or the moment is refused.
        UnavailableError: the disk is full, executors were lost, ...; nothing of it is visible.
    """
    if not settings.is_dated:
        raise UserError(f"time = {settings.time}: leads without dates are scored in lists only")
    with open_store(settings) as opened:
        model, manifest, version = Registry(settings).load_champion()
        check_target(settings, manifest, version=version)
        history = replace(opened, settings=with_horizon_of(settings, manifest))
        moment = checked_as_of(history, as_of_us)
        known_us = manifest["known_until_us"]
        check_as_of(history, version, known_us=known_us, as_of_us=moment)
        folder = _folder(history, version, moment)
        if folder.exists():
            return _read(folder)
        shift = compute_shift(history, model, known_us=known_us, as_of_us=moment)
        scores = BulkScores(
            folder=str(folder),
            rows=0,
            as_of=format_us(moment),
            model_version=version,
            store_version=history.version.id,
            engine=settings.engine.kind,
        )
        return _write(history, model, scores, shift=shift, as_of_us=moment)


def _read(folder: Path) -> BulkScores:
    """The scores that a folder holds, by whichever engine they were made."""
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    return BulkScores.from_dict(json.loads(text))


def _folder(history: History, model_version: str, as_of_us: int) -> Path:
    """A folder that stands for a moment, a model and a store version."""
    day = format_us(as_of_us).replace(":", "").replace("-", "")
    store_version = history.version.id
    name = f"model={model_version}-store={store_version}"
    return history.settings.project_folder() / "bulk" / f"as_of={day}" / name


def _write(
    history: History,
    model: WinModel,
    scores: BulkScores,
    *,
    shift: float,
    as_of_us: int,
) -> BulkScores:
    """The files of the scores, and their manifest."""
    features = build_model_features(history.settings, model)
    check_features(model, features, model_version=scores.model_version)
    measures = list_measures(features)
    scorer = write_scorer(history.settings, model, shift=shift)
    made = BatchFunction(score_batches, scorer, BATCH_SCORES)

    def fill(folder: Path) -> None:
        listed = folder / "_list"  # beside the scores, where executors can write
        snapshot = open_bulk_list(history, listed, as_of_us=as_of_us)
        snapshot.attach_related(measures)
        history.engine.write_files(snapshot.aggregate_sql(measures), folder, made)
        rows = _count_rows(folder)
        if rows != _count_rows(listed):
            raise LeadscoreError(f"{_count_rows(listed)} leads were open, {rows} were scored")
        shutil.rmtree(listed)
        document = scores.model_copy(update={"rows": rows}).to_dict()
        text = json.dumps(document, indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    folder = Path(scores.folder)
    fill_folder(folder, fill)
    return _read(folder)


def _count_rows(folder: Path) -> int:
    """The rows of all Parquet files of a folder, by their footers."""
    return sum(pq.read_metadata(path).num_rows for path in folder.glob("*.parquet"))
