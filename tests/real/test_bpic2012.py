"""The main job on the real log: where the data is, from export to a probability for each open lead."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import histories
from commands import run
from leadscore import project as jobs
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.history.opening import open_history
from leadscore.settings.read import read_settings
from leadscore.store.version import read_current
from leadscore.times import DAY_US, parse_moment

ROOT = Path(__file__).parents[2]
LOG = Path(os.environ.get("LEADSCORE_REAL_DATA", ROOT / "../shared/data")) / "bpic2012"
pytestmark = pytest.mark.skipif(
    not LOG.is_dir(), reason=f"the BPI Challenge 2012 log is not at {LOG}"
)
WON = ["A_APPROVED", "A_REGISTERED", "A_ACTIVATED"]
LOST = ["A_DECLINED", "A_CANCELLED"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bpic2012")
    read = read_settings(ROOT / "examples/bpic2012/leadscore.toml", input_folder=LOG)
    places = {"data_folder": folder / "data", "models_folder": folder / "models"}
    model = read.model.model_copy(update={"trials": 2})
    return read.model_copy(update=places | {"model": model})


@pytest.fixture(scope="module")
def ingested(settings):
    return jobs.ingest(settings)


@pytest.fixture(scope="module")
def history(settings, ingested):
    version = read_current(settings.project_folder() / "store", project=settings.project)
    return open_history(settings, version, DuckDBEngine(settings.engine))


@pytest.fixture(scope="module")
def trained(settings, ingested):
    told = jobs.train(settings)
    registered = histories.register(settings, told)
    return told.to_dict() | registered.to_dict()


@pytest.fixture(scope="module")
def scored(settings, trained):
    return histories.score_and_publish(settings, as_of_us=parse_moment("2012-02-01", zone="UTC"))


@pytest.fixture(scope="module")
def log():
    """The log read without leadscore: one row a case with its creation and its first close."""
    events = pq.read_table(LOG / "events.parquet").to_pandas()
    cases = pd.read_csv(LOG / "cases.csv")
    created = pd.to_datetime(cases["reg_date"], format="ISO8601").set_axis(
        cases["case_id"].astype(str)
    )
    ends = (
        events[events["activity"].isin(WON + LOST)]
        .sort_values("timestamp")
        .drop_duplicates("case_id")
    )
    ends = ends.set_index(ends["case_id"].astype(str))
    us = pd.DataFrame(
        {"created": created, "closed": ends["timestamp"], "won": ends["activity"].isin(WON)}
    )
    return us.assign(created=_us(us["created"]), closed=_us(us["closed"]), won=us["won"].eq(True))


def _us(stamps):
    return (
        stamps.dt.tz_localize(None)
        .astype("datetime64[us]")
        .astype("int64")
        .where(stamps.notna(), 2**62)
    )


def test_ingest_when_the_log_is_read_then_every_row_is_accounted_for(ingested):
    events = ingested.accounts.sources["events"]
    assert (events.read, events.ignored, events.rejected) == (193_496, 71_547, 0)
    assert ingested.accounts.tables["leads"].stored == 10_203
    assert ingested.rejects == {}
    assert ingested.warnings == []


def test_open_leads_at_the_end_of_the_log_are_the_853_without_a_decision(history, log):
    listed = history.open_list(parse_moment("2012-02-01", zone="UTC"))
    assert set(listed["lead_id"]) == set(log.index[log["closed"] == 2**62])
    assert len(listed) == 853


@pytest.mark.parametrize("date", ["2011-10-20", "2011-12-01", "2011-12-24", "2012-01-15"])
def test_open_leads_at_a_past_date_are_those_created_and_not_decided_by_then(history, log, date):
    as_of = parse_moment(date, zone="UTC")
    expected = log.index[(log["created"] < as_of) & (log["closed"] >= as_of)]
    assert set(history.open_list(as_of)["lead_id"]) == set(expected)


def test_base_rate_when_lost_leads_are_observed_is_a_third_and_half_when_they_are_censored(
    history, log
):
    K = history.version.known_until_us
    side = history.earlier_side(K)
    assert side.base_rate() == pytest.approx(0.33, abs=0.01)
    assert side.base_rate() == pytest.approx(
        _base_rate(history, log, K, lost_is_observed=True), abs=0.01
    )
    assert _base_rate(history, log, K, lost_is_observed=False) == pytest.approx(0.53, abs=0.02)


def _base_rate(history, log, K, *, lost_is_observed):
    """Product-limit weights by a slow loop over the log itself, all snapshots, none sampled."""
    horizon = 30 * DAY_US
    rows = []
    for case in log.itertuples():
        for as_of in history.grid[
            (history.grid > case.created) & (history.grid <= min(case.closed, K - 1))
        ]:
            inside = case.closed < min(as_of + horizon, K)
            seen = case.won or lost_is_observed if inside else as_of + horizon <= K
            end = case.closed if inside else K
            rows.append((min(end - as_of, horizon), seen, bool(inside and case.won)))
    x, seen, won = (np.array(column) for column in zip(*rows, strict=True))
    survival, steps = 1.0, []
    for t in np.unique(x[~seen]):
        gone = np.sum((x == t) & ~seen)
        survival *= 1 - gone / (np.sum(x > t) + gone)
        steps.append((t, survival))
    times, values = np.array([0, *(t for t, _ in steps)]), np.array([1.0, *(g for _, g in steps)])
    before = values[np.searchsorted(times[1:], x[seen], side="left")]
    weight = 1 / np.maximum(before, 0.1)
    return float(np.average(won[seen], weights=weight))


@pytest.mark.slow
def test_score_when_asked_for_2012_02_01_gives_each_open_lead_a_probability(scored, log):
    table = pd.read_parquet(Path(scored.folder) / "scores.parquet")
    assert set(table["lead_id"]) == set(log.index[log["closed"] == 2**62])
    assert table["lead_id"].is_unique
    assert table["win_probability"].between(0, 1, inclusive="neither").all()
    assert table["win_probability"].is_monotonic_decreasing
    assert scored.counts.to_dict() == {
        "leads": 10_203,
        "scored": 853,
        "closed": 9_350,
        "absent": 0,
        "not_yet_created": 0,
        "refused": 0,
    }
    speaks_for = table["reason_up_1"] != ""
    speaks_against = table["reason_down_1"] != ""
    assert speaks_for.head(
        len(table) // 2
    ).all()  # a reason needs clear evidence, at the top it has
    assert (speaks_for | speaks_against).mean() > 0.95


@pytest.mark.slow
def test_model_out_of_time_is_better_than_the_quick_untuned_one_and_no_leak(trained):
    metrics = trained["evaluation"]["metrics"]["all"]
    assert trained["evaluation"]["basis"] == "out of time"
    assert 0.75 < metrics["auc"]["value"] < 0.88  # features of whole cases would give 1.000
    assert metrics["brier"]["value"] < 0.19
    assert abs(metrics["calibration_error"]["value"]) < 0.03


@pytest.mark.slow
def test_back_test_at_a_date_is_what_train_and_score_would_have_published_then(
    settings, history, ingested, tmp_path
):
    as_of = parse_moment("2011-12-16", zone="UTC")
    then = settings.model_copy(update={"models_folder": tmp_path / "models"})
    histories.register(then, jobs.train(then, as_of_us=as_of))
    published = pd.read_parquet(Path(jobs.score(then, as_of_us=as_of).folder) / "scores.parquet")
    report = jobs.backtest(then, from_us=as_of, to_us=as_of, dates=1)
    replayed = pd.read_csv(Path(report.folder) / "predictions.csv", dtype={"lead_id": str})
    both = published.merge(replayed, on="lead_id", validate="one_to_one")
    assert len(both) == len(published) == report.dates[0].open
    np.testing.assert_array_equal(both["win_probability"], both["leadscore"])
    assert 0.7 < report.pooled["leadscore"].auc.value < 0.9


@pytest.mark.slow
def test_scores_when_the_future_of_the_log_is_cut_off_are_the_same(settings, tmp_path, ingested):
    """The log as it stood on 2011-12-16 gives the very scores that the whole log gives for that day."""
    as_of = parse_moment("2011-12-16", zone="UTC")
    cut = tmp_path / "cut"
    cut.mkdir()
    stamp = pd.Timestamp("2011-12-16", tz="UTC")
    events = pq.read_table(LOG / "events.parquet").to_pandas()
    events[events["timestamp"] < stamp].to_parquet(cut / "events.parquet", index=False)
    cases = pd.read_csv(LOG / "cases.csv", dtype=str)
    cases[pd.to_datetime(cases["reg_date"], format="ISO8601") < stamp].to_csv(
        cut / "cases.csv", index=False
    )
    paths = {"data_folder": tmp_path / "data", "models_folder": tmp_path / "models"}
    whole = settings.model_copy(update={"models_folder": tmp_path / "whole"})
    then = settings.model_copy(update={**paths, "input_folder": cut, "known_until": "2011-12-16"})
    jobs.ingest(then)
    tables = []
    for each in (whole, then):
        histories.register(each, jobs.train(each, as_of_us=as_of))
        published = Path(jobs.score(each, as_of_us=as_of).folder)
        tables.append((published / "scores.csv").read_bytes())
    assert tables[0] == tables[1]


@pytest.mark.slow
def test_command_line_when_asked_for_json_prints_what_the_job_returns(
    settings, scored, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "leadscore.toml"
    text = (ROOT / "examples/bpic2012/leadscore.toml").read_text()
    folders = (
        f'data_folder = "{settings.data_folder}"\nmodels_folder = "{settings.models_folder}"\n'
    )
    config.write_text(folders + text + "\n[model]\ntrials = 2\n")
    ended = run("score", "--config", config, "--as-of", "2012-02-01", "--json")
    assert ended.code == 0, ended
    printed = json.loads(ended.out)
    assert printed["publication_id"] == scored.publication_id
