"""Explaining one lead, and re-creating what was published of it from the versions that were kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadscore.engine.opening import open_engine
from leadscore.errors import UserError
from leadscore.files import hash_file, list_manifests
from leadscore.history.opening import open_history
from leadscore.history.split import History
from leadscore.locks import scratch
from leadscore.model.apply import WinModel
from leadscore.project.publishing import read_previous
from leadscore.project.scoring import score_list
from leadscore.project.showing import name_reps
from leadscore.proposals import propose
from leadscore.publish.before import read_before
from leadscore.publish.formats import CSV, PARQUET, write_files
from leadscore.publish.listed import ID, find_standing
from leadscore.publish.publication import (
    Publication,
    read_inputs,
    read_publication,
    read_shift,
)
from leadscore.publish.receipts import read_past_receipts
from leadscore.registry.registry import Registry
from leadscore.report.explanation import build_explanation
from leadscore.results import Explained, Replayed
from leadscore.scoring.change import Previous
from leadscore.scoring.explanation import explain_lead, read_past_scores
from leadscore.settings.settings import Settings
from leadscore.store.version import open_version, read_version
from leadscore.times import parse_moment
from leadscore.wording import listed

SHORTEST_ID = 4  # characters of a publication's id that name it


def explain(settings: Settings, lead_id: str, *, publication_id: str | None = None) -> Explained:
    """One lead of a publication (default: the current one) in full: facts, what each adds, and earlier scores.

    Raises:
        UserError: there is no such publication, its manifest is from before it named the settings,
            or the lead is not on its list.
        UnknownVersionError: its model is gone.
        CorruptFileError: a version that it rests on was changed or removed.
    """
    publication, scores = read_list(settings, publication_id)
    with _opened(settings, publication) as (history, model, _):
        report = _explain(settings, publication, scores, opened=(history, model), lead_id=lead_id)
    return Explained.from_dict(report)


def replay(settings: Settings, publication_id: str, lead_id: str) -> Replayed:
    """A whole publication scored again from the store, model, settings and earlier list that its manifest names.

    `same` says whether every byte is the same, `differs` which columns are not; the rest is what `explain` returns.
    """
    publication, scores = read_list(settings, publication_id)
    with _opened(settings, publication) as (history, model, previous):
        manifest = publication.manifest
        again, _ = score_list(
            history,
            model,
            model_version=manifest["model_version"],
            known_us=manifest["model_known_us"],
            as_of_us=find_moment(history, publication),
            previous=previous,
            inputs=read_inputs(publication),
        )
        report = _explain(settings, publication, scores, opened=(history, model), lead_id=lead_id)
    published = {name: file["sha256"] for name, file in manifest["files"].items()}
    same = _hash_files(again, schema_version=manifest["schema_version"]) == published
    differs = [] if same else _differing(scores, pa.concat_tables(again))
    return Replayed.from_dict(report | {"same": same, "differs": differs})


def _hash_files(scores: Iterable[pa.Table], *, schema_version: int) -> dict[str, str]:
    """The hashes that the files of scores have, by their names."""
    with scratch() as folder:
        write_files(scores, folder, schema_version=schema_version)
        return {path.name: hash_file(path) for path in (folder / PARQUET, folder / CSV)}


def _differing(scores: pa.Table, again: pa.Table) -> list[str]:
    if scores.schema.names != again.schema.names or scores.num_rows != again.num_rows:
        return ["the columns or the number of rows"]
    names = scores.schema.names
    return [name for name in names if not scores[name].equals(again[name])]


def read_list(settings: Settings, publication_id: str | None) -> tuple[Publication, pa.Table]:
    """A publication by its id or the beginning of that, by default the current one, and its scores.

    Raises:
        UserError: there is none, or its manifest is from before it named the settings.
        CorruptFileError: it was changed or removed.
    """
    whole_id = find_list_id(settings, publication_id)
    publication, scores = read_publication(whole_id, folder=settings.project_folder() / "scores")
    if "settings" not in publication.manifest:
        raise UserError(
            f"{publication.id} was published before manifests named their settings, so it cannot be "
            f"explained or scored again; run `{propose('score')}`, and ask of the new list"
        )
    return publication, scores


def find_list_id(settings: Settings, publication_id: str | None) -> str:
    """The id of a publication from its beginning, by default that of the current one.

    Raises:
        UserError: there is none, or several begin so.
    """
    folder = settings.project_folder() / "scores"
    if publication_id is None:
        standing = find_standing(folder, settings.project_folder() / "store")
        if standing is None:
            raise UserError(
                f"project {settings.project!r} has published nothing yet; "
                f"run `{propose('score')}` first"
            )
        publication_id = standing.id
    written = (path.parent.name for path in list_manifests(folder))
    known = sorted(name for name in written if ID.fullmatch(name))
    matching = [name for name in known if name.startswith(publication_id)]
    if len(publication_id) < SHORTEST_ID or len(matching) != 1:
        problem = f"no single publication of {settings.project!r} begins with {publication_id!r}"
        if len(publication_id) < SHORTEST_ID:
            problem = (
                f"{publication_id!r} is too short: "
                f"give at least {SHORTEST_ID} characters of a publication's id"
            )
        raise UserError(f"{problem}. Available: {listed(known) if known else 'none'}")
    return matching[0]


@contextmanager
def _opened(
    settings: Settings,
    publication: Publication,
) -> Iterator[tuple[History, WinModel, Previous | None]]:
    """The kept versions that a publication rests on, opened with the settings of its time."""
    manifest = publication.manifest
    then = settings.restore(json.loads(manifest["settings"]))
    store = settings.project_folder() / "store"
    model, _, _ = Registry(settings).load(manifest["model_version"])
    loaded = {manifest["model_version"]: model}
    previous = _read_previous(then, manifest["previous"], loaded=loaded)
    with (
        open_version(lambda: read_version(store, manifest["store_version"])) as version,
        open_engine(settings.engine) as engine,
    ):
        yield open_history(then, version, engine), model, previous


def _read_previous(
    settings: Settings,
    publication_id: str | None,
    *,
    loaded: Mapping[str, WinModel],
) -> Previous | None:
    """The list before that a manifest names, which it takes to make the list again.

    Raises:
        CorruptFileError: it is gone or damaged.
    """
    if publication_id is None:
        return None
    folder = settings.project_folder()
    read_publication(publication_id, folder=folder / "scores")
    before = read_before(publication_id, folder=folder / "scores", store_folder=folder / "store")
    return read_previous(settings, before, loaded=loaded)[0]


def find_moment(history: History, publication: Publication) -> int:
    """The moment that a list looks from; undated, that of its export."""
    as_of = publication.manifest["as_of"]
    dated = history.settings.is_dated and as_of is not None
    return parse_moment(as_of, zone="UTC") if dated else history.version.known_until_us


def _explain(
    settings: Settings,
    publication: Publication,
    scores: pa.Table,
    *,
    opened: tuple[History, WinModel],
    lead_id: str,
) -> dict[str, Any]:
    history, model = opened
    rows_of_lead = scores.filter(pc.equal(scores["lead_id"], lead_id))
    rows = rows_of_lead.drop_columns(["as_of"]).to_pylist()
    if not rows:
        raise UserError(
            f"the lead {lead_id!r} is not on the list {publication.id}: "
            "it was not open then, or does not exist"
        )
    explanation = explain_lead(
        history,
        model,
        lead_id=lead_id,
        as_of_us=find_moment(history, publication),
        shift=read_shift(publication.manifest),
    )
    folder = settings.project_folder()
    receipts = read_past_receipts(folder / "scores", folder / "store")
    report = {
        "project": settings.project,
        "lead_id": lead_id,
        "publication_id": publication.id,
        "as_of": publication.manifest["as_of"],
        "model_version": publication.manifest["model_version"],
        "store_version": publication.manifest["store_version"],
        "score": rows[0],
        **explanation,
        "past": read_past_scores(receipts, lead_id),
    }
    page = build_explanation(report, reps=name_reps(settings))
    return report | {"page": page}
