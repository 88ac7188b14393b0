import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix
from leadscore.model.apply import add_codes, encode
from leadscore.model.encode import (
    LEAST_LEADS,
    MOST_LEVELS,
    OTHER,
    encode_training,
    fit_encoder,
    fit_levels,
    fold_of_group,
    pool_rare_levels,
)
from leadscore.model.scorers.linear_choice import Linear, fit_linear
from leadscore.settings.scorecard import Scorecard


def feature(name, unit, **more):
    return Feature(name, {}, Learned(), unit, name, **more)


DAYS = feature("days", "days")
PLACE = feature("place", "category")
STALLED = feature("stalled", "times", usual_for=("days", "place"))


def texts(*values):
    return np.array(values, dtype=object)


def make_matrix(lead_id, **columns):
    lead_id = np.asarray(lead_id)
    keys = pd.DataFrame({"lead_id": lead_id, "as_of_us": np.arange(len(lead_id))})
    return Matrix(keys, columns)


def rates_of(values, label, weight=None):
    label = np.array(label, dtype=float)
    weight = np.ones(len(label)) if weight is None else np.array(weight, dtype=float)
    matrix = make_matrix(np.arange(len(label)).astype(str), place=values)
    return fit_encoder(matrix, label, weight, [PLACE], least_leads=1)


# fifty rows, half of them won: a has 20 rows of which 15 won, b 20 of which 5, unknown 10 of which 5
VALUES = texts(*["a"] * 20, *["b"] * 20, *[None] * 10)
LABEL = [1] * 15 + [0] * 5 + [1] * 5 + [0] * 15 + [1] * 5 + [0] * 5


@pytest.mark.parametrize(
    ("value", "odds"),
    [
        pytest.param("a", 25 / 15, id="15 won of 20 and 10 of the prior's 20"),
        pytest.param("b", 15 / 25, id="5 won of 20 and 10 of the prior's 20"),
        pytest.param(None, 1.0, id="unknown: as its own rows"),
        pytest.param("never seen", 1.0, id="unseen: as all"),
    ],
)
def test_category_when_encoded_then_is_the_log_odds_of_its_mixed_rate(value, odds):
    encoder = rates_of(VALUES, LABEL)
    assert encode(encoder, {"place": texts(value)})[0, 0] == pytest.approx(np.log(odds), abs=1e-12)


def test_unknown_category_when_its_rows_differ_then_has_a_rate_of_its_own():
    # base rate 0.5, four unknown rows that all won: (4 + 10) / (4 + 20)
    encoder = rates_of(texts(*["a"] * 4, *[None] * 4), [0, 0, 0, 0, 1, 1, 1, 1])
    found = encode(encoder, {"place": texts(None, "a", "unseen")})[:, 0]
    assert found == pytest.approx(np.log([14 / 10, 10 / 14, 1]), abs=1e-12)


def test_unknown_category_when_history_has_none_then_is_as_all():
    # base rate 0.25
    encoder = rates_of(texts("a", "b", "b", "c"), [1, 0, 0, 0])
    found = encode(encoder, {"place": texts(None, "unseen")})[:, 0]
    assert found == pytest.approx(np.log([1 / 3, 1 / 3]), abs=1e-12)


def test_category_when_rows_have_weights_then_counts_by_weight():
    # a: weight 6, won 4; in all: weight 10, won 4, base rate 0.4
    encoder = rates_of(texts("a", "a", "b"), [1, 0, 0], [4, 2, 4])
    rate = (4 + 20 * 0.4) / 26
    assert encode(encoder, {"place": texts("a")})[0, 0] == pytest.approx(
        np.log(rate / (1 - rate)), abs=1e-12
    )


@pytest.mark.parametrize("label", [[0, 0, 0], [1, 1, 1]])
def test_category_when_all_rows_ended_alike_then_is_finite(label):
    encoder = rates_of(texts("a", "b", None), label)
    assert np.isfinite(encode(encoder, {"place": texts("a", "b", None, "unseen")})).all()


@pytest.mark.parametrize(
    ("levels", "leads_of_each", "expected"),
    [
        pytest.param(3, LEAST_LEADS, 3, id="few levels"),
        pytest.param(3, LEAST_LEADS - 1, 0, id="levels that may be names"),
        pytest.param(MOST_LEVELS, LEAST_LEADS, MOST_LEVELS, id="as many as may be"),
        pytest.param(MOST_LEVELS + 1, LEAST_LEADS, 0, id="too many"),
    ],
)
@pytest.mark.parametrize("name", ["profile_place", "stage_current"])
def test_levels_for_trees_when_a_category_has_so_many_then_are_its_frequent_ones(
    name, levels, leads_of_each, expected
):
    values = np.array(
        [f"level {i % levels:02d}" for i in range(levels * leads_of_each)] + [None], dtype=object
    )
    keys = pd.DataFrame({"lead_id": np.arange(len(values)).astype(str), "as_of_us": 0})
    feature = Feature(name, {}, Text("place"), "category", "place")
    found = fit_levels(Matrix(keys, {name: values}), [feature])
    shown = [level for entry in found for level in entry["levels"]]
    assert shown == sorted(set(values[:-1]))[:expected] * (name != "stage_current")
    codes = add_codes(found, np.zeros((len(values), 1)), {name: values})
    assert codes.shape == (len(values), 1 + len(found))
    if found:
        assert np.isnan(codes[-1, 1])
        assert codes[0, 1] == 0
        assert (
            add_codes(found, np.zeros((1, 1)), {name: np.array(["strange"], dtype=object)})[0, 1]
            == levels
        )


def test_category_when_nothing_is_known_at_all_then_all_are_as_the_base_rate():
    encoder = rates_of(texts(None, None, None, None), [1, 0, 0, 0])
    found = encode(encoder, {"place": texts(None, "a")})[:, 0]
    assert found == pytest.approx(np.log([1 / 3, 1 / 3]), abs=1e-12)


@pytest.mark.parametrize("word", ["nan", "None", "", "NA"])
def test_category_when_it_reads_like_a_missing_one_then_is_a_category(word):
    encoder = rates_of(texts(word, word, word, None, None, None), [1, 1, 1, 0, 0, 0])
    found = encode(encoder, {"place": texts(word, None)})[:, 0]
    assert found == pytest.approx(np.log([13 / 10, 10 / 13]), abs=1e-12)


def usual_encoder(days, place):
    matrix = make_matrix(
        np.arange(len(days)).astype(str), days=np.array(days, dtype=float), place=place
    )
    label = np.arange(len(days)) % 2.0
    return fit_encoder(matrix, label, np.ones(len(days)), [STALLED], least_leads=1)


@pytest.mark.parametrize(
    ("days", "place", "times"),
    [
        pytest.param(8.0, "new", 2.0, id="median of 1, 3, 5, 100 is 4"),
        pytest.param(5.0, "offer", 0.5, id="median of 10 alone"),
        pytest.param(0.0, "new", 0.0, id="just entered"),
        pytest.param(8.0, "unseen", np.nan, id="no such stage in history"),
        pytest.param(8.0, None, np.nan, id="stage unknown"),
        pytest.param(np.nan, "new", np.nan, id="days unknown"),
        pytest.param(8.0, "instant", np.nan, id="a median of 0 compares with nothing"),
    ],
)
def test_stalled_when_compared_with_the_usual_days_then_is_how_many_times_the_median(
    days, place, times
):
    seen = [1, 3, 5, 100, 10, np.nan, 0, 0, 0, 7]
    encoder = usual_encoder(seen, texts(*["new"] * 4, "offer", "offer", *["instant"] * 3, None))
    found = encode(encoder, {"days": np.array([days]), "place": texts(place)})
    np.testing.assert_allclose(found, [[times]], rtol=0, atol=1e-15)


def test_number_when_encoded_then_is_itself():
    matrix = make_matrix(["a", "b"], days=np.array([3.5, np.nan]))
    found = encode(fit_encoder(matrix, np.array([0.0, 1.0]), np.ones(2), [DAYS]), matrix.columns)
    np.testing.assert_array_equal(found, [[3.5], [np.nan]])


def test_encoder_when_an_entry_has_an_unknown_kind_then_is_refused():
    with pytest.raises(ValueError, match="'odd' has the unknown kind 'new'"):
        encode([{"name": "odd", "kind": "new"}], {"odd": np.zeros(1)})


def test_encoder_when_it_went_through_json_then_gives_the_same_bits():
    rng = np.random.default_rng(0)
    n = 500
    matrix = make_matrix(
        np.arange(n).astype(str),
        days=rng.exponential(10, n),
        place=rng.choice(texts("a", "b", "Zürich", None), n),
        stalled=np.full(n, np.nan),
    )
    label, weight = (rng.random(n) < 0.3).astype(float), rng.uniform(0.1, 9, n)
    encoder = fit_encoder(matrix, label, weight, [DAYS, PLACE, STALLED])
    again = json.loads(json.dumps(encoder))
    assert encode(again, matrix.columns).tobytes() == encode(encoder, matrix.columns).tobytes()


@pytest.mark.parametrize("shuffle", [False, True])
def test_folds_when_a_lead_has_many_rows_then_they_share_one_and_folds_are_even(shuffle):
    lead_id = np.repeat([f"{i:04d}" for i in range(103)], 4)
    order = (
        np.random.default_rng(0).permutation(len(lead_id)) if shuffle else np.arange(len(lead_id))
    )
    fold = fold_of_group(lead_id[order])
    by_lead = pd.Series(fold).groupby(lead_id[order])
    assert (by_lead.nunique() == 1).all()
    assert sorted(by_lead.first().value_counts()) == [20, 20, 21, 21, 21]
    assert (fold == fold_of_group(lead_id)[order]).all()


def auc(label, encoded):
    return roc_auc_score(label, encoded[:, 0])


def test_noise_category_when_it_has_1500_levels_then_tells_nothing_out_of_fold_but_much_in_sample():
    rng = np.random.default_rng(1)
    lead_id = np.repeat([f"{i:04d}" for i in range(1500)], 3)
    values = rng.permutation(np.repeat([f"level {i}" for i in range(1500)], 3)).astype(object)
    label, weight = (rng.random(4500) < 0.3).astype(float), np.ones(4500)
    matrix = make_matrix(lead_id, place=values)
    in_sample = encode(fit_encoder(matrix, label, weight, [PLACE], least_leads=1), matrix.columns)
    assert auc(label, in_sample) > 0.8
    assert auc(
        label, encode_training(matrix, label, weight, [PLACE], least_leads=1)
    ) == pytest.approx(0.5, abs=0.03)


def test_category_when_it_names_the_lead_itself_then_rows_of_that_lead_do_not_tell_on_each_other():
    # the three rows of a lead end alike, so folds of rows instead of leads would give the answer away
    rng = np.random.default_rng(2)
    lead_id = np.repeat([f"{i:04d}" for i in range(1500)], 3)
    label = np.repeat((rng.random(1500) < 0.3).astype(float), 3)
    order = rng.permutation(4500)
    matrix = make_matrix(lead_id[order], place=lead_id[order].astype(object))
    label, weight = label[order], np.ones(4500)
    assert (
        auc(
            label,
            encode(fit_encoder(matrix, label, weight, [PLACE], least_leads=1), matrix.columns),
        )
        == 1.0
    )
    assert auc(
        label, encode_training(matrix, label, weight, [PLACE], least_leads=1)
    ) == pytest.approx(0.5, abs=0.06)


def test_training_rate_when_the_leads_own_outcome_changes_then_stays():
    rng = np.random.default_rng(3)
    n = 300
    lead_id = rng.integers(0, 60, n).astype(str)
    matrix = make_matrix(
        lead_id, place=rng.choice(texts("a", "b", None), n), days=rng.exponential(5, n)
    )
    label, weight = (rng.random(n) < 0.4).astype(float), rng.uniform(0.5, 2, n)
    before = encode_training(matrix, label, weight, [DAYS, PLACE])
    own = lead_id == "7"
    after = encode_training(matrix, np.where(own, 1 - label, label), weight, [DAYS, PLACE])
    assert after[own].tobytes() == before[own].tobytes()
    assert (after[~own] != before[~own]).any()


def test_training_rate_when_done_by_hand_for_one_fold_then_agrees():
    lead_id = np.array([f"{i:02d}" for i in range(30)])
    values = texts(*["a", "b", None] * 10)
    label = (np.arange(30) % 4 == 0).astype(float)
    found = encode_training(make_matrix(lead_id, place=values), label, np.ones(30), [PLACE])[:, 0]
    fold = fold_of_group(lead_id)
    for row in range(30):
        others = [i for i in range(30) if fold[i] != fold[row]]
        base = np.mean([label[i] for i in others])
        alike = [label[i] for i in others if values[i] == values[row]]
        rate = (sum(alike) + 20 * base) / (len(alike) + 20)
        assert found[row] == pytest.approx(np.log(rate / (1 - rate)), abs=1e-12)


def test_numbers_and_usual_days_when_they_train_the_scorer_then_are_as_when_scoring():
    rng = np.random.default_rng(4)
    columns = {
        "days": rng.exponential(5, 200),
        "place": rng.choice(texts("a", "b"), 200),
        "stalled": np.full(200, np.nan),
    }
    matrix = make_matrix(np.arange(200).astype(str), **columns)
    label = (rng.random(200) < 0.4).astype(float)
    training = encode_training(matrix, label, np.ones(200), [DAYS, STALLED])
    scoring = encode(fit_encoder(matrix, label, np.ones(200), [DAYS, STALLED]), matrix.columns)
    assert training.tobytes() == scoring.tobytes()


def test_level_when_it_has_too_few_leads_then_counts_as_other_and_its_name_is_nowhere():
    # common has 10 leads, 10 won; twelve rows of two leads and nine leads of one row are others: 21 rows, none won
    lead_id = [*(f"c{i}" for i in range(10)), *["r1", "r2"] * 6, *(f"n{i}" for i in range(9))]
    place = texts(*["common"] * LEAST_LEADS, *["12 High Street"] * 12, *["Ann Lee"] * 9)
    label = np.array([1.0] * 10 + [0.0] * 21)
    matrix = make_matrix(lead_id, place=place, days=np.arange(31.0), stalled=np.full(31, np.nan))
    encoder = fit_encoder(matrix, label, np.ones(31), [DAYS, PLACE, STALLED])
    assert "Ann" not in json.dumps(encoder)
    assert "Street" not in json.dumps(encoder)
    assert set(encoder[1]["rates"]) == set(encoder[2]["usual"]) == {"common"}
    base = 10 / 31
    rate = 20 * base / (21 + 20)
    found = encode(encoder[1:2], {"place": texts("Ann Lee", "12 High Street", "unseen")})[:, 0]
    assert found == pytest.approx([np.log(rate / (1 - rate))] * 3, abs=1e-12)


def test_rare_levels_when_pooled_then_unknown_stays_unknown_and_rows_of_one_lead_count_once():
    values, leads = texts("a", "a", "b", "b", None), np.array(["1", "2", "3", "3", "4"])
    assert pool_rare_levels(values, leads, least_leads=2).tolist() == ["a", "a", OTHER, OTHER, None]


@pytest.mark.parametrize("spread", [None, 0.6])
def test_logistic_when_a_category_enters_by_rate_or_by_level_then_holds_no_rare_name(spread):
    rng = np.random.default_rng(5)
    lead_id = [*(f"c{i}" for i in range(200)), *["r1", "r2"] * 20]
    place = texts(*rng.choice(["north", "south"], 200), *["12 High Street", "Ann Lee"] * 20)
    matrix = make_matrix(lead_id, profile_place=place)
    label, weight = (rng.random(240) < 0.4).astype(float), np.ones(240)
    features = [feature("profile_place", "category")]
    encoded = encode_training(matrix, label, weight, features)
    fitted = fit_linear(
        matrix,
        encoded.T,
        label,
        weight,
        linear=Linear(level_spread=spread),
        features=features,
        scorecard=Scorecard(),
    )
    text = json.dumps([fitted, fit_encoder(matrix, label, weight, features)])
    assert "north" in text
    assert not any(rare in text for rare in ("Ann", "Street", "u0000"))
