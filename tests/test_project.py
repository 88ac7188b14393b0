"""The Python API: what a notebook asks of a project, beside what the functions behind it give."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import histories
import leadscore
from leadscore import Project, results
from leadscore import project as jobs
from leadscore.errors import TimeFormatError, UserError
from leadscore.times import parse_moment, to_us


@pytest.fixture(scope="module")
def project():
    return Project(histories.trained().settings)


def test_package_when_asked_for_what_it_has_not_then_says_so():
    assert leadscore.Project is Project
    with pytest.raises(AttributeError, match="no attribute 'Projekt'"):
        leadscore.Projekt  # noqa: B018


def test_functions_when_asked_for_by_name_then_come_from_their_homes():
    for name in jobs.HOMES:
        assert getattr(jobs, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'projekt'"):
        jobs.projekt  # noqa: B018


def test_snapshot_when_asked_for_then_is_what_training_learns_from(project):
    world = histories.trained()
    until = world.history.version.known_until_us
    expected = world.history.earlier_side(until).rows
    pd.testing.assert_frame_equal(project.snapshot(), expected)
    assert set(expected["label"].dropna()) == {0.0, 1.0}
    assert (expected.loc[expected["label"].notna(), "weight"] > 0).all()


def test_features_when_asked_for_then_are_those_of_scoring(project):
    features = project.features()
    matrix = histories.open_matrix()
    pd.testing.assert_frame_equal(features[["lead_id", "as_of_us"]], matrix.keys)
    assert list(features)[2:] == list(matrix.columns)
    for name, values in matrix.columns.items():
        np.testing.assert_array_equal(features[name].to_numpy(), values)


def test_features_when_rows_are_of_the_past_then_know_nothing_later(project):
    early = project.open_leads("2024-04-10")
    moment = parse_moment("2024-04-10", zone=project.settings.timezone)
    assert set(early["as_of_us"]) == {moment}
    features = project.features(rows=early)
    pd.testing.assert_frame_equal(features, project.features("2024-04-10"))


def test_features_when_rows_are_in_any_order_or_twice_then_follow_the_rows(project):
    rows = project.snapshot().sample(frac=1, random_state=1).head(30)
    rows = pd.concat([rows, rows.head(3)])
    features = project.features(rows=rows)
    assert list(features.index) == list(rows.index)
    assert list(features["lead_id"]) == list(rows["lead_id"])
    assert list(features["as_of_us"]) == list(rows["as_of_us"])

    one_by_one = [project.features(rows=rows.iloc[[place]]) for place in (0, 7, 31)]
    pd.testing.assert_frame_equal(pd.concat(one_by_one), features.iloc[[0, 7, 31]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[["lead_id"]], "rows lack the columns 'spell', 'as_of_us', 'known_us'"),
        (lambda rows: rows.assign(lead_id="X"), "1 lead of rows is not in the store, like 'X'"),
        (
            lambda rows: pd.concat([rows, rows.assign(known_us=0)]),
            "rows have a lead twice at one moment, with different spell or known_us",
        ),
    ],
)
def test_features_when_rows_cannot_be_looked_up_then_are_refused(project, change, message):
    rows = project.open_leads().head(1)
    with pytest.raises(UserError, match=message):
        project.features(rows=change(rows))


def test_model_when_fitted_in_memory_then_scores_the_features_and_writes_nothing():
    settings = histories.fitted_settings()
    project = Project(settings)
    result = project.fit()
    features = project.features(rows=project.snapshot())
    log_odds = result.model.log_odds({name: features[name].to_numpy() for name in features})
    assert np.isfinite(log_odds).all()
    assert len(log_odds) == len(features)
    assert not settings.models_folder.exists()


def test_moment_when_given_in_any_form_then_is_the_same(project):
    midnight = datetime(2024, 4, 10, tzinfo=UTC)
    us = to_us(midnight)
    forms = ("2024-04-10", "2024-04-10T00:00:00Z", midnight, midnight.date(), us, np.int64(us))
    lists = [project.open_leads(form) for form in forms]
    for other in lists[1:]:
        pd.testing.assert_frame_equal(lists[0], other)


@pytest.mark.parametrize("moment", ["yesterday", 1.5, True, ["2024-04-10"]])
def test_moment_when_it_is_none_then_is_refused(project, moment):
    with pytest.raises(TimeFormatError, match="as a time; write 2024-05-31"):
        project.open_leads(moment)


@pytest.mark.parametrize("dates", [0, -1])
def test_backtest_when_no_date_is_asked_for_then_is_refused(project, dates):
    with pytest.raises(UserError, match=f"dates must be at least 1, got {dates}"):
        project.backtest(dates=dates)


def test_list_when_scored_explained_and_replayed_then_all_say_the_same(project):
    scored = project.score()
    project.publish(scored)
    table = scored.to_pandas()
    assert len(table) == scored.counts.scored
    assert list(table)[-1] == "log_odds"
    assert all(isinstance(size["leads"], int) for size in scored.what_if)
    lead_id = table["lead_id"][0]
    explained = project.explain(lead_id)
    replayed = project.replay(scored.publication_id, lead_id)
    assert replayed.same
    assert explained.win_probability == replayed.win_probability == table["win_probability"][0]
    adds = explained.to_pandas()["adds"].sum()
    assert explained.base + adds == pytest.approx(table["log_odds"][0], abs=1e-9)


def test_training_when_its_evaluation_is_stored_then_the_file_reads_back_into_the_type(project):
    world = histories.trained()
    home = world.settings.models_folder / world.settings.project / world.version
    document = json.loads((home / "evaluation.json").read_text())
    evaluation = results.Evaluation.from_dict(document)
    assert evaluation.to_dict() == document
    assert evaluation.overall.auc.value == document["metrics"]["all"]["auc"]["value"]
    assert evaluation.to_pandas().loc["brier", "value"] == evaluation.overall.brier.value


def test_result_when_a_later_release_wrote_more_then_it_reads_back_and_is_kept():
    document = {"value": 1.0, "low": None, "spread": 0.5}
    assert results.Interval.from_dict(document).to_dict() == document


def test_result_when_an_earlier_release_called_the_summary_said_then_reads_it_and_writes_summary():
    drift = results.Drift.from_dict({"periods": [], "last": None, "said": "win rates are falling"})
    assert drift.summary == "win rates are falling"
    assert drift.to_dict() == {"periods": [], "last": None, "summary": "win rates are falling"}


def test_result_when_a_key_is_missing_or_changed_then_is_refused():
    with pytest.raises(ValueError, match="value"):
        results.Interval.from_dict({"low": 1.0})
    with pytest.raises(ValueError, match="frozen"):
        results.Interval(value=1.0).value = 2.0


@pytest.mark.slow
def test_backtest_when_drawn_as_a_table_then_has_a_row_a_date(project):
    report = project.backtest(dates=1)
    table = report.to_pandas()
    assert table["as_of"].tolist() == [date.as_of for date in report.dates]
    document = json.loads((Path(report.folder) / "backtest.json").read_text())
    assert report.to_dict() == document | {"folder": report.folder}
