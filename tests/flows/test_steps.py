"""The line that each step of a flow logs: counts and seconds, and nothing of a lead or a password."""

import logging
import re
import sys
from pathlib import Path

import pytest

import histories
from builders import day
from leadscore import project as jobs

FLOWS = Path(__file__).parents[2] / "flows"
PERSONAL = re.compile(r"\b\d{5}\b|hunter2|referral|ann@")


@pytest.fixture
def steps(monkeypatch):
    monkeypatch.syspath_prepend(FLOWS)
    monkeypatch.delitem(sys.modules, "steps", raising=False)
    import steps

    return steps


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the jobs of a small team give, by the name of the step."""
    folder = tmp_path_factory.mktemp("steps")
    settings = histories.sales_settings(folder, model={"scorer": "scorecard"})
    facts = histories.sales_facts(settings, leads=60, days=100, seed=4)
    histories.write_store(facts, known_until=100)
    trained = jobs.train(settings)
    registered = histories.register(settings, trained, promote=True)
    scored = jobs.score(settings, as_of_us=day(100))
    published = jobs.publish(settings, scored.publication_id)
    reviewed = jobs.review(settings, who=histories.WHO)
    return {
        "train": trained,
        "register": registered,
        "score": scored,
        "publish": published,
        "review": reviewed,
        "find_due": jobs.find_due(settings),
    }


def test_step_when_it_ends_then_is_one_line_of_counts_and_no_person_or_password(
    steps, results, caplog
):
    with caplog.at_level(logging.INFO, logger="leadscore"):
        for name, result in results.items():
            steps.log_step(name, "flow run calm-owl", result, seconds=1.26)
    assert len(caplog.messages) == len(results)
    for name, line in zip(results, caplog.messages, strict=True):
        assert line.startswith(f"step={name} run=flow run calm-owl seconds=1.3")
        assert not PERSONAL.search(line)
    assert f"leads={results['score'].counts.scored}" in caplog.messages[2]
    assert f"as_of={results['score'].as_of}" in caplog.messages[2]


def test_step_when_an_export_was_read_then_its_rows_and_rejects_are_counted(
    steps, tmp_path, monkeypatch
):
    from leadscore.settings.read import read_settings
    from leadscore.times import parse_moment

    monkeypatch.chdir(tmp_path)
    Path("leads.csv").write_text("id,created\nann@acme.com,2024-03-01\nb,2024-03-02\nc,no date\n")
    Path("leadscore.toml").write_text(
        'project = "shop"\n[validation]\nmax_refused = 1.0\n[sources.leads]\npath = "leads.csv"\n'
        '[[mapping]]\nsource = "leads"\ntable = "leads"\n'
        'columns = { lead_id = "id", event_at = "created" }\n'
    )
    known_until_us = parse_moment("2024-03-05", zone="UTC")
    ingested = jobs.ingest(read_settings(Path("leadscore.toml")), known_until_us=known_until_us)
    facts = steps.count(ingested)
    assert (facts["rows"], facts["rejected"]) == (3, 1)
    assert facts["known_until"] == "2024-03-05T00:00:00Z"
    assert not PERSONAL.search(str(facts))
