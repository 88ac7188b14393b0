"""The law of the past: what becomes known later changes neither the funnel nor the review of a moment."""

import numpy as np
import pytest

import histories
from builders import day, make_settings
from leadscore.history.visits import Span
from leadscore.project.pipeline import measure_funnel
from leadscore.project.win_loss import review_closes
from leadscore.times import FOREVER_US

LEADS, DAYS, NOW = 900, 250.0, 180.0
SPAN = Span(day(60), day(NOW))
REASONS = ("price", "timing")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Those of a sales team, of which activities and reasons are mapped."""
    folder = tmp_path_factory.mktemp("replayed")
    plain = histories.sales_settings(folder).model_dump(exclude_unset=True, by_alias=True)
    activities = {"lead_id": "id", "event_at": "at", "kind": "kind", "actor": "actor"}
    outcomes = {"lead_id": "id", "event_at": "at", "outcome": "outcome", "reason": "reason"}
    more = [
        {"source": "leads", "table": "activities", "columns": activities},
        {"source": "leads", "table": "outcomes", "columns": outcomes},
    ]
    return make_settings(**(plain | {"mapping": [*plain["mapping"], *more]}))


def make_facts(settings, *, until=np.inf):
    """A sales team whose leads have amounts and owners, and losses a reason, as known by some day."""
    facts = histories.sales_facts(settings, leads=LEADS, days=DAYS, seed=11, signal=1.8)
    for i, row in enumerate(facts.rows["leads"]):
        row |= {"amount": 1_000_00 + 100_00 * (i % 7), "currency": "EUR", "owner_id": f"R{i % 3}"}
    for i, row in enumerate(facts.rows["outcomes"]):
        if row["outcome"] == "lost":
            row["reason"] = REASONS[i % 2]
    until_us = FOREVER_US if until == np.inf else day(until)
    for name, rows in facts.rows.items():
        facts.rows[name] = [row for row in rows if row["available_us"] < until_us]
    return facts


@pytest.fixture(scope="module")
def then(settings, tmp_path_factory):
    """As an export at the moment had it."""
    facts = make_facts(settings, until=NOW)
    return facts.history(tmp_path_factory.mktemp("then"), known_until=NOW)


@pytest.fixture(scope="module")
def later(settings, tmp_path_factory):
    """As a later export has it."""
    return make_facts(settings).history(tmp_path_factory.mktemp("later"), known_until=DAYS)


@pytest.mark.parametrize("by", [None, "channel", "budget"])
def test_funnel_when_more_becomes_known_later_then_that_of_the_past_is_equal(then, later, by):
    funnel = measure_funnel(then, SPAN, by=by)
    assert funnel == measure_funnel(later, SPAN, by=by)
    if by is None:
        parts = ("changes", "cohorts", "losses", "stalled", "improvements", "patterns", "curves")
        assert [name for name in parts if not getattr(funnel, name)] == []
        assert funnel.contact is not None
        assert funnel.velocity.per_day
    else:
        assert sum(group.leads for group in funnel.groups) > 100


def test_review_when_more_becomes_known_later_then_that_of_the_past_is_equal(then, later):
    review = review_closes(then, SPAN)
    assert review == review_closes(later, SPAN)
    assert review.largest_losses
    assert {reason.reason for reason in review.reasons} >= set(REASONS)
