"""Amounts: as known at a moment, estimated where they are missing."""

import numpy as np
import pytest

from builders import Facts, day, make_settings
from leadscore.scoring.value import read_amounts


def test_amounts_when_missing_then_are_estimated_by_what_was_won_and_marked(tmp_path):
    plain = make_settings()
    facts = Facts(plain.model_copy(update={"mapping": plain.mapping[:1]}))  # no history of amounts
    for lead_id, amount in (("won1", 100_00), ("won2", 300_00), ("won3", 500_00)):
        facts.lead(lead_id, 0, currency="EUR").outcome(lead_id, 5, "won", amount=amount)
    facts.lead("lost", 0, amount=9_00, currency="EUR").outcome("lost", 5, "lost")
    facts.lead("later", 0, currency="EUR").outcome("later", 30, "won", amount=9_999_00)
    facts.lead("known", 6, amount=70_00, currency="EUR").lead("unknown", 6)
    history = facts.history(tmp_path, known_until=40)
    found = read_amounts(history, np.array(["known", "unknown"], dtype=object), as_of_us=day(10))
    assert found.amount.tolist() == [70.0, 300.0]
    assert found.estimated.tolist() == [False, True]
    assert (found.currency, found.warning) == ("EUR", None)


@pytest.mark.parametrize(("zero", "amount"), [(False, [200.0, 70.0]), (True, [0.0, 70.0])])
def test_amounts_when_one_is_0_then_it_is_missing_unless_declared(tmp_path, zero, amount):
    plain = make_settings(fields={"amount": {"type": "number", "zero": zero}})
    facts = Facts(plain.model_copy(update={"mapping": plain.mapping[:1]}))  # no history of amounts
    for lead_id, won in (("won1", 0), ("won2", 100_00), ("won3", 300_00)):
        facts.lead(lead_id, 0, currency="EUR").outcome(lead_id, 5, "won", amount=won)
    facts.lead("nothing", 6, amount=0, currency="EUR").lead("known", 6, amount=70_00)
    history = facts.history(tmp_path, known_until=40)
    found = read_amounts(history, np.array(["nothing", "known"], dtype=object), as_of_us=day(10))
    assert found.amount.tolist() == amount
    assert found.estimated.tolist() == [not zero, False]


def test_amounts_when_they_have_a_history_then_are_those_known_then(tmp_path):
    facts = (
        Facts()
        .lead("a", 0, amount=999_00, currency="EUR")
        .change("a", 1, "amount", "5000")
        .change("a", 20, "amount", "80000")
    )
    history = facts.history(tmp_path, known_until=40)
    assert read_amounts(
        history, np.array(["a"], dtype=object), as_of_us=day(10)
    ).amount.tolist() == [50.0]


def test_amounts_when_a_later_export_showed_another_one_then_are_first_the_old_then_the_new(
    tmp_path,
):
    plain = make_settings()
    facts = Facts(
        plain.model_copy(update={"mapping": plain.mapping[:1]})
    )  # no history of amounts is mapped
    facts.lead("a", 0, amount=50_00).lead("emptied", 0, amount=60_00).lead("same", 0, amount=70_00)
    facts.outcome("same", 35, "won", amount=9_00).change("a", 20, "amount", "8000").change(
        "emptied", 20, "amount", None
    )
    history = facts.history(tmp_path, known_until=40)
    leads = np.array(["a", "emptied", "same"], dtype=object)
    assert read_amounts(history, leads, as_of_us=day(10)).amount.tolist() == [50.0, 60.0, 70.0]
    found = read_amounts(history, leads, as_of_us=day(30))
    assert found.amount.tolist() == [80.0, 75.0, 70.0]
    assert found.estimated.tolist() == [False, True, False]


def test_amounts_when_in_several_currencies_then_nothing_is_told(tmp_path):
    history = Facts().lead("a", 0, amount=1, currency="EUR").lead("b", 0, amount=1, currency="USD").history(
        tmp_path, known_until=40
    )  # fmt: skip
    found = read_amounts(history, np.array(["a", "b"], dtype=object), as_of_us=day(10))
    assert np.isnan(found.amount).all()
    assert "EUR, USD" in found.warning
