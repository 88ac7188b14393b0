"""The report of a published list, gathered from its scores, earlier lists, store and model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from leadscore.atomic import write_bytes
from leadscore.errors import LeadscoreError
from leadscore.files import list_folder
from leadscore.json_files import read_result
from leadscore.project.explaining import read_list
from leadscore.project.recalling import recall
from leadscore.project.showing import name_reps, read_shown_leads
from leadscore.publish.publication import Publication, read_publication
from leadscore.registry.registry import Registry
from leadscore.report.listing.build import build_report
from leadscore.report.listing.contents import ListContents, PastList, ShownLead
from leadscore.report.listing.digest import build_digest
from leadscore.results import BacktestReport, Counts, Reported
from leadscore.settings.settings import Settings

EARLIER_LISTS = 8  # that the page shows scores of


def report(
    settings: Settings,
    publication_id: str | None = None,
    *,
    to: Path | None = None,
) -> Reported:
    """A list as one HTML file, and in five lines of Markdown; the same list gives the same bytes.

    What is gone by now, an earlier list, the store version or the model, is left out.

    Args:
        settings: of the project.
        publication_id: of the list, or its beginning; default: the current one.
        to: the file; default: reports/<publication_id>.html in the folder of the project.

    Raises:
        UserError: there is no such publication.
        CorruptFileError: it was changed.
    """
    publication, scores = read_list(settings, publication_id)
    contents = gather(settings, publication, scores)
    page = build_report(contents).encode()
    path = to or settings.project_folder() / "reports" / f"{publication.id}.html"
    write_bytes(path, page, private=to is None)  # it may name people
    return Reported(
        project=settings.project,
        publication_id=publication.id,
        as_of=publication.manifest["as_of"],
        path=str(path),
        bytes=len(page),
        leads=scores.num_rows,
        digest=build_digest(replace(contents, shown={})),
    )


def digest(settings: Settings, publication_id: str | None = None) -> str:
    """A list in five lines of Markdown with the names that people know leads by, which no result has."""
    publication, scores = read_list(settings, publication_id)
    return build_digest(gather(settings, publication, scores))


def gather(settings: Settings, publication: Publication, scores: pa.Table) -> ListContents:
    """All that a report shows of a list."""
    manifest = publication.manifest
    past = _read_past(settings, publication)
    contents = ListContents(
        project=settings.project,
        publication_id=publication.id,
        as_of=manifest["as_of"],
        model_version=manifest["model_version"],
        counts=Counts.from_dict(manifest["counts"]),
        scores=scores,
        by_value=settings.list.by == "expected value",
        currency=manifest.get("currency"),
        warnings=manifest.get("warnings", []),
        routing=manifest.get("routing"),
        past=past,
        rep_names=name_reps(settings),
        shown=_read_shown(settings),
        backtest=_find_backtest(settings, manifest["store_version"]),
    )
    contents = _add_evaluation(settings, contents)
    recalled = recall(settings, publication, scores, past=past)
    return replace(
        contents,
        stages=recalled.stages,
        left=recalled.left,
        waterfalls=recalled.waterfalls,
        timelines=recalled.timelines,
        reopened=recalled.reopened,
        health=recalled.health,
    )


def _read_past(settings: Settings, publication: Publication) -> list[PastList]:
    """The lists that this one, and that one in turn, were compared with, as far as they are there; the oldest first."""
    past: list[PastList] = []
    previous_id = publication.manifest.get("previous")
    while previous_id and len(past) < EARLIER_LISTS:
        try:
            earlier, scores = read_publication(
                previous_id, folder=settings.project_folder() / "scores"
            )
        except LeadscoreError:  # pruned or damaged
            break
        past.append(_build_past(earlier, scores))
        previous_id = earlier.manifest.get("previous")
    return past[::-1]


def _build_past(publication: Publication, scores: pa.Table) -> PastList:
    lead_ids = scores["lead_id"].to_pylist()
    probabilities = zip(lead_ids, scores["win_probability"].to_pylist(), strict=True)
    tiers = zip(lead_ids, scores["tier"].to_pylist(), strict=True)
    return PastList(
        as_of=publication.manifest["as_of"],
        probabilities=dict(probabilities),
        tiers=dict(tiers),
    )


def _read_shown(settings: Settings) -> dict[str, ShownLead]:
    """What people call the leads, as the last export has it; empty where nothing is shown."""
    if settings.show is None:
        return {}
    shown = {}
    for row in read_shown_leads(settings).to_pylist():
        shown[row["lead_id"]] = ShownLead(
            name=row["name"] or "",
            company=row["company"] or "",
            contact=row["contact"] or "",
            email=row["email"] or "",
            phone=row["phone"] or "",
            url=settings.show.address_of(row) or "",
        )
    return shown


def _find_backtest(settings: Settings, store_version: str) -> BacktestReport | None:
    """A back-test of the store version that the list was made from."""
    folder = settings.project_folder() / "backtests"
    for home in sorted(list_folder(folder), reverse=True):
        try:
            backtest = read_result(home / "backtest.json", BacktestReport)
        except LeadscoreError:
            continue
        if backtest.model_extra and backtest.model_extra.get("store_version") == store_version:
            return backtest
    return None


def _add_evaluation(settings: Settings, contents: ListContents) -> ListContents:
    """With how good the model was when it was trained, if the registry still has it."""
    registry = Registry(settings)
    try:
        evaluation = registry.read_evaluation(registry.find(contents.model_version))
    except LeadscoreError:
        return contents
    horizon = settings.target.horizon_days or evaluation.horizon_days
    return replace(contents, evaluation=evaluation, horizon_days=horizon)
