import pytest

from leadscore.wording import counted


@pytest.mark.parametrize(
    ("n", "nouns", "words"),
    [
        (0, ["row"], "0 rows"),
        (1, ["row"], "1 row"),
        (2, ["row"], "2 rows"),
        (1_234_567, ["row"], "1,234,567 rows"),
        (1, ["lead has no date", "leads have no date"], "1 lead has no date"),
        (0, ["lead has no date", "leads have no date"], "0 leads have no date"),
        (1000, ["lead has no date", "leads have no date"], "1,000 leads have no date"),
    ],
)
def test_number_when_it_is_one_then_its_noun_and_verb_are_singular(n, nouns, words):
    assert counted(n, *nouns) == words
