"""The section `engine`: what the machine offers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadscore.settings.base import Frozen
from leadscore.settings.limits import MOST_MEMORY_MB, MOST_THREADS


class EngineSettings(Frozen):
    """Where SQL runs, and what the SQL engine and the training may use of the machine."""

    kind: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="what runs the SQL of training and scoring; spark needs leadscore[spark]",
    )
    memory_limit_mb: int = Field(
        default=2048,
        ge=128,
        le=MOST_MEMORY_MB,
        description="memory in MB above which the SQL engine spills to disk",
    )
    threads: int = Field(
        default=2, ge=1, le=MOST_THREADS, description="threads of the SQL engine and of training"
    )
    view_seconds: int = Field(
        default=600, ge=1, le=86_400, description="seconds after which a view is stopped"
    )
    chunk_snapshots: int = Field(
        default=50_000,
        ge=1,
        le=100_000_000,
        description="snapshots that are joined to their events, and leads that are explained, at a time",
    )
