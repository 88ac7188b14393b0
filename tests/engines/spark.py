"""Spark for tests: a small one in this process, or one of several processes."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from typing import Any

import pytest

QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
SMALL = {  # for a few rows: no code is compiled
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.default.parallelism": "1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def need_spark() -> None:
    """Skip where PySpark or Java is not installed."""
    pytest.importorskip("pyspark", reason="PySpark is not installed: leadscore[spark]")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Java is not installed, so Spark cannot start")


def start_small_spark() -> Any:
    """The session that the engines of this process will share, on one core."""
    return start_spark("local[1]", **SMALL)


def start_spark(master: str, **properties: str) -> Any:
    """The session that the engines of this process will share."""
    need_spark()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        from pyspark.sql import SparkSession

        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))  # of executors
        builder = SparkSession.builder.master(master)
        for name, value in (QUIET | properties).items():
            builder = builder.config(name, value)
        return builder.getOrCreate()
