"""Whether leadscore can work here: installation, settings, exports, store, database, disk, clock."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from leadscore.addresses import hide_secrets
from leadscore.atomic import write_bytes
from leadscore.errors import LeadscoreError, NoStoreError
from leadscore.ingest.databases import reach_database
from leadscore.ingest.differences.file_times import read_modified
from leadscore.ingest.readers.sources import find_files
from leadscore.ingest.remote_files import plan_remote_files
from leadscore.ingest.views import plan_views
from leadscore.proposals import propose
from leadscore.registry.registry import Registry
from leadscore.results import Check, Checkup
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.store.version import read_current
from leadscore.times import DAY_US, HOUR_US, format_us
from leadscore.wording import counted, cut

LEAST_FREE = 2 * 10**9  # bytes: an ingest spills, and a model is written
PYTHON = (3, 11)
MEGABYTE = 10**6


def check_up(config: Path, *, clock_us: int) -> Checkup:
    """What works and what does not; nothing is changed, and nothing raised.

    Args:
        config: the settings file.
        clock_us: now, in UTC microseconds.
    """
    checks = list(_check_installation())
    try:
        settings = read_settings(config)
    except LeadscoreError as e:
        words = str(e)
        cure = _settings_cure(config)
        checks.append(Check(name="settings", state="problem", seen=words, cure=cure))
        return Checkup(checks=checks)
    seen = f"{config}: project {settings.project}"
    checks.append(Check(name="settings", state="ok", seen=seen))
    for name, check in PROJECT_CHECKS.items():
        checks.append(_guarded(name, check, settings, clock_us))
    return Checkup(checks=checks)


def _settings_cure(config: Path) -> str:
    if config.exists():
        return "mend the file; every key is in docs/settings.md"
    return "write one with `leadscore init FILE...`, or name it with --config"


def _check_installation() -> Iterator[Check]:
    """Python, and the versions of libraries that leadscore states."""
    running = ".".join(map(str, sys.version_info[:3]))
    is_new = sys.version_info[:2] >= PYTHON
    yield Check(
        name="python",
        state="ok" if is_new else "problem",
        seen=f"Python {running}",
        cure=None if is_new else "install Python 3.11 or later",
    )
    wrong = list(_wrong_libraries())
    yield Check(
        name="libraries",
        state="problem" if wrong else "ok",
        seen="; ".join(wrong) if wrong else f"leadscore {version('leadscore')} and what it needs",
        cure="pip install --upgrade leadscore" if wrong else None,
    )


def _wrong_libraries() -> Iterator[str]:
    """Libraries that are missing, or of a version that is known to break."""
    for line in requires("leadscore") or []:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is not None and not marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            yield f"{requirement.name} is missing"
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield f"{requirement.name} is {installed}, {requirement.specifier} is needed"


def _guarded(
    name: str,
    check: Callable[[Settings, int], Check],
    settings: Settings,
    clock_us: int,
) -> Check:
    """A check; what it raises is what is wrong."""
    try:
        return check(settings, clock_us)
    except (LeadscoreError, OSError) as e:
        hidden = hide_secrets(str(e), of=settings.tracking_uri())
        words = cut(hidden, most=500)
        return Check(name=name, state="problem", seen=words, cure=CURES[name])


def _check_exports(settings: Settings, clock_us: int) -> Check:
    """Whether every source has its files or its database answers, and no file is of the future."""
    plan_views(settings)
    files = []
    elsewhere = 0
    for name, source in settings.sources.items():
        files += find_files(name, source, folder=settings.input_folder)
        elsewhere += _reach(name, settings)
    seen = f"{counted(len(files), 'file')} of {counted(len(settings.sources), 'source')}"
    if elsewhere:
        seen += f", {counted(elsewhere, 'answer or file', 'answers and files')} from elsewhere"
    latest_us = clock_us + HOUR_US
    late = [file.name for file in files if read_modified(file.path) > latest_us]
    if late:
        words = f"{late[0]} was written later than this machine's clock shows"
        return Check(
            name="exports",
            state="warning",
            seen=words,
            cure="set the clock of one of them",
        )
    return Check(name="exports", state="ok", seen=seen)


def _reach(name: str, settings: Settings) -> int:
    """How much of a source is in a database or another storage, which is asked for it."""
    if settings.sources[name].is_query:
        reach_database(name, settings)
        return 1
    return len(plan_remote_files(name, settings))


def _check_folders(settings: Settings, _: int) -> Check:
    """Whether data and models can be written, and there is room."""
    free = []
    for folder in (settings.project_folder(), settings.models_folder):
        folder.mkdir(parents=True, exist_ok=True)
        trial = folder / ".checkup"
        write_bytes(trial, b"")
        trial.unlink()
        free.append(shutil.disk_usage(folder).free)
    if min(free) < LEAST_FREE:
        seen = f"{min(free) / MEGABYTE:,.0f} MB are free"
        cure = f"make room; old versions go with `{propose('store prune --yes')}`"
        return Check(name="folders", state="warning", seen=seen, cure=cure)
    return Check(name="folders", state="ok", seen=f"{min(free) / 1000 / MEGABYTE:,.0f} GB are free")


def _check_store(settings: Settings, clock_us: int) -> Check:
    """Whether something is stored, whole, and how old it is."""
    try:
        current = read_current(settings.project_folder() / "store", project=settings.project)
    except NoStoreError:
        seen = f"nothing is ingested in {Path.cwd() / settings.project_folder()} yet"
        cure = f"`{propose('ingest')}`"
        return Check(name="store", state="warning", seen=seen, cure=cure)
    for name in current.manifest["tables"]:
        current.files(name)
    if not settings.is_dated:
        return Check(name="store", state="ok", seen=f"version {current.id}")
    seen = f"version {current.id}, known until {format_us(current.known_until_us)}"
    age_us = clock_us - current.known_until_us
    if age_us < -HOUR_US:
        return Check(
            name="store",
            state="warning",
            seen=seen,
            cure="is this machine's clock right?",
        )
    if age_us > settings.max_staleness_hours * HOUR_US:
        cure = (
            f"fetch a new export and run `{propose('ingest')}`; scheduled runs refuse one this old"
        )
        seen += f", {age_us // DAY_US} days ago"
        return Check(name="store", state="warning", seen=seen, cure=cure)
    return Check(name="store", state="ok", seen=seen)


def _check_registry(settings: Settings, _: int) -> Check:
    """Whether MLflow answers, and a model scores."""
    registry = Registry(settings)
    champion = registry.champion()
    if champion is None:
        cure = f"`{propose('train')}`"
        return Check(name="registry", state="warning", seen="no model scores yet", cure=cure)
    return Check(name="registry", state="ok", seen=f"version {champion.number} scores")


PROJECT_CHECKS: dict[str, Callable[[Settings, int], Check]] = {
    "exports": _check_exports,
    "folders": _check_folders,
    "store": _check_store,
    "registry": _check_registry,
}
CURES = {
    "exports": "see the message; `path` and `input_folder` say where files are, `url_env` which "
    "variable holds the address of a database",
    "folders": "let this user write there, or choose data_folder and models_folder",
    "store": "see docs/operate.md, on damaged stores",
    "registry": "start the server that registry.tracking_uri names, or mend the address",
}
