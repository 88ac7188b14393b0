"""The current store version, opened for looking back, and the moment that a job looks from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pandas as pd

from leadscore.engine.opening import open_engine
from leadscore.errors import UserError
from leadscore.history.opening import open_history
from leadscore.history.split import History
from leadscore.publish.receipts import read_past_receipts
from leadscore.settings.settings import Settings
from leadscore.store.version import open_version, read_current
from leadscore.times import DAY_US, HOUR_US, format_us


@contextmanager
def open_store(settings: Settings) -> Iterator[History]:
    """The current store version, opened for looking back; it is not pruned meanwhile."""
    store = settings.project_folder() / "store"
    with (
        open_version(lambda: read_current(store, project=settings.project)) as version,
        open_engine(settings.engine) as engine,
    ):
        history = open_history(settings, version, engine)
        yield replace(history, given=_read_given(settings))


def _read_given(settings: Settings) -> pd.DataFrame | None:
    """How likely each published list gave each of its leads to a rep; None unless that is to count."""
    routing = settings.routing
    if routing is None or not settings.retraining.weigh_exploration:
        return None
    folder = settings.project_folder()
    receipts = read_past_receipts(folder / "scores", folder / "store")
    explored = receipts["exploration_probability"].to_pandas()
    is_routed = receipts["tier"].to_pandas().isin(routing.tiers)
    is_drawn = explored.notna() & receipts["rep_id"].to_pandas().notna()
    drawn = explored.where(is_drawn, 0.0)
    columns = {
        "lead_id": receipts["lead_id"].to_pandas(),
        "as_of_us": receipts["as_of"].cast("int64").to_pandas(),
        "probability": drawn.mask(is_routed, 1.0),
    }
    return pd.DataFrame(columns)


def checked_as_of(history: History, as_of_us: int | None) -> int:
    """The moment to look from, by default known_until, if the stored data can answer for it."""
    version = history.version
    if as_of_us is None:
        return version.known_until_us
    if not history.settings.is_dated:
        raise UserError(f"time = {history.settings.time}: nothing is dated, so leave out --as-of")
    hours = history.settings.max_staleness_hours
    if as_of_us > version.known_until_us + hours * HOUR_US:
        raise UserError(
            f"as_of {format_us(as_of_us)} is more than {hours:g} hours after known_until "
            f"{version.manifest['known_until']}; the export is {_name_age(as_of_us - version.known_until_us)} old by "
            "then, and it is not known which leads were still open. Ingest a newer export, or raise max_staleness_hours"
        )
    if as_of_us <= version.first_us:
        raise UserError(
            f"as_of {format_us(as_of_us)} is before all data: the first lead is of {format_us(version.first_us)}"
        )
    return as_of_us


def _name_age(us: int) -> str:
    """A time as people say it: in hours up to three days, then in days."""
    unit_us, unit = (HOUR_US, "hours") if us < 3 * DAY_US else (DAY_US, "days")
    return f"{us / unit_us:,.1f}".removesuffix(".0") + f" {unit}"
