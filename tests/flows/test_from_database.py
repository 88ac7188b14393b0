"""From a PostgreSQL to a published list by a flow, the address in a Secret block and nowhere else."""

import csv
import os
import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from commands import run
from databases import PASSWORD, create_reader, postgres_server
from leadscore.errors import UserError
from leadscore.sample.sample import write_sample

VARIABLE = "LEADSCORE_SOURCE_URL"
SECRETS = (PASSWORD, "pl4nted", "p%40ss")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # Prefect's own
    pytest.mark.timeout(900),
]


def load_exports(address: str, folder: Path) -> None:
    """The files of a sample as tables of text."""
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg2://"))
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        for path in folder.glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                names = next(csv.reader(file))
                cursor.execute(f"CREATE TABLE {path.stem} ({' TEXT, '.join(names)} TEXT)")
                file.seek(0)
                cursor.copy_expert(f"COPY {path.stem} FROM STDIN (FORMAT csv, HEADER)", file)
    engine.dispose()


def read_list(folder: Path) -> bytes:
    (scores,) = folder.glob("data/*/scores/*/scores.csv")
    return scores.read_bytes()


def assert_nowhere(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "mlflow.db" for path in files)
    for path in files:
        data = path.read_bytes()
        assert not any(secret.encode() in data for secret in SECRETS), path


def write_small_sample(crm):
    """The settings of a sample that is quick to learn from, as files and as tables of a database."""
    write_sample(crm, leads=900, seed=4)
    settings = crm / "leadscore.toml"
    text = re.sub("(?m)^cadence_days = .*$", "cadence_days = 28", settings.read_text())
    text = re.sub("(?m)^max_per_lead = .*$", "max_per_lead = 2", text)
    text += '\n[model]\nscorer = "scorecard"\n'
    settings.write_text(text)
    of_database = crm / "database.toml"
    of_database.write_text(re.sub(r'(?m)^path = "(\w+)\.csv"$', r'db_table = "\1"', text))
    return settings, of_database


@pytest.mark.slow
def test_flow_when_a_secret_block_holds_the_address_then_it_publishes_and_leaves_no_trace(
    harness,
    tmp_path,
    monkeypatch,
    capfd,
):
    from prefect.blocks.system import Secret

    from blocks import load_secret
    from run import run_flow

    crm = tmp_path / "crm"
    settings, of_database = write_small_sample(crm)

    (tmp_path / "files").mkdir()
    monkeypatch.chdir(tmp_path / "files")
    for word in ("ingest", "train", "score"):
        assert run(word, "--config", settings).code == 0

    (tmp_path / "tables").mkdir()
    monkeypatch.chdir(tmp_path / "tables")
    with pytest.raises(UserError, match="no Secret block 'crm-url'"):
        load_secret("crm-url")
    with postgres_server(tmp_path / "postgres") as address:
        reader = create_reader(address)
        load_exports(address, crm / "exports")
        Secret(value=reader).save("crm-url")
        run_flow(str(of_database), url_block="crm-url")

    assert read_list(tmp_path / "tables") == read_list(tmp_path / "files")
    assert VARIABLE not in os.environ
    assert_nowhere(tmp_path / "tables")
    printed = capfd.readouterr()
    assert "pl4nted" not in printed.out + printed.err
