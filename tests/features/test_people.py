"""Fields that name our own people are learned from on request only, and never put into words."""

import numpy as np
import pandas as pd
import pytest

from builders import Facts, day, make_settings
from leadscore.audit.people import find_people
from leadscore.features.feature import Feature
from leadscore.features.finish import Learned, Text
from leadscore.features.matrix import Matrix, build_features
from leadscore.features.people import names_people, people_fields, unasked_fields
from leadscore.features.phrases import both
from leadscore.model.contributions.evidence import build_evidence
from leadscore.model.fit import fit_scorer
from leadscore.scoring.contributions import Contributions
from leadscore.scoring.encoded import Encoded
from leadscore.scoring.reasons import explain

PEOPLE = [
    "owner", "owner_id", "OwnerId", "Lead Owner", "deal_owner_name", "rep", "sales_rep", "SalesRep", "salesrep_id",
    "agent", "sales_agent", "seller", "Seller", "salesperson", "SalesPerson Name", "assigned_to", "Assigned To",
    "AssignedTo", "assignee", "account_manager", "Account Manager", "AccountManager", "account_executive",
    "relationship manager", "created_by", "CreatedById", "Last Modified By", "user", "user_id", "hubspot_user_id",
    "closed_by", "sdr", "owner email",
]  # fmt: skip
OTHERS = [
    "country", "product", "users", "number_of_users", "user_count", "user_agent", "owner_type", "home_owner", "agency",
    "report", "created", "assigned_at", "representation", "industry", "reply", "manager_approved", "seller_rating",
    "business_owner", "usage", "budget allocated", "budget_assigned",
    "region", "source", "amount", "account", "job_title",
]  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_name_when_crms_call_our_people_so_then_is_recognised(name):
    assert names_people(name)


@pytest.mark.parametrize("name", OTHERS)
def test_name_when_it_only_sounds_like_it_then_is_not_taken_for_people(name):
    assert not names_people(name)


def project(fields, columns=()):
    entry = {
        "source": "leads",
        "table": "leads",
        "columns": {"lead_id": "id", "event_at": "at"} | dict(columns),
    }
    return make_settings(fields=fields, mapping=[entry])


CREATION = {"known_from": "creation"}


@pytest.mark.parametrize(
    ("fields", "columns", "people"),
    [
        ({"seller": CREATION, "industry": CREATION}, {}, {"owner_id", "seller"}),
        ({"who": CREATION}, {"who": "Sales Rep"}, {"owner_id", "who"}),
        ({"who": CREATION | {"label": "account manager"}}, {}, {"owner_id", "who"}),
        (
            {"closed_by": {"type": "date"} | CREATION, "amount": {"type": "number"}},
            {},
            {"owner_id"},
        ),
    ],
)
def test_field_when_it_source_or_label_names_people_then_is_learned_from_on_request_only(
    fields, columns, people
):
    settings = project(fields, columns)
    assert people_fields(settings) == people
    assert not {f"profile_{name}" for name in people} & {
        feature.name for feature in build_features(settings)
    }
    asked = project({name: field | {"learn": True} for name, field in fields.items()}, columns)
    learned = {feature.name: feature.names_people for feature in build_features(asked)}
    assert {name for name, is_people in learned.items() if is_people} == {
        f"profile_{p}" for p in people - {"owner_id"}
    }
    assert unasked_fields(asked) == {"owner_id"}


def test_field_when_the_settings_rule_it_out_then_it_is_not_learned_from():
    assert unasked_fields(project({"industry": CREATION | {"learn": False}})) == {
        "owner_id",
        "industry",
    }


def test_people_when_learned_from_on_request_then_are_no_reason_and_no_evidence():
    owner = Feature("profile_owner_id", {}, Text("o"), "category", "profile_owner", both("owner", "owner: {value}"),
                    names_people=True)  # fmt: skip
    size = Feature(
        "profile_size", {}, Learned(), "number", "profile_size", both("size", "size: {value}")
    )
    rng = np.random.default_rng(0)
    n = 600
    who = rng.choice(np.array(["Ann Lee", "Bo Kim"], dtype=object), n)
    columns = {"profile_owner_id": who, "profile_size": rng.normal(size=n)}
    matrix = Matrix(
        pd.DataFrame({"lead_id": [f"{i:03d}" for i in range(n)], "as_of_us": 0}), columns
    )
    label = (rng.random(n) < np.where(who == "Ann Lee", 0.8, 0.1)).astype(float)
    rows = matrix.keys.assign(label=label, weight=1.0)
    features = (owner, size)
    model = fit_scorer(matrix, rows, kind="logistic", features=features, seed=0, threads=1)
    assert np.ptp(model.log_odds(columns)) > 2  # it is learned from
    evidence = build_evidence(model, matrix, rows, features, within_days=None)
    assert set(evidence) == {"usual", "profile_size"}
    model.document["evidence"] = evidence
    said = {
        sentence
        for column in explain(Contributions.of(Encoded.of(model, matrix), features)).values()
        for sentence in column
    }
    assert not any("Ann" in each or "Bo" in each or "owner" in each for each in said)


@pytest.mark.parametrize(
    ("values", "reps", "found"),
    [
        (["R01", "R02", "R03"], (), {"desk"}),  # the owners
        (
            ["ann lee", "Bo  Kim", "Cy Day"],
            ("Ann Lee", "Bo Kim", "Cy Day"),
            {"desk"},
        ),  # names of the list of reps
        (["north", "south", "west"], ("Ann Lee", "Bo Kim", "Cy Day"), set()),
        (["R01", "R02", "x", "y", "z"], (), set()),  # most are nobody
        (["1", "2", "3"], ("1", "2", "3"), set()),  # short numbers are ids of many things
    ],
)
def test_field_when_its_values_are_owners_or_reps_then_is_people_whatever_it_is_called(
    tmp_path, values, reps, found
):
    facts = Facts(project({"desk": CREATION}, {"desk": "desk", "owner_id": "owner"}))
    for i in range(30):
        facts.lead(f"{i:02d}", i, desk=values[i % len(values)], owner_id=f"R0{i % 3 + 1}")
    history = facts.history(tmp_path, known_until=100)
    assert find_people(history, known_us=day(90), reps=reps) == found
    assert find_people(history, known_us=day(0), reps=reps) == set()
