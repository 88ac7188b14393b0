"""Where a project stands, on one screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from leadscore.cli.rendering.console import command, escaped, out, until
from leadscore.wording import counted

if TYPE_CHECKING:
    from leadscore.results import LastLook, PublishedList, ScoringModel, Status, StoreStatus

DAY = 24  # hours
FRACTION = re.compile(r"\.\d+")  # of a second


def draw_status(status: Status) -> None:
    """A line for each part, with what to run where a part is missing or was held back."""
    _draw("project", f"[bold]{escaped(status.project)}[/]")
    _draw("store", _store_in_words(status.store, status.folder))
    if status.store or status.rejects:
        _draw("rejects", _rejects_in_words(status.rejects))
    _draw_held_delivery(status)
    _draw("list", _list_in_words(status.published))
    _draw_withheld(status)
    _draw("champion", _champion_in_words(status))
    if status.challenger:
        _draw("challenger", _model_in_words(status.challenger))
    if status.last_look:
        _draw("alarms", _alarms_in_words(status.last_look))
    _draw("next", _next_in_words(status))
    if status.damaged_entries:
        lines = ", ".join(f"{number:,}" for number in status.damaged_entries)
        _draw("audit trail", f"[yellow]cannot be read in full[/]: line {lines} of audit.jsonl")


def _draw(name: str, words: str) -> None:
    out.print(f"[dim]{name:<12}[/]{words}", highlight=False, soft_wrap=True)


def _store_in_words(store: StoreStatus | None, folder: str) -> str:
    if store is None:
        place = escaped(Path.cwd() / folder)
        return f"[yellow]nothing is ingested in {place} yet[/]{_place_hint(folder)}: {command('ingest')}"
    return f"version {store.version}, {until(store.known_until)}{_age_in_words(store.age_hours)}"


def _place_hint(folder: str) -> str:
    """Why a store may seem to be missing; empty where the settings name a whole path."""
    if Path(folder).is_absolute():
        return ""
    return " (data_folder is relative to the folder you run from)"


def _rejects_in_words(rejects: dict[str, int]) -> str:
    rows = counted(sum(rejects.values()), "row")
    if not rejects:
        return f"{rows} of the last export"
    return f"[yellow]{rows}[/] of the last export: {command('rejects')}"


def _draw_held_delivery(status: Status) -> None:
    """The delivery that is quarantined, or why the last ingest stopped."""
    quarantined = status.quarantined
    if quarantined is not None:
        alarms = escaped(", ".join(quarantined.alarms))
        known_until = until(quarantined.known_until)
        _draw("quarantined", f"[yellow]version {quarantined.version}[/], {known_until}: {alarms}")
    elif status.ingest_stopped is not None:
        _draw("ingest", f"[yellow]the last one stopped[/]: {escaped(status.ingest_stopped)}")


def _list_in_words(published: PublishedList | None) -> str:
    if published is None:
        return f"[yellow]none is published yet[/]: {command('score')}"
    words = f"{published.publication_id}, {counted(published.leads, 'lead')}"
    if published.as_of:
        words += f", as of {published.as_of}{_age_in_words(published.age_hours)}"
    if published.expired:
        return f"{words}, [red]valid until {published.valid_until}: score a new export[/]"
    if published.valid_until:
        words += f", valid until {published.valid_until}"
    if not published.stale:
        return words
    ingest = command("ingest")
    score = command("score")
    return f"{words}, [yellow]stale[/]. Fetch a new export, then run `{ingest}` and `{score}`"


def _draw_withheld(status: Status) -> None:
    withheld = status.withheld
    if withheld is None:
        return
    reasons = escaped("; ".join(withheld.reasons)) or "written, but not published"
    option = " --even-if-unlike" if withheld.reasons else ""
    publish = command(f"publish {withheld.publication_id}{option}")
    _draw("withheld", f"[yellow]{withheld.publication_id}[/]: {reasons}")
    _draw("", f"to publish it: {publish}")


def _champion_in_words(status: Status) -> str:
    if status.champion:
        return _model_in_words(status.champion)
    if status.challenger is None:
        return f"[yellow]none yet[/]: {command('train')}"
    promote = command(f"models promote {status.challenger.number} --why ...")
    return f"[yellow]none yet[/]: train again, or promote the challenger with {promote}"


def _model_in_words(model: ScoringModel) -> str:
    words = f"version {model.number} ({model.version}), trained on data {until(model.known_until)}"
    if model.since is None:
        return words
    since = FRACTION.sub("", model.since)
    return f"{words}; since {since} by {escaped(model.by)}: {escaped(model.why)}"


def _alarms_in_words(look: LastLook) -> str:
    """The alarms of the last look."""
    if not look.alarms:
        return f"none as of {look.as_of}"
    alarms = "; ".join(f"{alarm.kind} of {alarm.subject}" for alarm in look.alarms)
    return f"[red]{escaped(alarms)}[/] as of {look.as_of}: {command('monitor')}"


def _next_in_words(status: Status) -> str:
    """What runs when, or what is known of it without a server."""
    words = "schedule unknown: no Prefect server answers"
    if status.next_runs is not None:
        runs = [f"{escaped(run.deployment)} {run.at}" for run in status.next_runs]
        words = ", ".join(runs) or "no run is scheduled"
    if status.training_due:
        words += f"; training is due once the data reach {status.training_due}"
    return words


def _age_in_words(hours: float | None) -> str:
    """How long ago, in the unit that people would use; empty without an age."""
    if hours is None or hours < 0:
        return ""
    if hours < 2 * DAY:
        return f" ({counted(round(hours), 'hour')} ago)"
    return f" ({counted(round(hours / DAY), 'day')} ago)"
