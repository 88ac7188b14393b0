"""Whatever is stated of a lead, laid over the store it is what the store would hold."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import histories
from builders import Facts, day
from leadscore.engine.duckdb import DuckDBEngine
from leadscore.engine.sqlite import StatementTypes
from leadscore.history.opening import open_history
from leadscore.ingest.mapping.personal import PersonalHash
from leadscore.model.train import fit_model
from leadscore.progress import silent
from leadscore.project.standpoint import Standpoint, UnknownLeadError
from leadscore.scoring.score import read_open_leads, score_rows
from served import as_posted, without

DAYS = 85.0
ACCOUNTS = [f"account {number}" for number in range(12)]


def account_settings(folder, **changes):
    """Settings of leads that belong to accounts, where 20 leads can be called."""
    plain = histories.sales_settings(folder)
    leads, *others = plain.mapping
    columns = {**leads.columns, "account": "company"}
    mapping = [leads.model_copy(update={"columns": columns}), *others]
    raw = {
        "mapping": [entry.model_dump(exclude={"id_columns"}) for entry in mapping],
        "memory": {"account": "creation"},
        "tiers": {"by": "capacity", "capacity": 20},
        "model": {"scorer": "logistic"},
    }
    return histories.sales_settings(folder, **(raw | changes))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Facts of leads with accounts, their store, and a model of them."""
    project = account_settings(tmp_path_factory.mktemp("accounts"))
    facts = histories.sales_facts(project, leads=300, days=DAYS, seed=3, signal=1.8)
    rng = np.random.default_rng(1)
    hasher = personal_hash(project)
    for row in facts.rows["leads"]:
        row["account"] = hasher(str(rng.choice(ACCOUNTS)))
    histories.write_store(facts, known_until=DAYS)
    history = histories.open_stored(project)
    result = fit_model(history, known_us=day(DAYS), progress=silent)
    learned = {entry["name"] for entry in result.model.document["features"]}
    assert {"account_open", "bant_budget", "engagement_activities_30d"} <= learned
    return facts, project, result.model


def personal_hash(project):
    return PersonalHash.of_store(project.project_folder() / "store").hash_text


def open_leads_of(world, facts, folder, *, until):
    """All open leads of a store with these facts, to be scored."""
    _, project, model = world
    version = facts.write(folder, known_until=until)
    history = open_history(project, version, DuckDBEngine(project.engine))
    return read_open_leads(
        history, model, model_version="the model", known_us=day(DAYS), as_of_us=day(until)
    )


@pytest.fixture(scope="module")
def shapes(world):
    _, project, _ = world
    with closing(DuckDBEngine(project.engine)) as engine:
        yield StatementTypes(engine)


moments = st.floats(0.001, 1, allow_nan=False)  # of the time between creation and the score


@st.composite
def posted_leads(draw):
    """A lead, by how much of its life its facts came, and how long after the export it is scored."""
    later = draw(st.sampled_from([0.0, 0.0, 0.4, 3.0]))
    created = draw(st.floats(DAYS - 30, DAYS + later - 0.01))
    account = draw(st.sampled_from([None, *ACCOUNTS[:4], "a new account"]))
    lead = {
        "channel": draw(st.sampled_from([None, "web", "fair", "never seen"])),
        "size": draw(st.none() | st.integers(0, 900)),
        "account": account,
    }
    facts = Facts()
    life = DAYS + later - 0.001 - created
    facts.lead("posted", created, **lead)

    def when():
        return created + draw(moments) * life

    for _ in range(draw(st.integers(0, 3))):
        facts.change("posted", when(), "budget", draw(st.sampled_from(histories.BUDGETS)))
    for _ in range(draw(st.integers(0, 5))):
        actor = draw(st.sampled_from(["rep", "lead"]))
        facts.activity("posted", when(), draw(st.sampled_from(["email", "meeting"])), actor=actor)
    for _ in range(draw(st.integers(0, 3))):
        stage = draw(st.sampled_from(["new", "qualified", "proposal", "rejected"]))
        facts.stage("posted", when(), stage)
    return facts, DAYS + later


@pytest.mark.slow
@given(posted=posted_leads())
@settings(max_examples=8, deadline=None)
def test_posted_lead_when_any_facts_are_stated_then_its_row_is_that_of_the_list(
    world, shapes, posted
):
    stated, until = posted
    stored, project, _ = world
    hasher = personal_hash(project)
    joined = without(stored, set(), project)
    for table, rows in stated.rows.items():
        joined.rows[table] += [dict(row) for row in rows]
    lead = joined.rows["leads"][-1]
    if lead["account"] is not None:
        lead["account"] = hasher(lead["account"])
    if any(row["field"] == "budget" for row in stated.rows["changes"]):
        lead.pop("budget", None)

    with tempfile.TemporaryDirectory() as temporary:
        expected = score_rows(open_leads_of(world, joined, Path(temporary), until=until))
    rows = {row["lead_id"]: row for row in expected.scores.to_pylist()}

    leads = open_leads_of_stored(world, until=until)
    standpoint = Standpoint(leads, types=shapes, model_version="the model")
    if "posted" not in rows:
        with pytest.raises(UnknownLeadError, match="closed by the facts"):
            standpoint.score_posted("posted", as_posted(stated, "posted"))
        return
    answer = standpoint.score_posted("posted", as_posted(stated, "posted"))
    row = rows["posted"]
    del row["lead_id"], row["as_of"]
    assert answer.score == row


def open_leads_of_stored(world, *, until):
    _, project, model = world
    history = histories.open_stored(project)
    return read_open_leads(
        history, model, model_version="the model", known_us=day(DAYS), as_of_us=day(until)
    )
