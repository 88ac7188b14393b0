"""The sample's exports as its CRM would have made them on any day: what the benches of several lists begin with."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore import project as jobs
from leadscore.errors import AlarmError
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment

LAST = np.datetime64("2026-03-01")
DATES = {
    "leads": "created_at",
    "field_history": "changed_at",
    "activities": "at",
    "stage_history": "entered_at",
    "outcomes": "closed_at",
}


def write_company(folder: Path, *, leads: int, seed: int) -> Settings:
    """The settings of a new sample at `folder`/crm, trained by its default trees; nothing is ingested yet."""
    write_sample(folder / "crm", leads=leads, seed=seed)
    settings = read_settings(folder / "crm" / "leadscore.toml")
    model = settings.model.model_copy(update={"trials": 1})
    places = {"data_folder": folder / "data", "models_folder": folder / "models"}
    return settings.model_copy(update={"model": model} | places)


def read_exports(folder: Path) -> dict[str, pd.DataFrame]:
    """All rows of the dated files, as text."""
    return {
        name: pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
        for name in DATES
    }


def deliver(settings: Settings, exports: dict[str, pd.DataFrame], day: np.datetime64) -> None:
    """Ingest what the CRM shows at the beginning of a day."""
    for name, table in exports.items():
        table[table[DATES[name]] < str(day)].to_csv(
            settings.input_folder / f"{name}.csv", index=False
        )
    known_until_us = parse_moment(str(day), zone="UTC")
    try:
        jobs.ingest(settings, known_until_us=known_until_us)
    except AlarmError as e:
        print(f"{day}: {e}", file=sys.stderr)
        jobs.ingest(settings, known_until_us=known_until_us, accept=e.names)
