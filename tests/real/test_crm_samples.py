"""Presets on tables that connectors really wrote: every file is read, and no row is lost unseen."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from presets import world

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LEADSCORE_REAL_DATA", ROOT / "../shared/data")) / "crm_samples"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"crm_samples is not in {DATA}")


def copy_tables(folder: Path, to: Path, *, prefix: str = "") -> None:
    """The seeds of a connector under the names of its tables."""
    for path in folder.glob(f"{prefix}*_data.csv"):
        name = path.stem.removeprefix(prefix).removesuffix("_data")
        shutil.copy(path, to / f"{name}.csv")


def test_hubspot_when_the_tables_are_real_then_all_are_read(tmp_path: Path) -> None:
    copy_tables(DATA / "hubspot" / "fivetran", tmp_path)

    ingested = world.ingest_folder(tmp_path, "hubspot/fivetran", more=world.LENIENT).ingested

    assert ingested.accounts.tables["leads"].stored >= 40
    assert [line for line in ingested.warnings if line.startswith("no file for")] == []
    assert ingested.accounts.views["engagements"].rows > 100


def test_salesforce_when_the_tables_are_real_then_all_are_read(tmp_path: Path) -> None:
    copy_tables(DATA / "salesforce" / "fivetran", tmp_path, prefix="sf_")
    path = tmp_path / "opportunity.csv"
    rows = pd.read_csv(path, dtype=str).assign(is_deleted="false")  # all of them were
    rows.to_csv(path, index=False)

    ingested = world.ingest_folder(tmp_path, "salesforce/fivetran", more=world.LENIENT).ingested

    views = ingested.accounts.views
    assert ingested.accounts.sources["leads"].read == 10
    assert views["history_rows"].rows > 0
    assert views["engagements"].rows == 20
