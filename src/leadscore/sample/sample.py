"""Writes the sample company: its exports, the settings that read them, and the truth beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from leadscore.atomic import fill_folder
from leadscore.errors import UserError
from leadscore.sample.draw import draw_leads
from leadscore.sample.exports import build_reps

PLAIN = pa_csv.WriteOptions(quoting_style="needed")
CONTENTS = ("exports", "truth", "leadscore.toml")


def write_sample(folder: Path, *, leads: int, seed: int) -> dict[str, Any]:
    """Write exports/*.csv, leadscore.toml and truth/leads.csv; the same arguments give equal bytes.

    Returns:
        The rows of each file, how many leads are open at UNTIL, and their mean true probability.

    Raises:
        UserError: there is something in `folder` already.
    """
    is_new = not folder.exists()
    is_empty = folder.is_dir() and not any(folder.iterdir())
    if not (is_new or is_empty):
        raise UserError(f"{folder} is not empty; name a new folder, nothing is overwritten")

    summary = Summary()

    def fill(empty: Path) -> None:
        _write_tables(empty, summary, leads=leads, seed=seed)
        reps_path = empty / "exports" / "reps.csv"
        pa_csv.write_csv(build_reps(), reps_path, write_options=PLAIN)
        settings = resources.files("leadscore.sample") / "sample.toml"
        (empty / "leadscore.toml").write_bytes(settings.read_bytes())

    if folder.exists():
        _fill_existing(folder, fill)
    else:
        fill_folder(folder, fill)
    chances = summary.chances
    return {
        "folder": str(folder),
        "rows": summary.rows,
        "open": len(chances),
        "mean_truth": float(chances.mean()) if len(chances) else None,
    }


@dataclass
class Summary:
    """What was written: rows by file, and the true probabilities of the open leads."""

    rows: dict[str, int] = field(default_factory=dict)
    chances: np.ndarray = field(default_factory=lambda: np.empty(0))

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Count the tables of one chunk."""
        for name, table in tables.items():
            rows_before = self.rows.get(name, 0)
            self.rows[name] = rows_before + table.num_rows
        chances = tables["truth/leads"]["win_probability"].drop_null()
        self.chances = np.concatenate([self.chances, chances.to_numpy()])


def _write_tables(folder: Path, summary: Summary, *, leads: int, seed: int) -> None:
    """Write each table chunk by chunk, so that no more than one chunk is in memory."""
    with ExitStack() as stack:
        writers: dict[str, pa_csv.CSVWriter] = {}
        for drawn in draw_leads(leads=leads, seed=seed):
            tables = drawn.tables()
            summary.add(tables)
            for name, table in tables.items():
                if name not in writers:
                    path = folder / f"{name}.csv"
                    path.parent.mkdir(exist_ok=True)
                    writer = pa_csv.CSVWriter(path, table.schema, write_options=PLAIN)
                    writers[name] = stack.enter_context(writer)
                writers[name].write_table(table)


def _fill_existing(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill an empty folder that may be a mount, a link, or where the user stands: so it stays."""
    whole = folder / ".sample"
    fill_folder(whole, fill)
    for name in CONTENTS:
        (whole / name).rename(folder / name)
    whole.rmdir()
