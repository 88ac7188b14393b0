"""A small file of settings, read or refused."""

from pathlib import Path

import pytest

from leadscore.errors import SettingsError, UserError
from leadscore.settings.read import read_settings
from leadscore.settings.settings import Settings

BASE = """
project = "shop"
known_until = 2024-05-31T12:00:00Z

[sources.leads]
path = "leads.csv"

[fields.industry]

[[mapping]]
source = "leads"
table = "leads"
columns = { lead_id = "id", event_at = "created" }
"""
STAGE_ENTRY = '[[mapping]]\nsource = "leads"\ntable = "stages"\n'
BANT = '[bant.budget]\nfield = "industry"\n'


def read(folder: Path, text: str | bytes) -> Settings:
    path = folder / "leadscore.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_settings(path)


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(SettingsError) as told:
        read(folder, text)
    assert isinstance(told.value, UserError)
    assert str(folder / "leadscore.toml") in str(told.value)
    return "; ".join(told.value.problems)
