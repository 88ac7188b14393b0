"""What all tests share."""

import shutil

import pytest

from leadscore.registry.connection import SQLITE, Connection


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
