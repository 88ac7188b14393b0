"""One lead scored by itself is the batch's row of it, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import histories
from builders import Facts
from leadscore import project as jobs
from leadscore.project.explaining import read_list
from leadscore.project.standpoint import Standpoint, open_standpoint
from served import as_posted, without

LEFT_OUT = 12  # leads that the store of the service does not have


@dataclass(frozen=True)
class World:
    """A store without some open leads, a standpoint of it, and the facts of all leads."""

    settings: Any
    facts: Facts
    missing: list[str]
    standpoint: Standpoint


def settings_in(folder: Path):
    """Settings of the trained project whose data are elsewhere; its champion scores."""
    return histories.trained().settings.model_copy(update={"data_folder": folder})


def batch_row(folder: Path, facts: Facts, lead_id: str) -> dict[str, Any]:
    """What `leadscore score` gives for a lead."""
    project = settings_in(folder)
    facts = without(facts, set(), project)
    histories.write_store(facts, known_until=histories.trained().days)
    scored = jobs.score(project)
    _, scores = read_list(project, scored.publication_id)
    (row,) = (row for row in scores.to_pylist() if row["lead_id"] == lead_id)
    return {name: value for name, value in row.items() if name not in {"lead_id", "as_of"}}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    trained = histories.trained()
    history = trained.history
    until = history.version.known_until_us
    open_ids = history.open_list(until)["lead_id"].to_numpy(dtype=object)
    chosen = np.random.default_rng(4).choice(open_ids, LEFT_OUT, replace=False)
    missing = sorted(chosen.tolist())
    project = settings_in(tmp_path_factory.mktemp("service"))
    histories.write_store(without(trained.facts, set(missing), project), known_until=trained.days)
    return World(project, trained.facts, missing, open_standpoint(project))


@pytest.mark.parametrize("place", range(3))
def test_posted_lead_when_the_store_lacks_it_then_is_scored_as_the_batch_would(
    world, tmp_path, place
):
    lead_id = world.missing[place]
    others = set(world.missing) - {lead_id}
    expected = batch_row(tmp_path, without(world.facts, others, world.settings), lead_id)
    answer = world.standpoint.score_posted(lead_id, as_posted(world.facts, lead_id))
    assert answer.score == expected
    assert not answer.stored
    assert not answer.warnings


def test_stored_lead_when_named_then_has_the_row_of_the_batch(world):
    scored = jobs.score(world.settings)
    _, scores = read_list(world.settings, scored.publication_id)
    for row in scores.to_pylist():
        answer = world.standpoint.score_stored(row["lead_id"])
        del row["as_of"]
        assert answer.score | {"lead_id": answer.lead_id} == row


def test_posted_amount_when_it_is_in_another_currency_then_the_answer_says_what_that_costs(
    tmp_path,
):
    project = settings_in(tmp_path)
    leads, *others = (entry.model_dump(exclude_unset=True) for entry in project.mapping)
    leads["columns"] = leads["columns"] | {"amount": "amount", "currency": "currency"}
    saved = project.model_dump(exclude_unset=True) | {"mapping": [leads, *others]}
    project = type(project).model_validate(saved)
    trained = histories.trained()
    facts = without(trained.facts, set(), project)
    facts.rows["leads"] = [row | {"amount": 900, "currency": "EUR"} for row in facts.rows["leads"]]
    histories.write_store(facts, known_until=trained.days)
    standpoint = open_standpoint(project)

    def post(currency):
        lead = {"event_at": "2024-09-01T10:00:00Z", "amount": 5, "currency": currency}
        return standpoint.score_posted("new", {"leads": [lead]})

    assert post("EUR").score["amount"] == 5
    assert post("EUR").warnings == []
    assert post("XYZ").score["expected_value"] is None
    assert post("XYZ").warnings == [
        "amounts are in EUR, XYZ, so no expected value is given; see [money]"
    ]
