"""Addresses of files for Prefect's pages: on this machine, or where LEADSCORE_BASE_URL says they are served."""

from __future__ import annotations

from pathlib import Path

from leadscore import Project
from leadscore.addresses import find_address
from leadscore.settings.environment import read_base_url


def link(config: str, path: str) -> str:
    """The address of a file or folder of a project."""
    settings = Project(config).settings
    served = {"data": settings.data_folder, "models": settings.models_folder}
    return find_address(Path(path), served=served, base_url=read_base_url())
