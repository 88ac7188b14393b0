"""The engine that the settings ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from leadscore.engine.duckdb import DuckDBEngine
from leadscore.engine.protocol import Engine
from leadscore.settings.engine import EngineSettings


@contextmanager
def open_engine(settings: EngineSettings) -> Iterator[Engine]:
    """An empty engine, closed at the end.

    Raises:
        UserError: Spark is asked for, and PySpark or Java is not installed.
    """
    if settings.kind == "duckdb":
        with closing(DuckDBEngine(settings)) as engine:
            yield engine
        return
    from leadscore.engine.spark import SparkEngine

    with closing(SparkEngine(settings)) as spark:
        yield spark
