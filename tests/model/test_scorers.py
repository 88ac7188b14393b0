import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from leadscore.evaluation.metrics import compute_auc
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.features.matrix import Matrix
from leadscore.model.apply import WinModel
from leadscore.model.fit import SCORERS, fit_scorer
from leadscore.model.scorers import design
from leadscore.model.scorers.logistic import INTERCEPT_LEADS, LOG_ODDS_SPREAD, fit_logistic
from leadscore.settings.scorecard import Scorecard

NAN = float("nan")
BANT = [f"bant_{letter}" for letter in ("budget", "authority", "need", "timeline")]
TOUCHES = [
    "engagement_activities_days_since",
    "engagement_activities_30d",
    "engagement_activities_two_way_share",
]


def feature(name, unit="number", **more):
    return Feature(name, {}, Learned(), unit, name, **more)


SALES = [
    *(feature(name, "share", direction=1) for name in BANT),
    feature("bant_budget_known", "flag"),
    *(feature(name, unit) for name, unit in zip(TOUCHES, ("days", "count", "share"), strict=True)),
    feature("place", "category"),
    feature("size"),
]


def known(n, **values):
    """Columns of n leads of whom nothing is known but `values`."""
    unknown = {
        f.name: np.full(n, None, dtype=object) if f.is_category else np.full(n, NAN) for f in SALES
    }
    unknown |= {"bant_budget_known": np.zeros(n), "engagement_activities_30d": np.zeros(n)}
    return unknown | {
        name: np.asarray(x, dtype=object if name == "place" else float)
        for name, x in values.items()
    }


def draw(seed, n, *, leads=None, slope=2.0):
    """Leads of whom budget, place and size tell the outcome, with holes, and their rows."""
    rng = np.random.default_rng(seed)
    budget = np.where(rng.random(n) < 0.3, NAN, rng.integers(0, 3, n) / 2)
    place = rng.choice(np.array(["north", "south", None], dtype=object), n)
    size = np.where(rng.random(n) < 0.1, NAN, rng.lognormal(3, 2, n))
    touches = rng.poisson(2, n)
    columns = known(
        n, bant_budget=budget, bant_budget_known=np.isfinite(budget), place=place, size=size,
        engagement_activities_30d=touches,
        engagement_activities_days_since=np.where(touches > 0, 30 / (1 + touches), NAN),
    )  # fmt: skip
    leaning = (
        -1
        + slope * np.nan_to_num(budget - 0.5)
        + 1.0 * (place == "north")
        + 0.3 * np.nan_to_num(np.log1p(size) - 3)
    )
    rows = pd.DataFrame(
        {
            "lead_id": (np.arange(n) % (leads or n)).astype(str),
            "as_of_us": np.arange(n),
            "label": (rng.random(n) < expit(leaning)).astype(float),
            "weight": rng.uniform(0.5, 3, n),
        }
    )
    return Matrix(rows[["lead_id", "as_of_us"]], columns), rows


def fit(kind, matrix, rows, **more):
    return fit_scorer(matrix, rows, kind=kind, features=SALES, seed=0, threads=1, **more)


def scorecard(**points):
    matrix, rows = draw(0, 4)
    return fit("scorecard", matrix, rows[:0], scorecard=Scorecard(**points))


def rank(model, columns):
    """Log-odds (n,) beside their mean: the level is free, what tells leads apart begins as the scorecard."""
    raw = model.log_odds(columns)
    return raw - raw.mean()


def take(columns, rows):
    return {name: values[rows] for name, values in columns.items()}


@pytest.mark.parametrize(
    ("values", "points"),
    [
        pytest.param({}, 0.0, id="nothing is known"),
        pytest.param(
            {"bant_budget": [1.0], "bant_budget_known": [1.0]}, 0.75, id="the strongest answer"
        ),
        pytest.param({"bant_budget": [0.5]}, 0.0, id="a middling answer says as little as none"),
        pytest.param({"bant_budget": [0.0]}, -0.75, id="the weakest answer is worse than none"),
        pytest.param({name: [1.0] for name in BANT}, 3.0, id="all four letters"),
        pytest.param(
            {"bant_need": [0.75], "bant_timeline": [0.0]}, 0.375 - 0.75, id="one for, one against"
        ),
        pytest.param({TOUCHES[0]: [7.0]}, 0.0, id="a week ago is neutral"),
        pytest.param({TOUCHES[0]: [0.0]}, 0.4 * np.log(8), id="in touch right now"),
        pytest.param(
            {TOUCHES[0]: [400.0]}, -0.4 * np.log(91 / 8), id="longer than 90 days ago is no worse"
        ),
        pytest.param({TOUCHES[1]: [3.0]}, 0.25 * np.log(4), id="three activities"),
        pytest.param({TOUCHES[1]: [500.0]}, 0.25 * np.log(31), id="more than 30 are no better"),
        pytest.param({TOUCHES[2]: [0.75]}, 0.25, id="three of four by the lead"),
        pytest.param({"place": ["north"], "size": [1e9]}, 0.0, id="other features get no points"),
    ],
)
def test_scorecard_when_worked_by_hand_then_agrees_though_no_lead_has_closed(values, points):
    assert scorecard().log_odds(known(1, **values)) == pytest.approx(
        [np.log(0.2 / 0.8) + points], abs=1e-12
    )


def test_scorecard_when_the_settings_say_otherwise_then_follows_them():
    model = scorecard(base_rate=0.5, need=4.0, recency=0.0)
    assert model.log_odds(
        known(1, bant_need=[1.0], engagement_activities_days_since=[80.0])
    ) == pytest.approx([2.0])


def test_scorecard_when_leads_have_closed_then_is_the_same():
    matrix, rows = draw(1, 200)
    before, after = (fit("scorecard", matrix, rows[:n]) for n in (0, 200))
    assert before.document == after.document


@pytest.mark.parametrize("kind", ["scorecard", "logistic", "boosted"])
@settings(derandomize=True, deadline=None, max_examples=30)
@given(data=st.data())
def test_raw_when_a_bant_answer_gets_better_then_never_falls(kind, models, data):
    values = {
        name: data.draw(st.sampled_from([NAN, 0.0, 0.3, 1.0])) for name in (*BANT, *TOUCHES[2:])
    }
    asked = data.draw(st.sampled_from(BANT))
    strength = np.linspace(0, 1, 21)
    columns = known(
        21, **{name: np.full(21, value) for name, value in values.items()} | {asked: strength}
    )
    assert (np.diff(models[kind].log_odds(columns)) >= 0).all()


@pytest.fixture(scope="module")
def models():
    matrix, rows = draw(2, 900)
    return {kind: fit(kind, matrix, rows) for kind in SCORERS}


@pytest.mark.parametrize("kind", SCORERS)
def test_contributions_when_added_to_their_base_then_are_raw(models, kind):
    columns = draw(3, 300)[0].columns
    contributions, raw = models[kind].contributions(columns), models[kind].log_odds(columns)
    assert contributions.shape == (300, len(SALES) + 1)
    assert contributions.sum(axis=1) == pytest.approx(raw, rel=0, abs=1e-9)
    assert np.ptp(contributions[:, -1]) == 0


@pytest.mark.parametrize("kind", SCORERS)
def test_row_when_predicted_alone_then_equals_the_batch_bit_for_bit(models, kind):
    columns, model = draw(3, 257)[0].columns, models[kind]
    alone = [model.log_odds(take(columns, slice(row, row + 1))) for row in range(257)]
    assert np.concatenate(alone).tobytes() == model.log_odds(columns).tobytes()
    alone = [model.contributions(take(columns, slice(row, row + 1))) for row in range(257)]
    assert np.concatenate(alone).tobytes() == model.contributions(columns).tobytes()
    assert len(model.log_odds(take(columns, slice(0)))) == 0 or kind == "boosted"


@pytest.mark.parametrize("kind", SCORERS)
def test_model_when_it_went_through_json_then_predicts_the_same_bits(models, kind):
    model, columns = models[kind], draw(3, 100)[0].columns
    again = WinModel(json.loads(json.dumps(model.document)), model.booster_text)
    assert again.log_odds(columns).tobytes() == model.log_odds(columns).tobytes()
    assert (model.booster_text == "") == (kind not in {"boosted", "average"})


def test_scorer_when_its_kind_is_unknown_then_is_refused(models):
    matrix, rows = draw(0, 10)
    with pytest.raises(ValueError, match="unknown scorer 'forest'"):
        fit("forest", matrix, rows)
    with pytest.raises(ValueError, match="unknown scorer 'forest'"):
        WinModel({"scorer": {"kind": "forest"}})


def test_logistic_when_no_lead_has_closed_then_is_the_scorecard():
    matrix, rows = draw(4, 300)
    ours, theirs = fit("logistic", matrix, rows[:0]), fit("scorecard", matrix, rows[:0])
    assert ours.log_odds(matrix.columns) == pytest.approx(
        theirs.log_odds(matrix.columns), abs=1e-12
    )
    assert ours.contributions(matrix.columns) == pytest.approx(
        theirs.contributions(matrix.columns), abs=1e-12
    )


def test_logistic_when_leads_close_then_leaves_the_scorecard_step_by_step():
    fresh = draw(99, 2000)[0].columns
    matrix, rows = draw(5, 6000)
    prior = rank(fit("scorecard", matrix, rows), fresh)
    found = [rank(fit("logistic", matrix, rows[:n]), fresh) for n in (2, 100, 1000, 6000)]
    from_scorecard = [np.abs(raw - prior).mean() for raw in found]
    to_go = [np.abs(raw - found[-1]).mean() for raw in found]
    assert from_scorecard[0] < 0.5 < from_scorecard[-1]
    assert to_go == sorted(to_go, reverse=True)


def test_logistic_when_there_are_many_leads_then_finds_the_truth():
    matrix, rows = draw(6, 40_000)
    model = fit("logistic", matrix, rows)
    by_answer = model.log_odds(
        known(
            3,
            bant_budget=[0.0, 0.5, 1.0],
            bant_budget_known=[1, 1, 1],
            place=["south"] * 3,
            size=[19.1] * 3,
        )
    )
    assert np.diff(by_answer) == pytest.approx([1.0, 1.0], abs=0.12)
    by_place = model.log_odds(
        known(
            2,
            bant_budget=[0.5] * 2,
            bant_budget_known=[1, 1],
            place=["south", "north"],
            size=[19.1] * 2,
        )
    )
    assert np.diff(by_place) == pytest.approx([1.0], abs=0.12)


@pytest.mark.parametrize("n", [30, 400])
def test_logistic_when_any_parameter_is_moved_then_is_less_probable(n):
    # the definition, written again: log loss of as many rows as leads, and of one that ends as the scorecard expects;
    # normal priors around its slopes
    features = [feature("bant_budget", "share"), feature("x", "flag")]
    rng = np.random.default_rng(n)
    encoded = np.column_stack([rng.random(n), rng.integers(0, 2, n)])
    label, weight = (
        (rng.random(n) < expit(encoded @ [1.0, -0.5])).astype(float),
        rng.uniform(0.5, 2, n),
    )
    found = fit_logistic(
        encoded.T, label, weight, leads=n // 2, features=features, scorecard=Scorecard()
    )
    centers = np.average(encoded, axis=0, weights=weight)
    scale = np.sqrt(np.average((encoded - centers) ** 2, axis=0, weights=weight))
    scale[0] = max(scale[0], 1 / np.sqrt(12))  # from weakest to strongest, evenly
    prior = np.array([logit(0.2) + 1.5 * (centers[0] - 0.5), 1.5, 0.0])

    def surprise(theta):
        p = expit(theta[0] + (encoded - centers) @ theta[1:])
        loss = (
            -(np.where(label == 1, np.log(p), np.log(1 - p)) * weight).sum()
            * (n // 2)
            / weight.sum()
        )
        expected = np.array([expit(prior[0]), 1 - expit(prior[0])])
        loss -= INTERCEPT_LEADS * (expected * np.log([expit(theta[0]), 1 - expit(theta[0])])).sum()
        return (
            loss + (((theta - prior)[1:] * scale / (LOG_ODDS_SPREAD / np.sqrt(2))) ** 2).sum() / 2
        )

    best = np.array([found["base"], *(term["slope"] for term in found["terms"])])
    for at in range(3):
        for step in (-0.01, 0.01):
            assert surprise(best + step * np.eye(3)[at]) > surprise(best)
    assert [term["center"] for term in found["terms"]] == pytest.approx(centers.tolist())


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("slope", [-3.0, 3.0])
def test_logistic_when_history_contradicts_a_direction_then_keeps_the_direction(direction, slope):
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    label = (rng.random(2000) < expit(slope * x)).astype(float)
    features = [feature("x", "share", direction=direction)]
    scorer = fit_logistic(
        [x], label, np.ones(2000), leads=2000, features=features, scorecard=Scorecard()
    )
    found = scorer["terms"][0]["slope"]
    assert (abs(found) > 1) == (direction * slope > 0)
    assert direction * found >= 0


def test_logistic_when_all_weights_grow_alike_or_rows_repeat_within_leads_then_is_the_same():
    matrix, rows = draw(7, 400)
    once = fit("logistic", matrix, rows)
    heavier = fit("logistic", matrix, rows.assign(weight=rows["weight"] * 8))
    twice = Matrix(
        pd.concat(
            [matrix.keys, matrix.keys.assign(as_of_us=matrix.keys["as_of_us"] + 10_000)],
            ignore_index=True,
        ),
        {name: np.concatenate([x, x]) for name, x in matrix.columns.items()},
    )
    again = fit(
        "logistic",
        twice,
        pd.concat([rows, rows.assign(as_of_us=rows["as_of_us"] + 10_000)], ignore_index=True),
    )
    for other in (
        heavier,
        again,
    ):  # only the categories' rates are mixed with a little less of the base rate
        assert other.log_odds(matrix.columns) == pytest.approx(
            once.log_odds(matrix.columns), abs=0.1
        )


def test_logistic_when_rows_are_many_then_is_the_same_without_columns_of_unknown_values(
    monkeypatch,
):
    matrix, rows = draw(9, 600)
    of_few = fit("logistic", matrix, rows)
    monkeypatch.setattr(design, "MANY_ROWS", len(rows) - 1)
    of_many = fit("logistic", matrix, rows)
    is_the_same = pytest.approx(of_few.log_odds(matrix.columns), abs=1e-4)
    assert of_many.log_odds(matrix.columns) == is_the_same
    terms = zip(
        of_few.document["scorer"]["terms"], of_many.document["scorer"]["terms"], strict=True
    )
    for few, many in terms:
        assert many["missing"] == pytest.approx(few["missing"], abs=1e-4)

    monkeypatch.setattr(design, "MANY_ROWS", len(rows))
    assert fit("logistic", matrix, rows).document == of_few.document


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_logistic_when_all_leads_ended_alike_then_stays_finite_and_leans_that_way(label):
    matrix, rows = draw(8, 100)
    raw = fit("logistic", matrix, rows.assign(label=label)).log_odds(matrix.columns)
    assert np.abs(raw).max() < 9
    assert raw.mean() > 1 if label else raw.mean() < -2


@pytest.mark.parametrize("kind", ["logistic", "boosted"])
def test_raw_when_values_were_never_seen_then_stays_within_what_was(models, kind):
    columns = draw(3, 300)[0].columns
    lowest, highest = np.nanmin(columns["size"]), np.nanmax(columns["size"])
    strange = {"size": [1e300, -1e300, highest * 1e6], "place": ["mars", "", None]}
    raw = models[kind].log_odds(known(3, **strange))
    seen = models[kind].log_odds(
        known(4, size=[highest, lowest, highest, NAN], place=["north", "south", None, "south"])
    )
    assert np.isfinite(raw).all()
    assert seen.min() - 0.5 < raw.min() <= raw.max() < seen.max() + 0.5


@pytest.mark.parametrize("kind", ["logistic", "boosted"])
def test_scorer_when_a_category_has_a_level_a_lead_then_learns_nothing_from_it(kind):
    matrix, rows = draw(9, 3000, slope=0.0)
    noise = np.array([f"level {i // 2}" for i in range(3000)], dtype=object)
    sound = fit(kind, matrix, rows)
    noisy = fit(kind, Matrix(matrix.keys, matrix.columns | {"place": noise}), rows)
    fresh, later = draw(10, 4000, slope=0.0)
    label, weight = later["label"].to_numpy(), later["weight"].to_numpy()
    strange = np.array([f"level {i % 1500}" for i in range(4000)], dtype=object)
    auc = compute_auc(noisy.log_odds(fresh.columns | {"place": strange}), label, weight)
    none = compute_auc(
        sound.log_odds(fresh.columns | {"place": np.full(4000, None)}), label, weight
    )
    assert auc > none - 0.04


@pytest.mark.parametrize("kind", ["logistic", "boosted"])
def test_scorer_when_one_value_is_absurd_then_hardly_moves(kind):
    matrix, rows = draw(11, 1500)
    wild = matrix.columns["size"].copy()
    wild[0] = 1e15
    sound, other = (
        fit(kind, Matrix(matrix.keys, matrix.columns | {"size": x}), rows)
        for x in (matrix.columns["size"], wild)
    )
    fresh = draw(12, 500)[0].columns
    assert np.abs(sound.log_odds(fresh) - other.log_odds(fresh)).mean() < 0.08
