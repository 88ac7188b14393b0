"""A sample in a folder of its own, ingested: what the other benches begin with."""

from __future__ import annotations

from pathlib import Path

from leadscore import project as jobs
from leadscore.registry.registry import Who
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings


def build_sample(folder: Path, *, leads: int, seed: int) -> Settings:
    """Settings of a new sample at `folder`/crm, whose store and models stay in `folder`."""
    write_sample(folder / "crm", leads=leads, seed=seed)
    settings = read_settings(folder / "crm" / "leadscore.toml")
    settings = settings.model_copy(
        update={"data_folder": folder / "data", "models_folder": folder / "models"}
    )
    jobs.ingest(settings)
    return settings


def train_champion(settings: Settings, *, by: str, as_of_us: int | None = None) -> None:
    """Train, by default on all that is known, and let the model score."""
    trained = jobs.train(settings, as_of_us=as_of_us)
    who = Who(by, "2026-01-01T00:00:00Z", "trained for a bench")
    jobs.register(settings, Path(trained.folder), who=who, promote=True)
