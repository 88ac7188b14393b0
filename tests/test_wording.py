import re
from pathlib import Path

import pytest

import leadscore
from leadscore.wording import counted

# as in "31 %" and f"{share} %"; not "n % 7" and "{a} % {b}"
SPACED = re.compile(r"[\d}] %(?!\}| ?[\d{]| len)|f %%")


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


@pytest.mark.parametrize("kind", ["py", "js", "j2", "toml"])
def test_per_cent_when_written_by_any_room_then_without_a_space(kind):
    files = Path(leadscore.__file__).parent.rglob(f"*.{kind}")
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert lines
    assert not [line for line in lines if SPACED.search(line)]
