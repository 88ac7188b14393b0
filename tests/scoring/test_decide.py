"""What is done next: the question that is asked, and the action that is suggested."""

import numpy as np
import pandas as pd
import pytest

from builders import make_settings
from leadscore.evaluation.reference import compute_score
from leadscore.features.matrix import Matrix
from leadscore.scoring.action import suggest_actions
from leadscore.scoring.answers import give_answer, list_graded
from leadscore.scoring.effects import Effect, Standing
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.qualification import qualify
from leadscore.scoring.question import ask_next, choose_questions
from leadscore.scoring.tier import Outlook, find_borders, measure_by
from leadscore.settings.actions import Actions
from leadscore.settings.tiers import Tiers
from scoring.crowds import NAN, make_crowd, outlook


@pytest.mark.parametrize(
    "section",
    [
        {},
        {"by": "probability", "a": 0.5, "b": 0.3, "c": 0.2},
        {"by": "capacity", "capacity": 40, "touch_cost": 20},
    ],
    ids=["score", "probability", "capacity"],
)
def test_question_when_asked_then_is_what_a_slow_loop_over_every_answer_says(section):
    asked = AskedCrowd(section)
    found = asked.ask()
    gains = []
    for row in range(80):
        question = found["next_question"][row]
        if not np.isnan(asked.strength[row]):
            assert question == ""
            continue
        gain, best = asked.try_answers(row)
        assert found["next_question_gain"][row] == pytest.approx(gain, abs=1e-9)
        gains.append(gain)
        if gain:
            said = f"value EUR {asked.listed.value[row]:,.0f} now, up to EUR {best:,.0f}"
            assert question.startswith("Ask about budget: ")
            assert question.endswith(said)
        else:
            assert question == ""
    assert len(set(gains)) > 1


class AskedCrowd:
    """Open leads that are asked about their budget, one lead and one answer after another."""

    def __init__(self, section):
        self.model, self.matrix = make_crowd()
        budget = {"field": "budget", "levels": ["no", "some", "all"]}
        self.project = make_settings(
            fields={"budget": {"type": "text"}}, bant={"budget": budget}, tiers=section
        )
        self.strength = self.matrix.columns["bant_budget"]
        self.n = len(self.strength)
        self.amount = np.random.default_rng(4).integers(1, 200, self.n).astype(float)
        self.listed = self.look(self.matrix.columns)
        self.now = self.decide(self.listed, np.array(list("ABCD" * (self.n // 4))))
        self.verdict, _ = qualify(
            self.project.qualification,
            tier=self.now,
            probability=self.listed.probability,
            strengths={"budget": self.strength},
        )

    def look(self, columns):
        log_odds = self.model.log_odds(columns)
        p = self.model.probability(log_odds)
        score = compute_score(p, self.model.document["reference"])
        return Outlook(score, p, p * self.amount, log_odds)

    def decide(self, outlook, before):
        everyone = np.arange(self.n)
        measure = measure_by(self.project.tiers, outlook, listed=outlook, at=everyone)
        return find_borders(self.project.tiers).decide(measure, before)

    def ask(self):
        standing = stand(
            self.now,
            self.amount,
            self.listed,
            self.project,
            self.matrix,
            verdict=self.verdict,
            currency="EUR",
        )
        return ask_next(Encoded.of(self.model, self.matrix), standing, self.project)

    def try_answers(self, row):
        """How likely an answer changes what is done with a lead, and the most it can be worth."""
        stage = self.matrix.columns["stage_current"]
        given = self.strength[(stage == stage[row]) & ~np.isnan(self.strength)]
        gain = best = 0.0
        for answer in (0.0, 0.5, 1.0):
            then = self.look(self.answered(row, answer))
            gain += np.mean(given == answer) * self.counts(row, then)
            best = max(best, then.value[row])
        return gain, best

    def answered(self, row, answer):
        """All leads, of which one gave an answer."""
        columns = {name: values.copy() for name, values in self.matrix.columns.items()}
        columns["bant_budget"][row] = answer
        columns["bant_budget_known"][row] = 1.0
        columns["bant_completeness"][row] += 1
        return columns

    def counts(self, row, then):
        """Whether an answer lifts the tier, changes the verdict, or makes the lead worth more."""
        tier = self.decide(then, self.now)[row]
        if tier < self.now[row]:
            return True
        enough = tier in "AB"  # by the default rules, one known answer of one that is asked
        verdict = "sales_qualified" if enough else "nurture"
        fell = tier > self.now[row]
        if verdict != self.verdict[row] and not fell:
            return True
        p = self.listed.probability[row]
        return then.probability[row] - p >= max(0.2 * p, 0.02)


def stand(tier, amount, listed, project, matrix, *, verdict, currency=None, **by_hand):
    nobody = np.zeros(len(tier), dtype=bool)
    hands = {"tier_by_hand": nobody, "verdict_by_hand": nobody} | by_hand
    return Standing(
        np.asarray(tier).astype(object),
        amount,
        listed,
        project.tiers,
        verdict,
        strengths={"budget": matrix.columns["bant_budget"]},
        stage=matrix.columns["stage_current"],
        currency=currency,
        **hands,
    )


def ask_crowd(*, tier="C", margin=2.0, flat=False, verdict="nurture", rules=(), **by_hand):
    """What is asked of a crowd whose leads all stand in one tier and verdict; `flat`: no answer says anything."""
    model, matrix = make_crowd()
    if flat:
        for term in model.scorer["terms"]:
            term["slope"] = term["missing"] = 0.0
            if "knots" in term:
                term["added"] = [0.0] * len(term["knots"])
    budget = {"field": "budget", "levels": ["no", "some", "all"]}
    project = make_settings(fields={"budget": {"type": "text"}}, bant={"budget": budget}, tiers={"margin": margin},
                            qualification={"rules": rules})  # fmt: skip
    log_odds, n = model.log_odds(matrix.columns), len(matrix.keys)
    p = model.probability(log_odds)
    listed = Outlook(compute_score(p, model.document["reference"]), p, p, log_odds)
    hands = {name: np.full(n, value) for name, value in by_hand.items()}
    standing = stand(
        [tier] * n,
        np.full(n, np.nan),
        listed,
        project,
        matrix,
        verdict=np.array([verdict] * n, object),
        **hands,
    )
    found = ask_next(Encoded.of(model, matrix), standing, project)
    missing = np.isnan(matrix.columns["bant_budget"])
    assert not found["next_question_gain"][~missing].any()
    assert ((found["next_question_gain"] > 0) == (found["next_question"] != "")).all()
    return found["next_question"][missing], found["next_question_gain"][missing]


LATE = {"name": "answered", "verdict": "needs_answers", "min_answers": 1}


@pytest.mark.parametrize(
    ("crowd", "said"),
    [
        pytest.param({"flat": True, "margin": 100}, "", id="no answer changes anything"),
        pytest.param({"flat": True, "tier": "A", "margin": 0}, "", id="the tier could only fall"),
        pytest.param({"flat": True, "margin": 100, "rules": [LATE]}, "any answer would change its qualification",
                     id="the qualification changes"),
        pytest.param({"flat": True, "margin": 100, "rules": [LATE], "verdict_by_hand": True}, "",
                     id="the qualification was decided by hand"),
        pytest.param({"margin": 100}, "chance of a clearly higher value", id="it is worth more"),
        pytest.param({"margin": 0, "tier": "D"}, "chance of a higher tier", id="the tier may rise"),
        pytest.param({"flat": True, "margin": 0, "tier": "D", "tier_by_hand": True}, "", id="the tier is by hand"),
        pytest.param({"margin": 0, "tier": "D", "verdict": "disqualified", "verdict_by_hand": True}, "",
                     id="excluded by hand"),
    ],
)  # fmt: skip
def test_question_when_no_answer_can_change_what_is_done_then_none_is_asked(crowd, said):
    questions, gains = ask_crowd(**crowd)
    assert not any("lower tier" in each or "would stay" in each for each in questions)
    if said:
        assert any(said in each for each in questions)
        assert gains.max() > 0
    else:
        assert set(questions) == {""}
        assert not gains.any()


def test_answers_when_better_then_never_lower_the_probability():
    model, matrix = make_crowd(seed=3)
    before = None
    for answer in (0.0, 0.25, 0.5, 0.75, 1.0):
        columns = matrix.columns | {
            "bant_budget": np.full(400, answer),
            "bant_budget_known": np.ones(400),
        }
        now = model.probability(model.log_odds(columns))
        assert before is None or (now >= before).all()
        before = now


@pytest.mark.parametrize(
    ("stage", "place", "silent", "tier", "action"),
    [
        ("new", 0, 1, "A", "call"), ("qualified", 1, 1, "A", "demo"), ("proposal", 2, 1, "A", "ask for a decision"),
        ("proposal", 2, 31, "A", "revive"), ("new", 0, NAN, "D", "nurture"),
        ("proposal", 2, 1, "D", "nurture"), ("proposal", 2, 31, "D", "nurture"), ("proposal", 2, 1, "C", "ask for a decision"),
    ],
)  # fmt: skip
def test_action_when_suggested_then_follows_stage_and_silence(stage, place, silent, tier, action):
    keys = pd.DataFrame({"lead_id": ["a"], "as_of_us": [0]})
    columns = {"stage_current": np.array([stage], dtype=object), "stage_order": np.array([float(place)]),
               "engagement_activities_days_since": np.array([float(silent)])}  # fmt: skip
    model = make_crowd()[0]
    columns |= {
        "bant_budget": np.array([NAN]),
        "bant_budget_known": np.zeros(1),
        "bant_completeness": np.zeros(1),
    }
    project = make_settings()

    def suggest(section, verdict="sales_qualified"):
        told = {"tier": np.array([tier]), "verdict": np.array([verdict])}
        return suggest_actions(model, Matrix(keys, columns), section, **told).tolist()

    assert suggest(project) == [action]
    assert suggest(project, "disqualified") == [""]
    assert suggest(project, "nurture") == ["nurture"]
    mine = project.model_copy(update={"actions": Actions(by_stage={"new": "proposal"})})
    assert suggest(mine) == ["proposal" if stage == "new" else action]


def test_settings_when_an_action_is_of_no_open_stage_then_are_refused():
    with pytest.raises(ValueError, match="is no open stage"):
        make_settings(actions={"by_stage": {"never": "call"}})


def test_answer_when_one_more_is_given_then_the_mean_and_the_number_of_answers_have_it():
    plain = {
        "bant_need": np.full(3, NAN),
        "bant_need_known": np.zeros(3),
        "bant_completeness": np.array([0.0, 1.0, 2.0]),
    }
    counted = {
        "bant_need_mean": np.array([NAN, 0.5, 0.0]),
        "bant_need_answers": np.array([0.0, 1.0, 3.0]),
    }
    answered = give_answer(plain | counted, "need", 1.0)
    assert answered["bant_need"].tolist() == [1.0, 1.0, 1.0]
    assert answered["bant_need_known"].tolist() == [1.0, 1.0, 1.0]
    assert answered["bant_completeness"].tolist() == [1.0, 2.0, 3.0]
    assert answered["bant_need_mean"].tolist() == [1.0, 0.75, 0.25]
    assert answered["bant_need_answers"].tolist() == [1.0, 2.0, 4.0]
    assert give_answer(plain, "need", 1.0).keys() == plain.keys()

    other = give_answer(plain | counted, "need", 0.25)
    differing = [name for name in other if (other[name] != answered[name]).any()]
    assert differing == list_graded("need")


def choose(**effects):
    """What is asked of one lead, by letter (gain, move) of its effect."""
    nothing = np.zeros(1)
    by_letter = {
        letter: (
            np.array([0]),
            Effect(np.array([gain]), nothing, nothing, np.array([move]), nothing),
        )
        for letter, (gain, move) in effects.items()
    }
    look = outlook([1.0])
    standing = Standing(
        tier=np.array(["B"], dtype=object),
        amount=np.array([NAN]),
        outlook=look,
        tiers=Tiers(),
        verdict=np.array(["nurture"], dtype=object),
        tier_by_hand=np.array([False]),
        verdict_by_hand=np.array([False]),
        strengths={},
        stage=np.array([None]),
    )
    chosen = choose_questions(by_letter, standing, at=np.array([0]))
    return chosen["next_question"][0].split(":")[0], chosen["next_question_gain"][0]


@pytest.mark.parametrize(
    ("effects", "letter", "gain"),
    [
        pytest.param({"need": (0.2, 1.0), "budget": (0.3, 0.1)}, "budget", 0.3, id="likelier"),
        pytest.param({"need": (0.2, 1.0), "budget": (0.2, 2.0)}, "budget", 0.2, id="moves more"),
        pytest.param(
            {"need": (0.2, 1.0), "budget": (0.2, 1.0)}, "need", 0.2, id="equal: the first"
        ),
        pytest.param({"need": (0.2, 0.0), "budget": (0.2, 0.0)}, "need", 0.2, id="none moves"),
        pytest.param({"need": (0.0, 1.0)}, None, 0.0, id="no gain, however far it moves"),
        pytest.param({"need": (0.004, 1.0)}, None, 0.0, id="a gain that rounds to 0%"),
        pytest.param({"need": (0.006, 1.0)}, "need", 0.006, id="a gain that rounds to 1%"),
    ],
)
def test_question_when_several_may_be_asked_then_is_the_likeliest_then_the_farthest_then_the_first(
    effects, letter, gain
):
    assert choose(**effects) == (f"Ask about {letter}" if letter else "", gain)
