"""Laws of the model and of scoring, over a trained synthetic history."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import histories
from builders import Facts, day
from histories import BUDGETS, sales_facts, sales_settings, score_table
from leadscore.json_files import canonical_json
from leadscore.model.apply import WinModel, calibrate
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.publish.publication import write_publication

LAW = settings(derandomize=True, deadline=None, max_examples=15)
STEEP = {"kind": "isotonic", "raw": [-3.0, -1.5, -1.4, 0.5], "probability": [0.05, 0.2, 0.6, 0.9]}
CALIBRATORS = [
    pytest.param(None, id="the trained one"),
    pytest.param({"kind": "none", "low": 1e-9, "high": 1 - 1e-9}, id="none"),
    pytest.param(
        {"kind": "sigmoid", "slope": 1.7, "intercept": 0.3, "low": 0.001, "high": 0.999},
        id="sigmoid",
    ),
    pytest.param(STEEP | {"low": 0.01, "high": 0.99}, id="isotonic"),
]


@pytest.fixture(scope="module")
def world():
    return histories.trained()


def with_calibrator(model, calibrator):
    return (
        model
        if calibrator is None
        else WinModel(model.document | {"calibrator": calibrator}, model.booster_text)
    )


@pytest.mark.parametrize("calibrator", CALIBRATORS)
@LAW
@given(answers=st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_probability_when_a_bant_answer_is_better_and_all_else_equal_then_is_not_lower(
    world, calibrator, answers
):
    model = with_calibrator(world.model, calibrator)
    columns = histories.open_matrix().columns
    known = np.isfinite(columns["bant_budget"])
    columns = histories.take_columns(columns, known)
    lower_log_odds = lower = None
    for answer in sorted(answers):
        log_odds = model.log_odds(columns | {"bant_budget": np.full(known.sum(), answer)})
        probability = model.probability(log_odds)
        if lower is not None:
            assert (log_odds >= lower_log_odds).all()
            assert (probability >= lower).all()
        lower_log_odds, lower = log_odds, probability


def test_probability_when_answers_go_from_none_to_full_then_rises_for_many(world):
    columns = histories.open_matrix().columns
    known = np.isfinite(columns["bant_budget"])
    columns = histories.take_columns(columns, known)
    none, full = (
        world.model.log_odds(columns | {"bant_budget": np.full(known.sum(), x)}) for x in (0.0, 1.0)
    )
    assert (full > none).mean() > 0.9


def test_score_when_twins_differ_only_in_their_answer_then_the_better_one_is_not_behind(
    world, tmp_path
):
    # from the facts on, through features and calibrator, with twins that gave each answer at the same moment
    twins = Facts(world.settings)
    leads = [row["lead_id"] for row in world.facts.rows["leads"]][:400]
    for answer in BUDGETS:
        for table, rows in world.facts.rows.items():
            twins.rows[table] += [
                row
                | {"lead_id": f"{row['lead_id']} {answer}"}
                | ({"value": answer} if table == "changes" else {})
                for row in rows
                if row["lead_id"] in leads
            ]
    until = world.history.version.known_until_us
    history = twins.history(tmp_path, known_until=world.days)
    table = score_table(history, world.model, model_version="m", known_us=until, as_of_us=until)
    found = dict(
        zip(table["lead_id"].to_pylist(), table["win_probability"].to_pylist(), strict=True)
    )
    answered = {row["lead_id"] for row in world.facts.rows["changes"]}
    by_lead = [
        [found[f"{lead} {answer}"] for answer in BUDGETS]
        for lead in leads
        if f"{lead} none" in found
    ]
    assert len(by_lead) > 30
    assert all(none <= some <= full for none, some, full in by_lead)
    for lead in leads:
        if f"{lead} none" in found and lead not in answered:
            assert found[f"{lead} none"] == found[f"{lead} full"]


@pytest.mark.parametrize("calibrator", CALIBRATORS)
@LAW
@given(log_odds=st.lists(st.floats(-30, 30), min_size=2, max_size=60))
def test_calibrated_probability_when_raw_grows_then_never_falls(world, calibrator, log_odds):
    log_odds = np.unique(np.round(log_odds, 9))
    found = calibrate(calibrator or world.model.document["calibrator"], log_odds)
    assert (np.diff(found) >= 0).all()
    assert ((found > 0) & (found < 1)).all()


def test_score_table_when_read_from_the_top_then_probability_and_score_fall_with_raw(world):
    until = world.history.version.known_until_us
    table = score_table(
        world.history, world.model, model_version="m", known_us=until, as_of_us=until
    )
    log_odds, probability, score = (
        np.array(table[name]) for name in ("log_odds", "win_probability", "score")
    )
    assert (np.diff(log_odds) <= 0).all()
    assert (np.diff(probability) <= 0).all()
    assert (np.diff(score) <= 0).all()
    assert "".join(table["tier"].to_pylist()) == "".join(sorted(table["tier"].to_pylist()))


def test_contributions_when_added_to_the_base_then_are_raw_for_any_lead_at_any_moment(world):
    side = world.history.earlier_side(day(world.days)).rows
    assert side["as_of_us"].nunique() > 20
    columns = histories.open_matrix().columns
    rng = np.random.default_rng(0)
    # leads put together from the values of others, so that combinations occur that history never saw
    n = len(columns["bant_budget"])
    mixed = {name: values[rng.integers(0, n, 3000)] for name, values in columns.items()}
    contributions = world.model.contributions(mixed)
    assert contributions.sum(axis=1) == pytest.approx(world.model.log_odds(mixed), rel=0, abs=1e-9)


def small(folder, *, days=100.0):
    return sales_facts(sales_settings(folder), leads=350, days=days, seed=5, signal=1.8)


def everything(history, folder, *, as_of_us):
    """All bytes that come of training and scoring as of a moment."""
    result = fit_model(history, known_us=as_of_us, progress=silent)
    table = score_table(
        history, result.model, model_version="m", known_us=as_of_us, as_of_us=as_of_us
    )
    write_publication(
        [table],
        folder=folder,
        as_of_us=as_of_us,
        model_version="m",
        store_version="s",
        project="synthetic",
        counts={},
        basis={},
    )
    published = [path.read_bytes() for path in sorted(folder.rglob("scores.*"))]
    assert len(published) == 2
    model = result.model
    return [
        model.booster_text,
        canonical_json(model.document),
        canonical_json(result.evaluation.to_dict()),
        *published,
    ]


@pytest.fixture(scope="module")
def as_it_was(tmp_path_factory):
    folder = tmp_path_factory.mktemp("law")
    return everything(
        small(folder).history(folder, known_until=100), folder / "out", as_of_us=day(90)
    )


def test_training_and_scoring_when_rows_come_in_another_order_then_give_the_same_bytes(
    tmp_path, as_it_was
):
    facts = small(tmp_path)
    rng = np.random.default_rng(0)
    facts.rows = {
        name: [rows[i] for i in rng.permutation(len(rows))] for name, rows in facts.rows.items()
    }
    assert (
        everything(facts.history(tmp_path, known_until=100), tmp_path / "out", as_of_us=day(90))
        == as_it_was
    )


def test_training_and_scoring_when_anything_known_later_changes_then_give_the_same_bytes(
    tmp_path, as_it_was
):
    facts = small(tmp_path)
    changed = Facts(facts.settings)
    turned = {
        "won": "lost",
        "lost": "won",
        "signed": "rejected",
        "email": "meeting",
        "none": "full",
        "full": "some",
    }
    for name, rows in facts.rows.items():
        for row in rows:
            if row["available_us"] < day(90):
                changed.rows[name].append(row)
            elif name != "activities":
                changed.rows[name].append(
                    {key: turned.get(value, value) for key, value in row.items()}
                )
    for row in facts.rows["leads"][:200]:
        # answers change, owners get a history, meetings are told of late, leads close and come back
        lead_id = row["lead_id"]
        changed.change(lead_id, 90, "budget", "full").change(lead_id, 91, "budget", None)
        changed.change(lead_id, 92, "owner_id", "someone")
        changed.activity(lead_id, 50, "meeting", known=90).outcome(lead_id, 60, "won", known=90.5)
        changed.stage(lead_id, 95, "proposal").change(lead_id, 70, "budget", "full", known=90)
    history = changed.history(tmp_path, known_until=100)
    assert everything(history, tmp_path / "out", as_of_us=day(90)) == as_it_was


def test_training_and_scoring_when_only_the_end_of_the_export_differs_then_give_the_same_bytes(
    tmp_path, as_it_was
):
    facts = small(tmp_path)
    cut = Facts(facts.settings)
    cut.rows = {
        name: [row for row in rows if row["available_us"] < day(90)]
        for name, rows in facts.rows.items()
    }
    assert (
        everything(cut.history(tmp_path, known_until=90), tmp_path / "out", as_of_us=day(90))
        == as_it_was
    )


def test_training_and_scoring_when_the_present_value_of_a_field_with_history_changes_then_give_the_same_bytes(
    tmp_path, as_it_was
):
    facts = small(tmp_path)
    facts.rows["leads"] = [
        row | {"budget": "full", "owner_id": "someone"} for row in facts.rows["leads"]
    ]
    assert (
        everything(facts.history(tmp_path, known_until=100), tmp_path / "out", as_of_us=day(90))
        == as_it_was
    )


def test_score_when_an_amount_that_is_only_shown_changes_then_nothing_does_but_what_a_lead_is_worth(
    world, tmp_path
):
    until = world.history.version.known_until_us
    priced = Facts(world.settings)
    priced.rows = world.facts.rows | {
        "leads": [row | {"amount": 7_00} for row in world.facts.rows["leads"]]
    }
    before, after = (
        score_table(history, world.model, model_version="m", known_us=until, as_of_us=until)
        for history in (world.history, priced.history(tmp_path, known_until=world.days))
    )
    differ = {name for name in before.schema.names if not before[name].equals(after[name])}
    assert differ == {
        "amount",
        "expected_value",
        "next_question",
    }  # the question tells what the lead is worth


def test_training_when_snapshots_are_joined_in_other_chunks_then_gives_the_same_bytes(
    tmp_path, as_it_was
):
    facts = small(tmp_path)
    engine = facts.settings.engine.model_copy(update={"chunk_snapshots": 150})
    history = facts.history(tmp_path, known_until=100)
    history = dataclasses.replace(
        history, settings=facts.settings.model_copy(update={"engine": engine})
    )
    assert everything(history, tmp_path / "out", as_of_us=day(90)) == as_it_was
