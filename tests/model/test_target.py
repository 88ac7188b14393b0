"""A list is scored only by a model that predicts what the settings ask for; "auto" looks at no future."""

import dataclasses

import pytest

from builders import Facts, day, make_settings
from leadscore.model.horizon import choose_first_horizon, choose_horizon
from leadscore.model.target import (
    TargetMismatchError,
    check_target,
    describe_target,
    with_horizon_of,
)
from leadscore.settings.settings import Settings

OUTCOMES = {
    "source": "leads", "table": "outcomes", "columns": {"lead_id": "id", "event_at": "closed"},
    "values": {"status": {"won": {"outcome": "won"}, "dead": {"outcome": "lost"}}},
}  # fmt: skip
STAGES = {"open": ["new", "qualified"], "won": ["signed"], "lost": ["rejected"]}
TARGET = {"horizon_days": 90, "cadence_days": 7}


def project(**changes) -> Settings:
    plain = make_settings()
    mapping = [entry.model_dump() for entry in plain.mapping]
    outcomes = changes.pop("outcomes", OUTCOMES)
    return make_settings(
        **({"mapping": [*mapping, outcomes], "stages": STAGES, "target": TARGET} | changes)
    )


def manifest_of(settings):
    return {
        "target": settings.target.model_dump(mode="json"),
        "predicts": describe_target(settings),
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": TARGET | {"horizon_days": 60}}, "a win within 90 days, but target.horizon_days is 60"),
        ({"stages": STAGES | {"won": ["signed", "paid"]}}, "stages.won was 'signed', and is now 'paid', 'signed'"),
        ({"stages": STAGES | {"lost": []}}, "stages.lost was 'rejected', and is now empty"),
        ({"stages": STAGES | {"open": ["new"]}}, "stages.open was 'new', 'qualified', and is now 'new'"),
        ({"outcomes": OUTCOMES | {"values": {"status": {"won": {"outcome": "won"}, "dead": {"outcome": "won"}}}}},
         "the mapping of outcomes was 'dead = lost', 'won = won', and is now 'dead = won', 'won = won'"),
    ],
)  # fmt: skip
def test_model_when_it_predicts_something_else_than_the_settings_then_is_refused_in_words(
    changes, message
):
    words = "model m predicts something different from what the settings ask for"
    with pytest.raises(TargetMismatchError, match=words) as refused:
        check_target(project(**changes), manifest_of(project()), version="m")
    assert message in str(refused.value)
    assert "leadscore train" in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"target": {"horizon_days": 90, "cadence_days": 1, "max_per_lead": 2, "weight_cap": 5.0}},
        {"target": {"horizon_days": "auto"}},
        {"outcomes": OUTCOMES | {"values": {"state": OUTCOMES["values"]["status"]}}},
        {"tiers": {"a": 95}},
    ],
)
def test_model_when_only_how_it_learns_has_changed_then_it_scores(changes):
    check_target(project(**changes), manifest_of(project()), version="m")


@pytest.mark.parametrize("horizon", ["auto", 45])
def test_settings_when_published_then_are_read_again_as_they_were(horizon):
    settings = project(target={"horizon_days": horizon})
    assert settings.public()["target"]["horizon_days"] == horizon
    assert settings.restore(settings.public()) == settings


def test_settings_when_auto_was_published_as_0_then_are_read_again():
    settings = project(target={"horizon_days": "auto"})
    public = settings.public()
    assert settings.restore(public | {"target": public["target"] | {"horizon_days": 0}}) == settings


def test_horizon_when_auto_then_a_list_says_the_horizon_of_its_model():
    found = with_horizon_of(project(target={"horizon_days": "auto"}), manifest_of(project()))
    assert found.target.horizon_days == 90
    assert (
        with_horizon_of(
            project(target={"horizon_days": 60}), manifest_of(project())
        ).target.horizon_days
        == 60
    )


def slowing(tmp_path, *, later=()):
    """Leads that are won within 40 days at first, and later more slowly."""
    facts = Facts(make_settings(target={"horizon_days": "auto", "cadence_days": 7}))
    for i in range(200):
        facts.lead(f"{i:03d}", i)
        facts.outcome(f"{i:03d}", i + 10 + i % 31, "won")
    for i, days in enumerate(later):
        facts.lead(f"later{i}", 150 + i % 100).outcome(f"later{i}", 150 + i % 100 + days, "won")
    return facts.history(tmp_path, known_until=500)


@pytest.mark.parametrize("from_day", [None, 120])
def test_horizon_of_a_backtest_when_later_facts_change_then_is_the_same(tmp_path, from_day):
    from_us = None if from_day is None else day(from_day)
    plain, slow = slowing(tmp_path / "a"), slowing(tmp_path / "b", later=[200] * 300)
    (first, at, why), (again, again_at, _) = (
        choose_first_horizon(each, from_us=from_us) for each in (plain, slow)
    )
    assert at < day(150)
    assert (again.settings.target.horizon_days, again_at) == (
        first.settings.target.horizon_days,
        at,
    )
    assert (
        first.settings.target.horizon_days
        == choose_horizon(plain, known_us=at)[0].settings.target.horizon_days
    )
    assert "by what was known at 2024-" in why
    whole = choose_horizon(slow, known_us=slow.version.known_until_us)[0]
    assert whole.settings.target.horizon_days > first.settings.target.horizon_days


def test_horizon_of_a_backtest_when_it_is_stated_then_stays():
    history = dataclasses.make_dataclass("H", ["settings"])(project())
    assert choose_first_horizon(history, from_us=None) == (history, None, None)
