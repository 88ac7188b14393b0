"""What is said where no lead was won yet, or none was lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from builders import Facts, day
from histories import sales_settings, undated_settings
from leadscore.model.no_outcomes import describe_missing_outcomes
from leadscore.times import format_local_day

EXPORT = 10


def describe(folder: Path, *outcomes: str, at: int = EXPORT) -> str | None:
    """What is said, on some day, of two open leads and of one lead for each outcome."""
    facts = Facts(sales_settings(folder))
    facts.lead("first", 1)
    facts.lead("second", 2)
    for number, outcome in enumerate(outcomes):
        facts.lead(f"closed {number}", 3)
        facts.outcome(f"closed {number}", 5, outcome)
    history = facts.history(folder / "store", known_until=EXPORT)
    return describe_missing_outcomes(history, known_us=day(at))


@pytest.mark.parametrize(
    ("outcomes", "missing"),
    [((), "won or lost"), (("lost",), "won"), (("won",), "lost")],
)
def test_history_when_an_outcome_is_missing_then_says_which_how_many_and_until_when(
    tmp_path: Path, outcomes: tuple[str, ...], missing: str
) -> None:
    words = str(describe(tmp_path, *outcomes))

    assert words.startswith(f"no lead is marked {missing}. Export the closed leads too")
    assert "at least 20 leads won and 20 not won within 30 days" in words
    ends = format_local_day(day(1 + 30), zone="UTC")
    assert f"ends on {ends} for the first lead" in words


def test_history_when_both_outcomes_are_there_then_says_nothing(tmp_path: Path) -> None:
    assert describe(tmp_path, "won", "lost") is None


def test_history_when_outcomes_came_later_then_a_later_moment_is_asked_for(tmp_path: Path) -> None:
    words = str(describe(tmp_path, "won", "lost", at=4))

    assert words.startswith("by ")
    assert words.endswith("no lead was marked won or lost; train as of a later moment")


def test_history_when_undated_then_no_day_is_named(tmp_path: Path) -> None:
    facts = Facts(sales_settings(tmp_path))
    facts.lead("first", 1)
    dated = facts.history(tmp_path / "store", known_until=EXPORT)
    history = replace(dated, settings=undated_settings("none", tmp_path))

    words = str(describe_missing_outcomes(history, known_us=dated.version.known_until_us))

    assert words.endswith("open leads say nothing without dates")
