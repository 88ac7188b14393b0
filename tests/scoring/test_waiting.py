"""Leads that wait for answers: whatever the rules, the tiers and the answers, there is one to ask for."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import make_settings
from leadscore.features.matrix import Matrix
from leadscore.scoring.bant_answers import list_possible_strengths
from leadscore.scoring.effects import Standing
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.qualification import qualify
from leadscore.scoring.question import ask_next
from leadscore.scoring.tier import build_outlook
from scoring.crowds import make_crowd

N = 24
LETTERS = ("budget", "authority", "need", "timeline")
LEVELS = ["no", "some", "all"]
letters = st.lists(st.sampled_from(LETTERS), unique=True, min_size=1, max_size=4)
strength = st.sampled_from([np.nan, 0.0, 0.5, 1.0])
verdicts = st.sampled_from(["sales_qualified", "nurture", "needs_answers", "disqualified"])
tiers = st.sampled_from("ABCD")


@cache
def crowd():
    """A model that learned from budget alone, and some leads."""
    model, matrix = make_crowd()
    few = {name: values[:N] for name, values in matrix.columns.items()}
    return model, Matrix(matrix.keys[:N], few)


@st.composite
def rules(draw, asked):
    """A rule about tiers and answers, in any combination."""
    some = st.dictionaries(st.sampled_from(asked), st.sampled_from([0.0, 0.5, 1.0]), max_size=2)
    return {
        "name": "drawn",
        "verdict": draw(verdicts),
        "tiers": draw(st.lists(tiers, unique=True, max_size=3)),
        "min_answers": draw(st.none() | st.integers(0, 4)),
        "max_answers": draw(st.none() | st.integers(0, 4)),
        "min_strength": draw(some),
        "max_strength": draw(some),
    }


@st.composite
def worlds(draw):
    """Settings, and where every lead of the crowd stands."""
    asked = draw(letters)
    own = draw(st.booleans())
    section = {"must_have": draw(st.lists(st.sampled_from(asked), unique=True, max_size=1))}
    if own:
        section["rules"] = draw(st.lists(rules(asked), min_size=1, max_size=3))
    bant = {letter: {"field": letter, "levels": LEVELS} for letter in asked}
    project = make_settings(
        fields={letter: {} for letter in asked}, bant=bant, qualification=section
    )
    nobody = draw(st.booleans())  # answered anything yet
    answers = {
        letter: np.array(draw(st.lists(strength, min_size=N, max_size=N))) for letter in asked
    }
    if nobody:
        answers = {letter: np.full(N, np.nan) for letter in asked}
    tier = np.array(draw(st.lists(tiers, min_size=N, max_size=N)), dtype=object)
    by_hand = np.array(draw(st.lists(st.booleans(), min_size=N, max_size=N)))
    return project, answers, tier, by_hand & draw(st.booleans())


def ask(project, answers, tier, by_hand):
    """The verdicts, the questions and their gains."""
    model, matrix = crowd()
    columns = dict(matrix.columns)
    if "budget" in answers:
        columns["bant_budget"] = answers["budget"]
    else:
        columns = {name: values for name, values in columns.items() if "bant" not in name}
        columns |= {"bant_budget": np.full(N, np.nan), "bant_budget_known": np.zeros(N)}
        columns |= {"bant_completeness": np.zeros(N)}
    amount = np.full(N, 100.0)
    outlook = build_outlook(model, model.log_odds(columns), amount, shift=0.0)
    verdict, _ = qualify(
        project.qualification, tier=tier, probability=outlook.probability, strengths=answers
    )
    verdict[by_hand] = "needs_answers"
    standing = Standing(
        tier=tier,
        amount=amount,
        outlook=outlook,
        tiers=project.tiers,
        verdict=verdict,
        tier_by_hand=np.zeros(N, dtype=bool),
        verdict_by_hand=by_hand,
        strengths=answers,
        stage=matrix.columns["stage_current"],
    )
    asked = ask_next(Encoded.of(model, Matrix(matrix.keys, columns)), standing, project)
    return verdict, asked["next_question"], asked["next_question_gain"]


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_lead_when_it_needs_answers_then_always_has_a_question(world):
    project, answers, _, _ = world
    verdict, question, gain = ask(*world)
    waits = verdict == "needs_answers"
    assert (question[waits] != "").all()
    assert (question[~waits & (gain == 0)] == "").all()
    for row in np.flatnonzero(question != ""):
        letter = _letter_of(question[row])
        missing = [name for name in answers if np.isnan(answers[name][row])]
        if "changes the qualification" in question[row]:
            assert letter not in missing
        else:  # a given answer is asked for only if none is missing
            assert letter in (missing or answers)
    assert set(answers) == set(project.bant)


def _letter_of(question):
    return question.removeprefix("Ask about ").partition(":")[0].removesuffix(" again")


ALL = {letter: {"field": letter, "levels": LEVELS} for letter in LETTERS}
NOTHING = dict.fromkeys(LETTERS, np.nan)


@pytest.mark.parametrize(
    ("rule", "given_answers", "tier", "by_hand", "question"),
    [
        pytest.param(None, NOTHING, "A", False, "Ask about ", id="two more are needed"),
        pytest.param(None, {**NOTHING, "need": 1.0}, "A", False, "Ask about ", id="one is needed"),
        pytest.param(
            {"verdict": "needs_answers"}, {**dict.fromkeys(LETTERS, 1.0), "need": np.nan}, "A", False,
            "Ask about need: the only answer that is missing", id="one that decides nothing",
        ),
        pytest.param(
            {"verdict": "needs_answers"}, {**NOTHING, "budget": 1.0}, "A", False,
            "Ask about authority: 3 answers are missing, and no single one decides", id="several",
        ),
        pytest.param(
            {"verdict": "needs_answers", "max_strength": {"need": 0.5}},
            dict.fromkeys(LETTERS, 0.5), "C", False,
            "Ask about need again: a better answer changes the qualification", id="a weak answer",
        ),
        pytest.param(
            {"verdict": "needs_answers"}, {**dict.fromkeys(LETTERS, 1.0), "authority": 0.5}, "C", False,
            "Ask about authority again: the weakest answer", id="a rule that no answer changes",
        ),
        pytest.param(
            None, {**dict.fromkeys(LETTERS, 1.0), "need": np.nan}, "C", True,
            "Ask about need: ", id="asked for by hand",
        ),
    ],
)  # fmt: skip
def test_question_when_no_answer_alone_decides_then_says_why_it_is_asked(
    rule, given_answers, tier, by_hand, question
):
    section = {} if rule is None else {"rules": [{"name": "own", **rule}]}
    project = make_settings(
        fields={letter: {} for letter in LETTERS}, bant=ALL, qualification=section
    )
    answers = {letter: np.full(N, value) for letter, value in given_answers.items()}
    hands = np.full(N, by_hand)
    verdict, asked, _ = ask(project, answers, np.full(N, tier, dtype=object), hands)
    assert set(verdict) == {"needs_answers"}
    assert all(each.startswith(question) for each in asked)


@pytest.mark.parametrize(
    ("letter", "strengths"),
    [
        ({"levels": ["no", "some", "all"]}, [0.0, 0.5, 1.0]),
        ({"titles": [["chief*", 1.0], ["*", 0.25], ["x", 0.25]]}, [0.25, 1.0]),
        ({"full_amount": 100}, [0.0, 0.25, 0.5, 0.75, 1.0]),
        ({"within_days": [1, 5]}, [0.0, 0.25, 0.5, 0.75, 1.0]),
    ],
)
def test_possible_strengths_when_nobody_answered_then_are_those_that_the_settings_know(
    letter, strengths
):
    kind = {"full_amount": "number", "within_days": "date"}.get(next(iter(letter)), "text")
    project = make_settings(
        fields={"asked": {"type": kind}}, bant={"need": {"field": "asked", **letter}}
    )
    assert list_possible_strengths(project.bant["need"]).tolist() == strengths


def test_settings_when_a_rule_waits_for_answers_that_nobody_is_asked_for_then_are_refused():
    rules = [{"name": "wait", "verdict": "needs_answers"}]
    with pytest.raises(ValueError, match="there is no question to ask"):
        make_settings(qualification={"rules": rules}, bant={})
