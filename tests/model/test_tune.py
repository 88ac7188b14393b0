import numpy as np
import pandas as pd
import pytest

from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.features.matrix import Matrix
from leadscore.model.scorers import boosted
from leadscore.model.scorers import tune as tune_module
from leadscore.model.scorers.boosted import Boosting
from leadscore.model.scorers.tune import Losses, _choose, tune_boosted

FEATURES = [Feature(name, {}, Learned(), "number", name) for name in ("x", "noise")]


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    n = 900
    x, noise = rng.normal(size=n), rng.normal(size=n)
    label = (rng.random(n) < 1 / (1 + np.exp(-2 * x))).astype(float)
    label[::50] = np.nan  # censored
    rows = pd.DataFrame(
        {
            "lead_id": (np.arange(n) // 2).astype(str),
            "as_of_us": np.arange(n),
            "label": label,
            "weight": 1.0,
        }
    )
    splits = [(rows[:k], rows[k : k + 200]) for k in (300, 500, 700)]
    return Matrix(rows[["lead_id", "as_of_us"]], {"x": x, "noise": noise}), splits


def tune(world, *, trials=8, seed=3, threads=1, **more):
    matrix, splits = world
    return tune_boosted(
        matrix, splits, features=FEATURES, trials=trials, seed=seed, threads=threads, **more
    )


@pytest.fixture(scope="module")
def tuned(world):
    return tune(world)


def test_trials_when_repeated_with_more_threads_then_are_the_same_and_another_seed_tries_others(
    world, tuned, monkeypatch
):
    monkeypatch.setattr(boosted, "THREADED_ROWS", 0)  # else so few rows never see a second thread
    assert tune(world, trials=2, threads=2).trials == tuned.trials[:2]
    assert tune(world, trials=2, seed=4).trials[1] != tuned.trials[1]


def test_tuning_when_repeated_then_chooses_the_same(world, tuned):
    assert tune(world) == tuned


def test_tuning_when_done_then_tells_every_trial_the_default_first(tuned):
    assert len(tuned.trials) == 8
    assert {
        key: getattr(tuned.trials[0], key) for key in ("trees", "leaves", "l2", "feature_share")
    } == vars(Boosting())
    assert tuned.reproducible
    for trial in tuned.trials:
        assert (trial.log_loss is None) == (trial.splits < 3)
        assert trial.splits >= 2 or trial.log_loss is not None


@pytest.mark.slow
def test_tuning_when_some_trials_fall_behind_then_gives_them_up(world):
    tuned = tune(world, trials=16, seed=4)
    assert any(trial.log_loss is None for trial in tuned.trials[5:])
    assert all(trial.log_loss is not None for trial in tuned.trials[:5])


def test_tuning_when_rows_are_too_many_then_learns_from_samples_and_says_of_how_many_rows(
    world, tuned, monkeypatch
):
    monkeypatch.setattr(tune_module, "MOST_ROWS", 400)
    matrix, splits = world
    sampled = tune(world, trials=2)
    ordered_otherwise = [
        (earlier.sample(frac=1, random_state=0), later) for earlier, later in splits
    ]
    assert [400 >= rows > 200 for rows in sampled.sampled] == [True] * 3
    assert tune((matrix, ordered_otherwise), trials=2).sampled == sampled.sampled
    assert tuned.sampled == ()


def test_tuning_when_done_then_chooses_no_larger_trees_than_the_best_ones(tuned):
    best = min(
        (trial for trial in tuned.trials if trial.log_loss), key=lambda trial: trial.log_loss
    )
    assert tuned.boosting.splits() <= best.trees * (best.leaves - 1)


def test_tuning_when_time_ends_it_then_says_that_it_cannot_be_repeated(world):
    tuned = tune(world, trials=50, timeout_s=0.0)
    assert len(tuned.trials) == 1
    assert tuned.boosting == Boosting()
    assert not tuned.reproducible


def later(*loss, lead_id="abcd"):
    return Losses(np.array(loss), np.ones(len(loss)), np.array(list(lead_id)))


@pytest.mark.parametrize(
    ("losses", "chosen"),
    [
        # worse by .4, -.2, 0 and 0: by .05 on average, with the standard error sqrt(.35^2 + .25^2 + 2 .05^2) / 4 = .109
        pytest.param(
            [later(0.5, 0.5, 0.5, 0.5), later(0.9, 0.3, 0.5, 0.5)],
            1,
            id="smaller and within an error",
        ),
        pytest.param(
            [later(0.5, 0.5, 0.5, 0.5), later(0.6, 0.6, 0.6, 0.6)], 0, id="smaller and surely worse"
        ),
        pytest.param(
            [later(0.5, 0.5, 0.5, 0.5), later(0.4, 0.4, 0.4, 0.4)], 1, id="smaller and better"
        ),
        pytest.param(
            [later(0.5, 0.5, 0.5, 0.5), later(0.5, 0.5, 0.5, 0.5)], 1, id="smaller and the same"
        ),
    ],
)
def test_choice_when_worked_by_hand_then_is_the_smallest_within_a_standard_error(losses, chosen):
    tried = {0: Boosting(trees=100, leaves=5), 1: Boosting(trees=100, leaves=3)}
    judged = dict(enumerate(losses))
    assert _choose(tried, judged) == tried[chosen]


def test_choice_when_sizes_are_equal_then_is_the_better_one():
    tried = {0: Boosting(l2=1.0), 1: Boosting(l2=2.0)}
    assert _choose(tried, {0: later(0.5, 0.5, 0.5, 0.6), 1: later(0.5, 0.5, 0.5, 0.5)}) == tried[1]


def test_trees_when_rows_served_other_sizes_before_then_are_those_of_new_rows():
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=(600, 2))
    label = (rng.random(600) < 1 / (1 + np.exp(-numbers[:, 0]))).astype(float)

    def new_rows():
        return boosted.TreeRows.of(numbers, label, np.ones(600), features=FEATURES)

    used = new_rows()
    sizes = [Boosting(trees=20), Boosting(trees=30, leaves=12, l2=1.0, feature_share=0.9)]
    for size in [*sizes, *sizes]:
        assert used.fit(size, seed=1, threads=1) == new_rows().fit(size, seed=1, threads=1)
