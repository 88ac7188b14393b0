"""How large what a user states can be: far above any use, and far below what hangs or crashes a machine."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOST_DAYS = 36_500  # a hundred years
MOST_AMOUNT = 10.0**15  # in minor units it still is an exact float
MOST_THREADS = 256
MOST_MEMORY_MB = 16_777_216  # 16 TB
MOST_POINTS = 20.0  # log-odds: beyond it a probability is 0 or 1
MOST_SEED = 2**63 - 1

NAME = r"^[a-z][a-z0-9_]*$"
PROJECT = r"^[a-z0-9][a-z0-9_-]*$"
CURRENCY = r"^[A-Z]{3}$"
PATTERNS = {  # pattern -> what it allows, with an example
    NAME: "must be lower-case letters, digits and _, and begin with a letter, like 'web_leads'",
    PROJECT: "must be lower-case letters, digits, _ and -, and begin with a letter or digit, "
    "like 'shop-2026'",
    CURRENCY: "must be three capital letters, like 'EUR'",
}

LONGEST_WORD = 100  # characters of a name in the settings
LONGEST_NAME = 255  # bytes, as file systems have it
LONGEST_PATH = 4096
LONGEST_PROJECT = 64  # characters: it names folders, an experiment and a model
OURS = ("artifacts", "cards", "mlflow", "mlruns", "prefect")  # in data/ and models/ beside projects

# Reading a dotted key takes time that grows with the square of the number of its parts.
MOST_PARTS = 100
PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
DEEP_KEY = re.compile(rf"(?<![\w-]){PART}(?:[ \t]*+\.[ \t]*+{PART}){{{MOST_PARTS}}}")


def path_problem(path: Path) -> str | None:
    """Why no file can have this path, or None."""
    if "\0" in str(path):
        return "holds a NUL character, which no file name can"
    lengths = [len(os.fsencode(part)) for part in path.parts]
    longest = max(lengths, default=0)
    if longest > LONGEST_NAME:
        return f"holds a name of {longest:,} bytes; a file name has at most {LONGEST_NAME}"
    length = len(os.fsencode(path))
    if length > LONGEST_PATH:
        return f"is {length:,} bytes long; a path has at most {LONGEST_PATH:,}"
    return None
