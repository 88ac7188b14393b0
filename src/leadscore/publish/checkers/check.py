"""Checks a file against the contract of a CRM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from leadscore.errors import UserError
from leadscore.files import read_if_there
from leadscore.json_files import read_json
from leadscore.publish.checkers import dynamics, generic, hubspot, odoo, pipedrive, salesforce
from leadscore.publish.checkers.problem import Problem
from leadscore.publish.checkers.typed import Json
from leadscore.settings.base import hint

Check = Callable[[str, bytes, Json | None, Json | None], list[Problem]]
CHECKS: dict[str, Check] = {
    "salesforce": salesforce.check,
    "hubspot": hubspot.check,
    "dynamics": dynamics.check,
    "odoo": odoo.check,
    "pipedrive": pipedrive.check,
    "generic": generic.check,
}
FIELDS = {"key": {"field": str}, "fields": [{"field": str, "type": str}]}
CURE = "name another file, or write it again with leadscore publish"


def check_file(path: Path, crm: str, *, job: Path | None = None) -> list[Problem]:
    """What a CRM would refuse of a file, by line; nothing if it would take all of it.

    Args:
        path: the file.
        crm: the contract, such as "salesforce".
        job: the job or import request; by default the one beside the file. A FIELDS.json beside
            the file states the types of its columns.

    Raises:
        UserError: there is no such contract or file.
        DamagedFileError: the job is no JSON object.
    """
    if crm not in CHECKS:
        raise UserError(f"there is no contract {crm!r}{hint(crm, list(CHECKS))}")
    data = read_if_there(path)
    if data is None:
        raise UserError(f"there is no file {path}")
    beside = path.with_name(f"{path.stem}.job.json")
    document = _read(job or beside, is_needed=job is not None)
    fields = _read(path.with_name("FIELDS.json"), is_needed=False, shape=FIELDS)
    problems = CHECKS[crm](path.name, data, document, fields)
    return sorted(problems, key=lambda problem: problem.line)


def _read(path: Path, *, is_needed: bool, shape: Json | None = None) -> Json | None:
    if not is_needed and read_if_there(path) is None:
        return None
    return read_json(path, shape, cure=CURE)
