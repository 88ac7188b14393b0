"""What is shown of a lead, ruled on and routed by, is the value known at as_of."""

import numpy as np
import pyarrow as pa
import pytest

from builders import Facts, day, make_settings
from leadscore.history.known import read_known_values
from leadscore.project.scoring import route_list
from leadscore.scoring.value import read_amounts
from leadscore.tables import REPS

SETTINGS = make_settings(
    fields={"country": {}, "size": {"type": "number", "decimals": 0}},
    routing={"reps": "reps.csv", "match": {"territories": "country"}},
)


def corrected():
    """One lead whose country is corrected from DE to SE on day 20, known on day 22, and which changes its owner."""
    facts = (
        Facts(SETTINGS)
        .lead("a", 0, country="DE", owner_id="r1", size=5)
        .lead("late", 30, country="NO")
    )
    facts.change("a", 20, "country", "SE", known=22).change("a", 25, "owner_id", "r2").change(
        "a", 26, "size", "9"
    )
    return facts.change("a", 40, "country", None)


@pytest.mark.parametrize(
    ("at", "country", "owner", "size"),
    [
        (10, "DE", "r1", "5"),
        (21, "DE", "r1", "5"),  # it happened, and nobody knew
        (22.1, "SE", "r1", "5"),
        (27, "SE", "r2", "9"),
        (41, None, "r2", "9"),
    ],
)
def test_values_when_they_changed_then_are_those_known_at_the_moment(
    tmp_path, at, country, owner, size
):
    history = corrected().history(tmp_path, known_until=50)
    found = history.known_values(["country", "owner_id", "size"], as_of_us=day(at)).to_pylist()
    assert found[0] == {"lead_id": "a", "country": country, "owner_id": owner, "size": size}
    assert [row["lead_id"] for row in found] == (["a"] if at < 30 else ["a", "late"])
    asked = {"as_of_us": day(at), "lead_id": np.array(["a", "unknown"])}
    assert history.known_values(["country", "owner_id", "size"], **asked).to_pylist() == found[:1]
    assert (
        found
        == read_known_values(
            history.engine, ["country", "owner_id", "size"], as_of_us=day(at)
        ).to_pylist()
    )


@pytest.mark.parametrize("seq", [0, 1])
def test_values_when_two_changes_are_of_one_moment_then_the_later_seq_counts_then_the_larger_text(
    tmp_path, seq
):
    facts = Facts(SETTINGS).lead("a", 0, country="DE")
    facts.change("a", 5, "country", "AT", seq=seq).change("a", 5, "country", "SE", seq=0)
    found = facts.history(tmp_path, known_until=50).known_values(["country"], as_of_us=day(9))
    assert found["country"].to_pylist() == ["AT" if seq else "SE"]


@pytest.mark.parametrize(("at", "rep"), [(10, "dach"), (27, "nordic")])
def test_lead_when_its_country_was_corrected_then_goes_to_whoever_covers_it_now(tmp_path, at, rep):
    history = corrected().history(tmp_path, known_until=50)
    columns = {
        "lead_id": ["a"],
        "tier": ["A"],
        "win_probability": [0.5],
        "qualification": ["nurture"],
    }
    usual = {"capacity": 5, "load": 0, "min_share": 0.0, "max_share": 1.0}
    usual |= {"segments": [], "languages": [], "skills": []}
    rows = [usual | {"line": 2, "rep_id": "dach", "territories": ["DE"]},
            usual | {"line": 3, "rep_id": "nordic", "territories": ["SE"]}]  # fmt: skip
    reps = pa.Table.from_pylist(rows, schema=REPS).to_pylist()
    scores, _ = route_list(
        history, pa.table(columns), as_of_us=day(at), previous=None, inputs={"reps": reps}
    )
    assert scores["rep_id"].to_pylist() == [rep]


@pytest.mark.parametrize(("at", "currency"), [(10, "EUR"), (40, None)])
def test_amounts_when_a_later_lead_has_another_currency_then_earlier_lists_do_not_know(
    tmp_path, at, currency
):
    facts = (
        Facts(SETTINGS)
        .lead("a", 0, amount=5_00, currency="EUR")
        .lead("b", 30, amount=5_00, currency="USD")
    )
    found = read_amounts(facts.history(tmp_path, known_until=50), ["a"], as_of_us=day(at))
    assert found.currency == currency


def test_amounts_when_a_win_or_a_lead_is_dated_after_the_export_then_neither_counts(tmp_path):
    facts = (
        Facts(SETTINGS)
        .lead("a", 0, currency="EUR")
        .lead("b", 0, currency="EUR")
        .change("b", 1, "amount", "700")
    )
    facts.lead("planned", 11, amount=5_00, currency="USD").outcome("b", 11, "won", amount=900_00)
    found = read_amounts(facts.history(tmp_path, known_until=10), ["a", "b"], as_of_us=day(11.5))
    assert (found.amount.tolist(), found.currency) == ([7.0, 7.0], "EUR")
