"""The stamp of a connector as the moment of the export, as docs/presets.md shows it."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadscore import project as jobs
from leadscore.settings.read import read_settings
from presets import hubspot, pipedrive_dlt, world

LOADED = datetime(2025, 6, 24, 4, 30, tzinfo=UTC)
STAMPED = {  # preset -> file of the leads, stamp, and how it is written
    "hubspot/fivetran": ("deal.csv", "_fivetran_synced", "2025-06-24 04:30:00"),
    "pipedrive/dlt": ("deals.csv", "_dlt_load_id", f"{LOADED.timestamp():.6f}"),
}
EXPORTS: dict[str, Callable[[Path], None]] = {
    "hubspot/fivetran": lambda folder: hubspot.build_account(6).write(folder),
    "pipedrive/dlt": lambda folder: pipedrive_dlt.build_tables(6).write(folder),
}


def settings_of_page(preset: str) -> str:
    """The settings of the page's last section for a preset."""
    section = world.PAGE.read_text(encoding="utf-8").partition("## When a connector last loaded")[2]
    blocks = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    (block,) = [text for text in blocks if tomllib.loads(text)["preset"] == preset]
    return str(block)


@pytest.mark.parametrize("preset", STAMPED)
def test_leads_when_a_connector_stamps_them_then_the_latest_stamp_is_the_moment(
    tmp_path: Path, preset: str
) -> None:
    EXPORTS[preset](tmp_path)
    name, column, stamp = STAMPED[preset]
    with (tmp_path / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    earlier = stamp.replace("2025", "2024").replace("175", "174")
    stamped = [row | {column: earlier} for row in rows[1:]]
    world.write_table(tmp_path / name, [rows[0] | {column: stamp}, *stamped], [*rows[0], column])
    path = tmp_path / "leadscore.toml"
    path.write_text(settings_of_page(preset) + world.LENIENT, encoding="utf-8")
    settings = read_settings(path, input_folder=tmp_path)
    settings = settings.model_copy(update={"data_folder": tmp_path / "data"})

    ingested = jobs.ingest(settings)

    assert ingested.known_until == "2025-06-24T04:30:00Z"
