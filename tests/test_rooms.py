"""What is measured of the rooms of src: how densely they are written, and how much of them tests reach."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

DOCUMENTED = '''"""A module.

With two paragraphs.
"""


def double(x):  # a comment
    """Twice x."""
    return 2 * x
'''


@pytest.fixture(autouse=True)
def bench(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "bench")


@pytest.mark.parametrize(("text", "tokens", "lines"), [
    ("", 0, 0),
    ("# nothing\n\n", 0, 0),
    ("x = 1\n", 3, 1),
    ("x = (\n    1,\n\n    2,\n)\n", 8, 4),
    (DOCUMENTED, 10, 2),
    ("x = f'{a} and {b:>{width}}'\n", 3, 1),
    ("x = f'{f(1)} {f\"{b}\"}'\n", 3, 1),
    ("x = '''one\ntwo'''\n", 3, 2),
])  # fmt: skip
def test_code_when_counted_then_comments_blank_lines_and_docstrings_are_left_out(
    tmp_path, text, tokens, lines
):
    from density import count_code

    (tmp_path / "module.py").write_text(text)
    assert count_code(tmp_path / "module.py") == (tokens, lines)


def test_coverage_when_reported_by_room_then_the_lowest_comes_first(tmp_path):
    from coverage_by_room import read_rooms

    def summary(lines, covered_lines, branches, covered_branches):
        counts = {"num_statements": lines, "covered_lines": covered_lines}
        return {
            "summary": counts | {"num_branches": branches, "covered_branches": covered_branches}
        }

    files = {
        "src/leadscore/times.py": summary(10, 10, 0, 0),
        "src/leadscore/model/fit.py": summary(6, 3, 4, 1),
        "src/leadscore/model/encode.py": summary(10, 9, 0, 0),
        "src/leadscore/store/__init__.py": summary(0, 0, 0, 0),
    }
    (tmp_path / "coverage.json").write_text(json.dumps({"files": files}))
    rooms = read_rooms(tmp_path / "coverage.json")
    assert {name: reached.percent for name, reached in rooms.items()} == {
        "model": 65.0,
        "(top level)": 100.0,
        "store": 100.0,
    }
    assert next(iter(rooms)) == "model"
