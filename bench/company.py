"""A large sample company whose leads are scored by models of stated sizes: what `open_leads.py` measures on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leadscore import project as jobs
from leadscore.model.scorers.boosted import Boosting, TreeRows
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings
from leadscore.times import parse_moment
from many_open import copy_open_leads
from sample_project import build_sample, train_champion

HISTORY, REPS = 8_000, 500
TRAINED, BEFORE, NOW = (
    parse_moment(day, zone="UTC") for day in ("2026-02-15", "2026-02-22", "2026-03-01")
)


@dataclass(frozen=True)
class Size:
    """Of the trees of a model."""

    trees: int
    leaves: int

    def __str__(self) -> str:
        return f"{self.trees} trees x {self.leaves} leaves"


SIZES = {"small": Size(150, 15), "large": Size(300, 31)}


def train_model(folder: Path, size: Size) -> Settings:
    """Settings of a small sample at `folder`, whose champion has trees of a size."""
    settings = build_sample(folder, leads=HISTORY, seed=1)
    boosted = settings.model.model_copy(update={"scorer": "boosted", "trials": 1})
    with_trees = settings.model_copy(update={"model": boosted})
    with _trees_of(size):
        train_champion(with_trees, by="bench/open_leads.py", as_of_us=TRAINED)
    return with_trees


@contextmanager
def _trees_of(size: Size) -> Iterator[None]:
    """Training fits trees of this size, whatever it would choose."""
    fit = TreeRows.fit

    def fit_size(rows: TreeRows, boosting: Boosting, **how: Any) -> str:
        return fit(rows, replace(boosting, trees=size.trees, leaves=size.leaves), **how)

    TreeRows.fit = fit_size  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        TreeRows.fit = fit  # type: ignore[method-assign]


def ingest_company(folder: Path, *, leads: int, copies: int = 1) -> Settings:
    """Settings of a large sample at `folder`, ingested; it has no model of its own.

    Its open leads are there `copies` times.
    """
    write_sample(folder / "crm", leads=leads, seed=1)
    if copies > 1:
        copy_open_leads(folder / "crm" / "exports", copies=copies)
    _write_reps(folder / "crm" / "exports" / "reps.csv")
    settings = read_settings(folder / "crm" / "leadscore.toml")
    large = settings.model_copy(update={"data_folder": folder / "data"})
    jobs.ingest(large, known_until_us=large.known_until_us())
    return large


def _write_reps(path: Path) -> None:
    teams = {"DACH": "DE;AT;CH", "North": "SE;DK;NO;FI", "West": "NL;BE;FR", "Isles": "GB;IE"}
    lines = ["rep_id,name,team,territories,capacity"]
    for i in range(REPS):
        team = list(teams)[i % len(teams)]
        lines.append(f"R{i:04d},Rep {i},{team},{teams[team]},60")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
