import csv
import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

import histories
from builders import Facts, day
from histories import score_table
from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.history.labels import build_side
from leadscore.model.files import read_model, write_model
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.results import Interval
from leadscore.times import format_us, parse_moment
from leadscore.validation.backtest import run_backtest
from leadscore.validation.dates import spread_dates

pytestmark = pytest.mark.slow

TOO_EARLY, EARLY, LATER, UNSETTLED = day(20), day(70), day(90), day(119)
MODELS = [
    "leadscore", "base_rate", "stage_only", "scorecard", "logistic", "hist_gradient_boosting", "lightgbm",
    "naive_bayes",
]  # fmt: skip


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    settings = histories.sales_settings(tmp_path_factory.mktemp("backtest"))
    facts = histories.sales_facts(settings, leads=350, days=120, seed=3, signal=1.8)
    histories.write_store(facts, known_until=120)
    return histories.open_stored(settings)


@pytest.fixture(scope="module")
def result(history):
    return run_backtest(history, [TOO_EARLY, EARLY, LATER, UNSETTLED], progress=silent)


@pytest.fixture(scope="module")
def predictions(result):
    return result.predictions


def test_dates_when_they_cannot_be_learned_from_or_settled_then_are_skipped_in_words(result):
    assert [date.as_of for date in result.report.dates] == [
        format_us(EARLY),
        format_us(LATER),
    ]
    skipped = {each.as_of: each.why for each in result.report.skipped}
    assert list(skipped) == [format_us(TOO_EARLY), format_us(UNSETTLED)]
    # follow-up runs from the first snapshot, which is of day 3
    assert skipped[format_us(TOO_EARLY)].startswith(
        f"history before {format_us(TOO_EARLY)}: only 17 days of follow-up"
    )
    assert skipped[format_us(UNSETTLED)].startswith(
        f"leads open at {format_us(UNSETTLED)}: only 1 day of follow-up for a horizon of 30 days"
    )


@pytest.mark.parametrize("as_of_us", [EARLY, LATER])
def test_probabilities_of_a_date_when_trained_and_scored_at_that_date_then_are_the_same(
    history, predictions, tmp_path, as_of_us
):
    fitted = histories.with_signal(fit_model(history, known_us=as_of_us, progress=silent))
    home = write_model(
        tmp_path, fitted, settings=history.settings, store_version=history.version.id
    )
    model, manifest = read_model(home)
    table = score_table(
        history,
        model,
        model_version=home.name,
        known_us=manifest["known_until_us"],
        as_of_us=as_of_us,
    )
    scored = dict(
        zip(table["lead_id"].to_pylist(), table["win_probability"].to_pylist(), strict=True)
    )
    rows = predictions[predictions["as_of_us"] == as_of_us]
    assert len(rows) > 50
    assert set(rows["lead_id"]) <= set(scored)
    assert rows["leadscore"].tolist() == [scored[lead_id] for lead_id in rows["lead_id"]]


def test_date_when_trained_then_saw_nothing_of_what_came_after(history, predictions, tmp_path):
    # the same store cut at the date gives the same probabilities
    facts = histories.sales_facts(
        histories.sales_settings(tmp_path), leads=350, days=120, seed=3, signal=1.8
    )
    cut = Facts(facts.settings)
    cut.rows = {
        name: [row for row in rows if row["available_us"] < EARLY]
        for name, rows in facts.rows.items()
    }
    earlier = cut.history(tmp_path / "store", known_until=70)
    model = fit_model(earlier, known_us=EARLY, progress=silent).model
    table = score_table(earlier, model, model_version="m", known_us=EARLY, as_of_us=EARLY)
    scored = dict(
        zip(table["lead_id"].to_pylist(), table["win_probability"].to_pylist(), strict=True)
    )
    rows = predictions[predictions["as_of_us"] == EARLY]
    assert rows["leadscore"].tolist() == [scored[lead_id] for lead_id in rows["lead_id"]]


@pytest.mark.parametrize("as_of_us", [EARLY, LATER])
def test_rows_of_a_date_when_settled_by_what_is_known_now_then_have_their_labels_and_weights(
    history, predictions, as_of_us
):
    asked = history.open_list(as_of_us).assign(grid_weight=1.0, young=False)
    until = history.version.known_until_us
    side = build_side(
        "all", asked, history.spells(until), known_us=until, target=history.settings.target
    )
    expected = side.rows[side.rows["label"].notna()].set_index("lead_id")
    rows = predictions[predictions["as_of_us"] == as_of_us].set_index("lead_id")
    assert sorted(rows.index) == sorted(expected.index)
    pd.testing.assert_frame_equal(
        rows[["label", "weight"]], expected.loc[rows.index, ["label", "weight"]]
    )


def test_dates_when_told_then_count_their_rows(result, predictions, history):
    for date in result.report.dates:
        as_of_us = parse_moment(date.as_of, zone="UTC")
        rows = predictions[predictions["as_of_us"] == as_of_us]
        assert date.settled == len(rows)
        assert date.won == rows["label"].sum()
        assert date.open == len(history.open_list(as_of_us))
        assert date.trained_on == len(history.earlier_side(as_of_us).rows)
        assert set(date.models) == set(MODELS)


def test_notes_when_a_date_had_few_splits_then_say_so(result):
    for date in result.report.dates:
        few = [note for note in date.notes if "fewer than 3" in note]
        assert bool(few) == (date.splits < 3)
        assert date.calibrator == "none" or not few
    assert any(date.splits < 3 for date in result.report.dates)


def test_pooled_numbers_when_computed_anew_from_the_rows_then_agree(result, predictions):
    dates, pooled = result.report.dates, result.report.pooled
    assert len(predictions) == sum(date.settled for date in dates)
    label, weight = predictions["label"], predictions["weight"]
    for name in MODELS:
        found, p = pooled[name], predictions[name]
        assert found.snapshots == len(predictions)
        assert found.leads == predictions["lead_id"].nunique()
        assert found.win_rate == pytest.approx(np.average(label, weights=weight), abs=1e-12)
        assert found.pooled_auc.value == pytest.approx(
            roc_auc_score(label, p, sample_weight=weight), abs=1e-12
        )
        within, pairs = [], []
        for _, rows in predictions.groupby("as_of_us"):
            within.append(roc_auc_score(rows["label"], rows[name], sample_weight=rows["weight"]))
            won = rows.loc[rows["label"] == 1, "weight"].sum()
            pairs.append(won * rows.loc[rows["label"] == 0, "weight"].sum())
        assert found.auc.value == pytest.approx(np.average(within, weights=pairs), abs=1e-12)
        assert (found.auc_blocks, found.auc_blocks_left_out) == (len(within), 0)
        loss = log_loss(label, p, sample_weight=weight)
        assert found.log_loss.value == pytest.approx(loss, abs=1e-12)
        base = log_loss(label, predictions["base_rate"], sample_weight=weight)
        assert found.log_loss_gain.value == pytest.approx(base - loss, abs=1e-12)
    assert pooled["base_rate"].log_loss_gain == Interval(value=0.0, low=0.0, high=0.0)
    assert sum(bin_.n for bin_ in result.report.reliability) == len(predictions)


def test_base_rate_of_a_date_when_predicted_then_is_that_known_at_the_date(history, predictions):
    for as_of_us in (EARLY, LATER):
        rates = predictions.loc[predictions["as_of_us"] == as_of_us, "base_rate"]
        assert set(rates) == {history.earlier_side(as_of_us).base_rate()}


def test_stage_alone_when_predicted_then_is_one_rate_a_stage(history, predictions):
    entered = history.engine.query(
        f"SELECT lead_id, stage, event_us, seq FROM stages WHERE available_us < {LATER}"
    )
    order = {"new": 0, "qualified": 1, "proposal": 2, "rejected": 3, "signed": 4}
    latest = {}
    for row in sorted(
        entered.to_pylist(), key=lambda row: (row["event_us"], row["seq"], order[row["stage"]])
    ):
        latest[row["lead_id"]] = row["stage"]
    rows = predictions[predictions["as_of_us"] == LATER]
    rates = rows.groupby(rows["lead_id"].map(latest))["stage_only"]
    assert rates.ngroups >= 3
    assert (rates.nunique() == 1).all()
    assert rates.first().nunique() == rates.ngroups


def test_backtest_when_no_date_can_be_used_then_says_why_for_each(history):
    result = run_backtest(history, [day(10), TOO_EARLY], progress=silent)
    assert len(result.predictions) == 0
    assert len(result.report.skipped) == 2
    assert "pooled" not in result.report.to_dict()


@pytest.fixture(scope="module")
def told(history):
    return jobs.backtest(history.settings, from_us=TOO_EARLY, to_us=LATER, dates=2)


def test_backtest_job_when_done_then_writes_the_report_and_its_rows(history, predictions, told):
    folder = history.settings.project_folder() / "backtests"
    [home] = folder.iterdir()
    assert told.folder == str(home)
    report = json.loads((home / "backtest.json").read_bytes(), parse_constant=pytest.fail)
    plain = json.loads(json.dumps(told.to_dict()))
    assert report == {key: value for key, value in plain.items() if key != "folder"}
    assert (report["project"], report["store_version"]) == ("synthetic", history.version.id)
    assert [date["as_of"] for date in report["dates"]] == [format_us(LATER)]
    assert [date["as_of"] for date in report["skipped"]] == [format_us(TOO_EARLY)]
    with (home / "predictions.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    expected = predictions[predictions["as_of_us"] == LATER].to_dict("records")
    assert len(written) == len(expected) > 50
    for found, row in zip(written, expected, strict=True):
        assert {name: type(row[name])(value) for name, value in found.items()} == row


def test_backtest_job_when_done_again_then_changes_nothing(history, told):
    folder = history.settings.project_folder() / "backtests"
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.*")}
    again = jobs.backtest(history.settings, from_us=TOO_EARLY, to_us=LATER, dates=2)
    assert again == told
    assert {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*.*")
    } == before


@pytest.mark.parametrize(
    ("moments", "why"),
    [
        pytest.param(
            {"from_us": day(90), "to_us": day(80)},
            f"no date to back-test at from {format_us(day(90))} to {format_us(day(80))}",
            id="to before from",
        ),
        pytest.param(
            {"from_us": day(90), "to_us": day(130)},
            "more than 36 hours after known_until",
            id="in the future",
        ),
        pytest.param(
            {"from_us": day(130)},
            f"no date to back-test at from {format_us(day(130))} to",
            id="from in the future",
        ),
        pytest.param(
            {"from_us": day(-9), "to_us": day(90)}, "is before all data", id="before all leads"
        ),
    ],
)
def test_backtest_job_when_asked_for_impossible_dates_then_is_refused(history, moments, why):
    with pytest.raises(UserError, match=why):
        jobs.backtest(history.settings, dates=3, **moments)


def dated(moments):
    return [format_us(us) for us in moments]


def test_dates_when_spread_then_are_even_midnights_from_first_to_last(history):
    found = spread_dates(history, from_us=day(60.5), to_us=day(81), dates=5)
    assert found == [day(d) for d in (61, 66, 71, 76, 81)]


def test_dates_when_there_are_fewer_midnights_than_asked_for_then_are_all_of_them(history):
    assert spread_dates(history, from_us=day(60), to_us=day(62), dates=9) == [
        day(60),
        day(61),
        day(62),
    ]


def test_dates_when_not_stated_then_leave_two_horizons_before_and_one_after(history):
    found = spread_dates(history, from_us=None, to_us=None, dates=6)
    assert len(found) == 6
    first_us, until = history.version.first_us, history.version.known_until_us
    assert first_us + 60 * (day(1) - day(0)) <= found[0] < first_us + 61 * (day(1) - day(0))
    assert found[-1] == until - 30 * (day(1) - day(0))


def test_dates_when_the_zone_has_summer_time_then_are_its_own_midnights(history):
    berlin = dataclasses.replace(
        history, settings=history.settings.model_copy(update={"timezone": "Europe/Berlin"})
    )
    found = spread_dates(berlin, from_us=day(89), to_us=day(91), dates=9)
    assert dated(found) == ["2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"]
