"""Snapshots weighted by how likely a list gave their lead to a rep."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from builders import Facts, day, make_settings
from leadscore.history.contacted import weigh_by_contact
from leadscore.history.snapshot import KEYS

ROWS = pd.DataFrame(
    {
        "lead_id": ["called", "left", "drawn", "never listed", "left"],
        "as_of_us": [20, 25, 30, 20, 9],
        "grid_weight": [1.0, 1.0, 2.0, 3.0, 1.0],
    }
)
GIVEN = pd.DataFrame(
    {
        "lead_id": ["called", "left", "drawn", "left"],
        "as_of_us": [10, 10, 10, 40],
        "probability": [1.0, 0.0, 0.25, 1.0],
    }
)


def test_snapshots_when_lists_gave_leads_to_reps_then_weigh_by_the_last_list_before_them():
    weighted = weigh_by_contact(ROWS, GIVEN)
    assert weighted.to_dict("records") == [
        {"lead_id": "called", "as_of_us": 20, "grid_weight": 1.0},
        {"lead_id": "drawn", "as_of_us": 30, "grid_weight": 8.0},
        {"lead_id": "never listed", "as_of_us": 20, "grid_weight": 3.0},
        {"lead_id": "left", "as_of_us": 9, "grid_weight": 1.0},  # before it was on any list
    ]


@pytest.mark.parametrize("given", [None, GIVEN.iloc[:0]])
def test_snapshots_when_there_are_no_lists_then_stay_as_they_are(given):
    assert weigh_by_contact(ROWS, given) is ROWS


def test_rate_when_only_given_leads_are_worked_then_weights_recover_that_of_all():
    rng = np.random.default_rng(1)
    n = 200_000
    can_be_won = rng.random(n) < 0.2
    drawn = rng.random(n) < 0.1
    rows = pd.DataFrame(
        {
            "lead_id": np.arange(n).astype(str),
            "as_of_us": 2,
            "grid_weight": 1.0,
            "won": can_be_won & drawn,  # the others were lost since nobody called
        }
    )
    probability = np.where(drawn, 0.1, 0.0)
    given = pd.DataFrame({"lead_id": rows["lead_id"], "as_of_us": 1, "probability": probability})
    weighted = weigh_by_contact(rows, given)
    assert weighted["grid_weight"].sum() == pytest.approx(n, rel=0.02)
    rate = np.average(weighted["won"], weights=weighted["grid_weight"])
    assert rate == pytest.approx(0.2, abs=0.01)
    assert rows["won"].mean() == pytest.approx(0.02, abs=0.01)


def test_snapshots_when_labelled_again_then_weigh_the_same(tmp_path):
    facts = Facts(make_settings())
    facts.lead("drawn", 1).lead("left", 1).lead("never listed", 1)
    probability = {"drawn": 0.25, "left": 0.0}
    given = pd.DataFrame({"lead_id": list(probability), "as_of_us": day(2)})
    given["probability"] = given["lead_id"].map(probability)
    history = replace(facts.history(tmp_path, known_until=90), given=given)

    side = history.side("some", from_us=day(3), to_us=day(30), known_us=day(90))
    again = history.relabel(side.rows[[*KEYS, "grid_weight"]], known_us=day(90))

    weights = side.rows.groupby("lead_id")["weight"].sum()
    assert weights["drawn"] == 4 * weights["never listed"] > 0
    assert "left" not in weights
    pd.testing.assert_series_equal(again.rows.groupby("lead_id")["weight"].sum(), weights)
