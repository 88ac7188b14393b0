"""The page of all sentences is of the present code."""

from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"


def test_page_of_reasons_when_sentences_changed_then_is_made_again(monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    from reasons_reference import PAGE, build_page

    assert PAGE.read_text(encoding="utf-8") == build_page(), "run python bench/reasons_reference.py"
