"""Histories of stages that lack closes of leads which their own file calls closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from onboarding.made_exports import LEADS, start_with, write_rows

STATES = ("New", "Closed won", "Closed lost", "Closed lost")
SINCE = 8  # the first lead whose history was exported


@pytest.mark.parametrize(
    ("first", "says"),
    [(SINCE, "6 leads are closed in a.csv but not here, and count as open"), (0, "")],
)
def test_start_when_a_history_lacks_closes_then_says_how_many_leads_count_as_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, says: str
) -> None:
    closes: list[str] = []

    def row(number: int, created: object, closed: str) -> tuple[object, ...]:
        stage = STATES[number % 4]
        closes.append(f"A{number};{created};New")
        if closed and number >= first:
            closes.append(f"A{number};{closed};{stage}")
        return f"A{number}", created, closed, stage

    path = write_rows(tmp_path / "a.csv", ["Nr", "Created", "Closed", "Stage"], row)
    history = tmp_path / "stage_history.csv"
    history.write_text("\n".join(["Nr;Entered;Stage", *closes, ""]), encoding="utf-8")

    parts, _ = start_with(path, monkeypatch, history)

    doubt = parts["outcome"].doubt
    assert parts["outcome"].place == "stage_history.csv: Stage"
    assert doubt is not None
    assert says in doubt
    assert ("count as open" in doubt) == bool(says)
    assert len(closes) > LEADS
