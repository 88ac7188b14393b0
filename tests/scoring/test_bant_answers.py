"""Answers on BANT as they are known at a moment, whether or not a model may learn from them."""

import numpy as np
import pytest

from builders import Facts, day, make_settings
from leadscore.features.matrix import build_features, build_matrix
from leadscore.project.ingesting import _find_unlearned_bant
from leadscore.scoring.bant_answers import describe_unlearned, read_answers

BANT = {
    "budget": {"field": "budget", "full_amount": 1000},
    "need": {"field": "need", "levels": ["low", "mid", "high"]},
    "timeline": {"field": "wanted", "within_days": [10, 110]},
}
LEADS = {
    "lead_id": "id",
    "event_at": "created",
    "budget": "budget",
    "need": "need",
    "wanted": "wanted",
}
NO_HISTORY = [{"source": "leads", "table": "leads", "columns": LEADS}]


def open_world(folder, **need):
    """Two leads: one answered, one did not; no history unless the settings state `known_from`."""
    fields = {
        "budget": {"type": "number", "decimals": 0},
        "need": need,
        "wanted": {"type": "date"},
    }
    settings = make_settings(fields=fields, bant=BANT, mapping=NO_HISTORY)
    facts = Facts(settings)
    facts.lead("a", 0, budget=500, need="high", wanted=day(70)).lead("b", 1)
    return settings, facts


def answer(history, as_of):
    rows = history.open_list(day(as_of))
    matrix = build_matrix(history.snapshot(rows), build_features(history.settings))
    return read_answers(history, matrix, as_of_us=day(as_of))


def test_answers_when_they_have_no_history_then_are_shown_and_ruled_on_as_not_learned_from_yet(
    tmp_path,
):
    settings, facts = open_world(tmp_path)
    answers = answer(facts.history(tmp_path, known_until=10), 10)
    assert {name: values[0] for name, values in answers.strengths.items()} == pytest.approx(
        {"budget": 0.5, "need": 1.0, "timeline": 0.5}
    )
    assert all(np.isnan(values[1]) for values in answers.strengths.values())
    assert answers.in_words(np.arange(2)).tolist() == [
        "budget: 500 (not learned from yet); need: high (not learned from yet); "
        "timeline: 2024-03-11 (not learned from yet)",
        "budget: unknown; need: unknown; timeline: unknown",
    ]
    (warning,) = describe_unlearned(answers, settings)
    assert warning.startswith("budget, need, timeline: today's answers count in qualification")
    assert 'known_from = "export" under [fields.budget], [fields.need], [fields.wanted]' in warning


def test_answers_when_the_moment_is_past_then_the_warning_says_that_they_may_be_later(tmp_path):
    settings, facts = open_world(tmp_path)
    answers = answer(facts.history(tmp_path, known_until=10), 5)
    assert answers.in_words(np.arange(2))[0].startswith("budget: 500 (not learned from yet)")
    (warning,) = describe_unlearned(answers, settings)
    assert "answers of the first export, perhaps given after this as_of, count" in warning


@pytest.mark.parametrize(
    ("need", "unlearned"),
    [
        ({}, ["budget", "need", "wanted"]),
        ({"known_from": "creation"}, ["budget", "wanted"]),
        ({"known_from": "export"}, ["budget", "need", "wanted"]),  # nothing is recorded yet
    ],
)
def test_answers_when_the_settings_say_since_when_they_are_known_then_only_the_others_wait(
    tmp_path, need, unlearned
):
    settings, facts = open_world(tmp_path, **need)
    version = facts.write(tmp_path, known_until=10)
    assert _find_unlearned_bant(settings, version) == unlearned
    answers = answer(facts.history(tmp_path, known_until=10), 10)
    assert ("need" in answers.unlearned) == ("known_from" not in need)
