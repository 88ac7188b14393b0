"""First settings for exported files, and a first look at them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from leadscore.atomic import write_bytes
from leadscore.errors import UserError
from leadscore.locks import scratch
from leadscore.onboarding.combined import combine_leads
from leadscore.onboarding.database import is_address, read_table_profiles
from leadscore.onboarding.exports import common_folder, find_exports, read_exports
from leadscore.onboarding.findings import describe
from leadscore.onboarding.plan import Answers, Plan
from leadscore.onboarding.preset_settings import (
    find_lacking,
    find_stages,
    write_preset_settings,
)
from leadscore.onboarding.profile import Profile
from leadscore.onboarding.proposal import write_proposal
from leadscore.onboarding.recognise import Match, recognise
from leadscore.onboarding.roles import Leads, Roles, find_roles
from leadscore.onboarding.words import slug
from leadscore.progress import Progress, silent
from leadscore.proposals import propose
from leadscore.results import Part, Started
from leadscore.settings.environment import keep_address
from leadscore.settings.read import read_settings
from leadscore.wording import counted, listed

URL_ENV = "LEADSCORE_SOURCE_URL"
# names of folders that say what lies in them, but not whose it is
PLAIN_FOLDERS = {"csv", "data", "download", "downloads", "export", "exports", "files", "input"}
Ask = Callable[[Roles], Answers]


def start(
    places: Sequence[str | Path],
    config: Path,
    *,
    project: str | None = None,
    ask: Ask | None = None,
    known_until: str | None = None,
    progress: Progress = silent,
) -> Started:
    """Settings written at `config` for exported files, each line with its evidence.

    Args:
        places: exported files, folders that hold them, or the address of one database.
        config: where to write the settings; it must not exist.
        project: its name; default: see `name_project`.
        ask: asks a person what the files do not say; None asks nobody.
        known_until: when the export was made, where the caller knows it.
        progress: called as the work goes on.

    Raises:
        UserError: `config` exists, a file cannot be read, or no file looks like leads.
    """
    if config.exists():
        raise UserError(
            f"{config} exists. To read the exports with it, run `{propose('ingest')}`; to start "
            "anew, remove it, or name another file with --config"
        )
    texts = [str(place) for place in places]
    addresses = [text for text in texts if is_address(text)]
    write = partial(_write_settings, config, project=project, ask=ask, known_until=known_until)
    if not addresses:
        return _start_from_files(places, write, progress)
    with scratch() as folder:
        profiles = _read_tables(addresses, len(places), folder, progress)
        started = write(profiles, Path())
    return started.model_copy(update={"url_env": URL_ENV})


def _start_from_files(
    places: Sequence[str | Path],
    write: Callable[[Sequence[Profile], Path], Started],
    progress: Progress,
) -> Started:
    paths = find_exports([Path(place) for place in places])
    exports = read_exports(paths, progress)
    started = write(exports.profiles, common_folder(paths))
    unsure = [Part(**vars(finding)) for finding in exports.unsure]
    parts = [*started.parts, *unsure]
    return started.model_copy(update={"parts": parts})


def _write_settings(
    config: Path,
    profiles: Sequence[Profile],
    base: Path,
    *,
    project: str | None,
    ask: Ask | None,
    known_until: str | None,
) -> Started:
    """Settings for what was looked at, from a preset if one fits."""
    name = slug(project or name_project(base))
    match = recognise(profiles)
    misfits: list[Part] = []
    if match is not None:
        write_form = partial(write_preset_settings, match, project=name, base=base, config=config)
        _write(config, write_form(stages=[]))
        lacking = find_lacking(match, read_settings(config))
        if not lacking:
            return _start_from_preset(match, profiles, config, write_form)
        config.unlink()
        misfits = [_describe_misfit(match, lacking)]

    roles = find_roles(profiles)
    together = combine_leads(profiles, roles.leads.profile)
    if together is not None:
        roles = find_roles(together)
    _check_leads(roles.leads)
    answers = ask(roles) if ask is not None else Answers()
    plan = Plan(roles, answers)
    write = partial(write_proposal, plan, project=name, base=base, config=config)
    _write(config, write(known_until=known_until))
    parts = [Part(**vars(finding)) for finding in describe(roles, plan.people_views)]
    return Started(
        config=str(config),
        preset=None,
        url_env=None,
        parts=[*parts, *misfits],
        unused=[profile.file.name for profile in roles.unused],
        to_confirm=fields_to_confirm(plan),
        has_outcomes=roles.leads.has_outcomes() or plan.has_closes,
        is_dated=plan.is_dated,
    )


def name_project(base: Path) -> str:
    """What to call a project: like the folder of its files, or the one around it if that says nothing.

    >>> name_project(Path("/crm/acme/exports")), name_project(Path("/crm/acme"))
    ('acme', 'acme')
    """
    folder = base.resolve()
    if folder.name.lower() in PLAIN_FOLDERS and folder.parent.name:
        return folder.parent.name
    return folder.name


def _start_from_preset(
    match: Match,
    profiles: Sequence[Profile],
    config: Path,
    write: Callable[..., str],
) -> Started:
    """Add to the settings of a preset the stages that leads went through."""
    stages = find_stages(read_settings(config))
    _write(config, write(stages=stages))
    used = {profile.file.name for profile in match.files.values()}
    parts = [
        Part(
            part=source,
            place=profile.file.name,
            evidence=f"the columns of {match.name}",
            doubt=None,
        )
        for source, profile in match.files.items()
    ]
    if stages:
        evidence = ", ".join(stages)
        doubt = "the order is that in which leads went through them"
        part = Part(part="stages", place="stages.open", evidence=evidence, doubt=doubt)
        parts.append(part)
    files = [profile.file for profile in profiles]
    unused = [file.name for file in files if file.name not in used]
    return Started(
        config=str(config),
        preset=match.name,
        url_env=None,
        parts=parts,
        unused=unused,
        to_confirm=[],
        has_outcomes=True,
        is_dated=True,
    )


def _describe_misfit(match: Match, lacking: Sequence[str]) -> Part:
    """Why a preset that fits many columns is not used."""
    files = [profile.file.name for profile in match.files.values()]
    return Part(
        part="preset",
        place=", ".join(files),
        evidence=f"{match.name} was not used: no column {listed(lacking, most=4)}",
        doubt=f"if it is an export of {match.name}, add these columns, and run init again",
    )


def _write(config: Path, text: str) -> None:
    """Write settings; none that cannot be read stay behind."""
    config.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(config, text.encode())
    try:
        read_settings(config)
    except UserError:
        config.unlink()
        raise


def fields_to_confirm(plan: Plan) -> list[str]:
    """The columns of leads of which nobody has said that they were known at creation."""
    columns = list(plan.fields.values())
    if plan.leads.amount is not None:
        columns.append(plan.leads.amount.name)
    return [column for column in columns if column not in plan.answers.known]


def _read_tables(
    addresses: Sequence[str],
    places: int,
    folder: Path,
    progress: Progress,
) -> list[Profile]:
    """The tables of the one database, whose address the environment keeps for this run."""
    if places > 1:
        raise UserError(
            "give the address of one database, and nothing else; add other sources later"
        )
    keep_address(URL_ENV, addresses[0])
    return read_table_profiles(addresses[0], url_env=URL_ENV, folder=folder, progress=progress)


def _check_leads(leads: Leads) -> None:
    """Refuse files of which none looks like leads, and dated leads without an id."""
    if leads.created is not None and leads.id is None:
        _refuse_repeated_ids(leads)
    if leads.outcome is not None or leads.created is not None or leads.id is not None:
        return
    columns = listed(list(leads.profile.columns), most=20)
    raise UserError(
        f"no file looks like a list of leads: {leads.profile.file.name} has neither an id that is "
        f"different in every row, nor a date of creation, nor a column that says won and lost. Its "
        f"columns: {columns}. Write the settings by hand: docs/settings.md"
    )


def _refuse_repeated_ids(leads: Leads) -> None:
    """Name what may not be an id of leads, or the columns that come closest to one."""
    all_columns = leads.profile.columns.values()
    columns = [column for column in all_columns if column.date_order is None]
    personal = [column.name for column in columns if column.is_unique and column.is_personal]
    if personal:
        raise UserError(
            f"{leads.profile.file.name} has no column that identifies a lead: {personal[0]!r} is "
            "different in each row but looks personal, and the id of a lead is stored and shown as "
            "it is. Export the CRM's own id of each record too"
        )
    columns.sort(key=lambda column: -len(column.values))
    closest = ", ".join(
        f"{column.name!r} ({counted(len(column.values), 'value')})" for column in columns[:3]
    )
    raise UserError(
        f"{leads.profile.file.name} has no column that identifies a lead: none has a different "
        f"value in each of its {counted(leads.profile.rows, 'row')}. The closest: {closest}. If "
        "its rows are events of leads (a log), or repeat leads, export one row per lead beside it, "
        "or write a view that makes one: docs/views.md"
    )
