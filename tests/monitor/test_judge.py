"""Other scores judged: who ranks better, what that is worth, and those that peek."""

import json

import numpy as np
import pytest

from builders import Facts, day
from leadscore.errors import UserError
from leadscore.monitor.judge import AS_IS, MAPPED, OURS, Asked, judge
from leadscore.monitor.settle import settle
from leadscore.results import Judged
from settlings import HORIZON, scored

DATES = tuple(range(40, 130, 10))
UNTIL = 160
LEADS = 900


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Leads that open and close over 150 days, our lists, and four scores of somebody else's."""
    rng = np.random.default_rng(4)
    facts, probability, opened, closes = Facts(), {}, {}, {}
    for number in range(LEADS):
        lead = f"{number:04d}"
        quality = rng.normal()
        probability[lead] = float(1 / (1 + np.exp(1 - 1.5 * quality)))
        won = rng.random() < probability[lead]
        opened[lead] = float(rng.uniform(0, 120))
        closes[lead] = opened[lead] + float(rng.uniform(6, 30))
        facts.lead(lead, opened[lead])
        facts.outcome(lead, closes[lead], "won" if won else "lost", amount=1000_00 if won else None)
        let_score(facts, lead, opened[lead], closes[lead], quality, won=won, rng=rng)
    history = facts.history(tmp_path_factory.mktemp("judged"), known_until=UNTIL)
    lists = []
    for date in DATES:
        on_list = {
            lead: p for lead, p in probability.items() if opened[lead] < date <= closes[lead]
        }
        given = scored(date, on_list)
        given.rows["tier"] = np.where(given.rows["probability"].rank(pct=True) > 0.8, "A", "B")
        lists.append(given)
    return history, settle(history, lists, known_us=day(UNTIL))


def let_score(facts, lead, opened, closes, quality, *, won, rng):
    noisy = float(np.clip(50 + 12 * (quality + rng.normal()), 0, 100))
    after = 100.0 if won else 0.0
    for name in ("noisy", "noise", "late", "early", "oracle"):
        value = {"noise": float(rng.uniform(0, 100)), "oracle": after}.get(name, noisy)
        facts.score(lead, opened + 0.5, name, value)
    facts.score(lead, opened + 0.5, "flat", 7.0)
    facts.score(lead, opened + 0.5, "negative", -1000 * noisy)
    facts.score(lead, closes + 0.5, "posthumous", after)
    facts.score(lead, closes + 0.5, "late", after)  # after the close
    facts.score(lead, closes - 0.5, "early", after)  # just before it


def judge_by(world, name):
    history, rows = world
    asked = Asked("built", name, "our published scores", day(UNTIL))
    return judge(history, rows, asked, horizon_days=HORIZON)


@pytest.mark.parametrize(("name", "peeks"), [
    ("noisy", "no sign"), ("noise", "no sign"), ("late", "peeks"), ("early", "peeks"), ("oracle", "peeks"),
])  # fmt: skip
def test_judge_when_values_follow_the_outcome_then_the_score_peeks(world, name, peeks):
    judged = judge_by(world, name)
    assert judged.peeks == peeks
    flagged = {check.check for check in judged.checks if check.verdict == "peeks"}
    assert flagged == {
        "late": {"changes after the close"},
        "early": {"changes in the last day before the close"},
        "oracle": {"ranking before the close"},
    }.get(name, set())


def test_judge_when_a_score_is_noisier_then_ours_ranks_better_and_its_order_leaves_money(world):
    judged = judge_by(world, "noise")
    assert judged.auc.difference.low > 0.1
    assert judged.auc.theirs.low < 0.5 < judged.auc.theirs.high
    (top,) = judged.tops
    assert top.missed.value == pytest.approx(top.wins_ours - top.wins_theirs)
    assert top.left.low > 0
    assert top.left.value == pytest.approx(1000 * top.missed.value)  # a win is worth 1,000
    assert any("leadscore ranks better" in sentence for sentence in judged.summary)


def test_judge_when_figures_are_compared_with_plain_loops_then_they_agree(world):
    history, rows = world
    judged = judge_by(world, "noisy")
    settled = rows[rows["state"] == "settled"]
    settled = settled.assign(theirs=history.facts.others.values("noisy", settled))
    both = settled[settled["theirs"].notna()]
    pairs, ordered = 0, 0.0
    for _, of_list in both.groupby("as_of_us"):
        won, lost = (of_list.loc[of_list["label"] == label, "theirs"] for label in (1, 0))
        for value in won:
            pairs += len(lost)
            ordered += (value > lost).sum() + 0.5 * (value == lost).sum()
    assert judged.auc.theirs.value == pytest.approx(ordered / pairs)
    assert judged.counts.both == len(both)
    assert judged.tops[0].wins == pytest.approx(both["label"].sum() / judged.counts.lists)


def test_judge_when_calibrated_then_the_map_is_learned_from_earlier_lists_alone(world):
    judged = judge_by(world, "noisy")
    assert set(judged.calibration) == {OURS, MAPPED, AS_IS}
    off = {name: metrics.calibration_error.value for name, metrics in judged.calibration.items()}
    assert off[MAPPED] < off[AS_IS]
    assert judged.mapped_from == history_name(world, DATES[3])  # a horizon after the first
    assert Judged.from_dict(judged.to_dict()) == judged


def history_name(world, date):
    return world[0].name(day(date))


def test_judge_when_a_score_is_the_same_for_everybody_then_it_ranks_as_chance_does(world):
    judged = judge_by(world, "flat")
    assert judged.auc.theirs.value == 0.5
    assert judged.peeks == "no sign"
    assert judged.calibration[MAPPED].auc.value == 0.5
    (top,) = judged.tops
    assert top.wins_theirs == pytest.approx(top.share * top.wins)


def test_judge_when_a_score_is_upside_down_and_negative_then_is_no_probability(world):
    upright = judge_by(world, "noisy")
    judged = judge_by(world, "negative")
    assert judged.auc.theirs.value == pytest.approx(1 - upright.auc.theirs.value)
    assert set(judged.calibration) == {OURS, MAPPED}
    assert Judged.from_dict(json.loads(json.dumps(judged.to_dict()))) == judged


def test_judge_when_all_values_came_after_the_close_then_says_that_none_came_before(world):
    with pytest.raises(
        UserError,
        match="0 won and 0 other leads have an outcome, our score and 'posthumous' before",
    ):
        judge_by(world, "posthumous")


def test_judge_when_few_leads_have_both_then_says_how_many(world):
    history, rows = world
    asked = Asked("built", "noisy", "our published scores", day(UNTIL))
    with pytest.raises(UserError, match="at least 30 of each are needed"):
        judge(history, rows.iloc[:20], asked, horizon_days=HORIZON)
