"""compose.yaml as a file: it is started only where the images are, so here is what can be known without them."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "compose.yaml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]


def test_services_when_read_then_need_only_each_other_and_are_waited_for():
    assert set(SERVICES) == {"postgres", "prefect", "mlflow", "deploy", "worker"}
    for service in SERVICES.values():
        for name, needed in service.get("depends_on", {}).items():
            if needed["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[name]
            else:
                assert needed["condition"] == "service_completed_successfully"
                assert SERVICES[name]["restart"] == "no"


@pytest.mark.parametrize("name", SERVICES)
def test_port_when_published_then_on_loopback_only(name):
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:")


def test_password_when_needed_then_comes_from_the_environment():
    passwords = re.findall(r"leadscore:([^@\s]+)@|POSTGRES_PASSWORD: (\S+)", TEXT)
    assert len(passwords) == 3
    assert all("".join(found).startswith("${POSTGRES_PASSWORD") for found in passwords)


def test_databases_when_named_then_postgres_makes_them():
    used = set(re.findall(r"@postgres/(\w+)", TEXT))
    created = set(re.findall(r"CREATE DATABASE (\w+)", TEXT))
    assert used == created | {SERVICES["postgres"]["environment"]["POSTGRES_DB"]}


def test_healthcheck_when_it_is_python_then_parses():
    checks = [
        service["healthcheck"]["test"] for service in SERVICES.values() if "healthcheck" in service
    ]
    sources = [check.split('"')[1] for check in checks if check.startswith("python")]
    assert len(sources) == 2
    for source in sources:
        ast.parse(source)


def test_files_when_copied_into_the_image_then_exist():
    dockerfile = SERVICES["worker"]["build"]["dockerfile_inline"]
    for source in re.findall(r"^COPY (\S+) ", dockerfile, re.MULTILINE):
        assert (ROOT / source).exists()
    extra = re.search(r"'\.\[([\w-]+)\]'", dockerfile)[1]
    assert f"\n{extra} = [" in (ROOT / "pyproject.toml").read_text()


@pytest.mark.filterwarnings("ignore")  # Prefect's own
def test_variables_when_set_then_mlflow_and_prefect_read_them():
    from mlflow.cli import server
    from prefect.settings import get_current_settings

    options = {parameter.envvar for parameter in server.params}
    of_mlflow = set(SERVICES["mlflow"]["environment"]) - {"MLFLOW_DISABLE_TELEMETRY"}
    assert of_mlflow <= options
    url = "postgresql+asyncpg://somebody:secret@postgres/prefect"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_SERVER_DATABASE_CONNECTION_URL", url)
        database = type(get_current_settings())().server.database
    assert database.connection_url.get_secret_value() == url
