"""Writing the current list for the targets of the settings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa

from leadscore.atomic import write_pointer
from leadscore.errors import LeadscoreError, UserError
from leadscore.proposals import propose
from leadscore.publish.checkers.check import check_file as check_bytes
from leadscore.publish.listed import read_current_id
from leadscore.publish.publication import (
    Publication,
    read_as_of,
    read_inputs,
    read_publication,
)
from leadscore.publish.targets.database import write_database
from leadscore.publish.targets.delivery import Delivery, Mode
from leadscore.publish.targets.delivery import deliver as write_target
from leadscore.publish.targets.failed import FailedRow, read_failures, write_again
from leadscore.publish.targets.history import format_dbt_source, write_history
from leadscore.publish.targets.kind import Layout
from leadscore.publish.targets.layout import KINDS, build_layout
from leadscore.publish.targets.typed_rows import build_table
from leadscore.results import (
    CheckedFile,
    Delivered,
    Deliveries,
    FailedGroup,
    FailedRows,
    FileProblem,
)
from leadscore.scoring.overrides import overrides_in_force
from leadscore.settings.base import hint
from leadscore.settings.settings import Settings
from leadscore.settings.targets import TargetSettings
from leadscore.times import FOREVER_US

EXAMPLES = 5


def deliver(
    settings: Settings,
    publication_id: str | None = None,
    *,
    targets: Sequence[str] = (),
    mode: Mode | None = None,
) -> Deliveries:
    """Write the current list for targets; repeating it writes the same again.

    A target that cannot be written does not keep the others from it; its result says why.

    Args:
        settings: of the project.
        publication_id: of the list, which must be the current one; default: whichever is.
        targets: their names; default: all.
        mode: instead of the mode of their settings.

    Raises:
        UserError: there is no such target, or the list is not the current one.
        CorruptFileError: the list is damaged.
    """
    names = [_checked_name(settings, name) for name in targets or settings.targets]
    if not names:
        return Deliveries(targets=[])
    publication, scores = _read_current(settings, publication_id)
    done = []
    for name in names:
        target = settings.targets[name]
        usual = Delivered(
            target=name,
            kind=target.kind,
            publication_id=publication.id,
            mode=mode or target.mode,
        )
        try:
            done.append(_deliver_one(settings, usual, publication, scores))
        except LeadscoreError as e:
            done.append(usual.model_copy(update={"problem": str(e)}))
    return Deliveries(targets=done)


def _checked_name(settings: Settings, name: str) -> str:
    if name in settings.targets:
        return name
    known = list(settings.targets)
    near = hint(name, known) if known else "; the settings have no [targets]"
    raise UserError(f"there is no target {name!r}{near}")


def _read_current(settings: Settings, publication_id: str | None) -> tuple[Publication, pa.Table]:
    """The current list; no other may reach a CRM."""
    folder = settings.project_folder() / "scores"
    current = read_current_id(folder)
    if current is None:
        raise UserError(f"no list is published yet; run `{propose('score')}` first")
    if publication_id not in {None, current}:
        raise UserError(
            f"{publication_id} is not the current list, which is {current}; to make it current: "
            f"`{propose(f'publish {publication_id} --replace-newer')}`"
        )
    return read_publication(current, folder=folder)


def target_folder(settings: Settings, name: str) -> Path:
    """Where the deliveries of a target are."""
    return settings.project_folder() / "targets" / name


def _deliver_one(
    settings: Settings,
    usual: Delivered,
    publication: Publication,
    scores: pa.Table,
) -> Delivered:
    target = settings.targets[usual.target]
    excluded = _find_excluded(publication)
    if target.kind in {"database", "history"}:
        return _write_typed(settings, usual, publication, scores, excluded=excluded)
    mode: Mode = "full" if usual.mode == "full" else "delta"
    delivery = write_target(
        publication,
        scores,
        _layout(settings, usual.target, target, scores),
        folder=target_folder(settings, usual.target),
        mode=mode,
        excluded=excluded,
    )
    return _summarise(usual, delivery)


def _write_typed(
    settings: Settings,
    usual: Delivered,
    publication: Publication,
    scores: pa.Table,
    *,
    excluded: Collection[str],
) -> Delivered:
    """Write typed rows: into a database, or to the history of lists."""
    target = settings.targets[usual.target]
    folder = target_folder(settings, usual.target)
    project = settings.project
    rows, refused = build_table(
        publication,
        scores,
        excluded=excluded,
        valid_days=target.valid_days,
    )
    cleared = 0
    if target.kind == "database":
        cleared = write_database(rows, publication, target, project=project)
        source = format_dbt_source(project, schema=target.schema_name)
        write_pointer(folder / "sources.yml", source.encode())
    else:
        folder = write_history(rows, publication, folder=folder, project=project)
    return usual.model_copy(
        update={
            "folder": str(folder),
            "written": rows.num_rows,
            "cleared": cleared,
            "refused": {row.lead_id: row.reason for row in refused},
        }
    )


def _layout(
    settings: Settings,
    name: str,
    target: TargetSettings,
    scores: pa.Table | None,
) -> Layout:
    if target.kind not in KINDS:
        raise UserError(f"targets.{name}: a {target.kind} has no files")
    available = set() if scores is None else set(scores.schema.names)
    return build_layout(name, target, preset=settings.preset, available=available)


def _find_excluded(publication: Publication) -> frozenset[str]:
    """The leads that people took off the list."""
    overrides = read_inputs(publication).get("overrides", ())
    as_of_us = read_as_of(publication.manifest)
    in_force = overrides_in_force(overrides, as_of_us=FOREVER_US if as_of_us is None else as_of_us)
    return frozenset(row["lead_id"] for row in in_force if row["action"] == "exclude")


def _summarise(usual: Delivered, delivery: Delivery) -> Delivered:
    counts = delivery.manifest["counts"]
    refused = {row["lead_id"]: row["reason"] for row in delivery.manifest["refused"]}
    return usual.model_copy(
        update={
            "folder": str(delivery.folder),
            "files": delivery.manifest["parts"],
            "written": counts["written"],
            "unchanged": counts["unchanged"],
            "cleared": counts["cleared"],
            "refused": refused,
        }
    )


def rewrite_failed(settings: Settings, name: str, results: Path) -> FailedRows:
    """What a CRM refused of a target's files, by reason, and these rows written again.

    Raises:
        UserError: there is no such target, or the file is none of its results.
        CorruptFileError: the target's latest delivery is damaged.
    """
    target = settings.targets[_checked_name(settings, name)]
    _, scores = _read_current(settings, None)
    layout = _layout(settings, name, target, scores)
    failures = read_failures(results, layout)
    again = write_again(failures, layout, folder=target_folder(settings, name))
    groups = [_summarise_group(reason, rows) for reason, rows in failures.grouped().items()]
    return FailedRows(
        target=name,
        rows=failures.rows,
        groups=groups,
        unknown=list(again.unknown),
        without_key=list(failures.without_key),
        folder=str(again.delivery.folder) if again.delivery else None,
        files=again.delivery.manifest["parts"] if again.delivery else [],
    )


def _summarise_group(reason: str, rows: Sequence[FailedRow]) -> FailedGroup:
    keys = list(dict.fromkeys(row.key for row in rows if row.key))
    return FailedGroup(reason=reason, rows=len(rows), leads=keys[:EXAMPLES])


def check_file(path: Path, contract: str, *, job: Path | None = None) -> CheckedFile:
    """Whether a CRM would take a file; what it would refuse, by line.

    Raises:
        UserError: there is no such contract or file.
    """
    problems = check_bytes(path, contract, job=job)
    return CheckedFile(
        file=str(path),
        contract=contract,
        problems=[
            FileProblem(line=problem.line, field=problem.field, reason=problem.reason)
            for problem in problems
        ],
    )
