import dataclasses
import json
import os

import pytest

import histories
from leadscore.errors import CorruptFileError
from leadscore.files import hash_bytes
from leadscore.model.files import read_model, write_model

FILES = ("model.json", "booster.txt", "evaluation.json", "bins.json")


@pytest.fixture(scope="module")
def result():
    return histories.with_signal(histories.fitted())


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return histories.sales_settings(tmp_path_factory.mktemp("settings"))


@pytest.fixture
def kept(tmp_path, result, settings):
    home = write_model(tmp_path, result, settings=settings, store_version="0123456789abcdef")
    return tmp_path, home.name


def states(folder):
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_ino, path.read_bytes())
        for path in folder.rglob("*.*")
    }


def test_model_when_kept_then_is_read_back_with_bit_equal_predictions(kept, result):
    folder, version = kept
    model, manifest = read_model(folder / version)
    assert manifest["known_until_us"] == result.known_us
    columns = histories.open_matrix().columns
    ours, theirs = (
        (each.log_odds(columns), each.contributions(columns)) for each in (result.model, model)
    )
    assert [part.tobytes() for part in ours] == [part.tobytes() for part in theirs]
    assert model.probability(ours[0]).tobytes() == result.model.probability(ours[0]).tobytes()


def test_model_when_kept_then_is_text_with_the_hashes_of_its_files(kept, result, settings):
    folder, version = kept
    home = folder / version
    assert sorted(path.name for path in home.iterdir()) == sorted([*FILES, "manifest.json"])
    data = (home / "manifest.json").read_bytes()
    manifest = json.loads(data)
    assert manifest["files"] == {name: hash_bytes((home / name).read_bytes()) for name in FILES}
    assert version == hash_bytes(data)[:16]
    assert manifest["seed"] == settings.seed
    assert manifest["target"] == {
        "horizon_days": 30, "cadence_days": 7, "max_per_lead": 3, "weight_cap": 10.0, "correction_days": 7.0,
        "undated_close": None,
    }  # fmt: skip
    assert (manifest["store_version"], manifest["project"]) == ("0123456789abcdef", "synthetic")
    assert (manifest["basis"], manifest["splits"]) == (
        "out of time",
        len(result.evaluation.splits),
    )
    for path in home.iterdir():
        path.read_text(encoding="utf-8")


@pytest.mark.parametrize("position", [0, 0.5, -1], ids=["first byte", "middle byte", "last byte"])
@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_model_when_one_byte_was_changed_then_is_refused(kept, name, position):
    folder, version = kept
    path = folder / version / name
    data = bytearray(path.read_bytes())
    data[int(position * len(data)) if position > 0 else position] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptFileError, match=f"{name} was changed or damaged"):
        read_model(folder / version)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_model_when_a_file_is_gone_then_is_refused_as_damaged(kept, name):
    folder, version = kept
    (folder / version / name).unlink()
    with pytest.raises(CorruptFileError, match=name):
        read_model(folder / version)


def test_model_when_kept_twice_then_nothing_is_written_anew(kept, result, settings):
    folder, version = kept
    for path in folder.rglob("*.*"):
        os.utime(path, ns=(10**18, 10**18))
    before = states(folder)
    assert (
        write_model(folder, result, settings=settings, store_version="0123456789abcdef").name
        == version
    )
    assert states(folder) == before


@pytest.mark.parametrize("change", ["seed", "store_version", "model", "known_us"])
def test_version_when_anything_that_made_the_model_differs_then_differs(
    kept, result, settings, change
):
    folder, version = kept
    store_version = "0123456789abcdef"
    if change == "seed":
        settings = settings.model_copy(update={"seed": 5})
    elif change == "store_version":
        store_version = "fedcba9876543210"
    elif change == "model":
        document = result.model.document | {"reference": [0.5]}
        result = dataclasses.replace(
            result, model=type(result.model)(document, result.model.booster_text)
        )
    else:
        result = dataclasses.replace(result, known_us=result.known_us + 1)
    assert (
        write_model(folder, result, settings=settings, store_version=store_version).name != version
    )


def test_training_without_a_signal_when_kept_then_its_manifest_says_why_and_its_version_is_another(
    tmp_path, result, settings
):
    sound = write_model(tmp_path, result, settings=settings, store_version="s")
    evaluation = result.evaluation.model_copy(update={"no_signal": "no signal: nothing to see"})
    refused = dataclasses.replace(result, evaluation=evaluation)
    home = write_model(tmp_path, refused, settings=settings, store_version="s")
    assert home != sound
    assert read_model(home)[1]["no_signal"] == "no signal: nothing to see"
    assert read_model(sound)[1]["no_signal"] is None


def test_model_when_its_format_is_another_then_is_refused_with_both(tmp_path, result, settings):
    home = write_model(tmp_path, result, settings=settings, store_version="s")
    data = (home / "manifest.json").read_bytes().replace(b'"format": 1', b'"format": 2')
    other = tmp_path / hash_bytes(data)[:16]
    home.rename(other)
    (other / "manifest.json").write_bytes(data)
    with pytest.raises(ValueError, match=r"has the format 2, this version of leadscore reads 1"):
        read_model(other)
