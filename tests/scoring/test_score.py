import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import histories
from builders import Facts, day
from histories import score_table
from leadscore import project as jobs
from leadscore.errors import UserError
from leadscore.evaluation.reference import compute_score, decide_tier
from leadscore.features.matrix import build_features, build_matrix
from leadscore.history.snapshot import KEYS
from leadscore.model.apply import WinModel
from leadscore.model.files import write_model
from leadscore.scoring.score import SCORES, order_list
from leadscore.settings.list_order import ListOrder
from leadscore.store.receipts import read_receipts


@pytest.fixture(scope="module")
def world():
    return histories.trained()


@pytest.fixture(scope="module")
def scores(world):
    return score(world)


def score(world, *, as_of_us=None, known_us=None, model=None, history=None):
    until = world.history.version.known_until_us
    return score_table(
        history or world.history,
        model or world.model,
        model_version="the model",
        known_us=until if known_us is None else known_us,
        as_of_us=as_of_us or until,
    )


def states_by_hand(facts, as_of_us):
    """Each lead's state by what was known before a moment, fact by fact: "open", "closed", "not yet created"."""
    states = {row["lead_id"]: "not yet created" for row in facts.rows["leads"]}
    closed_at = {}
    known = [
        (row["available_us"], row["event_us"], 0, "created", row) for row in facts.rows["leads"]
    ]
    known += [
        (row["available_us"], row["event_us"], 1, row["stage"], row) for row in facts.rows["stages"]
    ]
    known += [
        (row["available_us"], row["event_us"], 1, row["outcome"], row)
        for row in facts.rows["outcomes"]
    ]
    for available_us, event_us, _, what, row in sorted(known, key=lambda fact: fact[:3]):
        lead = row["lead_id"]
        if available_us >= as_of_us:
            continue
        if what == "created":
            states[lead] = "open"
        elif what in ("won", "lost", "signed", "rejected"):
            states[lead], closed_at[lead] = "closed", event_us
        elif event_us > closed_at.get(lead, -1):
            states[lead] = "open"
    return states


def test_score_table_when_made_then_has_its_schema_and_one_as_of(world, scores):
    assert scores.schema == SCORES
    assert set(scores["as_of"].cast(pa.int64()).to_pylist()) == {
        world.history.version.known_until_us
    }
    empty = {
        "amount",
        "expected_value",
        "change_points",
    }  # nothing tells amounts here, and there was no list before
    assert {name for name in scores.schema.names if scores[name].null_count} == empty
    assert [field.name for field in SCORES][:8] == [
        "lead_id", "as_of", "win_probability", "probability_low", "probability_high", "score", "tier", "amount",
    ]  # fmt: skip


@pytest.mark.parametrize("days", [250.0, 170.25, 40.0, 6.0])
def test_score_table_when_made_at_any_moment_then_lists_every_open_lead_once_and_no_other(
    world, days
):
    table = score(world, as_of_us=day(days), known_us=0)
    states = states_by_hand(world.facts, day(days))
    is_open = sorted(lead for lead, state in states.items() if state == "open")
    assert len(is_open) > 3
    assert sorted(table["lead_id"].to_pylist()) == is_open


def test_history_when_used_here_then_has_leads_that_came_back(world):
    lost = {row["lead_id"] for row in world.facts.rows["stages"] if row["stage"] == "rejected"}
    back = histories.open_matrix().columns["stage_reopenings"] > 0
    assert back.sum() > 2
    assert set(histories.open_matrix().keys["lead_id"][back]) <= lost


def test_score_table_when_made_then_is_ordered_by_probability_log_odds_and_lead(scores):
    rows = list(
        zip(
            *(scores[name].to_pylist() for name in ("win_probability", "log_odds", "lead_id")),
            strict=True,
        )
    )
    assert rows == sorted(rows, key=lambda row: (-row[0], -row[1], row[2]))


def test_list_when_ordered_by_expected_value_then_the_most_comes_first_and_unknown_last():
    leads = np.array(list("abcdef"))
    columns = {
        "win_probability": np.array([0.9, 0.5, 0.2, 0.5, 0.5, 0.1]),
        "log_odds": np.array([2.0, 0.0, -1.0, 0.5, 0.0, -2.0]),
        "expected_value": np.array([10.0, np.nan, 99.0, 10.0, np.nan, 0.0]),
    }
    orders = {}
    for by in ("probability", "expected value"):
        orders[by] = "".join(leads[order_list(columns, ListOrder(by=by))])
    assert orders == {"probability": "adbecf", "expected value": "cadfbe"}


def with_calibrator(model, calibrator):
    return WinModel(model.document | {"calibrator": calibrator}, model.booster_text)


@pytest.mark.parametrize(
    "calibrator",
    [
        pytest.param({"kind": "sigmoid", "slope": 0.0, "intercept": -1.0, "low": 0.01, "high": 0.99}, id="all alike"),
        pytest.param(
            {"kind": "isotonic", "raw": [-2.0, -1.0, -0.99, 9.0], "probability": [0.1, 0.1, 0.4, 0.4],
             "low": 0.01, "high": 0.99}, id="two steps",
        ),
    ],
)  # fmt: skip
def test_score_table_when_probabilities_tie_then_log_odds_order_them(world, calibrator):
    table = score(world, model=with_calibrator(world.model, calibrator))
    rows = list(
        zip(
            *(table[name].to_pylist() for name in ("win_probability", "log_odds", "lead_id")),
            strict=True,
        )
    )
    assert rows == sorted(rows, key=lambda row: (-row[0], -row[1], row[2]))
    assert len({row[0] for row in rows}) < 10
    assert len({row[1] for row in rows}) > 100


def test_score_table_when_leads_are_alike_in_all_then_their_ids_order_them(world, tmp_path):
    facts = Facts(world.settings)
    for lead_id in ("b", "00012", "a", "Ä", "B", "12"):
        facts.lead(lead_id, 1, channel="web", size=5).change(lead_id, 2, "budget", "some")
    table = score(
        world,
        history=facts.history(tmp_path, known_until=world.days + 1),
        as_of_us=day(world.days + 1),
    )
    assert len(set(table["log_odds"].to_pylist())) == 1
    assert table["lead_id"].to_pylist() == ["00012", "12", "B", "a", "b", "Ä"]


def test_scores_when_recomputed_from_the_parts_then_agree(world, scores):
    raw = np.array(scores["log_odds"])
    probability = world.model.probability(raw)
    assert probability.tolist() == scores["win_probability"].to_pylist()
    found = compute_score(probability, world.model.document["reference"])
    assert found.tolist() == scores["score"].to_pylist()
    assert decide_tier(found, found, world.settings.tiers).tolist() == scores["tier"].to_pylist()
    matrix = histories.open_matrix()
    of_lead = dict(zip(matrix.keys["lead_id"], world.model.log_odds(matrix.columns), strict=True))
    assert [of_lead[lead_id] for lead_id in scores["lead_id"].to_pylist()] == raw.tolist()
    assert len(set(scores["tier"].to_pylist())) == 4


def test_score_when_one_lead_alone_is_open_then_equals_its_score_among_all(world, scores, tmp_path):
    # another store holds one lead of the list with all its facts
    chosen = scores["lead_id"].to_pylist()[5]
    facts = Facts(world.settings)
    facts.rows = {
        name: [row for row in rows if row["lead_id"] == chosen]
        for name, rows in world.facts.rows.items()
    }
    if not facts.rows["changes"]:
        facts.change("nobody", 1, "budget", "none")
    table = score(world, history=facts.history(tmp_path, known_until=world.days))
    assert table.to_pylist() == scores.slice(5, 1).to_pylist()


def test_score_when_the_model_knows_later_facts_then_is_refused(world):
    with pytest.raises(
        UserError, match=r"model the model has learned from facts up to 2024-.*train with --as-of"
    ):
        score(world, as_of_us=day(200), known_us=day(200) + 1)
    assert score(world, as_of_us=day(200), known_us=day(200)).num_rows > 100


def test_score_job_when_the_model_was_trained_later_than_as_of_then_is_refused_and_publishes_nothing(
    world, tmp_path
):
    settings = world.settings.model_copy(update={"data_folder": tmp_path})
    facts = Facts(settings)
    facts.rows = world.facts.rows
    histories.write_store(facts, known_until=world.days)
    with pytest.raises(UserError, match="so its scores would use later facts"):
        jobs.score(settings, as_of_us=day(200))
    assert not (settings.project_folder() / "scores").exists()
    assert not (settings.project_folder() / "store" / "receipts").exists()


OTHERS = [
    pytest.param({"kinds": {"email": "e-mails"}}, "engagement_meeting_1d", id="a kind less"),
    pytest.param(
        {"bant": {"budget": {"field": "budget", "levels": ["none", "full"]}}}, "'bant_budget'", id="other levels"
    ),
    pytest.param({"fields": {
        "budget": {"type": "text"}, "channel": {"type": "text"},
        "size": {"type": "number", "decimals": 0, "known_from": "creation"},
    }}, "'profile_channel'", id="a field no longer known from creation"),
    pytest.param({"fields": {
        "budget": {"type": "text"}, "channel": {"type": "text", "known_from": "creation"},
        "size": {"type": "number", "decimals": 2, "known_from": "creation"},
    }}, "'profile_size'", id="a number read otherwise"),
    pytest.param({"stages": {}}, "'stage_current'", id="no stages"),
    pytest.param({"fields": {
        "size": {"type": "number", "decimals": 0, "known_from": "creation"},
        "budget": {"type": "text"}, "channel": {"type": "text", "known_from": "creation"},
    }}, "their order", id="another order"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "told"), OTHERS)
def test_score_when_the_settings_declare_other_features_then_is_refused_by_name(
    world, tmp_path, changes, told
):
    settings = histories.sales_settings(tmp_path, **changes)
    facts = Facts(settings)
    facts.lead("a", 1).change("a", 2, "budget", "some")
    history = facts.history(tmp_path, known_until=world.days)
    with pytest.raises(UserError, match=told):
        score(world, history=history)


def test_score_when_only_words_and_tiers_changed_then_goes_on(world, tmp_path):
    settings = histories.sales_settings(
        tmp_path, kinds={"email": "letters", "meeting": "visits"}, tiers={"a": 50, "b": 30, "c": 10}
    )
    facts = Facts(settings)
    facts.lead("a", 1).change("a", 2, "budget", "some")
    assert score(world, history=facts.history(tmp_path, known_until=world.days)).num_rows == 1


def test_score_when_no_lead_is_open_then_gives_an_empty_list(world, tmp_path):
    facts = Facts(world.settings)
    facts.lead("a", 1).outcome("a", 3, "lost").change("a", 2, "budget", "some")
    table = score(world, history=facts.history(tmp_path, known_until=world.days))
    assert table.num_rows == 0
    assert table.schema == SCORES


@pytest.fixture(scope="module")
def told(world, tmp_path_factory):
    """What the job says of scoring at day 215 with a model that knows no more than that."""
    folder = tmp_path_factory.mktemp("job")
    settings = histories.sales_settings(folder)
    facts = Facts(settings)
    facts.rows = world.facts.rows
    histories.write_store(facts, known_until=world.days)
    result = dataclasses.replace(histories.with_signal(histories.fitted()), known_us=day(215))
    home = write_model(
        settings.models_folder / settings.project, result, settings=settings, store_version="s"
    )
    jobs.register(settings, home, who=histories.WHO)
    return settings, histories.score_and_publish(settings, as_of_us=day(215)), result


def test_counts_when_scoring_in_the_past_then_add_up_by_hand(world, told):
    _, said, _ = told
    states = list(states_by_hand(world.facts, day(215)).values())
    counts = said.counts
    assert counts.to_dict() == {
        "leads": 1500,
        "scored": states.count("open"),
        "closed": states.count("closed"),
        "absent": 0,
        "not_yet_created": states.count("not yet created"),
        "refused": 0,
    }
    assert min(counts.scored, counts.closed, counts.not_yet_created) > 100
    assert sum(n for name, n in counts.to_dict().items() if name != "leads") == counts.leads


def test_score_job_when_done_then_tells_what_it_published(told):
    settings, said, _ = told
    folder = settings.project_folder()
    table = pq.read_table(folder / "scores" / said.publication_id / "scores.parquet")
    assert table.num_rows == said.counts.scored == read_receipts(folder / "store").num_rows
    assert sum(said.tiers.values()) == table.num_rows
    assert {tier: table["tier"].to_pylist().count(tier) for tier in said.tiers} == said.tiers
    assert said.mean_win_probability == pytest.approx(
        np.mean(table["win_probability"].to_pylist()), abs=1e-12
    )
    assert [row["lead_id"] for row in said.top] == table["lead_id"].to_pylist()[:10]
    assert said.as_of == "2024-08-03T00:00:00Z"


def test_score_job_when_done_then_sees_no_fact_from_after_as_of(world, told, tmp_path):
    settings, said, result = told
    cut = Facts(world.settings)
    cut.rows = {
        name: [row for row in rows if row["available_us"] < day(215)]
        for name, rows in world.facts.rows.items()
    }
    history = cut.history(tmp_path, known_until=215)
    expected = score_table(
        history,
        result.model,
        model_version="m",
        known_us=day(215),
        as_of_us=history.version.known_until_us,
    )
    table = pq.read_table(
        settings.project_folder() / "scores" / said.publication_id / "scores.parquet"
    )
    assert table.equals(expected)


def test_matrix_when_scoring_then_is_the_one_that_training_would_build(world):
    # training asks for many moments at once, and has the features of the leads open now among them
    until = world.history.version.known_until_us
    features = build_features(world.history.settings)
    now = world.history.open_list(until)
    rows = pd.concat([world.history.earlier_side(until).rows[KEYS], now[KEYS]])
    matrix = build_matrix(world.history.snapshot(rows), features).take(now)
    for name, values in histories.open_matrix().take(now).columns.items():
        np.testing.assert_array_equal(matrix.columns[name], values, err_msg=name)
