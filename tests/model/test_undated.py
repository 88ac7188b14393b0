"""Training and back-tests without dates: who is judged by whom, and in which words."""

import json

import numpy as np
import pandas as pd
import pytest

from histories import open_undated, undated_leads
from leadscore.errors import TooLittleHistoryError, UserError
from leadscore.features.matrix import Matrix, build_features, build_matrix
from leadscore.json_files import canonical_json
from leadscore.model.basis import REPEATS
from leadscore.model.calibration.calibrate import KINDS
from leadscore.model.encode import FOLDS, fold_of_group
from leadscore.model.fit import cross_validate
from leadscore.model.train import fit_model
from leadscore.model.training import MIN_OUTCOMES
from leadscore.progress import silent
from leadscore.results import Evaluation
from leadscore.validation.backtest import run_backtest
from leadscore.validation.dates import spread_dates

N = 500
BY_LEADS = "by cross-validation, 5 x 5 folds of leads"
CALIBRATORS = set(KINDS)


def fit(history, known_us=None):
    return fit_model(history, known_us=known_us or history.version.known_until_us, progress=silent)


@pytest.fixture(scope="module")
def ordered():
    return open_undated(undated_leads(leads=N, seed=1), time="ordered")


@pytest.fixture(scope="module")
def replayed():
    """The same leads, of settings that train quickly: back-tests train at each place."""
    return open_undated(
        undated_leads(leads=N, seed=1), time="ordered", model={"scorer": "logistic"}
    )


@pytest.fixture(scope="module")
def unordered():
    return open_undated(undated_leads(leads=N, seed=1), time="none")


@pytest.fixture(scope="module")
def by_order(ordered):
    return fit(ordered).evaluation


@pytest.fixture(scope="module")
def by_folds(unordered):
    return fit(unordered).evaluation


# --- Groups and folds -----------------------------------------------------------------------------------------------

KEYS = pd.DataFrame({"lead_id": list("abcdef"), "as_of_us": 1})
COLUMNS = {
    "size": np.array([1, 2, 1, np.nan, np.nan, 1.0]),
    "color": np.array(["red", "red", "red", None, None, "blue"], dtype=object),
}


def same(groups):
    """Which rows share a group, whatever the groups are called."""
    return [
        [i for i, other in enumerate(groups) if other == group] for group in dict.fromkeys(groups)
    ]


@pytest.mark.parametrize(
    ("together", "expected"),
    [
        pytest.param(
            True,
            [[0, 2], [1], [3, 4], [5]],
            id="rows that are equal, unknown being equal to unknown",
        ),
        pytest.param(False, [[0], [1], [2], [3], [4], [5]], id="leads"),
    ],
)
def test_groups_when_named_then_hold_what_cross_validation_must_not_tear_apart(together, expected):
    assert same(Matrix(KEYS, COLUMNS, together).groups().tolist()) == expected


@pytest.mark.parametrize("seed", [(), (7, 0)])
def test_folds_when_rows_come_in_another_order_then_each_group_stays_in_its_one_fold(seed):
    groups = np.repeat(np.arange(40), 3)
    shuffled = np.random.default_rng(0).permutation(len(groups))
    fold = fold_of_group(groups, seed=seed)
    assert all(len(np.unique(fold[groups == group])) == 1 for group in range(40))
    assert np.unique(fold, return_counts=True)[1].tolist() == [24] * FOLDS
    np.testing.assert_array_equal(fold_of_group(groups[shuffled], seed=seed), fold[shuffled])


def test_folds_when_dealt_again_then_differ():
    deals = {tuple(fold_of_group(np.arange(50), seed=(7, i))) for i in range(REPEATS)}
    assert len(deals) == REPEATS


def test_cross_validation_when_leads_are_alike_then_no_model_saw_one_like_those_it_predicts():
    rows = undated_leads(leads=60, seed=2)
    twice = pd.concat([rows, rows.assign(id="again " + rows["id"])], ignore_index=True)
    history = open_undated(twice, time="none", model={"identical_rows": "together"})
    side = history.earlier_side(1)
    matrix = build_matrix(history.snapshot(side.rows), build_features(history.settings))
    like = dict(zip(matrix.keys["lead_id"], matrix.groups(), strict=True))
    learned = []

    class Spy:
        def __init__(self, seen):
            self.seen = {like[lead_id] for lead_id in seen["lead_id"]}

        def log_odds(self, columns):
            learned.append(self.seen)
            return np.full(len(columns["profile_size"]), len(learned) - 1.0)

    raw, _ = cross_validate(matrix, side, Spy, seed=(3, 1))
    by = raw.astype(int)
    for lead_id, model in zip(side.rows["lead_id"], by, strict=True):
        assert like[lead_id] not in learned[model]
    assert len(learned) == FOLDS


# --- Training -------------------------------------------------------------------------------------------------------


def test_features_when_nothing_is_dated_then_tell_of_no_time(ordered):
    names = [feature.name for feature in build_features(ordered.settings)]
    assert {name.partition("_")[0] for name in names} == {"bant", "profile"}
    assert {"profile_color", "profile_size"} <= set(names)


@pytest.mark.slow
def test_training_when_leads_are_ordered_then_judges_on_the_last_fifth(by_order):
    assert by_order.basis == "on the last 20% by order"
    assert [split.leads for split in by_order.splits] == [150, 200, 250, 300, 350, 400]
    assert by_order.judged.leads == by_order.overall.snapshots == N // 5
    assert by_order.splits[-1].moment == f"place {10 + 3 * 400}"
    assert by_order.calibrator.kind in CALIBRATORS
    assert set(by_order.calibrator.log_loss) == CALIBRATORS


@pytest.mark.slow
def test_training_when_there_is_no_order_then_every_lead_is_judged_five_times_by_choices_of_the_other_folds(
    by_folds,
):
    assert by_folds.basis == BY_LEADS
    assert by_folds.splits == []
    assert by_folds.overall.snapshots == by_folds.judged.leads == N
    assert set(by_folds.calibrator.log_loss) == CALIBRATORS
    assert by_folds.calibrator.compared_on == by_folds.scorer.compared_on == "the other folds"


@pytest.mark.cases(1)
@pytest.mark.parametrize("name", ["by_order", "by_folds"])
def test_training_when_nothing_is_dated_then_says_so_and_nothing_of_horizons(name, request):
    evaluation = request.getfixturevalue(name)
    assert evaluation.assumption.endswith("every mapped field was known when the lead was scored")
    assert (evaluation.horizon_days, evaluation.days_to_win) == (None, None)
    assert evaluation.history.follow_up_days is evaluation.history.mature_rate is None
    assert evaluation.curves.maturity is None
    assert [*evaluation.metrics] == ["all"]
    assert evaluation.no_signal is None
    document = canonical_json(evaluation.to_dict())
    assert Evaluation.from_dict(json.loads(document)) == evaluation


def test_auc_when_there_is_a_signal_then_both_ways_of_judging_find_it(by_order, by_folds):
    for evaluation in (by_order, by_folds):
        assert 0.7 < evaluation.overall.auc.value < 0.95


@pytest.mark.parametrize(
    ("time", "scorer"),
    [
        ("ordered", "auto"),
        ("none", "scorecard"),
        pytest.param("none", "auto", marks=pytest.mark.slow),
    ],
)
def test_training_when_nothing_tells_the_outcome_then_ends_without_a_model(time, scorer):
    history = open_undated(
        undated_leads(leads=200, seed=4, signal=0.0), time=time, model={"scorer": scorer}
    )
    assert fit(history).no_signal.startswith(
        "no signal: against giving every lead the base rate of "
    )


def test_intervals_when_every_lead_was_exported_four_times_then_are_as_wide_as_of_those_exported_once():
    rows = undated_leads(leads=100, seed=5)
    four = pd.concat([rows.assign(id=f"{i} " + rows["id"]) for i in range(4)], ignore_index=True)
    model = {"scorer": "scorecard", "identical_rows": "together"}
    once, often = (
        fit(open_undated(each, time="none", model=model)).evaluation.overall
        for each in (rows, four)
    )
    assert often.leads == 400
    width = {
        name: told.auc.high - told.auc.low for name, told in (("once", once), ("often", often))
    }
    assert width["often"] == pytest.approx(
        width["once"], rel=0.35
    )  # of 400 leads of their own it would be half


@pytest.mark.parametrize("time", ["ordered", "none"])
def test_training_when_too_few_leads_were_won_then_is_refused_with_the_numbers(time):
    rows = undated_leads(leads=200, seed=6)
    won = rows.index[rows["end"] == "won"][MIN_OUTCOMES - 1 :]
    with pytest.raises(TooLittleHistoryError, match=f"{MIN_OUTCOMES - 1}"):
        fit(
            open_undated(
                rows.assign(end=rows["end"].where(~rows.index.isin(won), "lost")), time=time
            )
        )


@pytest.mark.parametrize("time", ["ordered", "none"])
@pytest.mark.parametrize(("only", "missing"), [("won", "lost"), ("lost", "won")])
def test_training_when_all_leads_ended_alike_then_says_which_outcome_nobody_marked(
    time, only, missing
):
    rows = undated_leads(leads=200, seed=6)
    alike = rows.assign(end=rows["end"].where(rows["end"] == only, ""))
    with pytest.raises(
        TooLittleHistoryError,
        match=f"No lead is marked {missing}, and without dates an open lead says",
    ):
        fit(open_undated(alike, time=time))


@pytest.mark.slow
def test_basis_when_the_last_split_lies_earlier_then_says_how_much_came_after_it():
    rows = undated_leads(leads=600, seed=8)
    rows.loc[rows.index >= 480, "end"] = (
        "lost"  # too few are won after the usual place of the last split
    )
    evaluation = fit(open_undated(rows, time="ordered")).evaluation
    split = int(evaluation.splits[-1].leads)
    assert split < 480
    assert evaluation.basis == f"on the last {1 - split / 600:.0%} by order"


def test_training_when_an_order_leaves_too_few_before_every_split_then_cross_validates_in_words():
    rows = undated_leads(leads=60, seed=7)
    rows = rows.assign(
        end=np.where(np.arange(60) < 36, "lost", "won")
    )  # at 80% of the order 12 were won
    evaluation = fit(open_undated(rows, time="ordered")).evaluation
    assert (evaluation.basis, evaluation.splits) == (BY_LEADS, [])


def test_open_leads_when_nothing_is_dated_then_are_scored_and_never_learned_from():
    rows = undated_leads(leads=150, seed=8, is_open=20)
    history = open_undated(rows, time="ordered")
    assert fit(history).evaluation.history.leads == 130
    assert set(history.open_list(history.version.known_until_us)["lead_id"]) == set(
        rows["id"][130:]
    )


# --- Back-tests -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_backtest_when_leads_are_ordered_then_each_place_is_judged_on_the_leads_up_to_the_next(
    replayed,
):
    places = spread_dates(replayed, from_us=None, to_us=None, dates=2)
    assert places == [10 + 3 * 200, 10 + 3 * 450]  # 40 and 90% of the leads before them
    result = run_backtest(replayed, places, progress=silent)
    assert [date.as_of for date in result.report.dates] == ["place 610", "place 1360"]
    assert [date.open for date in result.report.dates] == [250, 50]
    assert [date.trained_on for date in result.report.dates] == [200, 450]
    assert (result.report.horizon_days, result.report.known_until) == (None, "place 1508")
    assert len(result.predictions) == result.predictions["lead_id"].nunique() == 300


def test_backtest_when_at_a_place_then_says_what_a_training_there_would_have_said(replayed):
    place = 10 + 3 * 200
    predicted = run_backtest(replayed, [place], progress=silent).predictions.set_index("lead_id")[
        "leadscore"
    ]
    model = fit(replayed, place).model
    rows = replayed.later_side(place, to_us=10**6, known_us=10**6).rows
    matrix = build_matrix(replayed.snapshot(rows), build_features(replayed.settings)).take(rows)
    expected = pd.Series(model.probability(model.log_odds(matrix.columns)), index=rows["lead_id"])
    pd.testing.assert_series_equal(
        predicted.sort_index(), expected.sort_index(), check_names=False, check_exact=True
    )


@pytest.mark.parametrize(
    ("time", "dates", "words"),
    [
        (
            "none",
            {},
            "the order of the leads is not known, so there is no past to replay; see `train`",
        ),
        ("ordered", {"from_us": 5}, "leads have places and no dates, so leave out --from and --to"),
        ("ordered", {"to_us": 5}, "leads have places and no dates, so leave out --from and --to"),
    ],
)
def test_backtest_when_there_is_no_such_past_then_is_refused_in_words(time, dates, words):
    history = open_undated(undated_leads(leads=20, seed=1), time=time)
    with pytest.raises(UserError, match=words):
        spread_dates(history, **({"from_us": None, "to_us": None} | dates), dates=6)


def test_backtest_when_no_lead_has_closed_then_there_is_no_place():
    history = open_undated(undated_leads(leads=20, seed=1, is_open=20), time="ordered")
    assert spread_dates(history, from_us=None, to_us=None, dates=6) == []
