"""How long an audit takes, alone and in company: 100,000 closed leads of 20 fields, on one thread."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from leadscore import project as jobs
from leadscore.settings.settings import Settings

LEADS, FIELDS, SEED = 100_000, 20, 1
AIM_S = 60.0
KINDS = ("days", "last", "score", "size")  # words that make groups of relatives
PLACES = ("client", "partner", "offer", "visit", "market", "plant", "office")


def main() -> None:
    """Ingest made-up leads without dates, audit them, and print the seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rng = np.random.default_rng(SEED)
        won = rng.random(LEADS) < 0.3
        names = [
            f"{KINDS[at % len(KINDS)]}_{PLACES[at % len(PLACES)]}_{at}" for at in range(FIELDS)
        ]
        frame = pd.DataFrame({name: _draw(rng, won, at) for at, name in enumerate(names)})
        frame.assign(end=np.where(won, "won", "lost")).to_csv(folder / "leads.csv", index=False)
        settings = _settings(folder, frame)
        jobs.ingest(settings)
        started = time.perf_counter()
        jobs.audit(settings)
        seconds = time.perf_counter() - started
    print(f"{LEADS:,} leads x {FIELDS} fields: {seconds:.1f} s (aim: {AIM_S:g} s)")


def _draw(rng: np.random.Generator, won: np.ndarray, at: int) -> np.ndarray:
    """A field that tells a little: every fourth is text, some values are missing."""
    numbers = rng.normal(size=LEADS) + 0.5 * won
    if at % 4 == 0:
        return np.array([f"kind {number:.0f}" for number in numbers], dtype=object)
    return np.where(rng.random(LEADS) < 0.1, np.nan, numbers.round(2))


def _settings(folder: Path, frame: pd.DataFrame) -> Settings:
    kinds = {name: "text" if frame[name].dtype.kind == "O" else "number" for name in frame}
    outcome = {"source": "leads", "table": "outcomes", "columns": {"outcome": "end"}}
    return Settings.model_validate(
        {
            "project": "audited",
            "time": "none",
            "input_folder": folder,
            "data_folder": folder / "data",
            "sources": {"leads": {"path": "leads.csv"}},
            "fields": {name: {"type": kind} for name, kind in kinds.items()},
            "mapping": [
                {"source": "leads", "table": "leads", "columns": {name: name for name in frame}},
                outcome,
            ],
        }
    )


if __name__ == "__main__":
    main()
