"""Which list readers are led to, and which one a new list is compared with, whatever was done to the files between."""

import itertools
import json
import shutil
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import day
from leadscore import project as jobs
from leadscore.cli import main as cli
from leadscore.cli import rendering as terminal
from leadscore.errors import AlarmError
from leadscore.project.publishing import find_previous
from leadscore.publish.before import find_before
from leadscore.publish.listed import find_standing
from leadscore.registry.registry import Who
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings
from publish.publishing import make_scores, publish

WHO = Who("tests", "2026-03-01T00:00:00.000000Z", "a test")


def us(date: str) -> int:
    return int(pd.Timestamp(date, tz="UTC").value // 1000)


FEBRUARY, MIDDLE, MARCH = us("2026-02-01"), us("2026-02-15"), us("2026-03-01")
REOPENED = us(
    "2026-03-02"
)  # when the export of `reopen` was made: only from then on are its leads known to be open


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A sample with a champion trained in January, and the settings that read it."""
    folder = tmp_path_factory.mktemp("published")
    write_sample(folder / "crm", leads=900, seed=4)
    project = read_settings(folder / "crm" / "leadscore.toml")
    project = project.model_copy(update={
        "data_folder": folder / "data", "models_folder": folder / "models",
        "model": project.model.model_copy(update={"scorer": "logistic", "trials": 1}),
        "target": project.target.model_copy(update={"cadence_days": 28, "max_per_lead": 2}),
    })  # fmt: skip
    jobs.ingest(project)
    trained = jobs.train(project, as_of_us=us("2026-01-20"))
    jobs.register(project, Path(trained.folder), who=WHO, promote=True)
    return project


@pytest.fixture
def project(origin, tmp_path):
    """The same with data of its own; the models are shared."""
    shutil.copytree(origin.data_folder, tmp_path / "data")
    return origin.model_copy(update={"data_folder": tmp_path / "data"})


def score(project, as_of_us, **how):
    scored = jobs.score(project, as_of_us=as_of_us)
    published = jobs.publish(project, scored.publication_id, **how)
    return scored.to_dict() | published.to_dict()


def places(project):
    folder = project.project_folder()
    return folder / "scores", folder / "store"


def current(project):
    return json.loads((places(project)[0] / "current.json").read_text())["publication_id"]


def slow_run(project):
    """A run for February that ends after one for March."""
    slow = jobs.score(project, as_of_us=FEBRUARY)
    newer = score(project, MARCH)
    published = jobs.publish(project, slow.publication_id)
    return newer, slow.to_dict() | published.to_dict()


def earlier_as_of(project):
    newer = score(project, MARCH)
    return newer, score(project, FEBRUARY)


def rolled_back(project):
    """A list from a store version that knew less, made current again."""
    (first,) = jobs.list_store(project).versions
    jobs.ingest(project.model_copy(update={"known_until": "2026-03-08"}), accept=["same_files"])
    newer = score(project, None)
    jobs.rollback_store(project, first.version)
    return newer, score(project, None)


@pytest.mark.slow
@pytest.mark.cases(1)
@pytest.mark.parametrize("way", [slow_run, earlier_as_of, rolled_back])
def test_list_when_a_newer_one_is_published_then_it_is_written_and_the_newer_one_stands(
    project, way
):
    newer, older = way(project)
    _, store = places(project)
    assert current(project) == newer["publication_id"] != older["publication_id"]
    assert older["published"] is False
    assert older["newer"]["publication_id"] == newer["publication_id"]
    assert (Path(older["folder"]) / "scores.parquet").exists()
    assert not (store / "receipts" / f"{older['publication_id']}.parquet").exists()
    assert jobs.publish(project, older["publication_id"], replace_newer=True).published is True
    assert current(project) == older["publication_id"]
    assert (store / "receipts" / f"{older['publication_id']}.parquet").exists()


def reopen(project, folder):
    """The project after a delivery, accepted by name, in which every third closed lead is open again."""
    exports = shutil.copytree(project.input_folder, folder / "exports")
    for name in ("outcomes", "stage_history"):
        rows = pd.read_csv(exports / f"{name}.csv", dtype=str, keep_default_na=False)
        closes = (
            rows["stage"].str.startswith("Closed")
            if name == "stage_history"
            else rows["outcome"] != ""
        )
        is_gone = closes & (rows["lead_id"].str[-1].astype(int) % 3 == 0)
        rows[~is_gone].to_csv(exports / f"{name}.csv", index=False)
    delivery = project.model_copy(update={"input_folder": exports, "known_until": "2026-03-02"})
    with pytest.raises(AlarmError) as raised:
        jobs.ingest(delivery)
    jobs.ingest(delivery, accept=raised.value.names)
    return delivery


@pytest.mark.slow
def test_list_when_closed_leads_came_back_then_it_is_written_and_the_one_before_stands(
    project, tmp_path
):
    before = score(project, MIDDLE)
    project = reopen(project, tmp_path)
    after = score(project, REOPENED)
    assert after["published"] is False
    assert any(
        "existed before, but were not on the previous list" in text for text in after["withheld"]
    )
    assert current(project) == before["publication_id"]
    assert (Path(after["folder"]) / "scores.parquet").exists()
    assert jobs.publish(project, after["publication_id"], even_if_unlike=True).published is True
    assert current(project) == after["publication_id"]
    assert jobs.publish(project, after["publication_id"]).withheld == []


@pytest.mark.slow
def test_command_when_the_list_is_withheld_then_it_says_what_differs_and_ends_with_3(
    project, tmp_path, monkeypatch, capsys
):
    score(project, MIDDLE)
    project = reopen(project, tmp_path)
    monkeypatch.setattr("leadscore.project.project.read_settings", lambda *_, **__: project)
    monkeypatch.setattr(terminal.out, "_width", 1000)
    monkeypatch.setattr(sys, "argv", ["leadscore", "score", "--as-of", "2026-03-02"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 3
    words = capsys.readouterr().out
    assert "were not on the previous list" in words
    assert "The published list, as of 2026-02-15" in words
    assert "--even-if-unlike" in words


@pytest.mark.slow
def test_command_when_the_list_is_older_then_says_that_it_was_written_and_which_one_stands(
    project, monkeypatch, capsys
):
    newer = score(project, MARCH)
    monkeypatch.setattr("leadscore.project.project.read_settings", lambda *_, **__: project)
    monkeypatch.setattr(terminal.out, "_width", 300)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["leadscore", "score", "--as-of", "2026-02-01", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        return capsys.readouterr().out

    told = run()
    assert "Not published: the list is written in" in told
    assert (
        f"the published one is newer and remains: {newer['publication_id']}, as of 2026-03-01"
        in told
    )
    assert "--replace-newer" in told
    assert json.loads(run("--json"))["published"] is False
    assert "Published in" in run("--replace-newer")
    assert current(project) != newer["publication_id"]


@pytest.mark.slow
def test_list_before_when_lists_were_published_in_any_order_then_is_the_latest_by_date_of_all(
    project,
):
    february, march = score(project, FEBRUARY), score(project, MARCH)
    middle = score(project, MIDDLE, replace_newer=True)
    manifest = json.loads((Path(middle["folder"]) / "manifest.json").read_text())
    assert manifest["previous"] == february["publication_id"]
    again = jobs.score(project, as_of_us=MARCH)
    assert (
        json.loads((Path(again.folder) / "manifest.json").read_text())["previous"]
        == middle["publication_id"]
    )
    assert again.publication_id != march["publication_id"]


DATES = [day(100), day(100) + 1, day(101), day(107), day(130)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_list_before_when_asked_at_any_moment_then_is_what_a_search_through_all_finds(
    tmp_path, order
):
    ids = {}
    for i in order:
        as_of_us = DATES[i]
        ids[as_of_us] = publish(
            tmp_path, make_scores(shift=i), as_of_us=as_of_us, replace_newer=True
        ).id
    for moment in [*DATES, DATES[0] - 1, DATES[1] + 1]:
        earlier = [as_of_us for as_of_us in ids if as_of_us < moment]
        found = find_before(tmp_path / "scores", tmp_path / "store", as_of_us=moment)
        assert found.warnings == ()
        assert (found.publication.id if found.publication else None) == (
            ids[max(earlier)] if earlier else None
        )


@pytest.mark.parametrize(
    ("after_us", "is_before"), [(-1, False), (0, False), (999_999, False), (1_000_000, True)]
)
def test_list_before_when_only_its_id_dates_it_then_it_is_of_before_by_a_second_at_least(
    tmp_path, after_us, is_before
):
    # published at a microsecond after day 100, which its id, cut to the second, does not say
    list_id = publish(tmp_path, make_scores(), as_of_us=day(100) + 1).id
    shutil.rmtree(tmp_path / "scores" / list_id)
    found = find_before(tmp_path / "scores", tmp_path / "store", as_of_us=day(100) + after_us)
    assert found.publication is None
    assert [list_id in warning for warning in found.warnings] == [True] * is_before


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=8))
def test_current_when_lists_come_in_any_order_then_is_never_older_than_one_before(order):
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        newest = -1
        for i in order:
            standing = find_standing(Path(name) / "scores", Path(name) / "store")
            expected = max(i, newest)
            if i >= newest:
                publish(Path(name), make_scores(shift=i), as_of_us=DATES[i])
            else:
                with pytest.raises(AssertionError):  # the helper asserts that it is led to
                    publish(Path(name), make_scores(shift=i), as_of_us=DATES[i])
                assert find_standing(Path(name) / "scores", Path(name) / "store").id == standing.id
            newest = expected
            assert (
                find_standing(Path(name) / "scores", Path(name) / "store").as_of_us == DATES[newest]
            )


def rewrite_receipts(project, publication_id):
    """Receipts rewritten by hand: every lead is in tier D, with a rep of its own."""
    path = places(project)[1] / "receipts" / f"{publication_id}.parquet"
    table = pq.read_table(path)
    for name, value in (("tier", "D"), ("rep_id", "eve"), ("win_probability", 0.99)):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), pa.array([value] * table.num_rows))
    pq.write_table(table, path)
    return path


def cut(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def files_of(folder):
    return {
        path.name: path.read_bytes()
        for path in Path(folder).iterdir()
        if path.name.startswith("scores")
    }


RECEIPT_DAMAGE = {
    "rewritten": lambda path: None,
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "of another shape": lambda path: pq.write_table(pa.table({"a": [1]}), path),
    "no Parquet": lambda path: path.write_text("tier A for all"),
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", RECEIPT_DAMAGE)
def test_receipts_when_changed_then_they_steer_nothing_and_are_written_again(
    project, damage, tmp_path
):
    february = score(project, FEBRUARY)
    honest = files_of(jobs.score(project, as_of_us=MARCH).folder)
    receipts = places(project)[1] / "receipts" / f"{february['publication_id']}.parquet"
    before = receipts.read_bytes()
    rewrite_receipts(project, february["publication_id"])
    RECEIPT_DAMAGE[damage](receipts)
    march = score(project, MARCH)
    assert files_of(march["folder"]) == honest
    assert any(str(receipts) in warning for warning in march["warnings"])
    assert receipts.read_bytes() == before
    assert not any(
        str(receipts) in warning for warning in jobs.score(project, as_of_us=MARCH).warnings
    )


def test_receipts_when_a_foreign_file_lies_among_them_then_every_command_goes_on(project):
    february = score(project, FEBRUARY)
    folder = places(project)[1] / "receipts"
    (folder / "notes.txt").write_text("mine")
    (folder / "notes.parquet").write_text("mine")
    (folder / "20260101T000000Z-0123456789ab.parquet").write_text("mine")
    march = score(project, MARCH)
    assert (
        json.loads((Path(march["folder"]) / "manifest.json").read_text())["previous"]
        == february["publication_id"]
    )
    told = jobs.explain(project, str(march["top"][0]["lead_id"]))
    assert told.past[-1].publication_id == march["publication_id"]


def rewrite_manifest(home):
    manifest = json.loads((home / "manifest.json").read_text())
    (home / "manifest.json").write_text(
        json.dumps(manifest | {"model_version": "0" * 16}, indent=2)
    )


LIST_DAMAGE = {
    "the folder is gone": shutil.rmtree,
    "the manifest is gone": lambda home: (home / "manifest.json").unlink(),
    "the manifest is empty": lambda home: (home / "manifest.json").write_bytes(b""),
    "the manifest is cut": lambda home: cut(home / "manifest.json"),
    "the manifest is a list": lambda home: (home / "manifest.json").write_text("[]"),
    "the manifest is null": lambda home: (home / "manifest.json").write_text("null"),
    "the manifest was changed": rewrite_manifest,
    "the scores are cut": lambda home: cut(home / "scores.parquet"),
    "the scores are gone": lambda home: (home / "scores.parquet").unlink(),
    "the CSV was changed": lambda home: (home / "scores.csv").write_text("lead_id\n"),
}


@pytest.mark.cases(1)
@pytest.mark.parametrize("damage", LIST_DAMAGE)
def test_list_before_when_it_is_damaged_then_nothing_is_compared_and_a_warning_says_why(
    project, damage
):
    february = score(project, FEBRUARY)
    LIST_DAMAGE[damage](Path(february["folder"]))
    march = score(project, MARCH)
    assert set(pq.read_table(f"{march['folder']}/scores.parquet")["trend"].to_pylist()) == {
        "no comparison"
    }
    (warning,) = [each for each in march["warnings"] if "no comparison" in each]
    assert february["publication_id"] in warning
    assert march["published"] is True
    assert json.loads((Path(march["folder"]) / "manifest.json").read_text())["previous"] is None
    assert (
        jobs.explain(project, str(march["top"][0]["lead_id"])).publication_id
        == march["publication_id"]
    )


def test_list_before_when_its_model_can_explain_nothing_then_a_warning_says_why(project, tmp_path):
    february = score(project, FEBRUARY)
    without_models = project.model_copy(update={"models_folder": tmp_path / "empty"})
    with_other_features = project.model_copy(update={"bant": {}})
    for asking, why in (
        (without_models, "is not in the registry"),
        (with_other_features, "learned from other features than these settings and this release"),
    ):
        previous, warnings = find_previous(asking, as_of_us=MARCH)
        assert previous.publication_id == february["publication_id"]
        assert previous.model is None
        (warning,) = warnings
        assert warning.startswith("changes since the previous list are not explained: its model")
        assert why in warning


POINTER_DAMAGE = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b'{"publication_id": 7}',
    b"\xff\xfe",
    b'{"publication_id": "../x"}',
]


@pytest.mark.cases(1)
@pytest.mark.parametrize("left", [None, *POINTER_DAMAGE])
def test_pointer_when_it_is_damaged_then_the_newest_list_stands_and_the_next_one_mends_it(
    project, left
):
    score(project, FEBRUARY)
    march = score(project, MARCH)
    path = places(project)[0] / "current.json"
    whole = path.read_bytes()
    path.unlink() if left is None else path.write_bytes(left)
    lead_id = str(march["top"][0]["lead_id"])
    assert jobs.explain(project, lead_id).publication_id == march["publication_id"]
    assert score(project, MIDDLE)["newer"]["publication_id"] == march["publication_id"]
    assert score(project, MARCH)["published"] is True
    assert path.read_bytes() == whole or current(project).startswith("20260301")


@pytest.mark.slow
def test_pointer_when_its_publication_is_gone_then_an_older_list_is_not_published_over_a_whole_newer_one(
    project,
):
    score(project, FEBRUARY)
    march = score(project, MARCH)
    shutil.rmtree(march["folder"])
    middle = score(project, MIDDLE)
    assert middle["published"] is True  # of those that can be read it is the newest
    assert score(project, MARCH)["published"] is True
