"""What a forecast is asked for that makes no sense, or does not go together."""

import pytest

from builders import make_settings
from commands import run
from leadscore import Project
from leadscore.errors import UserError
from leadscore.project.forecast_target import read_target


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"by": "year"}, "a period is one of 'week', 'month', 'quarter'"),
        ({"periods": 0}, "from 1 to 52"),
        ({"periods": 1000}, "from 1 to 52"),
        ({"target_wins": -5.0}, "a target is a number above 0, not -5.0"),
        ({"target_wins": 2.5}, "a target of wins is a whole number, not 2.5"),
        ({"target_wins": float("nan")}, "a target is a number above 0"),
        ({"target_revenue": float("inf")}, "a target is a number above 0"),
        ({"target_wins": 3.0, "target_revenue": 5.0}, "not for both"),
        ({"target_by": "channel"}, "needs a target: add --target-wins or --target-revenue"),
    ],
)
def test_forecast_when_asked_for_what_makes_no_sense_then_is_refused_in_words(asked, words):
    with pytest.raises(UserError, match=words):
        Project(make_settings()).forecast(**asked)


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (("--backtest", 3, "--as-of", "2024-06-01"), "--backtest goes with"),
        (("--backtest", 3, "--leads-to", "when.csv"), "--backtest goes with"),
        (
            ("--leads-to", "when.csv", "--since", "2024-06-01"),
            "--since, --html, --publish and targets go with",
        ),
        (("--by", "channel"), "with a target, --target-by takes a field of leads"),
        (("--by", "months"), "did you mean month?"),
        (("--by", "year"), "is not one of week, month, quarter; with a target, --target-by takes"),
        (("--target-revenue", "5M"), "write digits only, such as 1800000"),
        (("--target-revenue", "1,800,000"), "write digits only, such as 1800000"),
        (("--target-revenue", "nan"), "is not a number from 0 to 1,000,000,000,000,000"),
        (("--backtest", 3, "--publish"), "--since, --html, --publish and targets go with"),
        (("--backtest", 3, "--target-wins", 0), "--since, --html, --publish and targets go with"),
        (("--backtest", 3, "--target-wins", 5), "--since, --html, --publish and targets go with"),
        (
            ("--leads-to", "when.csv", "--html", "a.html"),
            "--since, --html, --publish and targets go with",
        ),
    ],
)
def test_command_when_options_make_no_sense_or_do_not_go_together_then_is_refused_in_words(
    words, refused
):
    ended = run("forecast", *words)
    assert ended.code == 2
    assert refused in " ".join(ended.err.split())


def test_target_when_asked_by_tier_then_is_refused_since_new_leads_have_none():
    with pytest.raises(UserError, match="new leads have no tier"):
        read_target(30, None, "tier")
