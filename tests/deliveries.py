"""Successive exports of the sample company: what its CRM would have shown at each moment, and ways to get it wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from histories import scratch
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings

DATED = {
    "leads": "created_at",
    "field_history": "changed_at",
    "activities": "at",
    "stage_history": "entered_at",
    "outcomes": "closed_at",
}
Tables = dict[str, pd.DataFrame]
Mutation = Callable[[Tables], Tables]


@cache
def read_sample(*, leads: int, seed: int = 1) -> Tables:
    """Every file of the sample company at its end, all values as text."""
    folder = sample_folder(leads=leads, seed=seed)
    return {
        name: pd.read_csv(folder / "exports" / f"{name}.csv", dtype=str, keep_default_na=False)
        for name in DATED
    }


@cache
def sample_folder(*, leads: int, seed: int = 1) -> Path:
    """Where a sample company was written."""
    folder = scratch() / f"sample-{leads}-{seed}"
    write_sample(folder, leads=leads, seed=seed)
    return folder


def cut(tables: Tables, day: np.datetime64) -> Tables:
    """What the CRM shows at the beginning of a day."""
    return {name: table[table[DATED[name]] < str(day)] for name, table in tables.items()}


def write_delivery(tables: Tables, folder: Path) -> None:
    """The files of an export."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)


def settings_of(folder: Path, *, leads: int, seed: int = 1) -> Settings:
    """The sample's settings, with exports, data and models in a folder."""
    settings = read_settings(sample_folder(leads=leads, seed=seed) / "leadscore.toml")
    places = {
        "input_folder": folder / "exports",
        "data_folder": folder / "data",
        "models_folder": folder / "models",
    }
    return settings.model_copy(update=places)


def on(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Mutation:
    """A change of one file."""
    return lambda tables: tables | {name: change(tables[name].copy())}


def both(*mutations: Mutation) -> Mutation:
    """One change after another."""

    def change(tables: Tables) -> Tables:
        for each in mutations:
            tables = each(tables)
        return tables

    return change


def truncated(name: str, share: float) -> Mutation:
    """A file that is cut off."""
    return on(name, lambda table: table.iloc[: int(share * len(table))])


def thinned(
    name: str, share: float, where: Callable[[pd.DataFrame], pd.Series] | None = None
) -> Mutation:
    """Rows that are missing here and there."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        drawn = np.random.default_rng(7).random(len(table)) < share
        chosen = pd.Series(drawn, index=table.index) & (where(table) if where else True)
        return table[~chosen]

    return on(name, change)


def dead(
    name: str, since: np.datetime64, where: Callable[[pd.DataFrame], pd.Series] | None = None
) -> Mutation:
    """A feed in which nothing is new since a day."""
    return on(
        name,
        lambda table: table[
            ~((table[DATED[name]] >= str(since)) & (where(table) if where else True))
        ],
    )


def scaled(
    name: str, column: str, factor: int, *, since: np.datetime64 | None = None,
    where: Callable[[pd.DataFrame], pd.Series] | None = None,
) -> Mutation:  # fmt: skip
    """Numbers that are multiplied, in all rows or in new ones."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        chosen = (table[column] != "") & (where(table) if where else True)
        if since is not None:
            chosen &= table[DATED[name]] >= str(since)
        table.loc[chosen, column] = (table.loc[chosen, column].astype(int) * factor).astype(str)
        return table

    return on(name, change)


def shifted(name: str, hours: int) -> Mutation:
    """Times that moved, as in another zone."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        moved = pd.to_datetime(table[DATED[name]]) + pd.Timedelta(hours=hours)
        return table.assign(**{DATED[name]: moved.dt.strftime("%Y-%m-%d %H:%M:%SZ")})

    return on(name, change)


def swapped(
    name: str, column: str, values: dict[str, str], *, since: np.datetime64 | None = None
) -> Mutation:
    """Values that became others."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        chosen = table[column].isin(list(values))
        if since is not None:
            chosen &= table[DATED[name]] >= str(since)
        table.loc[chosen, column] = table.loc[chosen, column].map(values)
        return table

    return on(name, change)


def emptied(name: str, column: str, *, since: np.datetime64 | None = None) -> Mutation:
    """A column without values."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        chosen = (
            pd.Series(data=True, index=table.index)
            if since is None
            else table[DATED[name]] >= str(since)
        )
        table.loc[chosen, column] = ""
        return table

    return on(name, change)


def shuffled(
    name: str, column: str, where: Callable[[pd.DataFrame], pd.Series] | None = None
) -> Mutation:
    """Values that stand beside the wrong rows."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        chosen = where(table) if where else pd.Series(data=True, index=table.index)
        values = table.loc[chosen, column].to_numpy()
        table.loc[chosen, column] = np.random.default_rng(7).permutation(values)
        return table

    return on(name, change)


def repeated(
    name: str, times: int, *, share: float = 1.0, since: np.datetime64 | None = None
) -> Mutation:
    """Rows that come more than once."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        chosen = np.random.default_rng(7).random(len(table)) < share
        if since is not None:
            chosen &= (table[DATED[name]] >= str(since)).to_numpy()
        return pd.concat([table, *[table[chosen]] * (times - 1)])

    return on(name, change)


def without_leads(where: Callable[[pd.DataFrame], pd.Series]) -> Mutation:
    """Leads that are missing from every file."""

    def change(tables: Tables) -> Tables:
        gone = set(tables["leads"].loc[where(tables["leads"]), "lead_id"])
        return {name: table[~table["lead_id"].isin(gone)] for name, table in tables.items()}

    return change
