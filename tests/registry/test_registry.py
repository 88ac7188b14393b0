"""Registering trainings: which version scores, and what runs and versions say of themselves."""

import json
import re
import subprocess
import sys

import pytest

import histories
from leadscore.errors import (
    UserError,
)
from leadscore.registry.contents import HEADLINE
from leadscore.registry.registry import ModelVersion, Registry
from registry.registered import (
    FILES,
    REASON,
    STORE,
    mlflow_of,
    register,
    runs_of,
    served,
    state,
    training,
    who,
)


def test_register_when_it_is_the_first_then_it_is_champion_and_later_ones_are_challengers(settings):
    first, second, third = (register(settings, n) for n in range(3))
    assert isinstance(first, ModelVersion)
    assert [each.number for each in (first, second, third)] == [1, 2, 3]
    assert [each.aliases for each in (first, second, third)] == [
        ("champion",),
        ("challenger",),
        ("challenger",),
    ]
    assert state(settings) == ({1: ("champion",), 2: (), 3: ("challenger",)}, 3)
    home = training(settings)
    model, manifest, version = Registry(settings).load_champion()
    assert version == home.name == first.version
    assert model.booster_text == (home / "booster.txt").read_text()
    assert manifest == json.loads((home / "manifest.json").read_bytes())
    assert first.known_until == manifest["known_until"]


@pytest.mark.cases(1)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_register_when_repeated_in_any_order_then_there_is_no_further_run_version_or_move(
    settings, order
):
    for n in range(3):
        register(settings, n)
    before, moves = state(settings), Registry(settings).moves()
    for n in order:
        assert register(settings, n).number == n + 1
    assert state(settings) == before
    assert Registry(settings).moves() == moves


def test_register_when_repeated_after_promotions_then_no_alias_moves(settings):
    for n in range(3):
        register(settings, n)
    for number in (3, 2, 1):
        Registry(settings).promote(str(number), who())
    before = state(settings)
    assert before == ({1: ("champion",), 2: ("previous",), 3: ()}, 3)
    for n in (2, 0, 1):
        register(settings, n)
    assert state(settings) == before


def test_register_when_there_is_no_signal_then_it_is_one_run_without_a_version(settings):
    for _ in range(2):
        assert register(settings, no_signal=REASON) is None
    assert state(settings) == ({}, 1)
    assert Registry(settings).moves() == []
    (run,) = runs_of(settings)
    assert REASON in run.data.tags["mlflow.note.content"]
    assert run.outputs is None or not run.outputs.model_outputs
    assert register(settings, 1).aliases == ("champion",)
    assert register(settings, 2, no_signal=REASON) is None
    assert state(settings) == ({1: ("champion",)}, 3)


def test_champion_when_there_is_none_then_words_say_what_to_do_or_why(settings):
    with pytest.raises(UserError, match=r"no champion to score with; run `leadscore train` first"):
        Registry(settings).load_champion()
    register(settings, no_signal=REASON)
    with pytest.raises(UserError, match=f"the last training ended without one: {REASON}"):
        Registry(settings).load_champion()
    register(settings, 1, no_signal="another reason")
    with pytest.raises(UserError, match="another reason"):
        Registry(settings).load_champion()


def test_champion_when_the_project_has_another_name_then_it_is_not_found(settings):
    register(settings)
    with pytest.raises(UserError):
        Registry(settings.model_copy(update={"project": settings.project + "-too"})).load_champion()


def test_run_when_registered_then_tells_all_of_the_training(settings):
    version = register(settings)
    (run,) = runs_of(settings)
    manifest = json.loads((training(settings) / "manifest.json").read_bytes())
    evaluation = json.loads((training(settings) / "evaluation.json").read_bytes())
    assert (run.info.run_id, run.info.status) == (version.run_id, "FINISHED")
    assert run.data.tags["mlflow.user"] == "ada"
    assert version.version in run.data.tags["mlflow.note.content"]
    params = run.data.params
    assert (params["known_until"], params["store_version"], params["seed"]) == (
        manifest["known_until"],
        STORE,
        "0",
    )
    assert (params["horizon_days"], params["max_per_lead"]) == ("30", "3")
    assert (params["trees"], params["calibrator"]) == ("300", manifest["calibrator"]["kind"])
    assert (params["scorer"], params["leaves"]) == ("boosted", "5")
    dates = [split["moment"] for split in evaluation["splits"]]
    assert dates
    assert [params[f"split_{i}"].partition(": ")[0] for i in range(1, len(dates) + 1)] == dates
    (dataset,) = run.inputs.dataset_inputs
    assert (dataset.dataset.name, dataset.dataset.digest) == (settings.project, STORE)


def test_run_when_registered_then_every_estimate_is_a_metric_with_its_interval(settings):
    register(settings)
    metrics = runs_of(settings)[0].data.metrics
    told = json.loads((training(settings) / "evaluation.json").read_bytes())
    expected = told["gain"] | {
        name: each for name, each in told["metrics"]["all"].items() if isinstance(each, dict)
    }
    assert {"log_loss", "average_precision", "log_loss_gain"} <= set(expected)
    for name, estimate in expected.items():
        found = [metrics.get(name), metrics.get(f"{name}_low"), metrics.get(f"{name}_high")]
        assert found == [estimate["value"], estimate["low"], estimate["high"]], name
    assert metrics["judged.win_rate"] == told["metrics"]["all"]["win_rate"]
    assert metrics["judged.leads"] == told["metrics"]["all"]["leads"]
    assert metrics["history.leads"] == told["history"]["leads"]
    parts = [part for part in told["metrics"] if part != "all"]
    assert parts
    for part in parts:
        assert metrics[f"{part}.log_loss"] == told["metrics"][part]["log_loss"]["value"]


def test_run_when_registered_then_its_name_tells_it_apart_and_the_headline_comes_first(settings):
    version = register(settings)
    run = runs_of(settings)[0]
    day, outcome, short = run.info.run_name.split(" ", 2)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", day)
    assert outcome == "promoted"
    assert version.version.startswith(short)
    metrics = run.data.metrics
    headline = {name for name in metrics if name.startswith("headline/")}
    assert headline == {f"headline/{name}" for name in HEADLINE}
    assert all(metrics[f"headline/{name}"] == metrics[of] for name, of in HEADLINE.items())


def test_version_when_registered_then_model_and_version_describe_themselves(settings, tmp_path):
    version = register(settings)
    with mlflow_of(settings) as mlflow:
        client = mlflow.MlflowClient()
        name = f"leadscore-{settings.project}"
        model = client.get_registered_model(name)
        entity = client.get_model_version(name, str(version.number))
        mlflow.artifacts.download_artifacts(
            f"runs:/{version.run_id}/decision.md", dst_path=tmp_path
        )
    assert settings.project in model.description
    assert version.version in entity.description
    decision = (tmp_path / "decision.md").read_text(encoding="utf-8")
    assert decision.startswith(f"# Model `{version.version}` scores from now on")


def test_run_when_registered_then_holds_the_files_and_the_settings_without_places(
    settings, tmp_path
):
    version = register(settings)
    with mlflow_of(settings) as mlflow:
        mlflow.artifacts.download_artifacts(f"runs:/{version.run_id}/", dst_path=str(tmp_path))
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in FILES} == FILES
    assert (tmp_path / "evaluation.json").read_bytes() == (
        training(settings) / "evaluation.json"
    ).read_bytes()
    told = (tmp_path / "settings.json").read_text()
    assert str(settings.models_folder.parent) not in told
    assert not {"registry", "models_folder", "data_folder", "input_folder"} & set(json.loads(told))
    assert json.loads(told)["target"]["horizon_days"] == 30


def test_register_when_somebody_deleted_the_alias_of_the_champion_then_the_next_one_scores(
    settings,
):
    for n in range(2):
        register(settings, n)
    with mlflow_of(settings) as mlflow:
        mlflow.MlflowClient().delete_registered_model_alias(
            f"leadscore-{settings.project}", "champion"
        )
    with pytest.raises(UserError, match=r"2 versions exist.*leadscore models promote"):
        Registry(settings).load_champion()
    register(settings, 2)
    assert served(settings) == 3


AT_ONCE = """
import sys
from pathlib import Path

from leadscore.settings.settings import Settings
from leadscore.registry.contents import HEADLINE
from leadscore.registry.registry import Registry, Who

settings = Settings.model_validate_json(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
who = Who("one of two", f"2024-05-01T00:00:00.{int(sys.argv[3]):06}Z", "at once")
Registry(settings).register(Path(sys.argv[2]), files={}, who=who)
"""


@pytest.mark.slow
def test_register_when_two_processes_do_it_for_the_first_time_at_once_then_both_are_there(tmp_path):
    settings = histories.sales_settings(tmp_path)
    homes = [training(settings, n) for n in range(2)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", AT_ONCE, settings.model_dump_json(), home, str(n)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for n, home in enumerate(homes)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    told = [process.communicate()[1].decode() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    versions = Registry(settings).versions()
    assert {version.version for version in versions} == {home.name for home in homes}
    assert "champion" in {alias for version in versions for alias in version.aliases}
