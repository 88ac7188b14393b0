import io
from pathlib import Path

import pytest

from leadscore.cli.init import _ask
from leadscore.onboarding.exports import read_exports
from leadscore.onboarding.plan import Answers
from leadscore.onboarding.roles import find_roles

HEADER = "id,created,closed,status,region,size"
DEALS = [
    f"{n},2025-01-{n:02},2025-02-{n:02},{('won', 'lost')[n % 2]},{n % 3},{n % 4}"
    for n in range(1, 28)
]


def ask(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str, created: str = "") -> Answers:
    """What a person answers, line by line, about deals created at certain dates."""
    rows = [
        row.replace(f"2025-01-{n:02}", created) if created else row
        for n, row in enumerate(DEALS, 1)
    ]
    (folder / "deals.csv").write_text("\n".join([HEADER, *rows, ""]))
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([*lines, ""])))
    exports = read_exports([folder / "deals.csv"], lambda *_: None)
    return _ask(find_roles(exports.profiles))


@pytest.mark.parametrize("answer", ["1 2", "1,2", "2, 1", "1,2,2"])
def test_question_when_fields_are_chosen_then_they_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    assert ask(tmp_path, monkeypatch, answer).known == {"region", "size"}


def test_question_when_nothing_is_chosen_then_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(tmp_path, monkeypatch, "").known == frozenset()


@pytest.mark.parametrize("wrong", ["3", "0", "region", "1 x", "-1", "1.5", "²", "1²"])
def test_question_when_the_answer_is_no_choice_then_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    assert ask(tmp_path, monkeypatch, wrong, "1").known == {"region"}
    assert "numbers from 1 to 2" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "order"), [("y", "dmy"), ("n", "mdy")])
def test_question_when_dates_can_be_read_in_two_ways_then_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, order: str
) -> None:
    assert ask(tmp_path, monkeypatch, answer, "", created="03/04/2024").date_order == order
