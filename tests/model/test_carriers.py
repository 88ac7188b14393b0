"""Which fields carry the score."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from histories import fitted
from leadscore.model.contributions.carriers import (
    compute_carriers,
    describe_carriers,
    summarise_carriers,
)
from leadscore.results import CarrierShare


@dataclass(frozen=True)
class Part:
    """A feature, as far as it matters here."""

    group: str


class Matrix:
    """As many rows as were asked for."""

    def take(self, rows):
        self.columns = {"rows": rows["lead_id"].to_numpy()}
        return self


class Model:
    """Contributions of three features and the base, by lead."""

    def __init__(self):
        self.added = {"a": [1.0, -3.0, 0.0, 9.0], "b": [-1.0, 1.0, 2.0, 9.0]}

    def contributions(self, columns):
        return np.array([self.added[lead] for lead in columns["rows"]])


def test_carriers_when_features_are_about_one_thing_then_are_added_before_the_sign_is_dropped():
    rows = pd.DataFrame({"lead_id": ["a", "b"], "as_of_us": [1, 1]})
    features = [Part("profile_size"), Part("profile_size"), Part("bant_need")]
    found = compute_carriers(Model(), Matrix(), rows, features)
    assert found.rows == 2
    assert [(carrier.group, carrier.share) for carrier in found.groups] == [
        ("bant_need", 0.5),
        ("profile_size", 0.5),
    ]
    assert found.summary == "The score comes from need (50%) and size (50%)"
    alone = compute_carriers(Model(), Matrix(), rows, [Part("x"), Part("y"), Part("z")])
    assert {each.group: each.share for each in alone.groups} == {
        "x": 0.25,
        "y": 0.5,
        "z": 0.25,
    }


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ({"profile_size": 1.0}, "The score comes from company size (100%)"),
        (
            {"bant_need": 0.6, "stage_age": 0.4},
            "The score comes from need (60%) and stage age (40%)",
        ),
        ({"bant_need": 0.0}, "No field moves the score"),
        (
            dict(zip("abcdefg", [0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1], strict=True)),
            "The score comes from a (30%), b (20%), c (10%), d (10%), e (10%) and all others (20%)",
        ),
    ],
)
def test_sentence_when_groups_are_few_or_many_then_names_the_largest(shares, words):
    groups = [CarrierShare(group=group, share=share) for group, share in shares.items()]
    assert summarise_carriers(groups, {"size": "company size"}) == words


def test_carriers_of_a_training_then_add_up_and_tell_of_every_group():
    result = fitted()
    found = describe_carriers(result, result.training.history.settings)
    assert {each.group for each in found.groups} == {feature.group for feature in result.features}
    assert sum(each.share for each in found.groups) == pytest.approx(1)
    assert found.summary.startswith("The score comes from ")
    assert found.rows <= 1000
