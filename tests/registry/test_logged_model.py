"""The model as MLflow logs it: text that predicts as the champion does, and is refused once it was changed."""

import sys
from pathlib import Path

import pytest

import histories
from leadscore.errors import (
    CorruptFileError,
)
from leadscore.model import apply
from leadscore.registry.registry import Registry
from registry.registered import mlflow_of, register, training

TEXTS = ["bins.json", "booster.txt", "evaluation.json", "manifest.json", "model.json"]


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

        frame = pd.DataFrame(dict(columns))
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
    damaged = "was changed or damaged|is gone"
    with pytest.raises(CorruptFileError, match=damaged):
        Registry(settings).load_champion()
    with pytest.raises(CorruptFileError, match=damaged):
        Registry(settings).read_evaluation(Registry(settings).find("champion"))
    with mlflow_of(settings) as mlflow, pytest.raises(Exception, match=damaged):
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
    with pytest.raises(CorruptFileError, match=r"manifest\.json is gone.* train a new model"):
        Registry(settings).load_champion()


@pytest.mark.parametrize(
    ("data", "problem"), [(None, "is gone"), (b"", "is not JSON"), (b"[]", "is no object")]
)
def test_model_when_its_manifest_is_damaged_then_its_bins_are_refused_with_the_reason(
    kept, data, problem
):
    path = logged_model(kept)[1] / "manifest.json"
    sound = path.read_bytes()
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)

    with pytest.raises(CorruptFileError, match=f"{problem}.* train a new model") as told:
        Registry(kept).read_bins("champion")
    path.write_bytes(sound)

    assert told.value.path.samefile(path)
    assert "SHA-256" not in str(told.value)
