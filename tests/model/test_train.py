"""Training a model: what it writes, how its calibrator and its pools are chosen, and what its report says."""

import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest

import histories
from builders import Facts, day
from histories import sales_facts, sales_settings
from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.evaluation.metrics import EvaluationSet
from leadscore.evaluation.reference import build_reference, compute_score
from leadscore.history.side import Side
from leadscore.history.split import History
from leadscore.json_files import canonical_json
from leadscore.model import train
from leadscore.model.apply import calibrate
from leadscore.model.choose_calibrator import choose_calibrator
from leadscore.model.files import write_model
from leadscore.model.held_out import HeldOut, build_pools
from leadscore.model.training import MIN_EVALUATED, MIN_OUTCOMES
from leadscore.times import DAY_US, HOUR_US
from model.trained import fit, open_facts, open_sales


@pytest.fixture(scope="module")
def world():
    return histories.trained()


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
