"""Making a list count, and what was published before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from leadscore.errors import CorruptFileError, UnknownVersionError, UserError
from leadscore.model.apply import WinModel
from leadscore.project.trail import record
from leadscore.proposals import propose
from leadscore.publish.before import Before, find_before
from leadscore.publish.listed import find_standing, read_current_id
from leadscore.publish.publication import read_as_of, read_publication, read_shift
from leadscore.publish.published import publish as publish_scores
from leadscore.publish.unlike import COMPARED, Pair, find_unlike
from leadscore.registry.registry import Registry
from leadscore.results import Newer, Published
from leadscore.scoring.change import Previous
from leadscore.scoring.features import build_model_features, find_mismatch
from leadscore.settings.settings import Settings
from leadscore.times import DAY_US

READ_AGAIN = ["lead_id", "win_probability", "tier", "rep_id"]  # of the list before, by the next one


def publish(
    settings: Settings,
    publication_id: str,
    *,
    replace_newer: bool = False,
    even_if_unlike: bool = False,
) -> Published:
    """Make a list that `score` wrote the current one. Repeating it changes nothing.

    Args:
        settings: of the project.
        publication_id: of the list.
        replace_newer: also where a newer list is published; otherwise that one stands.
        even_if_unlike: also where the list differs too much from the previous one; otherwise it is `withheld`, with
            the reasons, and the published list stands.
    """
    was = read_current_id(settings.project_folder() / "scores")
    published = _publish(
        settings, publication_id, replace_newer=replace_newer, even_if_unlike=even_if_unlike
    )
    if published.publication_id != was:
        _record_published(settings, published)
    return published


def _record_published(settings: Settings, published: Published) -> None:
    publication_id = published.publication_id
    if published.withheld:
        why = "; ".join(published.withheld)
        record(settings, "withheld", why=why, publication_id=publication_id)
    elif published.newer:
        why = f"the newer list {published.newer.publication_id} stands"
        record(settings, "superseded", why=why, publication_id=publication_id)
    else:
        record(settings, "published", why="a new list", publication_id=publication_id)


def _publish(
    settings: Settings,
    publication_id: str,
    *,
    replace_newer: bool,
    even_if_unlike: bool,
) -> Published:
    folder = settings.project_folder()
    withheld = [] if even_if_unlike else find_withheld(settings, publication_id)
    if withheld:
        return _withhold(folder, publication_id, withheld)
    done = publish_scores(
        publication_id,
        folder=folder / "scores",
        store_folder=folder / "store",
        replace_newer=replace_newer,
    )
    newer = None
    if done.newer is not None:
        as_of = done.newer.manifest["as_of"] if done.newer.manifest else None
        newer = Newer(publication_id=done.newer.id, as_of=as_of)
    return Published(
        publication_id=done.publication.id,
        folder=str(done.publication.folder),
        published=newer is None,
        newer=newer,
        withheld=[],
    )


def _withhold(folder: Path, publication_id: str, reasons: list[str]) -> Published:
    """The list in the project's folder does not count, for these reasons; the one before still does."""
    standing = find_standing(folder / "scores", folder / "store")
    as_of = standing.manifest["as_of"] if standing and standing.manifest else "unknown"
    return Published(
        publication_id=publication_id,
        folder=str(folder / "scores" / publication_id),
        published=False,
        newer=None,
        withheld=reasons,
        previous_as_of=as_of,
    )


def roll_back(settings: Settings) -> Published:
    """Make the list before the current one current again; receipts and files of both stay.

    Raises:
        UserError: no list is current, or there was none before it.
        CorruptFileError: one of the two is damaged.
    """
    folder = settings.project_folder() / "scores"
    current = read_current_id(folder)
    if current is None:
        raise UserError(f"no list is published yet; run `{propose('score')}` first")
    publication, _ = read_publication(current, folder=folder, columns=[])
    previous = publication.manifest.get("previous")
    if not previous:
        raise UserError(f"there was no list before {current}, so there is none to go back to")
    published = _publish(settings, previous, replace_newer=True, even_if_unlike=True)
    record(settings, "rolled back", why=f"from the list {current}", publication_id=previous)
    return published


def find_withheld(settings: Settings, publication_id: str) -> list[str]:
    """Why a list may not be published without a person's word; nothing for the current list, or for a first one."""
    folder = settings.project_folder() / "scores"
    publication, scores = read_publication(publication_id, folder=folder, columns=COMPARED)
    manifest = publication.manifest
    if publication_id == read_current_id(folder) or not manifest.get("previous"):
        return []
    try:
        before, scores_before = read_publication(
            manifest["previous"], folder=folder, columns=COMPARED
        )
    except CorruptFileError:
        return []
    as_of_us = read_as_of(manifest) or 0
    as_of_before_us = read_as_of(before.manifest) or 0
    days = (as_of_us - as_of_before_us) / DAY_US
    same_model = manifest["model_version"] == before.manifest["model_version"]
    returned = manifest.get("returned", 0)
    pair = Pair(scores_before, scores, days, returned, same_model)
    return find_unlike(pair, settings.publication)


def find_previous(
    settings: Settings,
    *,
    as_of_us: int | None,
    loaded: Mapping[str, WinModel] | None = None,
) -> tuple[Previous | None, list[str]]:
    """The most recent list published before a moment, None without one or without dates; and warnings about it.

    `loaded` are models that need not be read again, by their version.
    """
    folder = settings.project_folder()
    before = find_before(folder / "scores", folder / "store", as_of_us=as_of_us)
    return read_previous(settings, before, loaded=loaded or {})


def read_previous(
    settings: Settings,
    before: Before,
    *,
    loaded: Mapping[str, WinModel],
) -> tuple[Previous | None, list[str]]:
    """A published list, with the model that made it if that is still there, whole, and reads today's features.

    And warnings; without the model, changes are stated and not explained.
    """
    warnings = list(before.warnings)
    if before.publication is None or before.receipts is None:
        return None, warnings
    manifest = before.publication.manifest
    version = manifest["model_version"]
    model, problem = _load_model(settings, version, loaded=loaded)
    if problem:
        warnings.append(
            f"changes since the previous list are not explained: its model {version} {problem}"
        )
    as_of_us = read_as_of(manifest) or 0
    shift = read_shift(manifest)
    receipts = before.receipts.select(READ_AGAIN)
    return Previous(before.publication.id, as_of_us, receipts, model, shift), warnings


def _load_model(
    settings: Settings,
    version: str,
    *,
    loaded: Mapping[str, WinModel],
) -> tuple[WinModel | None, str]:
    """The model of a list, or what keeps it from explaining a change."""
    try:
        model = loaded.get(version) or Registry(settings).load(version)[0]
    except UnknownVersionError:
        return None, "is not in the registry"
    except CorruptFileError as e:
        return None, f"is damaged: {e}"
    if find_mismatch(model, build_model_features(settings, model)):
        return None, "learned from other features than these settings and this release give"
    return model, ""
