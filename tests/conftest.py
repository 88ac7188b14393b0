"""What all tests share."""

import shutil
from collections import defaultdict

import numpy as np
import pytest

from leadscore.registry.connection import SQLITE, Connection


@pytest.hookimpl(tryfirst=True)  # before pytest selects by marks
def pytest_collection_modifyitems(items):
    """Mark slow what tables of cases have beyond the cases that every run tries."""
    tables = defaultdict(list)
    for item in items:
        if item.get_closest_marker("cases") and not item.get_closest_marker("slow"):
            tables[item.path, item.originalname].append(item)
    for table in tables.values():
        (count,) = table[0].get_closest_marker("cases").args
        tried = np.linspace(0, len(table) - 1, num=count).round()
        for place, item in enumerate(table):
            if place not in tried:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def made_tables(tmp_path_factory):
    """Databases of MLflow begin as copies of one that is made once, since making one replays all its migrations.

    Commands that tests start as processes of their own still make theirs.
    """
    template = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    new_client = Connection._new_client

    def copy_first(connection):
        database = connection._database()
        if database is not None and not database.exists():
            if not template.exists():
                _make_tables(connection.mlflow, template)
            shutil.copyfile(template, database)
        return new_client(connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "_new_client", copy_first)
        yield


def _make_tables(mlflow, database):
    address = f"{SQLITE}{database}"
    client = mlflow.MlflowClient(tracking_uri=address, registry_uri=address)
    client.search_experiments(max_results=1)
