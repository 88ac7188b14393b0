"""Explaining a lead, why it changed, and scoring a publication again, byte by byte, from what was kept."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import commands
from leadscore import project as jobs
from leadscore.errors import CorruptFileError, UserError
from leadscore.files import hash_bytes
from leadscore.json_files import canonical_json
from leadscore.model.target import TargetMismatchError
from leadscore.project import explaining, reporting
from leadscore.project.project import Project
from leadscore.publish.formats import write_files
from leadscore.publish.publication import read_publication
from leadscore.registry.registry import Who
from leadscore.sample.sample import write_sample
from leadscore.settings.read import read_settings

WHO = Who("tests", "2026-03-01T00:00:00.000000Z", "a test")


def train_and_score(project, *, train_us, score_us):
    trained = jobs.train(project, as_of_us=train_us)
    jobs.register(project, Path(trained.folder), who=WHO, promote=True)
    scored = jobs.score(project, as_of_us=score_us)
    jobs.publish(project, scored.publication_id)
    return scored


def with_scorer(project, scorer):
    return project.model_copy(update={"model": project.model.model_copy(update={"scorer": scorer})})


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A sample, scored on two dates by two models: a logistic regression, then boosted trees."""
    folder = tmp_path_factory.mktemp("explained")
    write_sample(folder / "crm", leads=900, seed=4)
    project = read_settings(folder / "crm" / "leadscore.toml")
    project = project.model_copy(update={
        "data_folder": folder / "data", "models_folder": folder / "models",
        "model": project.model.model_copy(update={"scorer": "logistic", "trials": 1}),
        "target": project.target.model_copy(update={"cadence_days": 28, "max_per_lead": 2}),
    })  # fmt: skip
    jobs.ingest(project)
    january, february, march = (
        int(pd.Timestamp(day, tz="UTC").value // 1000)
        for day in ("2026-01-20", "2026-02-01", "2026-03-01")
    )
    first = train_and_score(project, train_us=january, score_us=february)
    boosted = with_scorer(project, "boosted")
    second = train_and_score(boosted, train_us=march, score_us=march)
    return project, boosted, first, second


WRONG_NAMES = {
    "2019": "no single publication of 'sample' begins with '2019'",
    "2026": "no single publication of 'sample' begins with '2026'",
    ".writing-1": "no single publication of 'sample' begins with '.writing-1'",
    "202": "'202' is too short: give at least 4 characters",
    "": "'' is too short",
}


def published(project):
    """The ids of all lists that were written."""
    return [path.name for path in (project.project_folder() / "scores").glob("2*") if path.is_dir()]


def scores_of(scored):
    return pq.read_table(f"{scored.folder}/scores.parquet").to_pandas().set_index("lead_id")


def test_change_when_a_lead_was_listed_before_then_says_by_how_much_and_why(world):
    _, _, first, second = world
    before, now = scores_of(first), scores_of(second)
    assert set(before["trend"]) == {"no comparison"}
    both = now.index.intersection(before.index)
    assert len(both) > 50
    assert set(now.loc[now.index.difference(before.index), "trend"]) == {"no comparison"}
    points = 100 * (now.loc[both, "win_probability"] - before.loc[both, "win_probability"])
    np.testing.assert_allclose(now.loc[both, "change_points"], points, atol=1e-9)
    assert (
        now.loc[both, "trend"]
        == np.select([points >= 2, points <= -2], ["improving", "declining"], "steady")
    ).all()
    moved = now.loc[both][points.abs() >= 5]
    assert len(moved)
    assert all(
        change.startswith(f"{'Up' if x > 0 else 'Down'} {round(abs(x))} points: ")
        for change, x in zip(moved["change"], moved["change_points"], strict=True)
    )
    for change in moved["change"]:
        parts = [int(size) for size in re.findall(r" ([+-]\d+)(?:,|$)", change)]
        whole = int(re.search(r"\d+", change).group())
        assert sum(parts) == (whole if change.startswith("Up") else -whole), change
    assert now.loc[both, "change"].str.contains("re-assessed by a new model").any()


def test_lead_when_explained_then_everything_adds_up_and_nothing_is_from_later(world):
    project, _, _, second = world
    lead_id = second.top[0]["lead_id"]
    told = jobs.explain(project, lead_id)
    assert told.publication_id == second.publication_id
    total = told.base + sum(group.value for group in told.groups)
    assert total == pytest.approx(told.log_odds, abs=1e-9)
    assert told.log_odds == pytest.approx(told.score["log_odds"], abs=1e-12)
    points = 100 * told.start_probability + sum(group.points for group in told.groups)
    assert points + told.shift_points == pytest.approx(100 * told.win_probability, abs=1e-6)
    for group in told.groups:
        assert group.value == pytest.approx(sum(each.value for each in group.features), abs=1e-9)
    assert all(fact.known < told.as_of for fact in told.facts)
    assert [fact.happened for fact in told.facts] == sorted(fact.happened for fact in told.facts)
    assert any(fact.what == "Created" for fact in told.facts)
    assert "<html" in told.page
    assert told.page.index(
        "Content-Security-Policy\" content=\"default-src 'none'"
    ) < told.page.index("<style")
    assert lead_id in told.page


def test_lead_when_it_was_listed_twice_then_both_scores_are_told(world):
    project, _, first, second = world
    lead_id = scores_of(first).index.intersection(scores_of(second).index)[0]
    past = jobs.explain(project, lead_id).past
    assert [each.publication_id for each in past] == [
        first.publication_id,
        second.publication_id,
    ]


@pytest.mark.slow
def test_publication_when_replayed_after_other_trainings_then_is_the_same_bytes(world):
    project, boosted, first, second = world
    jobs.train(with_scorer(project, "scorecard"))
    for scored, current in (
        (first, boosted),
        (second, project),
    ):  # by settings other than those of then
        lead_id = scores_of(scored).index[0]
        told = jobs.replay(current, scored.publication_id, lead_id)
        assert (told.same, told.differs) == (True, [])
        assert told.score["win_probability"] == scores_of(scored)["win_probability"].iloc[0]


def test_publication_when_it_is_of_schema_version_2_then_is_explained_and_replayed_to_the_same_bytes(
    world, tmp_path
):
    project, _, _, second = world
    shutil.copytree(project.data_folder, tmp_path / "data")
    moved = project.model_copy(update={"data_folder": tmp_path / "data"})
    publication, scores = read_publication(
        second.publication_id, folder=moved.project_folder() / "scores"
    )
    (tmp_path / "files").mkdir()
    write_files([scores], tmp_path / "files", schema_version=2)
    files = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert files["scores.csv"].startswith(b"lead_id,as_of,raw,win_probability,probability_low")
    manifest = {
        name: publication.manifest[name]
        for name in publication.manifest
        if name != "publication_id"
    }
    manifest["schema_version"] = 2
    manifest["files"] = {
        name: {"sha256": hash_bytes(data), "bytes": len(data)} for name, data in files.items()
    }
    old_id = f"{publication.id.rpartition('-')[0]}-{hash_bytes(canonical_json(manifest))[:12]}"
    home = publication.folder.with_name(old_id)
    shutil.copytree(publication.folder, home)
    for name, data in files.items():
        (home / name).write_bytes(data)
    (home / "manifest.json").write_bytes(canonical_json(manifest | {"publication_id": old_id}))

    lead_id = scores_of(second).index[0]
    again = jobs.replay(moved, old_id, lead_id)
    assert (again.same, again.differs) == (True, [])
    explained = jobs.explain(moved, lead_id, publication_id=publication.id).score
    assert again.score == explained | {"bant": ""}  # which came with version 4


def test_publication_when_replayed_after_another_export_then_is_the_same_bytes(world, tmp_path):
    project, _, _, second = world
    folders = {name: tmp_path / name for name in ("data_folder", "input_folder")}
    for name, folder in folders.items():
        shutil.copytree(getattr(project, name), folder)
    lead_id = scores_of(second).index[0]
    with (folders["input_folder"] / "outcomes.csv").open("a", encoding="utf-8") as outcomes:
        outcomes.write(
            f'"{lead_id}",2026-02-27T09:00:00Z,"lost",,,"no answer"\n'
        )  # before the list was made
    moved = project.model_copy(update=folders)
    again = jobs.ingest(moved, known_until_us=moved.known_until_us())
    assert again.store_version != second.store_version
    told = jobs.replay(moved, second.publication_id, lead_id)
    assert (told.same, told.store_version) == (True, second.store_version)
    assert not any(
        fact.what.startswith("Closed") and fact.happened > "2026-02-27" for fact in told.facts
    )


def test_publication_when_its_list_comes_out_otherwise_then_says_in_which_columns(
    world, monkeypatch
):
    project, _, first, _ = world
    original = explaining.score_list

    def other(*args, **more):
        rows, facts = original(*args, **more)
        table = rows.read()
        at = table.schema.get_field_index("tier")
        return [table.set_column(at, table.schema.field("tier"), [["Z"] * len(table)])], facts

    monkeypatch.setattr(explaining, "score_list", other)
    told = jobs.replay(project, first.publication_id, scores_of(first).index[0])
    assert (told.same, told.differs) == (False, ["tier"])


def with_horizon(project, days):
    return project.model_copy(
        update={"target": project.target.model_copy(update={"horizon_days": days})}
    )


@pytest.mark.slow
def test_publication_when_the_horizon_is_auto_then_is_that_of_the_model_and_explained_and_replayed(
    world,
):
    _, boosted, _, second = world
    scored = jobs.score(with_horizon(boosted, 0))  # so "auto" is held
    kept = json.loads(Path(scored.folder, "manifest.json").read_text())
    assert json.loads(kept["settings"])["target"]["horizon_days"] == boosted.target.horizon_days
    lead_id = scored.top[0]["lead_id"]
    told = jobs.replay(with_horizon(boosted, 0), scored.publication_id, lead_id)
    assert (told.same, told.differs) == (True, [])
    explained = jobs.explain(
        with_horizon(boosted, 0), lead_id, publication_id=scored.publication_id
    )
    assert explained.score["win_probability"] == scores_of(second).loc[lead_id, "win_probability"]


@pytest.mark.slow
def test_publication_when_the_settings_now_have_another_horizon_then_those_of_then_count_and_no_new_list_is_made(
    world,
):
    project, boosted, _, second = world
    other = with_horizon(boosted, 90)
    with pytest.raises(
        TargetMismatchError, match=r"a win within 60 days, but target\.horizon_days is 90"
    ):
        jobs.score(other)
    lead_id = second.top[0]["lead_id"]
    assert jobs.replay(other, second.publication_id, lead_id).same
    assert jobs.explain(other, lead_id, publication_id=second.publication_id).lead_id == lead_id
    loose = project.model.model_copy(update={"max_calibration_error": 1.0, "max_bias": 1.0})
    retrained = jobs.train(with_horizon(project.model_copy(update={"model": loose}), 90)).promotion
    assert retrained.promoted, retrained.why
    assert (
        "predicts something different from what the settings ask for: a win within 60 days"
        in retrained.why
    )


@pytest.mark.slow
def test_backtest_when_the_horizon_is_auto_then_is_that_known_at_its_first_date(world):
    project, *_ = world
    report = jobs.backtest(with_horizon(with_scorer(project, "scorecard"), 0), dates=1)
    assert report.horizon_days > 0
    assert len(report.dates) == 1
    assert f"{report.horizon_days} days, by what was known at " in report.horizon_why


def test_explanation_when_asked_for_what_is_not_there_then_is_refused_in_words(world, tmp_path):
    project, _, first, _ = world
    with pytest.raises(UserError, match="'nobody' is not on the list"):
        jobs.explain(project, "nobody")
    unfinished = project.project_folder() / "scores" / ".writing-1"
    unfinished.mkdir()
    (unfinished / "manifest.json").write_text("{}", encoding="utf-8")
    for name, words in WRONG_NAMES.items():
        with pytest.raises(UserError, match=words) as refused:
            jobs.explain(project, "L1", publication_id=name)
        available = str(refused.value).partition("Available: ")[2]
        assert sorted(available.split(", ")) == sorted(repr(name) for name in published(project))
    with pytest.raises(UserError, match="published nothing yet"):
        jobs.explain(project.model_copy(update={"data_folder": tmp_path}), "L1")
    lead_id = scores_of(first).index[0]
    assert jobs.explain(project, lead_id, publication_id=first.publication_id).as_of.startswith(
        "2026-02-01"
    )


def test_publication_when_a_file_was_changed_then_it_is_not_replayed(world, tmp_path):
    project, _, first, _ = world
    shutil.copytree(project.data_folder, tmp_path / "data")
    moved = project.model_copy(update={"data_folder": tmp_path / "data"})
    path = next((tmp_path / "data").rglob(f"{first.publication_id}/scores.csv"))
    path.write_bytes(path.read_bytes().replace(b"0.", b"1.", 1))
    with pytest.raises(CorruptFileError, match=r"scores\.csv"):
        jobs.replay(moved, first.publication_id, "L1")


def test_commands_when_called_then_draw_the_lead_and_write_the_page(world, tmp_path):
    project, _, first, second = world
    lead_id = scores_of(first).index.intersection(scores_of(second).index)[0]
    config = str(settings_file_of(project))

    def run(*words):
        ended = commands.run(*words, "--config", config)
        assert (ended.code, ended.err) == (0, "")
        return ended.out

    explain = ["explain", lead_id, "--publication", first.publication_id]
    for words in (["replay", first.publication_id, lead_id], explain):
        page = tmp_path / f"{words[0]}.html"
        shown = run(*words, "--html", str(page))
        html = page.read_text(encoding="utf-8")
        assert ("identical bytes" in shown) == (words[0] == "replay")
        for name in (lead_id, first.publication_id, second.publication_id):
            assert name in shown
            assert name in html
    assert json.loads(run(*explain, "--json"))["lead_id"] == lead_id


def settings_file_of(project):
    """The settings file of a project, with the folders that the project was opened with."""
    folders = (project.input_folder.parent, project.input_folder)
    configs = [folder / "leadscore.toml" for folder in folders]
    config = next(path for path in configs if path.exists())
    again = config.parent / "again.toml"
    places = f'data_folder = "{project.data_folder}"\nmodels_folder = "{project.models_folder}"\n'
    again.write_text(places + config.read_text(encoding="utf-8"), encoding="utf-8")
    return again


def test_publication_when_its_manifest_names_no_settings_then_is_refused_in_words(world, tmp_path):
    project, _, first, _ = world
    shutil.copytree(project.data_folder, tmp_path / "data")
    moved = project.model_copy(update={"data_folder": tmp_path / "data"})
    home = next((tmp_path / "data").rglob(first.publication_id))
    manifest = json.loads((home / "manifest.json").read_text())
    named = {
        name: value
        for name, value in manifest.items()
        if name not in {"publication_id", "settings"}
    }
    old = f"20260201T000000Z-{hash_bytes(canonical_json(named))[:12]}"
    (home / "manifest.json").write_bytes(canonical_json(named | {"publication_id": old}))
    home.rename(home.with_name(old))
    with pytest.raises(UserError, match="before manifests named their settings"):
        jobs.explain(moved, "L1", publication_id=old)


@pytest.mark.slow
def test_report_when_written_twice_then_has_the_same_bytes_and_says_how_leads_left(world):
    project, _, first, second = world
    publication, scores = read_publication(
        second.publication_id, folder=project.project_folder() / "scores"
    )
    contents = reporting.gather(project, publication, scores)
    gone = scores_of(first).index.difference(scores_of(second).index)
    assert [lead.lead_id for lead in contents.left] == sorted(
        gone, key=list(scores_of(first).index).index
    )
    assert {lead.why for lead in contents.left} == {"won", "lost"}
    assert set(contents.stages) <= set(scores_of(second).index)
    assert set(contents.stages.values()) <= set(project.stages.open)
    assert len(contents.stages) > 50
    assert contents.evaluation is not None
    published = scores_of(second)["win_probability"]
    assert set(contents.waterfalls) == set(contents.timelines) == set(published.index)
    for lead_id, waterfall in contents.waterfalls.items():
        assert waterfall.total == pytest.approx(100 * published[lead_id], abs=1e-6)
        assert contents.timelines[lead_id]

    reported = Project(project).report()
    page = Path(reported.path).read_bytes()
    assert reported.publication_id == second.publication_id
    assert len(page) == reported.bytes < 1_000_000
    assert Project(project).report().to_dict() == reported.to_dict()
    assert Path(reported.path).read_bytes() == page
    assert len(reported.digest.splitlines()) == 5
    first = contents.scores["lead_id"][0].as_py()
    assert contents.shown[first].company
    assert first in reported.digest
    assert contents.shown[first].company in Project(project).digest()


def test_report_when_store_and_model_are_gone_then_leaves_out_what_they_knew(world, tmp_path):
    project, _, _, second = world
    moved = project.model_copy(update={"data_folder": tmp_path, "models_folder": tmp_path / "none"})
    shutil.copytree(project.project_folder() / "scores", moved.project_folder() / "scores")
    page = tmp_path / "page.html"
    reported = Project(moved).report(second.publication_id, to=page)
    assert reported.path == str(page)
    text = page.read_text(encoding="utf-8")
    assert "no longer open" in text
    assert 'id="model"' not in text
    assert 'id="stage"' not in text
