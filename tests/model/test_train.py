import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import histories
from builders import Facts, day
from histories import open_stored, sales_facts, sales_settings, write_store
from leadscore import project as jobs
from leadscore.errors import TooLittleHistoryError, UserError
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.reference import build_reference, compute_score
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned
from leadscore.features.matrix import Matrix
from leadscore.history.side import Side
from leadscore.history.split import History
from leadscore.json_files import canonical_json
from leadscore.model import train
from leadscore.model.apply import calibrate
from leadscore.model.choose_calibrator import choose_calibrator
from leadscore.model.files import write_model
from leadscore.model.fit import cross_validate, fit_scorer
from leadscore.model.held_out import HeldOut, build_pools, predict_pool
from leadscore.model.train import fit_model
from leadscore.model.training import MIN_EVALUATED, MIN_OUTCOMES
from leadscore.progress import silent
from leadscore.times import DAY_US, HOUR_US


@pytest.fixture(scope="module")
def world():
    return histories.trained()


def open_facts(facts, *, known_until):
    write_store(facts, known_until=known_until)
    return open_stored(facts.settings)


def open_sales(folder, *, leads, days, seed=3, signal=1.8, **changes):
    facts = sales_facts(
        sales_settings(folder, **changes), leads=leads, days=days, seed=seed, signal=signal
    )
    return open_facts(facts, known_until=days)


def fit(history, *, known_us=None):
    return fit_model(history, known_us=known_us or history.version.known_until_us, progress=silent)


def written(folder, result, settings, version):
    """All that is kept of a training: its version, and every file by name."""
    kept = histories.with_signal(result)
    name = write_model(folder, kept, settings=settings, store_version=version.id).name
    return name, {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_training_when_repeated_then_writes_the_same_bytes_with_any_number_of_threads(
    tmp_path, threads
):
    first = histories.fitted()
    facts = sales_facts(
        sales_settings(tmp_path, engine={"threads": threads}),
        leads=400,
        days=85,
        seed=3,
        signal=1.8,
    )
    history = open_facts(facts, known_until=85)
    ours = written(tmp_path / "ours", fit(history), history.settings, history.version)
    theirs = written(tmp_path / "theirs", first, history.settings, history.version)
    assert set(ours[1]) == {
        f"{ours[0]}/{name}"
        for name in (
            "model.json",
            "booster.txt",
            "bins.json",
            "evaluation.json",
            "manifest.json",
        )
    }
    assert ours[0] == theirs[0]
    assert [name for name in ours[1] if ours[1][name] != theirs[1][name]] == []


def test_training_when_there_is_a_signal_then_says_what_it_rests_on(world):
    e = world.evaluation
    assert e.basis == "out of time"
    assert len(e.splits) == 6
    assert e.gain.log_loss_gain.low > 0
    assert e.overall.auc.low > 0.55
    moments = [split.moment for split in e.splits]
    assert moments == sorted(moments)
    assert e.known_until == world.manifest["known_until"]
    assert e.not_learned_from == ["owner_id"]
    # the base rate that the model must beat is the one known at the last split
    assert e.base_rate_before == e.splits[-1].base_rate


def test_history_when_described_then_agrees_with_its_own_side(world):
    side = world.history.earlier_side(world.history.version.known_until_us)
    told = world.evaluation.history
    labels = side.rows["label"]
    assert told.snapshots == len(side.rows)
    assert told.won == (labels == 1).sum()
    assert told.censored == labels.isna().sum()
    observed = side.rows[labels.notna()]
    rate = (observed["label"] * observed["weight"]).sum() / observed["weight"].sum()
    assert told.base_rate == pytest.approx(rate, abs=1e-12)


def test_young_and_older_leads_when_reported_apart_then_make_up_all(world):
    parts = world.evaluation.metrics
    assert set(parts) == {"all", "young", "older"}
    until = world.history.version.known_until_us
    moment = world.history.split_moments(until, least=MIN_OUTCOMES, least_later=MIN_EVALUATED)[-1]
    rows = world.history.later_side(moment, to_us=until, known_us=until).rows
    rows = rows[rows["label"].notna()].merge(world.history.spells(until), on=["lead_id", "spell"])
    young = rows["as_of_us"] - rows["start_us"] < 7 * DAY_US
    assert parts["all"].snapshots == len(rows)
    assert parts["young"].snapshots == young.sum() > 50
    assert parts["older"].snapshots == (~young).sum() > 50
    assert parts["young"].win_rate == pytest.approx(
        np.average(rows["label"][young], weights=rows["weight"][young]), abs=1e-12
    )


@pytest.mark.cases(1)
@pytest.mark.parametrize(
    ("leads", "days", "splits", "basis"),
    [
        pytest.param(160, 64, 0, "cross-validated by lead", id="no split"),
        pytest.param(350, 80, 1, "out of time", id="one split"),
        pytest.param(400, 85, 2, "out of time", id="two splits"),
    ],
)
def test_training_when_there_are_too_few_splits_then_does_not_calibrate_and_says_why(
    tmp_path, leads, days, splits, basis
):
    result = fit(open_sales(tmp_path, leads=leads, days=days))
    assert len(result.evaluation.splits) == splits
    assert result.evaluation.basis == basis
    assert result.evaluation.calibrator.kind == "none"
    assert "fewer than 3 splits" in result.evaluation.calibrator.why
    assert result.model.document["calibrator"]["kind"] == "none"


def test_calibrator_when_chosen_then_is_the_simplest_that_is_not_clearly_worse(world):
    choice = world.evaluation.calibrator
    assert set(choice.log_loss) == {"none", "sigmoid", "beta", "isotonic", "venn_abers"}
    assert world.model.document["calibrator"]["kind"] == choice.kind
    assert choice.compared_on == "earlier splits"
    assert choice.log_loss[choice.kind] != pytest.approx(world.evaluation.overall.log_loss.value)


@pytest.mark.parametrize(
    ("distort", "mends"),
    [
        pytest.param(lambda raw: raw, {"none"}, id="already right"),
        pytest.param(lambda raw: 2.5 * raw + 1, {"sigmoid"}, id="stretched and shifted"),
        pytest.param(
            lambda raw: np.where(raw > -0.5, raw + 3, raw - 3),
            {"isotonic", "venn_abers"},
            id="with a jump",
        ),
    ],
)
def test_calibrator_when_raw_is_distorted_in_a_known_way_then_is_mostly_of_a_kind_that_mends_it(
    world, distort, mends
):
    kinds = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        unseen = {name: make_unseen(rng, distort) for name in ("last", "before", "whole")}
        chosen = choose_calibrator(unseen)
        kind = chosen.choice.kind
        assert chosen.to_use == unseen["whole"].fit_calibrator(kind)
        expected = unseen["last"].evaluated(unseen["before"].fit_calibrator(kind))
        assert chosen.evaluated.probability.tobytes() == expected.probability.tobytes()
        kinds.append(kind)
    assert sum(kind in mends for kind in kinds) >= 3


def test_calibrator_when_another_is_better_only_by_chance_then_stays_the_simplest():
    better_by_chance = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        unseen = {
            name: make_unseen(rng, lambda raw: raw, n=600) for name in ("last", "before", "whole")
        }
        choice = choose_calibrator(unseen).choice
        loss = choice.log_loss
        best = min(loss, key=loss.get)
        judged = {kind: unseen["before"].cross_calibrated(kind) for kind in (best, "none")}
        rows = {
            kind: -np.log(np.where(each.label == 1, each.probability, 1 - each.probability))
            for kind, each in judged.items()
        }
        difference = rows["none"] - rows[best]  # one row a lead, of equal weight
        within = difference.mean() <= difference.std() / np.sqrt(len(difference))
        assert (choice.kind == "none") == within
        better_by_chance += within and best != "none"
    assert better_by_chance >= 2


def make_unseen(rng, distort, *, n=4000, watched=1.0):
    raw = rng.normal(-0.8, 1, n)
    label = (rng.random(n) < 1 / (1 + np.exp(-raw))).astype(float)
    rows = pd.DataFrame(
        {"lead_id": np.arange(n).astype(str), "label": label, "weight": np.ones(n), "as_of_us": 0}
    )
    target = histories.sales_settings(histories.scratch()).target
    side = Side("made", rows, known_us=0, watched=watched, capped_share=0.0, target=target)
    return HeldOut(side, distort(raw))


def test_calibrator_when_the_earlier_splits_are_not_watched_enough_then_is_none():
    rng = np.random.default_rng(1)
    unseen = {
        name: make_unseen(rng, lambda raw: 3 * raw, watched=w)
        for name, w in (("last", 1), ("before", 0.05))
    }
    assert choose_calibrator(unseen).choice.kind == "none"


def change_all_known_from(facts, moment_us):
    """The same facts with every win a loss, and every loss a win, that was known at the moment or later."""
    turned = {"won": "lost", "lost": "won", "signed": "rejected", "rejected": "signed"}
    changed = Facts(facts.settings)
    for table, rows in facts.rows.items():
        changed.rows[table] = [
            {key: turned.get(value, value) for key, value in row.items()}
            if row["available_us"] >= moment_us
            else row
            for row in rows
        ]
    return changed


@pytest.mark.slow
def test_calibrator_to_judge_by_when_all_after_the_last_split_changes_then_stays(
    tmp_path, monkeypatch
):
    ours = open_sales(tmp_path / "ours", leads=350, days=110)
    until = ours.version.known_until_us
    moments = ours.split_moments(until, least=MIN_OUTCOMES, least_later=MIN_EVALUATED)
    facts = sales_facts(
        sales_settings(tmp_path / "theirs"), leads=350, days=110, seed=3, signal=1.8
    )
    theirs = open_facts(change_all_known_from(facts, moments[-1]), known_until=110)
    seen = []
    monkeypatch.setattr(
        train,
        "choose_calibrator",
        lambda unseen: seen.append(dict(unseen)) or choose_calibrator(unseen),
    )
    monkeypatch.setattr(
        History, "split_moments", lambda self, known_us, *, least, least_later: moments
    )
    fit(ours)
    fit(theirs)
    before, after = seen
    assert not before["last"].side.rows["label"].equals(after["last"].side.rows["label"])
    pd.testing.assert_frame_equal(before["before"].side.rows, after["before"].side.rows)
    assert before["before"].log_odds.tobytes() == after["before"].log_odds.tobytes()
    for kind in ("none", "sigmoid", "isotonic"):
        assert before["before"].fit_calibrator(kind) == after["before"].fit_calibrator(kind)
        assert kind == "none" or before["whole"].fit_calibrator(kind) != after[
            "whole"
        ].fit_calibrator(kind)


def test_pools_when_made_then_each_knows_only_what_it_may(world):
    until = world.history.version.known_until_us
    moments = world.history.split_moments(until, least=MIN_OUTCOMES, least_later=MIN_EVALUATED)
    pools = build_pools(world.history, moments, until)
    spans = {
        name: (pool.rows["as_of_us"].min(), pool.rows["as_of_us"].max())
        for name, pool in pools.items()
    }
    assert {name: pool.known_us for name, pool in pools.items()} == {
        "last": until, "before": moments[-1], "whole": until,
    }  # fmt: skip
    assert moments[-1] <= spans["last"][0]
    assert moments[0] <= spans["before"][0] <= spans["before"][1] < moments[-1]
    assert moments[0] <= spans["whole"][0]
    assert spans["whole"][1] == spans["last"][1]
    assert build_pools(world.history, moments[:2], until).keys() == {"last"}
    assert build_pools(world.history, [], until) == {}


def test_reference_when_a_score_is_read_off_it_then_is_the_weighted_share_below():
    rng = np.random.default_rng(2)
    p = np.round(rng.beta(2, 5, 700), 2)  # with ties, as a stepwise calibrator gives
    w = rng.uniform(0.1, 8, 700)
    reference = build_reference(EvaluationSet(p, np.zeros(700), w, np.arange(700).astype(str)))
    asked = np.array([0.0, 0.1, 0.25, 0.251, 0.5, 1.0])
    expected = [100 * (w[p < x].sum() + w[p == x].sum() / 2) / w.sum() for x in asked]
    assert compute_score(asked, reference) == pytest.approx(
        expected, abs=0.11
    )  # a thousand quantiles


def test_reference_when_kept_with_the_model_then_rises_and_lies_within_the_calibrators_range(world):
    reference = world.model.document["reference"]
    assert len(reference) == 1000
    assert reference == sorted(reference)
    assert 0 < reference[0] < reference[-1] < 1
    mean = np.mean(reference)
    metrics = world.evaluation.overall
    assert mean == pytest.approx(metrics.win_rate + metrics.bias.value, abs=0.002)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))]
)
def test_training_when_nothing_tells_the_outcome_then_ends_without_a_model(tmp_path, seed):
    settings = sales_settings(tmp_path)
    write_store(sales_facts(settings, leads=350, days=120, seed=seed, signal=0.0), known_until=120)
    told = jobs.train(settings)
    assert told.model_version is None
    assert told.no_signal.startswith("no signal: against giving every lead the base rate of 0.")
    assert told.evaluation.no_signal == told.no_signal
    gain = told.evaluation.gain.log_loss_gain
    assert gain.low <= 0
    assert f"{gain.low:.4f} to {gain.high:.4f}" in told.no_signal
    assert (
        json.loads((Path(told.folder) / "manifest.json").read_bytes())["no_signal"]
        == told.no_signal
    )
    registered = histories.register(settings, told)
    assert (registered.registered, registered.champion) == (None, None)
    with pytest.raises(UserError, match="no signal: against giving every lead the base rate"):
        jobs.score(settings)
    assert not (settings.project_folder() / "scores").exists()


def test_score_when_nothing_was_trained_then_says_to_train_first(tmp_path):
    settings = sales_settings(tmp_path)
    write_store(sales_facts(settings, leads=20, days=20, seed=0), known_until=20)
    with pytest.raises(UserError, match="run `leadscore train` first"):
        jobs.score(settings)


@pytest.mark.parametrize("days", [10, 20, 30])
def test_training_when_history_is_shorter_than_the_horizon_then_is_refused_with_its_days(
    tmp_path, days
):
    history = open_sales(tmp_path, leads=200, days=days)
    with pytest.raises(
        TooLittleHistoryError, match=r"only \d+ days of follow-up for a horizon of 30 days"
    ):
        fit(history)


def facts_with_wins(settings, won, *, leads):
    """A lead a day, each open for twelve days."""
    facts = Facts(settings)
    for i in range(leads):
        facts.lead(f"{i:04d}", i, channel="web").outcome(
            f"{i:04d}", i + 12, "won" if i in won else "lost"
        )
    return facts


@pytest.mark.parametrize("kind", ["won", "not won"])
@pytest.mark.parametrize(("fewer", "enough"), [(MIN_OUTCOMES - 1, False), (MIN_OUTCOMES, True)])
def test_training_when_too_few_leads_ended_in_one_way_then_is_refused_with_the_numbers(
    tmp_path, kind, fewer, enough
):
    # one snapshot a lead, so that leads can be counted; the last of the few is so late that no split has enough
    settings = sales_settings(
        tmp_path, target={"horizon_days": 30, "cadence_days": 7, "max_per_lead": 1}
    )
    few = set(range(0, 10 * fewer, 10))
    facts = facts_with_wins(settings, few if kind == "won" else set(range(200)) - few, leads=200)
    history = open_facts(facts, known_until=213)
    if enough:
        assert fit(history).evaluation.history.snapshots == 200
        return
    told = (
        f"{fewer} won and {200 - fewer} not won"
        if kind == "won"
        else f"{200 - fewer} won and {fewer} not won"
    )
    with pytest.raises(
        TooLittleHistoryError, match=f"history shows {told} .* at least {MIN_OUTCOMES} of each"
    ):
        fit(history)


@pytest.mark.slow
def test_training_when_only_the_first_splits_have_too_few_wins_then_goes_on_without_them(tmp_path):
    # some 190 won snapshots by the end, but fewer than 20 by the first moment that is watched long enough
    history = open_sales(tmp_path, leads=200, days=300)
    side = history.earlier_side(history.version.known_until_us)
    assert (side.rows["label"] == 1).sum() > 150
    assert (side.rows["label"] == 0).sum() > 150
    assert fit(history).evaluation.history.won > 150


def test_training_when_cross_validation_leaves_fewer_wins_than_needed_then_goes_on(tmp_path):
    history = open_sales(tmp_path, leads=100, days=64)
    won, _ = history.earlier_side(history.version.known_until_us).count_leads()
    assert MIN_OUTCOMES <= won < MIN_OUTCOMES * 5 / 4
    assert fit(history).evaluation.basis == "cross-validated by lead"


def test_training_when_wins_stopped_early_then_it_is_cross_validated_and_ends_in_no_foreign_error(
    tmp_path,
):
    # every later side was lost: enough to learn from, but no split can judge
    facts = facts_with_wins(sales_settings(tmp_path), range(30), leads=240)
    result = fit(open_facts(facts, known_until=250))
    assert result.evaluation.basis == "cross-validated by lead"
    assert canonical_json(result.evaluation.to_dict())
    probability = result.model.probability(np.linspace(-9, 9, 50))
    assert ((probability > 0) & (probability < 1)).all()


def test_segments_when_some_values_are_of_few_leads_then_no_report_names_them(tmp_path):
    settings = sales_settings(tmp_path, model={"segment": "channel", "trials": 1})
    facts = Facts(settings)
    for i in range(240):
        channel = "Ann Smith" if i % 40 == 1 else "web"
        facts.lead(f"{i:04d}", i, channel=channel).outcome(
            f"{i:04d}", i + 12, "won" if i % 3 else "lost"
        )
    told = fit(open_facts(facts, known_until=260)).evaluation
    segments = {each.name for each in told.segments}
    assert segments == {"web", "others (fewer than 10 leads each)"}
    assert b"Ann Smith" not in canonical_json(told.to_dict())


@pytest.mark.slow
def test_model_when_the_seed_differs_then_differs(tmp_path):
    # of two seeds that give the same snapshots, so that only the scorer's own draws differ
    first = open_sales(
        tmp_path,
        leads=150,
        days=62,
        target={"horizon_days": 30, "cadence_days": 7, "max_per_lead": 99},
    )
    other = dataclasses.replace(first, settings=first.settings.model_copy(update={"seed": 11}))
    until = first.version.known_until_us
    pd.testing.assert_frame_equal(first.earlier_side(until).rows, other.earlier_side(until).rows)
    assert fit(first).model.booster_text != fit(other).model.booster_text


def test_training_when_as_of_lies_past_known_until_then_is_refused(world):
    words = "more than 36 hours after known_until .*; the export is 36 hours old by then"
    with pytest.raises(UserError, match=words):
        jobs.train(world.settings, as_of_us=day(world.days) + 36 * HOUR_US + 1)


def feature(name, unit="number", direction=0):
    return Feature(name, {}, Learned(), unit, name, direction=direction)


def made_rows(seed, *, n=900, slope=1.0):
    rng = np.random.default_rng(seed)
    x, noise = rng.uniform(0, 1, n), rng.normal(size=n)
    label = (rng.random(n) < 1 / (1 + np.exp(-slope * 4 * (x - 0.5)))).astype(float)
    rows = pd.DataFrame(
        {
            "lead_id": [f"{i:04d}" for i in range(n)],
            "as_of_us": np.arange(n),
            "label": label,
            "weight": np.ones(n),
        }
    )
    return Matrix(rows[["lead_id", "as_of_us"]], {"x": x, "noise": noise}), rows


@pytest.mark.parametrize(("direction", "slope"), [(1, -1.0), (-1, 1.0), (1, 1.0), (-1, -1.0)])
def test_scorer_when_history_contradicts_a_declared_direction_then_keeps_the_direction(
    direction, slope
):
    matrix, rows = made_rows(0, slope=slope)
    features = [feature("x", direction=direction), feature("noise")]
    model = fit_scorer(matrix, rows, features=features, seed=0, threads=1)
    x = np.repeat(np.linspace(0, 1, 101), 9)
    raw = model.log_odds({"x": x, "noise": np.tile(np.linspace(-2, 2, 9), 101)}).reshape(101, 9)
    assert (direction * np.diff(raw, axis=0) >= 0).all()
    assert (np.ptp(raw, axis=0) > 0.5).all() == (direction == slope)


def test_scorer_when_there_are_many_rows_then_does_not_depend_on_the_number_of_threads():
    # so many that threads share the rows of one sum
    matrix, rows = made_rows(6, n=12_000)
    rng = np.random.default_rng(7)
    rows["weight"] = rng.uniform(0.5, 3, len(rows))
    matrix = Matrix(
        matrix.keys, matrix.columns | {f"more_{i}": rng.normal(size=len(rows)) for i in range(8)}
    )
    features = [feature(name) for name in matrix.columns]
    one, two = (
        fit_scorer(matrix, rows, features=features, seed=0, threads=threads) for threads in (1, 2)
    )
    assert one.booster_text == two.booster_text


def test_scorer_when_rows_are_censored_then_leaves_them_out():
    matrix, rows = made_rows(1)
    gone = np.arange(900) % 3 == 0
    kept = fit_scorer(
        matrix, rows[~gone], features=[feature("x"), feature("noise")], seed=0, threads=1
    )
    rows.loc[gone, "label"] = np.nan
    rows.loc[gone, "weight"] = 0.0
    model = fit_scorer(matrix, rows, features=[feature("x"), feature("noise")], seed=0, threads=1)
    assert model.booster_text == kept.booster_text


def test_scorer_when_rows_weigh_more_then_follows_them():
    matrix, rows = made_rows(2, slope=0.0)
    features = [feature("x"), feature("noise")]
    rate = {}
    for heavy in (0.0, 1.0):
        weighted = rows.assign(weight=np.where(rows["label"] == heavy, 5.0, 1.0))
        model = fit_scorer(matrix, weighted, features=features, seed=0, threads=1)
        rate[heavy] = float(model.probability(model.log_odds(matrix.columns)).mean())
    assert rate[0.0] == pytest.approx(1 / 6, abs=0.04)
    assert rate[1.0] == pytest.approx(5 / 6, abs=0.04)


def test_cross_validation_when_predicting_a_lead_then_uses_a_model_that_never_saw_it():
    matrix, rows = made_rows(4)
    rows["lead_id"] = [f"{i // 3:03d}" for i in range(900)]
    matrix = Matrix(rows[["lead_id", "as_of_us"]], matrix.columns)
    target = histories.sales_settings(histories.scratch()).target
    side = Side("made", rows, known_us=0, watched=1.0, capped_share=0.0, target=target)
    trained_on = []

    def fit_spied(part):
        trained_on.append(set(part["lead_id"]))
        return fit_scorer(
            matrix, part, features=[feature("x"), feature("noise")], seed=0, threads=1
        )

    raw, _ = cross_validate(matrix, side, fit_spied)
    assert len(trained_on) == 5
    assert all(sum(lead not in seen for seen in trained_on) == 1 for lead in set(rows["lead_id"]))
    for seen in trained_on:
        out = ~rows["lead_id"].isin(seen)
        model = fit_scorer(
            matrix, rows[~out], features=[feature("x"), feature("noise")], seed=0, threads=1
        )
        assert model.log_odds(matrix.take(rows[out]).columns).tobytes() == raw[out].tobytes()


def test_out_of_time_prediction_when_made_then_is_by_the_latest_model_of_the_past():
    matrix, rows = made_rows(5, n=60)
    rows["as_of_us"] = np.arange(60)
    matrix = Matrix(rows[["lead_id", "as_of_us"]], matrix.columns)
    target = histories.sales_settings(histories.scratch()).target
    side = Side("made", rows, known_us=60, watched=1.0, capped_share=0.0, target=target)

    class Model:
        def __init__(self, value):
            self.value = value

        def log_odds(self, columns):
            return np.full(len(columns["x"]), self.value)

    raw = predict_pool(matrix, side, [0, 20, 45], [Model(1.0), Model(2.0), Model(3.0)])
    assert raw.tolist() == [1.0] * 20 + [2.0] * 25 + [3.0] * 15


def test_evaluation_when_written_then_is_finite_json(world):
    folder = world.settings.models_folder / "synthetic" / world.version
    found = json.loads((folder / "evaluation.json").read_bytes(), parse_constant=pytest.fail)
    assert found == json.loads(json.dumps(world.evaluation.to_dict()))
    assert math.isfinite(found["gain"]["log_loss_gain"]["value"])


def test_curves_when_kept_then_tell_of_the_judged_rows_and_of_every_spell(world):
    e = world.evaluation
    overall, curves = e.overall, e.curves
    assert set(dict(curves)) == {"roc", "precision_recall", "lift", "distribution", "maturity"}
    x, y = (
        [getattr(point, name) for point in curves.roc]
        for name in ("false_positive_rate", "true_positive_rate")
    )
    assert np.trapezoid(y, x) == pytest.approx(overall.pooled_auc.value, abs=0.01)
    assert curves.precision_recall[-1].precision == pytest.approx(overall.win_rate)
    share, captured = (
        [0.0, *(getattr(point, name) for point in curves.lift)] for name in ("share", "captured")
    )
    assert np.interp(0.1, share, captured) == pytest.approx(overall.capture_10.value, abs=0.01)
    weight = sum(bin_.weight for bin_ in e.reliability)
    assert sum(bin_.won + bin_.other for bin_ in curves.distribution) == pytest.approx(weight)
    spells = world.history.spells(world.history.version.known_until_us)
    assert curves.maturity[-1].share >= spells["won"].mean()  # for the open ones some more are won
    assert 0 < e.days_to_win.half < e.days_to_win.nine_tenths <= curves.maturity[-1].days
    assert e.horizon_days == world.settings.target.horizon_days
    assert e.no_signal is None


def test_probability_when_calibrated_then_is_within_the_models_own_bounds(world):
    model = world.model
    calibrator = model.document["calibrator"]
    probability = model.probability(np.array([-1e6, 1e6]))
    assert calibrator["low"] <= probability[0] < probability[1] <= calibrator["high"]
    assert probability.tolist() == calibrate(calibrator, np.array([-1e6, 1e6])).tolist()
    leads = round(1 / (2 * calibrator["low"]))
    assert calibrator["high"] == 1 - calibrator["low"]
    assert 500 < leads < 1500
