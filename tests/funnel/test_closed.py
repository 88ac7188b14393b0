"""What closed in a period, beside counts by hand."""

import pytest

from builders import Facts, day, make_settings
from leadscore.errors import UserError
from leadscore.history.visits import Span
from leadscore.project.win_loss import describe_win_loss, review_closes
from published_lists import write_list

SPAN = Span(day(60), day(100))  # and 40 days before


@pytest.fixture
def settings(tmp_path):
    plain = make_settings().model_dump(exclude_unset=True, by_alias=True)
    columns = {"lead_id": "id", "event_at": "at", "outcome": "outcome", "reason": "reason"}
    amounts = {"amount": "amount"}
    entry = {"source": "leads", "table": "outcomes", "columns": columns | amounts}
    settings = make_settings(mapping=[*plain["mapping"], entry])
    return settings.model_copy(update={"data_folder": tmp_path / "data"})


@pytest.fixture
def facts(settings):
    """Two wins and three losses in the period, one win and one loss before; one lead is open."""
    facts = Facts(settings)
    for name, created, amount in (
        ("w1", 50, 300_00), ("w2", 80, 900_00), ("l1", 40, 500_00), ("l2", 70, None),
        ("l3", 90, 100_00), ("w0", 10, 200_00), ("l0", 5, None), ("open", 30, 700_00),
    ):  # fmt: skip
        facts.lead(name, created, amount=amount).stage(name, created, "new")
    facts.stage("l1", 50, "proposal").stage("w2", 81, "qualified")
    facts.outcome("w1", 70, "won", amount=250_00).outcome("w2", 90, "won")
    facts.outcome("l1", 75, "lost", reason="price").outcome("l2", 80, "lost", reason="price")
    facts.outcome("l3", 95, "lost")
    facts.outcome("w0", 30, "won").outcome("l0", 59, "lost", reason="silence")
    # a lead that was lost in the period, came back and was lost again
    facts.lead("again", 61).stage("again", 61, "new").outcome("again", 65, "lost", reason="price")
    facts.stage("again", 70, "qualified").outcome("again", 90, "lost", reason="silence")
    return facts


@pytest.fixture
def review(facts, tmp_path):
    history = facts.history(tmp_path / "store", known_until=100)
    yield review_closes(history, SPAN)
    history.engine.close()


def test_closes_when_counted_then_are_those_of_the_period_and_of_the_one_before(review):
    assert (review.won.leads, review.lost.leads) == (2, 5)
    assert (review.won_before.leads, review.lost_before.leads) == (1, 1)
    assert review.won.amount == 250 + 900  # as won, else as asked for
    assert review.lost.amount == 500 + 100
    assert (review.won.median_days, review.lost_before.median_days) == (15, 54)
    assert review.won_of_closed.value == pytest.approx(2 / 7)
    reasons = [(reason.reason, reason.leads, reason.leads_before) for reason in review.reasons]
    assert reasons == [("price", 3, 0), ("(no reason stated)", 1, 0), ("silence", 1, 1)]
    assert review.reasons[0].share.value == pytest.approx(3 / 5)


def test_losses_by_stage_when_leads_closed_then_add_up_to_the_lost_leads(review):
    by_stage = [(loss.stage, loss.reason, loss.visits, loss.of_losses) for loss in review.losses]
    assert by_stage == [
        ("new", "(no reason stated)", 1, 2),
        ("new", "price", 1, 2),
        ("qualified", "silence", 1, 1),
        ("proposal", "price", 1, 1),
        ("(stage not known)", "price", 1, 1),  # of the lead that came back
    ]
    assert sum(loss.visits for loss in review.losses) == review.lost.leads
    assert review.changes == []  # too few leads


def test_leads_to_review_when_no_list_had_them_then_are_the_largest(review):
    assert [lead.lead_id for lead in review.largest_wins] == ["w2", "w1"]
    assert [lead.lead_id for lead in review.largest_losses] == ["l1", "l3"]
    first = review.largest_losses[0]
    assert (first.stage, first.reason, first.days, first.probability) == (
        "proposal",
        "price",
        35,
        None,
    )
    assert review.largest_wins[0].reason == ""
    assert review.listed == 0
    assert review.unexpected_losses == review.unexpected_wins == []
    assert review.chances is None


def test_leads_to_review_when_lists_had_them_then_the_last_before_the_close_counts(
    facts, settings, tmp_path
):
    """l1 was at 20%, then at 80%; what was published of w1 after its close says nothing.

    Usual is 46%, odds of 0.85 to 1: twice that is 63%, half of it 30%.
    """
    folder = settings.project_folder()
    write_list(folder, {"l1": 0.2, "w1": 0.6}, as_of_us=day(55))
    write_list(folder, {"l1": 0.8, "again": 0.5}, as_of_us=day(72))
    write_list(folder, {"w2": 0.1}, as_of_us=day(85))
    write_list(folder, {"w1": 0.99, "l3": 0.3}, as_of_us=day(92))
    history = facts.history(tmp_path / "store", known_until=100)
    review = review_closes(history, SPAN)
    history.engine.close()
    lost = [(lead.lead_id, lead.probability) for lead in review.unexpected_losses]
    assert lost == [("l1", 0.8)]
    won = [(lead.lead_id, lead.probability) for lead in review.unexpected_wins]
    assert won == [("w2", 0.1)]
    assert review.listed == 5
    chances = review.chances
    assert chances.usual == pytest.approx((0.8 + 0.5 + 0.3 + 0.1 + 0.6) / 5)
    assert chances.good == pytest.approx(0.92 / 1.46)
    assert chances.poor == pytest.approx(0.23 / 0.77)
    assert list(review.to_pandas("unexpected_wins")["lead_id"]) == ["w2"]


def test_review_when_facts_come_later_then_is_the_same(facts, review, tmp_path):
    facts.outcome("open", 101, "lost", reason="price").outcome("l3", 101, "won", amount=1_00)
    history = facts.history(tmp_path / "later", known_until=120)
    assert review_closes(history, SPAN) == review
    history.engine.close()


def test_review_when_nothing_is_dated_then_is_refused(settings):
    undated = settings.model_copy(update={"time": "none"})
    with pytest.raises(UserError, match="nobody knows what closed when"):
        describe_win_loss(undated, as_of_us=None, days=90)
