"""Questions about single facts are answered from what was known then, and nobody else asks."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import leadscore
from builders import Facts, day, make_settings
from leadscore.times import DAY_US, FOREVER_US

SETTINGS = make_settings(fields={"country": {}, "city": {}})
LEADS = np.array(["a", "b"], dtype=object)
BEFORE = np.array([day(3), FOREVER_US])
K = 10

QUESTIONS = {
    "count_leads": lambda facts, us: facts.count_leads(us),
    "lead_ids": lambda facts, us: facts.lead_ids(us),
    "creations": lambda facts, us: facts.creations(us),
    "first_values": lambda facts, us: facts.first_values(["country"], us),
    "distinct_texts": lambda facts, us: facts.distinct_texts("country", us),
    "currencies": lambda facts, us: facts.currencies(us),
    "changed_fields": lambda facts, us: facts.changed_fields(us),
    "mapped_histories": lambda facts, us: facts.mapped_histories(us),
    "change_moments": lambda facts, us: facts.change_moments(["city", "country"], us),
    "latest_changes": lambda facts, us: facts.latest_changes(
        ["country"], LEADS, before_us=BEFORE, known_us=us
    ),
    "wins": lambda facts, us: facts.wins(us),
    "loss_reasons": lambda facts, us: facts.loss_reasons(us),
    "count_weeks": lambda facts, us: facts.count_weeks(us, weeks=2).drop(columns="source"),
    "measure_silences": lambda facts, us: facts.measure_silences(us, weeks=2).drop(
        columns="source"
    ),
    "count_closes": lambda facts, us: facts.count_closes(us, weeks=2, late_us=DAY_US),
    "first_worked": lambda facts, us: facts.first_worked(us),
    "latest_stages": lambda facts, us: facts.latest_stages(["new", "proposal"], us),
    "last_active": lambda facts, us: facts.last_active(us, actors=["lead", "rep"]),
    "about_leads": lambda facts, us: {
        lead: [fact.what for fact in known] for lead, known in facts.about_leads("ab", us).items()
    },
}
EXPECTED = {
    "count_leads": 2,
    "lead_ids": {"a", "b"},
    "creations": [{"lead_id": "a", "event_us": day(0)}, {"lead_id": "b", "event_us": day(1)}],
    "first_values": [{"lead_id": "a", "country": "DE"}, {"lead_id": "b", "country": None}],
    "distinct_texts": {"DE", "AT", "SE"},
    "currencies": ["EUR"],
    "changed_fields": {"country"},
    "mapped_histories": {"country"},
    "change_moments": [day(2), day(4), day(5)],
    "latest_changes": {"country": ["AT", "DE"]},
    "wins": [{"lead_id": "a", "available_us": day(8), "amount": 700, "currency": "EUR"}],
    "loss_reasons": [],
    "count_weeks": [
        {"what": "email", "weeks_ago": 0, "facts": 2, "last_us": day(6)},
        {"what": "email", "weeks_ago": 1, "facts": 1, "last_us": day(2)},
        {"what": "country", "weeks_ago": 0, "facts": 2, "last_us": day(5)},
        {"what": "country", "weeks_ago": 1, "facts": 1, "last_us": day(2)},
        {"what": "created", "weeks_ago": 1, "facts": 2, "last_us": day(1)},
        {"what": "won", "weeks_ago": 0, "facts": 1, "last_us": day(8)},
        {"what": "entered", "weeks_ago": 0, "facts": 1, "last_us": day(3)},
        {"what": "entered", "weeks_ago": 1, "facts": 1, "last_us": day(2)},
    ],
    "measure_silences": [
        {
            "what": "email",
            "facts": 3,
            "first_us": day(2),
            "last_us": day(6),
            "longest_us": 3 * DAY_US,
        },
        {
            "what": "country",
            "facts": 3,
            "first_us": day(2),
            "last_us": day(5),
            "longest_us": 2 * DAY_US,
        },
        {
            "what": "created",
            "facts": 2,
            "first_us": day(0),
            "last_us": day(1),
            "longest_us": DAY_US,
        },
        {"what": "won", "facts": 1, "first_us": day(8), "last_us": day(8), "longest_us": 0},
        {
            "what": "entered",
            "facts": 2,
            "first_us": day(2),
            "last_us": day(3),
            "longest_us": DAY_US,
        },
    ],
    "count_closes": [{"weeks_ago": 0, "closes": 1, "late": 0}],
    "first_worked": {"a": day(2)},
    "latest_stages": {"a": "new"},
    "last_active": {"a": day(3), "b": day(6)},
    "about_leads": {
        "a": ["created", "email", "country", "new", "email", "qualified", "country", "won"],
        "b": ["created", "country", "email"],
    },
}


def known_facts():
    """What was known on day 10: two leads, three changes of a country, a win, and e-mails both ways."""
    facts = Facts(SETTINGS)
    facts.lead("a", 0, country="DE", currency="EUR").lead("b", 1)
    facts.change("a", 2, "country", "AT").change("a", 4, "country", "SE")
    facts.change("b", 5, "country", "DE")
    facts.outcome("a", 8, "won", amount=700, currency="EUR").outcome("b", 8, "lost", known=30)
    facts.stage("a", 2, "new").stage("a", 3, "qualified")
    facts.activity("a", 2, "email").activity("a", 3, "email")
    return facts.activity("b", 6, "email", actor="lead")


def add_later_facts(facts):
    """Facts that became known at K or later, some of which had happened long before."""
    facts.lead("c", 2, known=K, country="NO", currency="USD")
    facts.change("b", 6, "country", "FI", known=K).change("b", 7, "city", "Turku", known=20)
    facts.outcome("b", 3, "won", amount=900, currency="USD", known=K)
    facts.stage("a", 4, "proposal", known=K)
    return facts.activity("b", 4, "email", known=K).activity("b", 4, "call", known=K)


def plain(answer):
    """An answer as Python values."""
    if isinstance(answer, pa.Table):
        return answer.to_pylist()
    if isinstance(answer, dict) and isinstance(next(iter(answer.values())), pa.Array):
        return {name: column.to_pylist() for name, column in answer.items()}
    if isinstance(answer, pd.Series):
        return answer.to_dict()
    if isinstance(answer, pd.DataFrame):
        return answer.to_dict("records")
    return answer.tolist() if isinstance(answer, np.ndarray) else answer


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    known = known_facts().history(tmp_path_factory.mktemp("known"), known_until=40)
    more = add_later_facts(known_facts()).history(tmp_path_factory.mktemp("more"), known_until=40)
    yield known, more
    known.engine.close()
    more.engine.close()


def test_questions_when_listed_then_are_all_there_are(histories):
    asked = {name for name in dir(type(histories[0].facts)) if not name.startswith("_")}
    assert asked - {"engine", "activities", "others"} == set(QUESTIONS) == set(EXPECTED)


@pytest.mark.parametrize("question", QUESTIONS)
def test_answer_when_facts_become_known_later_then_stays(histories, question):
    known, more = (plain(QUESTIONS[question](history.facts, day(K))) for history in histories)
    assert known == more == EXPECTED[question]
    everything = plain(QUESTIONS[question](histories[1].facts, FOREVER_US))
    assert everything != known  # so the law could fail


def test_latest_changes_when_nothing_had_changed_then_are_null(histories):
    none_yet = {"before_us": np.full(2, day(0)), "known_us": day(K)}
    for field in ("country", "city"):
        answer = histories[0].facts.latest_changes([field], LEADS, **none_yet)
        assert answer[field].to_pylist() == [None, None]


ASKING = {"query", "stream", "add_rows", "add_files"}


def asks_the_engine(path):
    """Whether a method is called that is named like one of the engine's."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return any(isinstance(call.func, ast.Attribute) and call.func.attr in ASKING for call in calls)


def test_engine_when_asked_about_tables_then_by_history_or_ingest():
    root = Path(leadscore.__file__).parent
    paths = [path.relative_to(root) for path in root.rglob("*.py") if asks_the_engine(path)]
    assert {path.parts[0] for path in paths} - {"engine"} == {"history", "ingest"}, paths
