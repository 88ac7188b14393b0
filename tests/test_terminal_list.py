"""The list on a terminal: a lead a line, whose numbers are whole at any width."""

import pytest

from leadscore.cli.rendering import scored as rendering
from leadscore.cli.rendering.console import out, table_of

COLUMNS = ("#", "lead", "tier", "win", "value, EUR", "next action", "first reason")
ROWS = [
    (
        "1",
        "L0004243 Interplast and Daughters SA",
        "A",
        "58%",
        "20,965",
        "give a demo",
        "Need: " * 30,
    ),
    (
        "10",
        "L7",
        "B",
        "5%",
        "1,234,567*",
        "close out",
        "In New for 30 days; usual: 2 days",
    ),
]
STAGES = (
    "stage", "visits", "measured over (days)", "still there", "moved on", "won", "lost", "back",
    "days", "stalled",
)  # fmt: skip


@pytest.fixture
def lines(monkeypatch, capsys, request):
    monkeypatch.setattr(out, "width", request.param)
    table = table_of("First to call", *COLUMNS, text=0)
    for row in ROWS:
        table.add_row(*row)
    rendering._fit_line(table, details=False)
    out.print(table)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("lines", [80, 99, 100, 120], indirect=True)
def test_list_when_printed_then_every_lead_has_one_line_and_every_number_is_whole(lines):
    [first] = [line for line in lines if " 58% " in line]
    [last] = [line for line in lines if " 5% " in line]
    assert " 20,965 " in first
    assert " 1,234,567* " in last
    assert "L0004243" in first
    assert "In New for" in last


@pytest.mark.parametrize(("lines", "shown"), [(99, False), (100, True)], indirect=["lines"])
def test_list_when_the_terminal_is_narrow_then_leaves_out_the_action_not_the_reason(lines, shown):
    assert any("close out" in line for line in lines) is shown
    assert any("tier" in line for line in lines) is shown


@pytest.mark.parametrize("lines", [80], indirect=True)
def test_list_when_the_terminal_is_narrow_then_names_have_room(lines):
    assert any("L0004243 Interplast an" in line for line in lines)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_numbers_when_the_terminal_is_narrow_then_wrap_between_words_only(
    monkeypatch, capsys, width
):
    monkeypatch.setattr(out, "width", width)
    table = table_of("Revenue", "quarter", "expected", "visits", "there", "revenue (range)")
    numbers = ["4,062,112", "11,115", "9,120", "4,062,112 (3,118,944-5,073,550)"]
    table.add_row("July to September of the year after next", *numbers)
    out.print(table)
    words = capsys.readouterr().out.split()
    shown = [*" ".join(numbers).split(), "expected", "visits", "there", "revenue", "(range)"]
    assert [word for word in shown if word not in words] == []


@pytest.mark.parametrize(
    ("width", "shown", "left_out"),
    [(80, ("70 ± 2", "back"), ("there",)), (110, ("70 ± 2", "there", "back"), ())],
)
def test_stages_when_the_terminal_is_narrow_then_shares_are_whole_and_spare_columns_go(
    monkeypatch, capsys, width, shown, left_out
):
    monkeypatch.setattr(out, "width", width)
    table = table_of("Stages", *STAGES)
    table.spare = ("still there", "back")
    table.columns[0].no_wrap = True
    for name in ("New", "Negotiation"):
        table.add_row(
            name, "2,479", "114", "20", "70 ± 2", "3 ± 1", "26 ± 2", "40", "30 (4-100)", "14"
        )
    out.print(table)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    [first] = [line for line in lines if " New " in line]
    assert all(any(words in line for line in lines) for words in shown)
    assert not any(words in line for line in lines for words in left_out)
    assert "26 ± 2" in first
